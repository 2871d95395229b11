"""Kernels in blocks give what they give at once, and rules in blocks what differences give."""

import numpy as np
import pytest

import autograd
import nn
import nn.functional as F  # noqa: N812 - short names in a table
from autograd import Variable
from autograd.blocks import in_blocks, in_row_blocks

LARGE = (301, 257)  # more than two blocks, and no multiple of one


def test_results_are_put_together_and_sums_are_added_up():
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=LARGE), rng.normal(size=(LARGE[0], 1))
    seen = []

    def kernel(x, y, axis):
        seen.append(len(x))
        return x * y, x.max(axis=axis, keepdims=True), x.sum(axis=0)

    product, largest, total = in_row_blocks(kernel, -1, x, y, sums=1)
    assert len(seen) == 3
    assert sum(seen) == LARGE[0]
    np.testing.assert_array_equal(product, x * y)
    np.testing.assert_array_equal(largest, x.max(axis=-1, keepdims=True))
    np.testing.assert_allclose(total, x.sum(axis=0), rtol=1e-12)
    np.testing.assert_array_equal(in_blocks(lambda a, b: a * b, x, x), x * x)


def test_what_has_no_lines_in_the_last_axis_is_left_to_the_kernel():
    x = np.ones(LARGE)
    for axis in (0, None, (0, 1)):
        assert in_row_blocks(lambda x, a: (x.shape, a), axis, x) == (LARGE, axis)
    assert in_row_blocks(lambda x, _: x.shape, -1, Variable(x)) == LARGE
    assert in_row_blocks(lambda x, y, _: x.shape, -1, x, np.ones(257)) == LARGE
    assert in_blocks(lambda x, y: x.shape, x, np.ones(257)) == LARGE


FUNCTIONS = {
    "softmax": lambda x, w, b: F.softmax(x),
    "log_softmax": lambda x, w, b: F.log_softmax(x),
    "layer_norm": lambda x, w, b: F.layer_norm(x, x.shape[-1:], w, b),
    "layer_norm without bias": lambda x, w, b: F.layer_norm(x, x.shape[-1:], w),
    "rms_norm": lambda x, w, b: F.rms_norm(x, x.shape[-1:], w),
    "gelu": lambda x, w, b: F.gelu(x),
    "gelu(tanh)": lambda x, w, b: F.gelu(x, "tanh"),
    "silu": lambda x, w, b: F.silu(x),
    "relu": lambda x, w, b: F.relu(x),
}


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("function", FUNCTIONS.values(), ids=FUNCTIONS)
def test_large_arrays_give_the_values_and_gradients_of_their_rows(function, dtype):
    rng = np.random.default_rng(0)
    x, g = (rng.normal(size=LARGE).astype(dtype) for _ in range(2))
    w, b = rng.normal(size=(2, LARGE[1])).astype(dtype)

    def run(x, g):
        leaves = [Variable(a, requires_grad=True) for a in (x, w, b)]
        out = function(*leaves)
        out.backward(g)
        return out.data, leaves[0].grad, leaves[1].grad, leaves[2].grad

    whole = run(x, g)
    parts = [run(x[i : i + 43], g[i : i + 43]) for i in range(0, LARGE[0], 43)]
    bound = {"rtol": 1e-5, "atol": 1e-5} if dtype == np.float32 else {"rtol": 1e-12, "atol": 1e-12}
    for k in range(2):
        assert whole[k].dtype == dtype
        np.testing.assert_allclose(whole[k], np.concatenate([p[k] for p in parts]), **bound)
    for k in range(2, 4):
        if whole[k] is not None:
            expected = sum(p[k].astype(float) for p in parts)
            np.testing.assert_allclose(whole[k], expected, rtol=1e-4, atol=100 * bound["atol"])


def test_second_derivatives_do_not_depend_on_blocks():
    x = np.random.default_rng(0).normal(size=LARGE)
    layer = nn.LayerNorm(LARGE[1], dtype=np.float64)
    loss = lambda x: (F.gelu(layer(x)) ** 2).sum()
    whole, few = (autograd.hvp(loss)(part, np.ones_like(part)) for part in (x, x[:20]))
    np.testing.assert_allclose(
        whole.data[:20], few.data, rtol=1e-9, atol=1e-9
    )  # lines know no others
