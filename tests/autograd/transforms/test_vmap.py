"""`vmap` against what it stands for: a Python loop over the examples, and `np.stack`."""

import functools
import os
import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from op_table import calls, collect

import autograd
import nn
from autograd import (
    Variable,
    grad,
    hessian,
    implicit,
    integrate,
    jacobian,
    jvp,
    signal,
    vjp,
    vmap,
)
from autograd.batching.run import elementwise, rule_of
from autograd.batching.values import NoBatchRuleError, ReadingError
from autograd.engine.primitive import PRIMITIVES
from autograd.extend import batch_rule, primitive
from autograd.extend import unary as make_unary

THOROUGH = os.environ.get("HYPOTHESIS_PROFILE", "dev") != "dev"
RNG = np.random.default_rng(0)
X = RNG.normal(size=(4, 3))

# Rules that have an answer to some arguments only, and operations without gradients.
SOME = {"getitem", "_interval", "_positions"}
# Rows of functions that look at the numbers of an operand.
READS = {
    "real_if_close", "trim_zeros", "linalg.cofactors",
    "linalg.cofactors[singular]", "quantile[q]", "percentile[q]",
}  # fmt: skip
# Rows of iterations: all examples take as many steps as the slowest, so digits behind the tolerance
# differ; they have a test of their own.
ITERATIONS = {"integrate.odeint", "implicit.fixed_point"}
SCALES = (1.0, 0.97, 0.94)  # of the operands of the three examples: no domain is left


def looped(function, args, in_axes=0):
    """The definition of vmap: call, and stack."""
    axes = in_axes if isinstance(in_axes, tuple) else (in_axes,) * len(args)
    sizes = {x.shape[a] for x, a in zip(args, axes, strict=True) if a is not None}
    (size,) = sizes
    rows = [
        function(*[x if a is None else np.take(x, i, a) for x, a in zip(args, axes, strict=True)])
        for i in range(size)
    ]
    return np.stack([getattr(r, "data", r) if isinstance(r, Variable) else r for r in rows])


def agree(function, *args, in_axes=0):
    got = vmap(function, in_axes=in_axes)(*args)
    wanted = looped(function, args, in_axes)
    assert got.dtype == wanted.dtype
    np.testing.assert_allclose(got, wanted, rtol=1e-12, atol=1e-12)


# -- every operation -------------------------------------------------------------------------------

# The quick run has the rows of operations with a rule of their own, and a sample of the others.
RULED = {name for name, made in PRIMITIVES.items() if rule_of(made) not in (None, elementwise)}
ROWS = [
    row
    for row in collect()
    if row.name not in ITERATIONS
    and (THOROUGH or row.name in RULED or zlib.crc32(row.name.encode()) % 12 == 0)
]


def masks_of(count):
    """All operands batched, and each alone."""
    each = [[i == j for j in range(count)] for i in range(count)] if count > 1 else []
    return [[True] * count, *each]


def compare(call, masks, *, differentiate):
    xs = call.operands
    for mask in masks:
        axes = ([0 if m else None for m in mask],)
        examples = [[x * s if m else x for x, m in zip(xs, mask, strict=True)] for s in SCALES]
        batch = [
            np.stack([x * s for s in SCALES]) if m else x for x, m in zip(xs, mask, strict=True)
        ]
        outs = vmap(call, in_axes=axes)(batch)
        wanted = list(map(call, examples))
        for i, out in enumerate(outs):
            stacked = np.stack([w[i] for w in wanted])
            assert (out.shape, out.dtype) == (stacked.shape, stacked.dtype)
            np.testing.assert_allclose(out, stacked, rtol=1e-9, atol=1e-11)
        if not differentiate:
            continue
        weights = [np.cos(np.arange(np.size(w))).reshape(np.shape(w)) for w in wanted[0]]

        def loss(operands, weights=weights):
            terms = [np.real(o * w).sum() for o, w in zip(call(operands), weights, strict=True)]
            return functools.reduce(np.add, terms, 0.0)

        single = list(map(grad(loss), examples))
        inside = vmap(grad(loss), in_axes=axes)(batch)
        outside = grad(lambda b, f=loss, a=axes: vmap(f, in_axes=a)(b).sum())(batch)
        for i, m in enumerate(mask):
            stacked = np.stack([g[i] for g in single])
            assert (inside[i].shape, inside[i].dtype) == (stacked.shape, stacked.dtype)
            np.testing.assert_allclose(inside[i], stacked, rtol=1e-7, atol=1e-9)
            total = stacked if m else stacked.sum(axis=0)
            np.testing.assert_allclose(outside[i], total, rtol=1e-7, atol=1e-8)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_rows_of_the_op_table_are_a_loop(row):
    cases = [call for _, call in calls(row) if call.operands]
    if not THOROUGH:
        real = [c for c in cases if all(x.dtype.kind == "f" for x in c.operands)]
        cases = real if row.name in RULED else real[:2]
    for call in cases:
        for mask in masks_of(len(call.operands)):
            try:
                compare(call, [mask], differentiate=row.recorded)
            except (NoBatchRuleError, ReadingError) as error:
                if row.name not in READS and str(error).split("'")[1] not in SOME:
                    raise


def test_every_primitive_has_a_batch_rule():
    assert [name for name, made in PRIMITIVES.items() if rule_of(made) is None] == []


def test_operations_without_a_rule_refuse_by_name_or_loop():
    @primitive(x=lambda g, x, y: g * y, y=lambda g, x: (g * x).sum())
    def scaled(x, y):
        return x * y

    x, y = RNG.normal(size=(4, 3)), RNG.normal(size=4)
    message = r"no batch rule for 'scaled'; vmap\(f, loop=True\)"
    with pytest.raises(NoBatchRuleError, match=message):
        vmap(scaled)(x, y)
    np.testing.assert_allclose(vmap(scaled, loop=True)(x, y), x * y[:, None])
    slopes = vmap(grad(lambda x, y: (scaled(x, y) ** 2).sum()), loop=True)(x, y)
    np.testing.assert_allclose(slopes, 2 * x * y[:, None] ** 2, rtol=1e-12)


def attractor(a):
    distance = lambda x, y: np.abs(x - y).max()
    step = lambda a: lambda x: 0.5 * np.tanh(a * x) + np.cos(a)
    return (implicit.fixed_point(step, a, np.zeros(3), distance, 1e-13) ** 2).sum()


def pendulum(rate):
    slope = lambda y, t: np.stack([y[1], -rate.sum() * np.sin(y[0]) - rate[0] * t])
    end = integrate.odeint(slope, np.stack([rate[0], rate[2]]), [0.0, 0.2, 0.4], rtol=1e-9)
    return (end * end).sum()


@pytest.mark.parametrize("function", [attractor, pendulum])
def test_iterations_run_until_all_examples_have_come_to_an_end(function):
    for f in (function, grad(function), grad(lambda x: (grad(function)(x) ** 2).sum())):
        np.testing.assert_allclose(vmap(f)(X), looped(f, (X,)), rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose(
        grad(lambda x: vmap(function)(x).sum())(X), looped(grad(function), (X,)), rtol=1e-6
    )


def test_recurrent_weights_may_differ_from_example_to_example():
    layers = [nn.LSTM(2, 4, proj_size=3) for _ in range(3)]
    stacked = {
        name: np.stack([dict(layer.named_parameters())[name].data for layer in layers])
        for name, _ in layers[0].named_parameters()
    }
    x, y = RNG.normal(size=(2, 5, 2, 2)).astype(np.float32)

    def run(parameters, x):
        return nn.utils.functional_call(layers[0], parameters, x)[0]

    wanted = np.stack([layer(x)[0].data for layer in layers])
    np.testing.assert_allclose(vmap(run, in_axes=(0, None))(stacked, x), wanted, rtol=1e-5)
    both = np.stack([x, y])
    pairs = vmap(lambda p: vmap(lambda x: run(p, x))(both))(stacked)
    np.testing.assert_allclose(pairs[:, 0], wanted, rtol=1e-5, atol=1e-7)
    pairs = vmap(lambda x: vmap(lambda p: run(p, x))(stacked))(both)
    np.testing.assert_allclose(pairs[0], wanted, rtol=1e-5, atol=1e-7)


def test_sparse_products_and_convolutions_work_as_they_are_written():
    sparse = pytest.importorskip("scipy.sparse")
    A = sparse.csr_array(np.triu(RNG.normal(size=(3, 3))) + 3 * np.eye(3))
    solved = lambda v: autograd.linalg.spsolve(A, v)
    convolved = lambda v: signal.convolve(v, v[:2], "same")
    for f in (lambda v: A @ v, lambda v: v @ A, solved, convolved):
        np.testing.assert_allclose(vmap(f)(X), looped(f, (X,)), rtol=1e-12)
        slope = grad(lambda v, f=f: (f(v) ** 2).sum())
        np.testing.assert_allclose(vmap(slope)(X), looped(slope, (X,)), rtol=1e-12)


# -- axes and structures ---------------------------------------------------------------------------


@given(st.data())
def test_axes_go_where_they_are_told(data):
    ndim = data.draw(st.integers(1, 3))
    shape = tuple(data.draw(st.integers(1, 3)) for _ in range(ndim))
    x = np.arange(float(np.prod(shape))).reshape(shape)
    axis, out_axis = (
        data.draw(st.integers(-ndim, ndim - 1)),
        data.draw(st.integers(-ndim, ndim - 1)),
    )
    got = vmap(lambda v: v * 2 + v.sum(), in_axes=axis, out_axes=out_axis)(x)
    rows = np.moveaxis(x, axis, 0)
    wanted = np.moveaxis(np.stack([r * 2 + r.sum() for r in rows]), 0, out_axis)
    np.testing.assert_array_equal(got, wanted)


@given(st.data())
def test_indices_of_any_kind_are_a_loop(data):
    x = np.arange(2.0 * 3 * 4 * 5).reshape(2, 3, 4, 5)
    part = st.one_of(
        st.integers(-3, 2),
        st.sampled_from([slice(None), slice(1, 3), slice(None, None, -1), None, Ellipsis]),
        st.lists(st.integers(-3, 2), min_size=2, max_size=2).map(np.array),
        st.just("batched"),
    )
    parts = data.draw(st.lists(part, min_size=1, max_size=3))
    used = [p for p in parts if p is not None and p is not Ellipsis]
    dots = [i for i, p in enumerate(parts) if p is Ellipsis]
    parts = [p for i, p in enumerate(parts) if i not in dots[1:]]
    assert len(used) <= 3
    i = np.array([[2, 0], [1, 1]])

    def function(x, i):
        index = tuple([i if isinstance(p, str) else p for p in parts])
        return x[index], autograd.set_at(x, index, -x[index] * 0.5)

    got = vmap(function)(x, i)
    rows = [function(Variable(a), b) for a, b in zip(x, i, strict=True)]
    for k in range(2):
        np.testing.assert_array_equal(got[k], np.stack([r[k].data for r in rows]))
    weight = np.cos(np.arange(got[0][0].size)).reshape(got[0][0].shape)
    slope = grad(
        lambda x, i: (x[tuple(i if isinstance(p, str) else p for p in parts)] * weight).sum()
    )
    wanted = np.stack([slope(a, b) for a, b in zip(x, i, strict=True)])
    np.testing.assert_allclose(vmap(slope)(x, i), wanted)


def test_arguments_and_results_are_structures():
    def function(p, pair, *, scale):
        return {"a": p["w"] * scale, "b": [pair[0] + pair[1], 2.0, X[0]]}

    got = vmap(function, in_axes=({"w": 1, "k": None}, (0, None)))(
        {"w": X.T, "k": 3.0}, (X, X[0]), scale=np.arange(4.0)
    )
    np.testing.assert_array_equal(got["a"], X * np.arange(4.0)[:, None])
    np.testing.assert_array_equal(got["b"][0], X + X[0])
    np.testing.assert_array_equal(got["b"][1], np.full(4, 2.0))
    np.testing.assert_array_equal(got["b"][2], np.broadcast_to(X[0], (4, 3)))
    got = vmap(lambda x: (x, {"n": x.sum(), "c": 1.0}), out_axes=(1, {"n": 0, "c": None}))(X)
    np.testing.assert_array_equal(got[0], X.T)
    assert got[1]["c"] == 1.0


@pytest.mark.parametrize(
    "arguments, keywords, message",
    [
        ((X, X[:2]), {}, r"same number of examples in all arguments, got \[2, 4\]"),
        ((X, 1.0), {}, r"axis in \[0, 0\) for an array of shape \(\), got 0"),
        ((X, X), {"in_axes": (0, 2)}, r"axis in \[-2, 2\) for an array of shape \(4, 3\), got 2"),
        ((X, X), {"in_axes": (0,)}, "an entry of in_axes for each argument, 2, got 1"),
        ((X, X), {"in_axes": None}, "at least one argument with an axis of examples"),
        ((X, X), {"in_axes": (0, {"a": 0})}, "in the structure of what they are for"),
        ((X, X), {"out_axes": 3}, r"out_axes in \[-2, 1\] for a result of shape \(3,\), got 3"),
        ((X, X), {"out_axes": None}, "got one that differs"),
        ((X, X), {"chunk_size": 0}, "chunk_size of at least 1, got 0"),
    ],
)
def test_wrong_axes_are_told(arguments, keywords, message):
    with pytest.raises(ValueError, match=message):
        vmap(lambda x, y: x + y, **keywords)(*arguments)


def test_what_is_no_array_or_function_is_told():
    with pytest.raises(TypeError, match="vmap: wanted a function, got an array"):
        vmap(X)
    with pytest.raises(TypeError, match="wanted arrays to take examples from, got a str"):
        vmap(lambda x, name: x)(X, "name")


@pytest.mark.parametrize("size", [1, 3, 4, 9])
def test_chunks_give_the_same(size):
    function = vmap(lambda x, y: {"a": np.tanh(x) * y, "b": x.sum()}, (0, 1), chunk_size=size)
    got = function(X, X.T)
    np.testing.assert_array_equal(got["a"], np.tanh(X) * X)
    np.testing.assert_allclose(got["b"], X.sum(axis=1), rtol=1e-14)


# -- what a function may do ------------------------------------------------------------------------


def test_kinds_and_dtypes_are_kept():
    single = X.astype(np.float32)
    assert vmap(lambda x: np.exp(x) * 2)(single).dtype == np.float32
    assert vmap(grad(lambda x: (np.tanh(x) ** 2).sum()))(single).dtype == np.float32
    assert type(vmap(np.sin)(X)) is np.ndarray
    assert type(vmap(lambda x: x > 0)(X)) is np.ndarray
    assert isinstance(vmap(np.sin)(Variable(X)), Variable)
    weight = Variable(2.0, requires_grad=True)
    out = vmap(lambda x: (x * weight).sum())(X)
    out.sum().backward()
    np.testing.assert_allclose(weight.grad, X.sum())


def test_batches_nest():
    agree(lambda x: vmap(lambda s: s * x.sum() + x[0])(x), X)
    pairs = vmap(lambda x: vmap(lambda y: ((x - y) ** 2).sum())(X))(X)
    np.testing.assert_allclose(pairs, ((X[:, None] - X) ** 2).sum(axis=-1))
    matrices = RNG.normal(size=(3, 2, 3, 3)) + 3 * np.eye(3)
    nested = vmap(vmap(lambda a: np.linalg.solve(a, a[0])[np.argsort(a[1])]))(matrices)
    wanted = [[np.linalg.solve(a, a[0])[np.argsort(a[1])] for a in row] for row in matrices]
    np.testing.assert_allclose(nested, wanted, rtol=1e-10)


def test_transforms_nest_in_any_order():
    def f(x):
        return (np.sin(x) * x[::-1]).sum() + np.prod(x)

    slopes, curves = [grad(f)(x) for x in X], np.stack([hessian(f)(x) for x in X])
    agree(grad(f), X)
    np.testing.assert_allclose(vmap(hessian(f))(X), curves, atol=1e-13)
    total = jacobian(lambda x: vmap(grad(f))(x))(X)
    np.testing.assert_allclose(total[range(4), :, range(4)], curves, atol=1e-13)
    inner = grad(lambda x: (vmap(grad(f))(x) ** 2).sum())(X)
    np.testing.assert_allclose(inner, 2 * np.einsum("nij,nj->ni", curves, slopes), rtol=1e-12)
    value, tangent = jvp(vmap(f), (X,), (X,))
    np.testing.assert_allclose(value, [f(x) for x in X])
    np.testing.assert_allclose(tangent, (np.array(slopes) * X).sum(axis=1))
    pushed = vmap(lambda x, t: jvp(f, (x,), (t,))[1])(X, X)
    np.testing.assert_allclose(pushed, tangent)
    products = vmap(lambda x: autograd.hvp(f)(x, np.ones(3)))(X)
    np.testing.assert_allclose(products, curves.sum(axis=2), atol=1e-13)


def test_forward_mode_of_a_batch_is_the_jacobian():
    def f(x):
        q, r = np.linalg.qr(x.reshape(2, 2) + 2 * np.eye(2))
        return np.cumprod(np.max(q @ r, axis=0)) * np.linalg.solve(r, x[:2])

    x = RNG.normal(size=(3, 4))
    forward = vmap(jacobian(f, mode="forward"))(x)
    np.testing.assert_allclose(forward, [jacobian(f, mode="reverse")(r) for r in x], rtol=1e-9)
    _, pushed = jvp(vmap(f), (x,), (np.ones_like(x),))
    np.testing.assert_allclose(pushed, forward.sum(axis=-1), rtol=1e-9)


def test_pullbacks_take_many_cotangents():
    _, pullback = vjp(lambda x, y: np.tanh(x) * y.sum(), X[0], X[1])
    cotangents = RNG.normal(size=(5, 3))
    got = vmap(pullback)(cotangents)
    for k in range(2):
        np.testing.assert_allclose(got[k], [pullback(c)[k] for c in cotangents], rtol=1e-12)


def test_gradients_of_what_the_function_closes_over():
    w = RNG.normal(size=3)

    def total(w):
        return vmap(lambda x: np.exp(x @ w))(X).sum()

    np.testing.assert_allclose(grad(total)(w), (np.exp(X @ w)[:, None] * X).sum(axis=0))
    mixed = vmap(lambda x: grad(lambda w: np.exp(x @ w) * (w**2).sum())(w))(X)
    e = np.exp(X @ w)[:, None]
    np.testing.assert_allclose(mixed, e * X * (w @ w) + e * 2 * w, rtol=1e-12)
    outer = grad(lambda s: vmap(lambda x: grad(lambda w: s * (x * w).sum() ** 2)(w))(X).sum())(2.0)
    np.testing.assert_allclose(outer, (2 * (X @ w)[:, None] * X).sum(), rtol=1e-12)


def test_a_constant_inside_no_grad_stays_one():
    def f(x):
        with autograd.no_grad():
            scale = x.sum()
        return (x * scale).sum() + (x * x.detach()).sum()

    np.testing.assert_allclose(
        grad(lambda x: vmap(f)(x).sum())(X), np.broadcast_to(X.sum(axis=1)[:, None], X.shape) + X
    )
    np.testing.assert_allclose(vmap(grad(f))(X), X.sum(axis=1)[:, None] + X)


def test_assignment_inside():
    def f(x):
        out = autograd.zeros(3)
        out[0] = x[1] * 2
        out[1:] += x[:2] ** 2
        out[np.argmax(x)] += 1.0
        y = x * 1.0
        y[y > 0.5] = 0.25
        return (out * y).sum()

    agree(f, X)
    agree(grad(f), X)


@pytest.mark.parametrize("view", [lambda y: y[:2], lambda y: y.T, lambda y: y.detach()])
@pytest.mark.parametrize("first", [True, False])
def test_assignment_that_another_name_would_miss_is_refused(first, view):
    def f(x):
        y = x * 1.0
        row = view(y)
        (row if first else y)[1] = 7.0
        return y + row.sum()

    with pytest.raises(RuntimeError, match="setitem: wanted elements that no other Variable looks"):
        vmap(f)(X)


def test_choices_by_value_are_made_for_each_example():
    def f(x):
        return np.where(x > 0, np.log(np.where(x > 0, x, 1.0)), x**2).sum() + x[np.argmin(x)]

    agree(f, X)
    agree(grad(f), X)
    agree(lambda x: np.prod(x * (x > 0)), X)  # whose rule asks whether there is a zero
    agree(grad(lambda x: np.prod(np.maximum(x, 0.0))), X)
    agree(lambda x, i: x[i] + np.sort(x)[-1], X, np.array([0, 2, 1, 1]))
    table = np.arange(10.0)
    np.testing.assert_array_equal(vmap(lambda i: autograd.take(table, i))(np.array([7, 2])), [7, 2])


@pytest.mark.parametrize(
    "function, message",
    [
        (lambda x: x if x[0] > 0 else -x, r"differs from example to example, in `if`.*np\.where"),
        (lambda x: float(x[0]), "got float, which reads the numbers of one"),
        (lambda x: np.asarray(x), "got array, which reads"),
        (lambda x: x[: (x > 0).sum()], "got index, which reads"),
        (lambda x: x[x > 0], "no batch rule for 'getitem' with a mask that differs"),
        (lambda x: np.nonzero(x)[0], "no batch rule for 'nonzero' with another shape"),
        (lambda x: X[x.astype(int)], r"autograd\.take\(table, i, axis=0\) for table\[i\]"),
        (
            lambda x: (x * Variable(1.0, requires_grad=True)).sum().backward(),
            r"autograd\.grad\(f\)",
        ),
        (lambda x: _slope_of_a_leaf(x), "gradient for each example of vmap, got one from outside"),
    ],
)
def test_what_looks_at_one_example_is_refused(function, message):
    with pytest.raises((RuntimeError, NotImplementedError), match=message):
        vmap(function)(X)


def _slope_of_a_leaf(x):
    leaf = Variable(1.0, requires_grad=True)
    return grad((x * leaf).sum(), leaf)[0]


def test_results_of_different_shapes_are_told_by_the_loop():
    with pytest.raises(
        ValueError, match=r"results of one shape for all examples, got \(\d, ?\) and"
    ):
        vmap(lambda x: x[x > 0], loop=True)(np.array([[1.0, -1.0], [1.0, 1.0]]))


def test_values_show_what_they_stand_for():
    seen = []
    vmap(lambda x: seen.append(repr(x)) or x)(X)
    assert "one of 4 examples: float64 of shape (3,)" in seen[0]


def test_random_numbers_are_drawn_once():
    rng = np.random.default_rng(0)
    got = vmap(lambda x: x + rng.normal(size=3))(np.zeros((4, 3)))
    assert (got == got[0]).all()
    dropped = vmap(lambda x: nn.functional.dropout(x, 0.5))(np.ones((4, 30)))
    assert (dropped == dropped[0]).all()


# -- functions and rules of one's own --------------------------------------------------------------


def test_functions_of_ones_own():
    cube = make_unary(lambda x: x**3, x=lambda g, x: g * 3 * x**2, name="cube")
    agree(cube, X)
    agree(grad(lambda x: cube(x).sum()), X)

    @primitive(x=lambda g, x_shape: np.broadcast_to(g, x_shape))
    def total(x):
        return x.sum()

    with pytest.raises(NotImplementedError, match="no batch rule for 'total'"):
        vmap(total)(X)
    batch_rule(total)(lambda run, x: x.reshape(run.size, -1).sum(axis=1))
    agree(total, X)
    agree(grad(lambda x: total(x * x)), X)


def test_names_of_ones_own_do_not_meet_the_librarys():
    @primitive(name="flip", x=lambda g: -g)
    def negated(x):
        return -x

    with pytest.raises(NotImplementedError, match="no batch rule for 'flip'"):
        vmap(negated)(X)


# -- gradients of each example ---------------------------------------------------------------------


def per_example(module, loss, x, y):
    """Gradients of each example: by vmap over a function of the parameters, and in a loop."""
    names, parameters = zip(*module.named_parameters(), strict=True)
    values = [p.data.copy() for p in parameters]

    def of_parameters(values, x, y):
        return loss(nn.utils.functional_call(module, dict(zip(names, values, strict=True)), x), y)

    batched = vmap(grad(of_parameters), in_axes=(None, 0, 0))(values, x, y)
    rows = []
    for xi, yi in zip(x, y, strict=True):
        module.zero_grad()
        loss(module(Variable(xi)), yi).backward()
        rows.append([p.grad.copy() for p in parameters])
    return batched, [np.stack(column) for column in zip(*rows, strict=True)]


def assert_per_example(module, loss, x, y):
    batched, rows = per_example(module, loss, x, y)
    for got, wanted in zip(batched, rows, strict=True):
        np.testing.assert_allclose(got, wanted, rtol=1e-9, atol=1e-12)


def test_gradients_of_each_example_of_a_classifier():
    model = nn.Sequential(nn.Linear(3, 8), nn.Tanh(), nn.LayerNorm(8), nn.Linear(8, 5)).double()
    assert_per_example(model, nn.functional.cross_entropy, X, np.array([1, 0, 4, 4]))
    weighted = functools.partial(
        nn.functional.cross_entropy, weight=np.arange(1.0, 6.0), label_smoothing=0.1
    )
    assert_per_example(model, weighted, X, np.array([1, 0, 4, 4]))


def test_gradients_of_each_example_of_a_convolutional_network():
    model = nn.Sequential(
        nn.Conv2d(2, 4, 3, padding=1, groups=2), nn.ReLU(), nn.MaxPool2d(2), nn.GroupNorm(2, 4),
        nn.Flatten(), nn.Linear(16, 3),
    ).double()  # fmt: skip
    x, y = RNG.normal(size=(3, 1, 2, 4, 4)), RNG.integers(0, 3, (3, 1))
    assert_per_example(model, nn.functional.cross_entropy, x, y)
    assert_per_example(model, nn.functional.mse_loss, x, RNG.normal(size=(3, 1, 3)))


@pytest.mark.torch
def test_gradients_of_each_example_are_those_of_pytorch():
    torch = pytest.importorskip("torch")
    model = nn.Sequential(nn.Conv1d(2, 3, 2, bias=False), nn.ReLU(), nn.Flatten(), nn.Linear(6, 2))
    model.double()
    twin = torch.nn.Sequential(
        torch.nn.Conv1d(2, 3, 2, bias=False),
        torch.nn.ReLU(),
        torch.nn.Flatten(),
        torch.nn.Linear(6, 2),
    ).double()
    twin.load_state_dict({k: torch.from_numpy(v.copy()) for k, v in model.state_dict().items()})
    x, y = RNG.normal(size=(4, 1, 2, 3)), RNG.normal(size=(4, 1, 2))

    def loss(p, x, y):
        return torch.nn.functional.mse_loss(torch.func.functional_call(twin, p, (x,)), y)

    wanted = torch.func.vmap(torch.func.grad(loss), (None, 0, 0))(
        dict(twin.named_parameters()), torch.from_numpy(x), torch.from_numpy(y)
    )
    batched, _ = per_example(model, nn.functional.mse_loss, x, y)
    for got, name in zip(batched, dict(twin.named_parameters()), strict=True):
        np.testing.assert_allclose(got, wanted[name].detach().numpy(), rtol=1e-10)


# -- Jacobians in batched passes -------------------------------------------------------------------


def row_by_row(function, x):
    """A Jacobian by single passes, as it was computed before there were batches."""
    out, pullback = vjp(function, x)
    units = np.eye(out.size).reshape(out.size, *out.shape)
    return np.stack([pullback(u)[0] for u in units]).reshape(out.shape + x.shape)


@pytest.mark.parametrize("mode", ["forward", "reverse"])
@pytest.mark.parametrize(
    "function, shape",
    [
        (lambda x: np.tanh(x[:, None] * x[None, :]) @ x, (5,)),
        (lambda x: np.sort(x.reshape(-1))[::2] * np.prod(x), (2, 3)),
        (lambda x: np.linalg.solve(x + 3 * np.eye(3), x[0]), (3, 3)),
        (lambda x: np.convolve(x, x[:2]), (5,)),
        (lambda x: autograd.signal.convolve(x, x[:2]), (5,)),  # without a batch rule: one by one
        (lambda x: np.stack([x[0] * x, np.zeros(2)]), (2,)),
        (lambda x: np.sum(x**2), (3,)),
    ],
)
def test_jacobians_are_those_of_single_passes(function, shape, mode):
    x = np.random.default_rng(1).normal(size=shape)
    np.testing.assert_allclose(
        jacobian(function, mode=mode)(x), row_by_row(function, x), rtol=1e-10, atol=1e-12
    )


def test_jacobians_of_many_rows_run_in_parts(monkeypatch):
    monkeypatch.setattr("autograd.transforms.jacobian._ELEMENTS", 64)
    x = np.linspace(-1.0, 1.0, 20)
    np.testing.assert_allclose(
        jacobian(lambda x: np.cumsum(np.sin(x)))(x), np.tril(np.ones((20, 20))) * np.cos(x)
    )
    h = hessian(lambda p: (p["a"] ** 2).sum() * p["b"][0, 0])({"a": x, "b": np.ones((1, 2))})
    np.testing.assert_allclose(h["a"]["a"], 2 * np.eye(20))
    np.testing.assert_allclose(h["a"]["b"][:, 0, 0], 2 * x)
    assert h["b"]["a"].shape == (1, 2, 20)


def test_a_rule_that_needs_arrays_is_run_row_by_row():
    @primitive(x=lambda g: np.ascontiguousarray(np.asarray(g)[::-1]))
    def turned(x):
        return x[::-1].copy()

    np.testing.assert_array_equal(jacobian(turned, mode="reverse")(X[0]), np.eye(3)[::-1])
