"""Every row of the op table, through the same checks. What a row is: see `tests/op_table.py`.

Gradients follow PyTorch for complex numbers: the gradient is dL/dRe(x) + i dL/dIm(x) of a real L.
"""

import contextlib
import importlib
import os
import pkgutil
import subprocess
import sys
import zlib

import numpy as np
import pytest
from op_table import (
    Call,
    Case,
    Row,
    calls,
    collect,
    difference,
    directions,
    inner,
    is_floating,
    leaves,
    rebuild,
)

import autograd
import nn
from autograd import Variable
from autograd.engine import mode as _mode
from autograd.engine import primitive as _primitive
from autograd.engine.primitive import Primitive

THOROUGH = os.environ.get("HYPOTHESIS_PROFILE", "dev") != "dev"
ROWS = collect()
each_row = pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)


def each_row_where(condition):
    return pytest.mark.parametrize(
        "row", [row for row in ROWS if condition(row)], ids=lambda row: row.name
    )


def random_for(row):
    return np.random.default_rng(zlib.crc32(row.name.encode()))


@contextlib.contextmanager
def naming(case):
    """Add the case to the message of whatever fails inside."""
    try:
        yield
    except BaseException as error:
        error.add_note(f"in {case}")
        raise


def record(call, operands):
    """Return leaves on copies of `operands`, and the recorded outputs of `call` on them."""
    inputs = [Variable(np.array(x), requires_grad=True) for x in operands]
    return inputs, call(inputs)


def pull(outputs, inputs, weights, *, create_graph=False):
    """Return the gradients of sum(weights * outputs); zeros where nothing depends on an input."""
    kind = Variable if create_graph else np.asarray
    found = [None] * len(inputs)
    pairs = zip(outputs, weights, strict=True)
    used = [(o, w) for o, w in pairs if isinstance(o, Variable) and o.requires_grad]
    if used:
        found = autograd.grad(
            *([o for o, _ in used], inputs, [w for _, w in used]),
            create_graph=create_graph,
            allow_unused=True,
        )
    return [
        kind(np.zeros_like(x.data)) if g is None else g for g, x in zip(found, inputs, strict=True)
    ]


def weights_for(outputs, rng):
    """Draw the cotangents: of the kind and dtype of each output, none of them zero."""
    drawn = []
    for out in outputs:
        w = rng.uniform(0.5, 1.5, out.shape) * rng.choice([-1.0, 1.0], out.shape)
        if out.dtype.kind == "c":
            w = w + 1j * rng.uniform(0.5, 1.5, out.shape)
        drawn.append(w.astype(out.dtype))
    return drawn


def gradient_function(call, weights):
    """Return the function from operands to the gradients of `call`, for the next order.

    The cotangents are operands, too, so that derivatives of rules with respect to `g` are checked.
    """

    def derivative(operands):
        given = list(operands)
        raw = not isinstance(given[0], Variable)
        if raw:
            given = [Variable(np.array(x), requires_grad=True) for x in given]
        cotangents = given[: len(weights)]
        inputs = given[len(weights) :]
        gradients = pull(call(inputs), inputs, cotangents, create_graph=True)
        return [g.detach().data for g in gradients] if raw else gradients

    return derivative


def raw(values):
    return [v.data if isinstance(v, Variable) else np.asarray(v) for v in values]


def check_against_differences(call, operands, rng, rtol, few=False):
    """Compare the recorded gradient of `call` at `operands` with differences."""
    inputs, outputs = record(call, operands)
    weights = weights_for(outputs, rng)
    gradients = raw(pull(outputs, inputs, weights))
    for g, x in zip(gradients, operands, strict=True):
        assert g.shape == x.shape
        assert g.dtype == x.dtype

    def value(operands):
        return inner(weights, raw(call(operands)))

    chosen = directions(operands, rng, 0, 2) if few else directions(operands, rng)
    analytic = np.array([inner(d, gradients) for d in chosen])
    numeric = np.array([difference(value, operands, d) for d in chosen])
    scale = max([1.0, *np.abs(numeric)])
    np.testing.assert_allclose(analytic, numeric, rtol=0, atol=rtol * scale)
    return weights


@each_row
def test_the_forward_pass_equals_numpy(row):
    for case, call in calls(row):
        with naming(case):
            result = leaves(call.function(*call.arguments, **call.kwargs))
            assert not any(isinstance(r, Variable) for r in result), (
                "arrays in must give arrays out"
            )
            _, outputs = record(call, call.operands)
            assert [o.requires_grad for o in outputs if isinstance(o, Variable)].count(
                True
            ) > 0 or not row.recorded
            for recorded, plain in zip(outputs, call(call.operands), strict=True):
                np.testing.assert_allclose(recorded.data, plain, rtol=1e-14, atol=1e-15)
            if row.twin is None:
                continue
            wanted = leaves(row.twin(*call.arguments, **call.kwargs))
            assert len(result) == len(wanted)
            for got, want in zip(result, wanted, strict=True):
                assert np.shape(got) == np.shape(want)
                assert np.result_type(got) == np.result_type(want)
                np.testing.assert_allclose(got, want, rtol=1e-12, atol=1e-13)


@each_row
def test_gradients_equal_differences(row):
    rng = random_for(row)
    for case, call in calls(row):
        with naming(case):
            check_against_differences(call, call.operands, rng, row.rtol)


@each_row_where(lambda row: row.order > 1)
def test_second_derivatives_equal_differences(row):
    rng = random_for(row)
    for case, call in calls(row):
        if case.order == 1:
            continue
        with naming(case):
            weights = weights_for(call(call.operands), rng)
            # In two random directions; along each coordinate where more is asked for.
            derivative, operands = gradient_function(call, weights), [*weights, *call.operands]
            check_against_differences(derivative, operands, rng, 10 * row.rtol, few=not THOROUGH)


@each_row_where(lambda row: row.elementwise and row.order > 1 and row.cases[0].order is None)
def test_third_derivatives_of_elementwise_functions_equal_differences(row):
    rng = random_for(row)
    case, call = calls(row)[0]
    with naming(case):
        single = resized(call, [(2,)])
        weights = weights_for(single(single.operands), rng)
        second = gradient_function(single, weights)
        operands = [*weights, *single.operands]
        more = weights_for(raw(second(operands)), rng)
        check_against_differences(
            gradient_function(second, more), [*more, *operands], rng, 100 * row.rtol, few=True
        )


@each_row
def test_forward_mode_equals_differences(row):
    rng = random_for(row)
    for case, call in calls(row):
        count = len(call.operands)
        # All operands move together; and each alone, while the others are constants.
        for chosen in [range(count), *([i] for i in range(count) if count > 1)]:
            with naming(f"{case}, operands {list(chosen)}"):
                check_forward_mode(call, chosen, rng, row.rtol)


def check_forward_mode(call, chosen, rng, rtol):
    def function(*xs):
        operands = list(call.operands)
        for i, x in zip(chosen, xs, strict=True):
            operands[i] = x
        return call(operands)

    moving = [call.operands[i] for i in chosen]
    direction = [np.asarray(0.3 * w) for w in weights_for(moving, rng)]
    values, tangents = autograd.jvp(function, tuple(moving), tuple(direction))
    for value, tangent in zip(values, tangents, strict=True):
        assert (tangent.shape, tangent.dtype) == (value.shape, value.dtype)
    weights = weights_for(raw(values), rng)
    analytic = inner(weights, raw(tangents))
    numeric = difference(lambda xs: inner(weights, raw(function(*xs))), moving, direction)
    assert analytic == pytest.approx(numeric, rel=rtol, abs=rtol)


def has_several_outputs(row):
    return any(len(call(call.operands)) > 1 for _, call in calls(row))


def only(call, i):
    return lambda operands: [call(operands)[i]]


@each_row_where(has_several_outputs)
def test_each_of_several_outputs_can_be_the_only_one_used(row):
    rng = random_for(row)
    for case, call in calls(row):
        for i in range(len(call(call.operands))):
            with naming(f"{case}, output {i}"):
                check_against_differences(only(call, i), call.operands, rng, row.rtol, few=True)


@each_row
def test_rules_give_the_same_on_arrays_and_on_variables(row):
    rng = random_for(row)
    for case, call in calls(row):
        with naming(case):
            inputs, outputs = record(call, call.operands)
            weights = weights_for(outputs, rng)
            plain = pull(outputs, inputs, weights)
            inputs, outputs = record(call, call.operands)
            recorded = pull(outputs, inputs, weights, create_graph=True)
            for a, b in zip(plain, recorded, strict=True):
                assert isinstance(b, Variable)
                assert b.dtype == np.result_type(a)
                np.testing.assert_allclose(b.data, a, rtol=1e-12, atol=1e-13)


@each_row
def test_each_operand_alone_gets_the_same_gradient(row):
    """Which other operands are constants, as arrays or as Variables, changes nothing."""
    rng = random_for(row)
    for case, call in calls(row):
        if len(call.operands) < 2:
            continue
        inputs, outputs = record(call, call.operands)
        weights = weights_for(outputs, rng)
        together = pull(outputs, inputs, weights)
        for i, x in enumerate(call.operands):
            for as_variable in (False, True):
                with naming(f"{case}, operand {i} alone, constant Variables: {as_variable}"):
                    given = [Variable(y) if as_variable else y for y in call.operands]
                    given[i] = Variable(x, requires_grad=True)
                    outputs = call(given)
                    kept = [
                        (o, w)
                        for o, w in zip(outputs, weights, strict=True)
                        if isinstance(o, Variable) and o.requires_grad
                    ]
                    (alone,) = pull([o for o, _ in kept], [given[i]], [w for _, w in kept])
                    np.testing.assert_allclose(alone, together[i], rtol=1e-12, atol=1e-13)


SINGLE = {np.dtype(np.float64): np.float32, np.dtype(np.complex128): np.complex64}


def in_single_precision(call):
    def convert(value):
        return (
            value.astype(SINGLE[value.dtype])
            if is_floating(value) and value.dtype in SINGLE
            else value
        )

    single = Call.__new__(Call)
    single.function = call.function
    single.kwargs = {k: rebuild(v, convert) for k, v in call.kwargs.items()}
    single.arguments = tuple(rebuild(a, convert) for a in call.arguments)
    single.diff = call.diff
    single.operands = [convert(x) for x in call.operands]
    return single


@each_row_where(lambda row: row.float32)
def test_float32_stays_float32_in_every_rule(row, monkeypatch):
    rng = random_for(row)
    upcasts = []
    cast = _primitive.cast

    def watched(g, dtype):
        if np.finfo(g.dtype).bits > 32 and np.finfo(dtype).bits == 32:
            upcasts.append(str(g.dtype))
        return cast(g, dtype)

    monkeypatch.setattr(_primitive, "cast", watched)
    for case, call in calls(row):
        with naming(case):
            single = in_single_precision(call)
            inputs, outputs = record(single, single.operands)
            for out in outputs:
                assert np.finfo(out.dtype).bits == 32, f"output of dtype {out.dtype}"
            weights = weights_for(outputs, rng)
            wide_inputs, wide_outputs = record(call, call.operands)
            wide = pull(
                wide_outputs,
                wide_inputs,
                [w.astype(o.dtype) for w, o in zip(weights, wide_outputs, strict=True)],
            )
            upcasts.clear()
            gradients = pull(outputs, inputs, weights)
            assert not upcasts, "a rule returned float64 for a float32 operand"
            for g, x, reference in zip(gradients, single.operands, wide, strict=True):
                assert g.dtype == x.dtype
                np.testing.assert_allclose(
                    g,
                    reference,
                    rtol=1e-2,
                    atol=1e-3 * max(1.0, float(np.max(np.abs(reference), initial=0.0))),
                )
            if row.order < 2 or case.order == 1:
                continue
            inputs, outputs = record(single, single.operands)
            first = pull(outputs, inputs, weights, create_graph=True)
            recorded = [g for g in first if g.requires_grad]
            if not recorded:
                continue
            upcasts.clear()
            second = pull(recorded, inputs, [np.ones_like(g.data) for g in recorded])
            assert not upcasts, "a rule of second order returned float64 for a float32 operand"
            for g, x in zip(second, single.operands, strict=True):
                assert g.dtype == x.dtype


def strided(x):
    """Return an equal array that is not contiguous: every second element of a buffer."""
    if x.ndim == 0:
        return x
    buffer = np.empty((*x.shape[:-1], 2 * x.shape[-1]), dtype=x.dtype)[..., ::2]
    buffer = (
        buffer[::-1]
        if x.ndim == 1
        else buffer.swapaxes(0, -1)
        if x.shape[0] == x.shape[-1]
        else buffer
    )
    buffer[...] = x
    return buffer


@each_row
def test_strided_operands_give_the_same_gradients(row):
    rng = random_for(row)
    for case, call in calls(row):
        with naming(case):
            inputs, outputs = record(call, call.operands)
            weights = weights_for(outputs, rng)
            wanted = pull(outputs, inputs, weights)
            inputs = [Variable(strided(x), requires_grad=True) for x in call.operands]
            results = call(inputs)
            for a, b in zip(results, outputs, strict=True):
                np.testing.assert_allclose(a.data, b.data, rtol=1e-12, atol=1e-13)
            got = pull(results, inputs, [strided(w) for w in map(np.asarray, weights)])
            for g, w in zip(got, wanted, strict=True):
                np.testing.assert_allclose(g, w, rtol=1e-11, atol=1e-12)


def shares_memory(a, b):
    return (
        isinstance(a, np.ndarray)
        and isinstance(b, np.ndarray)
        and a.size > 0
        and np.shares_memory(a, b)
    )


@each_row
def test_backward_changes_no_operand_and_its_gradients_own_their_memory(row):
    rng = random_for(row)
    for case, call in calls(row):
        with naming(case):
            operands = [np.array(x) for x in call.operands]
            before = [np.array(x) for x in leaves(call.arguments) if isinstance(x, np.ndarray)]
            inputs = [Variable(x, requires_grad=True) for x in operands]
            outputs = call(inputs)
            weights = weights_for(outputs, rng)
            kept = [np.array(w) for w in weights]
            used = [i for i, o in enumerate(outputs) if isinstance(o, Variable) and o.requires_grad]
            for i in used:
                outputs[i].backward(weights[i], retain_graph=True)
            for x, y in zip(operands, call.operands, strict=True):
                np.testing.assert_array_equal(x, y)
            after = [x for x in leaves(call.arguments) if isinstance(x, np.ndarray)]
            for x, y in zip(before, after, strict=True):
                np.testing.assert_array_equal(x, y)
            for w, k in zip(weights, kept, strict=True):
                np.testing.assert_array_equal(w, k)
            grads = [x.grad for x in inputs if x.grad is not None]
            others = [
                *operands,
                *weights,
                *[o.data for o in outputs if isinstance(o, Variable)],
                *after,
            ]
            for i, g in enumerate(grads):
                assert type(g) is np.ndarray
                assert g.flags.writeable
                assert not any(shares_memory(g, other) for other in [*others, *grads[:i]])


def resized(call, shapes):
    """Return the call with its i-th array in the i-th of `shapes`, both repeated cyclically."""
    count = iter(range(10**6))

    def change(value):
        if isinstance(value, np.ndarray):
            return np.array(np.resize(value, shapes[next(count) % len(shapes)]))
        return value

    return with_arguments(call, tuple(rebuild(a, change) for a in call.arguments))


def with_arguments(call, arguments):
    new = Call.__new__(Call)
    new.function, new.kwargs, new.diff = call.function, call.kwargs, call.diff
    new.arguments = arguments
    new.operands = [x for i in call.diff for x in leaves(arguments[i]) if is_floating(x)]
    return new


BROADCAST = [(2, 1, 3), (4, 1), (3,), ()]


@each_row_where(lambda row: row.elementwise)
def test_elementwise_functions_broadcast_and_take_0d_and_empty_operands(row):
    rng = random_for(row)
    case, call = calls(row)[0]
    arrays = sum(isinstance(x, np.ndarray) for x in leaves(call.arguments))
    variants = [[()], [(0, 3)], [(1, 1)]]
    if arrays > 1:
        variants += [[*BROADCAST[i:], *BROADCAST[:i]] for i in range(len(BROADCAST))]
    for shapes in variants:
        with naming(f"{case} resized to {shapes}"):
            changed = resized(call, shapes)
            if any(0 in shape for shape in shapes):
                inputs, outputs = record(changed, changed.operands)
                for g, x in zip(
                    pull(outputs, inputs, weights_for(outputs, rng)), inputs, strict=True
                ):
                    assert g.shape == x.shape
                    assert g.dtype == x.dtype
            else:
                check_against_differences(changed, changed.operands, rng, row.rtol)
            if row.order > 1 and shapes != [(0, 3)]:
                weights = weights_for(changed(changed.operands), rng)
                check_against_differences(
                    gradient_function(changed, weights),
                    [*weights, *changed.operands],
                    rng,
                    10 * row.rtol,
                    few=True,
                )


def emptied(call, length):
    """Return the call with every axis of that length shrunk to nothing."""

    def change(value):
        if not isinstance(value, np.ndarray):
            return value
        return value[tuple(slice(0 if size == length else None) for size in value.shape)].copy()

    return with_arguments(call, tuple(rebuild(a, change) for a in call.arguments))


def is_numpys(function):
    if isinstance(function, np.ufunc):
        return True
    return (getattr(function, "__module__", None) or "").partition(".")[0] == "numpy"


@each_row_where(lambda row: is_numpys(row.twin) and not row.elementwise)
@pytest.mark.filterwarnings("ignore")
def test_empty_operands_give_what_numpy_gives_and_empty_gradients(row):
    rng = random_for(row)
    for case, call in calls(row):
        lengths = {size for x in call.operands for size in x.shape} - {0}
        for length in sorted(lengths):
            changed = emptied(call, length)
            try:
                wanted = leaves(row.twin(*changed.arguments, **changed.kwargs))
            except Exception:  # noqa: BLE001 - whatever NumPy does not take, we need not
                continue
            with naming(f"{case} without the axes of length {length}"):
                check_empty(row, changed, wanted, rng)


def check_empty(row, call, wanted, rng):
    try:
        got = leaves(call.function(*call.arguments, **call.kwargs))
        inputs, outputs = record(call, call.operands)
    except ValueError as refusal:
        assert ": wanted" in str(refusal)  # noqa: PT017 - it may be refused, in a sentence
        return
    for g, w in zip(got, wanted, strict=True):
        assert np.shape(g) == np.shape(w)
        if not row.name.startswith("fft."):  # NumPy returns memory as it finds it there
            np.testing.assert_array_equal(g, w)
    for g, x in zip(pull(outputs, inputs, weights_for(outputs, rng)), inputs, strict=True):
        assert (g.shape, g.dtype) == (x.shape, x.dtype)


@each_row_where(lambda row: row.elementwise and row.recorded)
def test_a_cotangent_of_zero_stays_zero_where_operands_are_nan(row):
    rng = random_for(row)
    for case, call in calls(row):
        changed = resized(call, [(3,)])
        weights = [w * [0, 1, 1] for w in weights_for(changed(changed.operands), rng)]

        def derivatives(operands, changed=changed, weights=weights):
            with np.errstate(all="ignore"):
                inputs, outputs = record(changed, operands)
                outputs = [o for o in outputs if isinstance(o, Variable)]
                first = pull(outputs, inputs, weights, create_graph=True)
                recorded = [g for g in first if g.requires_grad]
                ones = [np.ones_like(g.data) for g in recorded]
                return raw(first), raw(pull(recorded, inputs, ones))

        with naming(case):
            clean = derivatives(changed.operands)
            spoilt = [np.where([True, False, False], np.nan, x) for x in changed.operands]
            for order, wanted, found in zip((1, 2), clean, derivatives(spoilt), strict=True):
                if order <= row.order:
                    for w, f in zip(wanted, found, strict=True):
                        assert f[0] == 0, f"derivative {order}"
                        np.testing.assert_allclose(f[1:], w[1:], rtol=1e-12)


@each_row_where(lambda row: row.flat)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_an_infinite_cotangent_contributes_zero_where_the_slope_is_zero(row):
    found = 0
    for case, call in calls(row):
        inputs, outputs = record(call, call.operands)
        ones = [np.ones_like(outputs[0].data)]
        for i, slope in enumerate(pull(outputs, inputs, ones)):
            if slope.shape != ones[0].shape:
                continue
            flat = slope == 0
            weights = [np.where(flat, np.inf, 1.0)]
            inputs, outputs = record(call, call.operands)
            with naming(f"{case}, operand {i}"):
                np.testing.assert_array_equal(pull(outputs, inputs, weights)[i], slope)
            inputs, outputs = record(call, call.operands)
            with naming(f"{case}, operand {i}, recorded"):
                recorded = pull(outputs, inputs, map(Variable, weights), create_graph=True)[i]
                np.testing.assert_array_equal(recorded.data, slope)
            found += flat.any()
    assert found, "no case of this row meets a place where the slope is zero"


def several_arrays(row):
    """The ends of `lerp` are elements of one array."""
    several = len(calls(row)[0][1].operands) > 1
    return row.elementwise and row.recorded and several and row.name != "lerp"


@each_row_where(several_arrays)
@pytest.mark.parametrize("dtype", [np.uint8, np.int8])
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_small_integers_as_constants_give_the_derivatives_of_floats(row, dtype):
    """What a rule computes of an integer operand alone, such as y - 1, may leave its dtype."""
    call = resized(calls(row)[0][1], [(3,)])
    integers = np.array([0, 1, 127 if dtype == np.int8 else 255], dtype)
    for i, x in enumerate(call.operands):

        def derivatives(constant, i=i, x=x):
            def function(x):
                given = [constant] * len(call.operands)
                given[i] = x
                return sum(part.sum() for part in call(given))

            first = autograd.elementwise_grad(function)
            return first(x), autograd.elementwise_grad(first)(x)

        with naming(f"operand {i} beside integers"):
            for got, wanted in zip(
                derivatives(integers), derivatives(integers.astype(float)), strict=True
            ):
                np.testing.assert_allclose(got, wanted, rtol=1e-12)


def other_spellings(row):
    found = {}
    if row.twin is not None and is_numpys(row.twin):
        found["np"] = row.twin
    method = row.name if row.method is None else row.method
    if method and (row.method or callable(getattr(Variable, method, None))):
        found["method"] = lambda x, *rest, **kwargs: getattr(x, method)(*rest, **kwargs)
    return found


@each_row_where(other_spellings)
def test_numpys_spelling_and_the_method_give_the_same_node(row):
    rng = random_for(row)
    for case, call in calls(row):
        inputs, outputs = record(call, call.operands)
        names = [node_name(out) for out in outputs]
        weights = weights_for(outputs, rng)
        gradients = pull(outputs, inputs, weights)
        for spelling, entry in other_spellings(row).items():
            with naming(f"{case}, {spelling}"):
                inputs = [Variable(x, requires_grad=True) for x in call.operands]
                arguments = call.arguments_with(inputs)
                if spelling == "method" and not isinstance(arguments[0], Variable):
                    continue
                results = [
                    r
                    for r in leaves(entry(*arguments, **call.kwargs))
                    if np.result_type(r.dtype).kind in "fc"
                ]
                assert [node_name(r) for r in results] == names
                for a, b in zip(results, outputs, strict=True):
                    assert type(a) is type(b)
                    np.testing.assert_array_equal(a.data, b.data)
                for a, b in zip(pull(results, inputs, weights), gradients, strict=True):
                    np.testing.assert_array_equal(a, b)


def node_name(variable):
    return (
        variable._node.plan.name
        if isinstance(variable, Variable) and variable.requires_grad
        else None
    )


@each_row
def test_constants_give_variables_without_a_graph(row):
    for case, call in calls(row):
        with naming(case):
            constants = [Variable(x) for x in call.operands]
            for out in call(constants):
                assert isinstance(out, Variable)
                assert not out.requires_grad
            with autograd.no_grad():
                for out in record(call, call.operands)[1]:
                    assert isinstance(out, Variable)
                    assert not out.requires_grad


# -- the table is complete ------------------------------------------------------------------------


def exercised(row):
    """Return the names of the primitives that the row records, forward and in its rules."""
    names = set()
    for _, call in calls(row):
        with _mode.watching(lambda primitive, arguments, out: names.add(primitive.name)):
            inputs, outputs = record(call, call.operands)
            used = [o for o in outputs if isinstance(o, Variable) and o.requires_grad]
            if row.order > 1:  # then the second derivatives prove what the rules record
                pull(used, inputs, [np.ones_like(o.data) for o in used], create_graph=True)
    return names


def fault_of_a_complex_operand(row, case, k):
    """Return what is wrong with the gradients where operand `k` alone is complex, or ""."""
    rng = random_for(row)
    call = Call(row.function, case.arguments(rng), case)
    operands = list(call.operands)
    operands[k] = np.asarray(operands[k] + 0.5j * rng.normal(size=operands[k].shape))
    turned = Call(row.function, call.arguments_with(operands), case)
    try:
        inputs, outputs = record(turned, operands)
        kinds = [o.dtype.kind for o in outputs]
        weights = [rng.normal(size=o.shape) + 1j * rng.normal(size=o.shape) for o in outputs]
        weights = [w if kind == "c" else w.real for w, kind in zip(weights, kinds, strict=True)]
        gradients = pull(outputs, inputs, weights)
    except (TypeError, ValueError) as error:
        ours = row.name.startswith(("nn.", "special.", "stats."))
        explained = "wanted" in str(error) and "gradient" not in str(error)
        return f"refused by {error}" if ours and not explained else ""
    (direction,) = directions(operands, rng, full=0, some=1)
    expected = difference(lambda z: inner(weights, turned(z)), operands, direction)
    found = inner(gradients, direction)
    return "" if np.isclose(found, expected, rtol=1e-5, atol=1e-7) else f"{found} for {expected}"


# One test of all rows, which takes a fifth of the time of one each.
@pytest.mark.filterwarnings("ignore:Casting complex values to real", "ignore::RuntimeWarning")
def test_each_operand_alone_can_be_complex_or_is_refused():
    wrong = []
    for row in ROWS:
        for case in row.cases[:2]:
            found = Call(row.function, case.arguments(random_for(row)), case).operands
            for k in range(min(len(found), 4)) if sum(x.size for x in found) <= 200 else ():
                fault = fault_of_a_complex_operand(row, case, k)
                wrong += [f"{row.name}, operand {k} complex: {fault}"] if fault else []
    assert not wrong, "\n".join(wrong)


def test_every_primitive_has_a_row_and_every_row_a_primitive():
    found = {row.name: exercised(row) for row in ROWS if row.recorded}
    listing = (
        "from autograd import fft, linalg, special; "
        "from autograd.engine.calls import PRIMITIVES as all; "
        "print(*[name for name, p in all.items() if p.rules or p.joint])"
    )
    registered = subprocess.run(
        [sys.executable, "-c", listing], capture_output=True, text=True, check=True
    )
    wanted = {*registered.stdout.split(), *primitives_of_nn()}
    missing = wanted - set().union(*found.values())
    assert not missing, f"primitives without a row in tests/op_rows: {sorted(missing)}"
    assert not [name for name, names in found.items() if not names]


def primitives_of_nn():
    """Return the names of what `nn.functional` makes with `autograd.extend`."""
    names = set()
    for module in pkgutil.iter_modules(nn.functional.__path__, "nn.functional."):
        for value in vars(importlib.import_module(module.name)).values():
            spec = getattr(value, "primitive", None)
            if isinstance(spec, Primitive) and spec.rules:
                names.add(spec.name)
    return names


@each_row_where(lambda row: row.primitives)
def test_a_row_exercises_the_primitives_it_claims(row):
    assert set(row.primitives) <= exercised(row)


def test_names_in_the_table_are_unique():
    names = [row.name for row in ROWS]
    assert sorted(names) == sorted(set(names))


# -- the checks find what they look for ------------------------------------------------------------


def broken(forward, rule, **options):
    """Return a row of a function with a mistake in it."""
    function = autograd.extend.primitive(x=rule, elementwise=True)(forward)
    options.setdefault("elementwise", True)
    return Row("broken", function, options.pop("twin", None), [Case((3,))], **options)


def times_two(x):
    return x * 2.0


def adds_in_place(x):
    x += 0.0
    x[0] = x[0] + 1e-9
    return x * 2.0


PLANTED = {
    "forward": (
        test_the_forward_pass_equals_numpy,
        broken(lambda x: x * 2.0000001, lambda g: g * 2.0, twin=times_two),
    ),
    "gradient": (test_gradients_equal_differences, broken(times_two, lambda g: g * 2.00001)),
    "slope taken as a constant": (
        test_second_derivatives_equal_differences,
        broken(lambda x: x**3, lambda g, x: g * (3 * np.square(getattr(x, "data", x)))),
    ),
    "second derivative taken as a constant": (
        test_third_derivatives_of_elementwise_functions_equal_differences,
        broken(lambda x: x**3, lambda g, x: g * 3 * x * getattr(x, "data", x)),
    ),
    "another rule for Variables": (
        test_rules_give_the_same_on_arrays_and_on_variables,
        broken(times_two, lambda g: g * (2.0 if isinstance(g, np.ndarray) else 2.001)),
    ),
    "float64 constant": (
        test_float32_stays_float32_in_every_rule,
        broken(lambda x: np.exp2(x), lambda g, out: g * (out * np.log(2))),
    ),
    "operand changed": (
        test_backward_changes_no_operand_and_its_gradients_own_their_memory,
        broken(adds_in_place, lambda g: g * 2.0),
    ),
    "nan of a cotangent that is zero": (
        test_a_cotangent_of_zero_stays_zero_where_operands_are_nan,
        Row(
            "broken",
            autograd.extend.primitive(x=lambda g, x: g * x * 2)(lambda x: x * x),
            None,
            [Case((3,))],
            elementwise=True,
        ),
    ),
}


@pytest.mark.parametrize("check, row", PLANTED.values(), ids=PLANTED)
def test_a_planted_mistake_is_found(check, row, request):
    more = {"monkeypatch"} & set(check.__code__.co_varnames[: check.__code__.co_argcount])
    # Operands of users' functions are read-only: a change in place is an error of NumPy's.
    with pytest.raises((AssertionError, ValueError)):
        check(row, **{name: request.getfixturevalue(name) for name in more})
