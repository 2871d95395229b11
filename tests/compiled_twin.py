"""What a compiled function is compared by: other inputs than those traced, its outputs, gradients
and their gradients.
"""

import zlib

import numpy as np
from op_table import Call

import autograd
from autograd import Variable


def others(case, call, index, row):
    rng = np.random.default_rng([zlib.crc32(row.name.encode()), index, 1])
    drawn = Call(row.function, case.arguments(rng), case).operands
    return [
        np.asarray(
            x + 1j * (0.3 * rng.normal(size=x.shape))
            if y.dtype.kind == "c" and x.dtype.kind != "c"
            else x
        ).astype(y.dtype)
        for x, y in zip(drawn, call.operands, strict=True)
    ]


def derived(function, operands, order):
    """Return outputs, gradients and the gradients of those."""
    inputs = [Variable(x, requires_grad=True) for x in operands]
    outputs = function(*inputs)
    rng = np.random.default_rng(0)
    values = [o.data if isinstance(o, Variable) else o for o in outputs]
    live = [o for o in outputs if isinstance(o, Variable) and o.requires_grad]
    weights = [rng.uniform(0.5, 1.5, o.shape).astype(o.dtype) for o in live]
    if not live:
        return values
    known = {"allow_unused": True, "retain_graph": True}
    first = autograd.grad(live, inputs, weights, **known)
    values += [np.zeros(v.shape) if g is None else g for g, v in zip(first, inputs, strict=True)]
    second = [None] * len(inputs)
    if order > 1:
        first = autograd.grad(live, inputs, weights, create_graph=True, **known)
        first = [g for g in first if isinstance(g, Variable) and g.requires_grad]
        weights = [rng.uniform(0.5, 1.5, o.shape).astype(o.dtype) for o in first]
        if first:
            second = autograd.grad(first, inputs, weights, allow_unused=True)
    values += [np.zeros(v.shape) if g is None else g for g, v in zip(second, inputs, strict=True)]
    return values


def agree(got, wanted, message):
    assert len(got) == len(wanted), message
    finite = [np.abs(b[np.isfinite(b)]).max(initial=1e-3) for b in map(np.asarray, wanted)]
    scale = max(finite)  # what cancels in a sum is as wrong as its terms
    for a, b in zip(got, wanted, strict=True):
        assert np.shape(a) == np.shape(b), message
        np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-12 * scale, err_msg=message)
