"""Explanations: their numbers against gradients, finite differences and derivatives by hand."""

import functools
import math

import numpy as np
import pytest

import autograd
import nn
from autograd import Variable


def leaf(value):
    return Variable(value, requires_grad=True)


def scalars(a, b):
    c = a * b + b**3
    c = c + 1 + np.clip(-a, 0.0, None)
    return np.tanh(c) / (a + 4) - c * b * a


def arrays(x, w):
    h = x @ w
    q, r = np.linalg.qr(h)
    return (np.tanh(h) * q + h[0]).sum() + np.mean(h.max(axis=0)) + np.concatenate([h, r]).var()


RNG = np.random.default_rng(3)
POINTS = {
    "scalars": (scalars, (1.5, -0.5)),
    "arrays": (arrays, (RNG.normal(size=(3, 2)), RNG.normal(size=(2, 2)))),
}


@pytest.fixture(params=POINTS)
def case(request):
    return POINTS[request.param]


def test_gradients_are_those_of_the_library_and_of_finite_differences(case):
    f, point = case
    explanation = autograd.explain(f, *point)
    expected = autograd.grad(f, argnum=(0, 1))(*point)
    for got, gradient in zip(explanation.gradients.values(), expected, strict=True):
        np.testing.assert_allclose(got, gradient, rtol=1e-12)
    for i, got in enumerate(explanation.gradients.values()):
        step = RNG.normal(size=np.shape(point[i]))
        ends = [
            f(*(p + s * 1e-6 * step if i == j else p for j, p in enumerate(point))) for s in (1, -1)
        ]
        np.testing.assert_allclose(np.sum(got * step), (ends[0] - ends[1]) / 2e-6, rtol=1e-7)


def test_what_reaches_a_value_is_the_sum_of_what_is_handed_on_to_it(case):
    f, point = case
    explanation = autograd.explain(f, *point)
    totals = {op.name: op.gradient for op in explanation.operations} | explanation.gradients
    arrived = {}
    for op in explanation.operations:
        for link in op.links:
            arrived[link.source] = arrived.get(link.source, 0.0) + link.gradient
            if link.slope is not None:
                np.testing.assert_allclose(op.gradient * link.slope, link.gradient, rtol=1e-12)
    assert len(arrived) >= len(explanation.operations)
    for name, total in totals.items():
        if name in arrived:
            np.testing.assert_allclose(arrived[name], total, rtol=1e-12)


def test_the_products_along_all_ways_add_up_to_the_gradient():
    many = autograd.explain(lambda a: (a * a) * (a * a) * a * a, 0.5)
    assert many.paths["a"] is not None
    assert autograd.explain(lambda a: (a * a) * (a * a) * (a * a) * a, 0.5).paths["a"] is None
    small = autograd.explain(lambda a: (a * a + a) * np.exp(a), 0.5)
    for name, total in small.gradients.items():
        products = [
            functools.reduce(lambda p, link: p * link.slope, way, 1.0) for way in small.paths[name]
        ]
        assert len(products) == 4
        assert sum(products) == pytest.approx(total, rel=1e-12)
        assert total == pytest.approx((0.25 + 0.5 + 2 * 0.5 + 1) * math.exp(0.5))


def test_micrograds_expression_is_explained_after_backward_too():
    a, b, c, f = map(leaf, (2.0, -3.0, 10.0, -2.0))
    with autograd.record_values():
        e = a * b
        d = e + c
        L = d * f
    L.backward()
    text = repr(autograd.explain(L, a))
    assert text.splitlines()[:3] == [
        "e = multiply(a, b) = -6  # a * b",
        "d = add(e, c) = 4        # e + c",
        "L = multiply(d, f) = -8  # d * f",
    ]
    assert "    dL/da = dL/de * x1' = (-2) * (-3) = 6" in text.splitlines()
    assert text.endswith("dL/da = 6\n    L <- d <- e <- a: (-2) * 1 * (-3) = 6")
    assert "dL/db" not in text
    assert a.grad == 6.0, "it has added nothing"


def test_without_inputs_all_leaves_are_explained_and_nothing_is_freed():
    x, y = leaf(3.0), leaf(np.ones(2))
    z = (x * y).sum()
    explanation = autograd.explain(z)
    assert list(explanation.gradients) == ["x", "y"]
    np.testing.assert_array_equal(explanation.gradients["y"], [3.0, 3.0])
    z.backward()
    assert x.grad == 2.0


def test_formulas_have_their_numbers():
    text = repr(autograd.explain(lambda x, y: np.tanh(x) / y, 0.5, 2.0))
    assert "x' = 1 - out**2 = 1 - 0.4621**2 = 0.7864" in text
    assert "x2' = -out / x2 = -0.2311 / 2 = -0.1155" in text


def test_rules_without_a_stated_derivative_show_themselves():
    text = repr(autograd.explain(lambda x: (x @ x).sum(), np.eye(2)))
    assert "dy/dx += g @ x2.mT" in text
    assert "expand(g, x_shape, axis)" in text


def test_a_rule_of_ones_own_is_shown_and_run():
    @autograd.primitive(x=lambda g, x: g * 2 * x)
    def square(x):
        return x * x

    text = repr(autograd.explain(square, 3.0))
    assert "g * 2 * x" in text
    assert text.endswith("dy/dx = 6\n    y <- x: 6 = 6")


class TwoOutputs(autograd.Function):
    @staticmethod
    def forward(ctx, x, factor):
        ctx.save_for_backward(x)
        ctx.factor = factor
        return x * factor, x * x

    @staticmethod
    def backward(ctx, a, b):
        return a * ctx.factor + 2 * b * ctx.saved_tensors[0], None


@pytest.mark.parametrize(
    "f, text",
    [
        (lambda x: np.modf(x)[0].sum(), "modf(x)"),
        (lambda x: (x[np.array([0, 0])] * np.int64(2)).sum(), "multiply(v2, 2)"),
        (lambda x: sum(o.sum() for o in TwoOutputs.apply(x, 3.0)), "TwoOutputs(x, 3)"),
        (lambda x: (x * x[0]).sum(), "sum(g * x1)"),
        (lambda x: np.concatenate([x, 2 * x]).prod(), "concatenate(x, v2)"),
    ],
)
def test_operations_of_all_kinds_are_explained_and_drawn(f, text):
    x = leaf(np.array([1.25, 2.5]))
    with autograd.record_values():
        y = f(x)
    y.backward()
    explanation = autograd.explain(y, x)
    assert text in repr(explanation)
    np.testing.assert_allclose(explanation.gradients["x"], x.grad, rtol=1e-12)
    assert len(explanation.operations) == len(y.draw().diagram.sheet.boxes) - 1


def test_markdown_has_the_same_numbers_in_tables():
    page = autograd.explain(lambda a, b: abs(a * b), 2.0, -3.0)._repr_markdown_()
    assert "| `v3 = multiply(a, b)` | `-6` | `a * b` |" in page
    assert (
        "| `multiply(a, b)` | `x1' = x2 = -3` | `dy/da = dy/dv3 * x1' = (-1) * (-3) = 3` |" in page
    )
    widths = {
        len(line.replace("\\|", "").split("|")) for line in page.splitlines() if line[:1] == "|"
    }
    assert widths == {5}


def test_a_loss_of_a_model_is_explained_for_a_parameter():
    model = nn.Linear(2, 1)
    x, y = np.ones((3, 2), np.float32), np.zeros((3, 1), np.float32)
    loss = nn.functional.mse_loss(model(x), y)
    got = autograd.explain(loss, model.weight).gradients["weight"]
    loss.backward()
    np.testing.assert_allclose(got, model.weight.grad, rtol=1e-6)


@pytest.mark.parametrize(
    "call, error, message",
    [
        (lambda: autograd.explain(3.0), TypeError, "explain: wanted a Variable that was computed"),
        (lambda: autograd.explain(leaf(1.0) * 2, leaf(3.0)), ValueError, "it does not depend on"),
        (lambda: autograd.explain(np.sin, np.ones(2)), RuntimeError, "explain: wanted a scalar"),
        (lambda: autograd.explain(lambda z: z * z, 1j), RuntimeError, "wanted a real output"),
    ],
)
def test_what_cannot_be_explained_is_refused(call, error, message):
    with pytest.raises(error, match=message):
        call()


# -- complex numbers -------------------------------------------------------------------------------


def test_complex_derivatives_are_conjugated_in_the_chain():
    explanation = autograd.explain(lambda z: abs(z * z + 1) ** 2, 1 + 2j)
    # With f = |z^2 + 1|^2, df/dx + i df/dy = 2 (z^2 + 1) conj(2 z).
    assert explanation.gradients["z"] == pytest.approx(2 * (-2 + 4j) * np.conj(2 * (1 + 2j)))
    ways = explanation.paths["z"]
    assert sum(np.prod([link.slope for link in way]) for way in ways) == pytest.approx(24 + 32j)
    text = str(explanation)
    assert "x1' = x2 = 1+2j" in text
    assert "dy/dz += dy/dv2 * conj(x1') = (-4+8j) * (1-2j) = 12+16j" in text
    assert "dy/dv2 = dy/dv3 * x1' = (-4+8j) * 1 = -4+8j" in text


@pytest.mark.parametrize(
    "function, point, told",
    [
        (lambda z: np.real(np.conj(z) * np.exp(z)), 1 + 2j, "rule(conj(g))), rule(g) = np.conj"),
        (lambda z: np.real((z * 1j + 2) * (z - 1j)), 3.0, "real(rule(conj(g))), rule(g) = g * x2"),
        (lambda z: np.sum(np.abs(np.array([[1, 1j], [2, 3]]) @ z)), np.ones(2), "x1.mT @ g = "),
        (lambda z: np.sum(np.abs(np.fft.fft(z)) ** 2), np.array([1.0, 2.0j]), "np.fft.fft(g"),
        (lambda z: np.sum(np.real(z * np.ones(2) * 1j)), 1 + 1j, "rule(g) = sum(g * x2)"),
    ],
)
def test_what_is_no_complex_product_is_told_by_its_rule(function, point, told):
    explanation = autograd.explain(function, point)
    (gradient,) = explanation.gradients.values()
    np.testing.assert_allclose(gradient, autograd.grad(function)(point))
    assert told in str(explanation)
    for operation in explanation.operations:
        for link in operation.links:
            if link.slope is not None:
                np.testing.assert_allclose(link.gradient, operation.gradient * link.slope)
