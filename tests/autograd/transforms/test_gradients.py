"""Transforms: functions in, derivatives out. Values against closed forms, differences, PyTorch."""

import gc
import sys
import threading
from typing import NamedTuple

import numpy as np
import pytest

import autograd
import nn
from autograd import (
    Variable,
    checkpoint,
    elementwise_grad,
    grad,
    hessian,
    hvp,
    jacobian,
    jvp,
    no_grad,
    value_and_grad,
    vjp,
)

rng = np.random.default_rng(0)
X = rng.normal(size=(3,))
M = rng.normal(size=(4, 3))


class Point(NamedTuple):
    x: object
    y: object


def rosenbrock(x):
    return ((1 - x[:-1]) ** 2 + 100 * (x[1:] - x[:-1] ** 2) ** 2).sum()


def differences(f, x, h=1e-5):
    """Return the Jacobian of an array function by central differences."""
    columns = [(f(x + h * e) - f(x - h * e)) / (2 * h) for e in np.eye(x.size)]
    return np.stack(columns, axis=-1)


# -- grad ------------------------------------------------------------------------------------------


def test_grad_of_a_function_is_its_gradient():
    g = grad(lambda x: (x**3).sum())(X)
    assert type(g) is np.ndarray
    np.testing.assert_allclose(g, 3 * X**2, rtol=1e-14)


def test_grad_keeps_float32():
    assert grad(lambda x: (x**2).sum())(X.astype(np.float32)).dtype == np.float32
    assert hessian(lambda x: (x**2).sum())(X.astype(np.float32)).dtype == np.float32
    assert jacobian(np.sin)(X.astype(np.float32)).dtype == np.float32
    assert jvp(np.sin, (np.float32(1),), (np.float32(1),))[1].dtype == np.float32


def test_grad_takes_scalars():
    assert grad(lambda x: x * x)(3.0) == 6.0
    assert grad(np.sin)(np.float64(0.0)) == 1.0


def test_argnum_chooses_the_argument():
    def f(x, y):
        return (x * y**2).sum()

    y = np.array([2.0, 3.0, 4.0])
    np.testing.assert_allclose(grad(f, 1)(X, y), 2 * X * y)
    np.testing.assert_allclose(grad(f, -1)(X, y), 2 * X * y)
    gx, gy = grad(f, (0, 1))(X, y)
    np.testing.assert_allclose(gx, y**2)
    np.testing.assert_allclose(gy, 2 * X * y)
    assert isinstance(grad(f, (1,))(X, y), tuple)


def test_keyword_arguments_reach_the_function_and_are_not_differentiated():
    def f(x, *, power, scale=1.0):
        return scale * (x**power).sum()

    np.testing.assert_allclose(grad(f)(X, power=2, scale=3.0), 6 * X)
    np.testing.assert_allclose(value_and_grad(f)(X, power=2)[1], 2 * X)
    np.testing.assert_allclose(hessian(f)(X, power=2), 2 * np.eye(3), atol=1e-14)
    np.testing.assert_allclose(hvp(f)(X, X, power=2), 2 * X)


def test_gradients_have_the_structure_of_their_argument():
    def f(tree):
        return (tree["w"] * tree["w"]).sum() + 3 * tree["p"].x + tree["l"][0] * tree["l"][1][0]

    tree = {"w": X, "p": Point(1.0, 2.0), "l": [4.0, (5.0, None)]}
    g = grad(f)(tree)
    assert list(g) == ["w", "p", "l"]
    np.testing.assert_allclose(g["w"], 2 * X)
    assert type(g["p"]) is Point
    assert g["p"] == Point(3.0, 0.0)
    assert g["l"] == [5.0, (4.0, None)]


def test_constant_functions_have_zero_derivatives():
    assert (grad(lambda x: 5.0)(X) == 0).all()
    assert (grad(lambda x: Variable(5.0))(X) == 0).all()
    assert (jacobian(lambda x: np.ones(2))(X) == np.zeros((2, 3))).all()
    assert (hessian(lambda x: x.sum())(X) == np.zeros((3, 3))).all()
    assert (vjp(lambda x: np.ones(2), X)[1](np.ones(2))[0] == 0).all()
    assert (jvp(lambda x: np.ones(2), (X,), (X,))[1] == 0).all()
    assert (hvp(lambda x: x.sum())(X, X) == 0).all()
    assert (grad(lambda x, y: y.sum())(X, X) == 0).all()


@pytest.mark.parametrize("transform", [grad, value_and_grad, elementwise_grad, jacobian, hessian])
def test_integers_are_refused(transform):
    with pytest.raises(TypeError, match=r"wanted floating or complex numbers in argument 0, got"):
        transform(lambda x: (x * x).sum())(np.array([1, 2]))
    with pytest.raises(TypeError, match=r"write 2\.0 instead of 2"):
        transform(lambda x: x * x)(2)


def test_grad_wants_one_real_scalar():
    with pytest.raises(RuntimeError, match=r"grad: wanted a scalar output, got shape \(3,\)"):
        grad(lambda x: x * x)(X)
    with pytest.raises(RuntimeError, match="grad: wanted a real output, got complex128"):
        grad(lambda x: x.sum())(X + 1j)
    with pytest.raises(TypeError, match="one scalar, got 2 outputs; see jacobian"):
        grad(lambda x: (x.sum(), x.sum()))(X)
    with pytest.raises(ValueError, match="argnum below the number of positional"):
        grad(lambda x: x.sum(), 1)(X)


def test_grad_of_a_graph_returns_one_gradient_per_input():
    x, y = Variable(X, requires_grad=True), Variable(2.0, requires_grad=True)
    gx, gy = grad((x * y).sum(), [x, y])
    np.testing.assert_allclose(gx, 2 * np.ones(3))
    np.testing.assert_allclose(gy, X.sum())
    assert x.grad is None
    assert y.grad is None


def test_grad_of_a_graph_weighs_outputs():
    x = Variable(X, requires_grad=True)
    (g,) = grad([x * x, x.sum()], x, grad_outputs=[X, None])
    np.testing.assert_allclose(g, 2 * X * X + 1)
    (g,) = grad(x * x, x, grad_outputs=X)
    np.testing.assert_allclose(g, 2 * X * X)
    (g,) = grad(x * x, x, grad_outputs=[X])
    np.testing.assert_allclose(g, 2 * X * X)


def test_grad_of_a_graph_to_an_intermediate_result():
    x = Variable(X, requires_grad=True)
    y = x * x
    gy, gx = grad((y * y).sum(), [y, x])
    np.testing.assert_allclose(gy, 2 * X**2)
    np.testing.assert_allclose(gx, 4 * X**3)


def test_create_graph_gives_variables_that_can_be_differentiated():
    x = Variable(X, requires_grad=True)
    (g,) = grad((x**3).sum(), x, create_graph=True)
    assert isinstance(g, Variable)
    (h,) = grad(g.sum(), x, retain_graph=True)
    np.testing.assert_allclose(h, 6 * X)
    g.sum().backward()
    np.testing.assert_allclose(x.grad, 6 * X)


def test_grad_of_a_graph_explains_itself():
    x, y = Variable(X, requires_grad=True), Variable(X, requires_grad=True)
    with pytest.raises(RuntimeError, match="got an unused one, input 1; pass allow_unused=True"):
        grad((x * x).sum(), [x, y])
    gx, gy = grad((x * x).sum(), [x, y], allow_unused=True)
    np.testing.assert_allclose(gx, 2 * X)
    assert gy is None
    with pytest.raises(RuntimeError, match=r"got shape \(3,\)"):
        grad(x * x, x)
    with pytest.raises(RuntimeError, match="got one that does not as input 0"):
        grad((x * x).sum(), Variable(X))
    with pytest.raises(TypeError, match="got ndarray as input 0"):
        grad((x * x).sum(), [X])
    with pytest.raises(ValueError, match="one of grad_outputs per output, 1, got 2"):
        grad([x.sum()], x, grad_outputs=[1.0, 1.0])
    out = (x * x).sum()
    grad(out, x)
    with pytest.raises(RuntimeError, match="was freed by an earlier backward pass"):
        grad(out, x)


def test_value_and_grad_evaluates_once():
    calls = []

    def f(x):
        calls.append(1)
        return (x * x).sum()

    value, g = value_and_grad(f)(X)
    assert len(calls) == 1
    assert value == (X * X).sum()
    assert not isinstance(value, Variable)
    np.testing.assert_allclose(g, 2 * X)


def test_elementwise_grad_is_the_derivative_at_each_element():
    np.testing.assert_allclose(elementwise_grad(np.sin)(M), np.cos(M), rtol=1e-14)
    second = elementwise_grad(elementwise_grad(np.sin))
    np.testing.assert_allclose(second(M), -np.sin(M), rtol=1e-14)
    gx, gy = elementwise_grad(lambda x, y: x * y**2, (0, 1))(X, X)
    np.testing.assert_allclose(gx, X**2)
    np.testing.assert_allclose(gy, 2 * X**2)


# -- products with the Jacobian --------------------------------------------------------------------


def test_vjp_gives_the_value_and_a_pullback_for_any_number_of_calls():
    out, pullback = vjp(lambda x, y: (M @ x) * y, X, 2.0)
    np.testing.assert_allclose(out, 2 * M @ X)
    g = rng.normal(size=4)
    for scale in (1.0, 3.0):
        gx, gy = pullback(scale * g)
        np.testing.assert_allclose(gx, scale * 2 * M.T @ g)
        np.testing.assert_allclose(gy, scale * g @ M @ X)
    assert isinstance(pullback(g), tuple)


def test_vjp_of_containers():
    out, pullback = vjp(lambda t: {"a": t[0] * 2, "b": (t[1] * t[0],)}, [X, X + 1])
    assert list(out) == ["a", "b"]
    ((g0, g1),) = pullback({"a": np.ones(3), "b": (np.ones(3),)})
    np.testing.assert_allclose(g0, 2 + X + 1)
    np.testing.assert_allclose(g1, X)


def test_vjp_and_jvp_refuse_other_structures():
    _, pullback = vjp(lambda x: (x, x), X)
    with pytest.raises(ValueError, match="structure of the output, 2 arrays, got 1"):
        pullback(X)
    with pytest.raises(ValueError, match=r"wanted a gradient of shape \(3,\), got \(2,\)"):
        pullback((X, X[:2]))
    with pytest.raises(ValueError, match="structure of the primals, 1 arrays, got 2"):
        jvp(np.sin, (X,), (X, X))
    with pytest.raises(ValueError, match=r"of shape \(3,\), got \(2,\)"):
        jvp(np.sin, (X,), (X[:2],))
    with pytest.raises(TypeError, match="jvp: wanted tuples of primals and tangents"):
        jvp(np.sin, X, X)
    with pytest.raises(ValueError, match="v with the structure of argument 0, 1 arrays, got 2"):
        hvp(lambda x: (x * x).sum())(X, [X, X])
    with pytest.raises(TypeError, match="the arguments of the function and then v, got 1"):
        hvp(lambda x: (x * x).sum())(X)


def test_jvp_gives_value_and_directional_derivative():
    v = rng.normal(size=3)
    out, tangent = jvp(lambda x: np.sin(M @ x), (X,), (v,))
    np.testing.assert_allclose(out, np.sin(M @ X))
    np.testing.assert_allclose(tangent, np.cos(M @ X) * (M @ v), rtol=1e-13)


def test_jvp_of_several_arguments_and_outputs():
    out, tangent = jvp(lambda x, t: (x * t["a"], t["a"] + 1), (X, {"a": 2.0}), (X, {"a": 1.0}))
    assert isinstance(tangent, tuple)
    np.testing.assert_allclose(out[0], 2 * X)
    np.testing.assert_allclose(tangent[0], 2 * X + X)
    assert tangent[1] == 1.0


def test_products_wait_for_their_primals_when_called_with_the_function_alone():
    np.testing.assert_allclose(jvp(np.sin)((X,), (X,))[1], np.cos(X) * X)
    np.testing.assert_allclose(vjp(np.sin)(X)[1](X)[0], np.cos(X) * X)


# -- Jacobians and Hessians ------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["auto", "forward", "reverse"])
def test_jacobian_modes_agree_with_differences(mode):
    def f(x):
        return np.sin(M @ x) * x.sum()

    np.testing.assert_allclose(jacobian(f, mode=mode)(X), differences(f, X), rtol=1e-8, atol=1e-9)
    np.testing.assert_allclose(jacobian(f, mode=mode)(X), jacobian(f)(X), rtol=1e-13)


@pytest.mark.parametrize("mode", ["forward", "reverse"])
def test_jacobian_shape_is_output_shape_then_argument_shape(mode):
    j = jacobian(lambda x: np.stack([x, 2 * x], axis=-1).sum(axis=0), mode=mode)(M)
    assert j.shape == (3, 2, 4, 3)
    assert jacobian(lambda x: x.sum(), mode=mode)(M).shape == (4, 3)
    assert jacobian(lambda x: x * M, mode=mode)(2.0).shape == (4, 3)
    empty = jacobian(lambda x: x[:0], mode=mode)(X.astype(np.float32))
    assert empty.shape == (0, 3)
    assert empty.dtype == np.float32


@pytest.mark.parametrize("mode", ["forward", "reverse"])
def test_jacobian_of_containers_and_several_arguments(mode):
    def f(x, t):
        return {"sum": x + t[0], "product": (x * t[1],)}

    j = jacobian(f, (0, 1), mode=mode)(X, [X + 1, 3.0])
    assert list(j) == ["sum", "product"]
    (dx, (dt0, dt1)) = j["sum"]
    np.testing.assert_allclose(dx, np.eye(3))
    np.testing.assert_allclose(dt0, np.eye(3))
    np.testing.assert_allclose(dt1, np.zeros(3))
    ((dx, (dt0, dt1)),) = j["product"]
    np.testing.assert_allclose(dx, 3 * np.eye(3))
    np.testing.assert_allclose(dt0, np.zeros((3, 3)))
    np.testing.assert_allclose(dt1, X)


def passes_of(function, x, monkeypatch):
    """Count backward passes and forward sweeps of one Jacobian."""
    from autograd.transforms import gradients as _transforms
    from autograd.transforms import trace as _trace

    counts = {"backward": 0, "forward": 0}

    def counting(key, original):
        def wrapper(*args, **kwargs):
            counts[key] += 1
            return original(*args, **kwargs)

        return wrapper

    places = ((_trace, "backward", "run_backward"), (_transforms, "forward", "push_forward"))
    for module, key, name in places:
        monkeypatch.setattr(module, name, counting(key, getattr(module, name)))
    jacobian(function)(x)
    return counts


def test_jacobian_takes_the_direction_with_fewer_passes(monkeypatch):
    assert passes_of(lambda x: M @ x, X, monkeypatch) == {"backward": 0, "forward": 3}
    assert passes_of(lambda x: x[:2] * 2, X, monkeypatch)["backward"] == 2


def test_jacobian_refuses_other_modes():
    with pytest.raises(ValueError, match="wanted mode 'auto', 'forward' or 'reverse', got 'both'"):
        jacobian(np.sin, mode="both")


def test_complex_jacobian_is_the_complex_derivative():
    z = X + 1j * X[::-1]
    np.testing.assert_allclose(jacobian(lambda z: z**2 + 1j * z)(z), np.diag(2 * z + 1j))
    np.testing.assert_allclose(jacobian(np.exp, mode="forward")(z), np.diag(np.exp(z)), rtol=1e-13)


def test_gradient_of_a_real_function_of_complex_numbers_points_uphill():
    z = X + 1j * X[::-1]
    np.testing.assert_allclose(grad(lambda z: (np.abs(z) ** 2).sum())(z), 2 * z)
    np.testing.assert_allclose(grad(lambda x: np.abs(np.exp(1j * x) * x).sum())(X), np.sign(X))


def test_hessian_of_rosenbrock_has_its_closed_form():
    x = np.linspace(-1.0, 1.0, 7)
    wanted = np.zeros((7, 7))
    for i in range(6):
        wanted[i, i] += 2 - 400 * (x[i + 1] - x[i] ** 2) + 800 * x[i] ** 2
        wanted[i + 1, i + 1] += 200
        wanted[i, i + 1] = wanted[i + 1, i] = -400 * x[i]
    np.testing.assert_allclose(hessian(rosenbrock)(x), wanted, atol=1e-10)


def test_hessian_of_containers_is_a_table_of_blocks():
    h = hessian(lambda p: (p["a"] * p["b"]).sum() + p["a"][0] ** 2)({"a": X, "b": X + 1})
    np.testing.assert_allclose(h["a"]["b"], np.eye(3))
    np.testing.assert_allclose(h["b"]["b"], np.zeros((3, 3)))
    np.testing.assert_allclose(h["a"]["a"], np.diag([2.0, 0, 0]))


def test_hvp_is_hessian_times_vector():
    v = rng.normal(size=3)
    np.testing.assert_allclose(hvp(rosenbrock)(X, v), hessian(rosenbrock)(X) @ v, rtol=1e-12)
    np.testing.assert_allclose(
        hvp(lambda y, x: rosenbrock(x) * y, 1)(2.0, X, v), 2 * hessian(rosenbrock)(X) @ v
    )


@pytest.mark.torch
@pytest.mark.filterwarnings("ignore:.*torch.jit:DeprecationWarning")
def test_transforms_agree_with_torch():
    torch = pytest.importorskip("torch")
    weights = rng.normal(size=(5, 3))
    v = rng.normal(size=3)

    def f(x):
        return (np.tanh(weights @ x) ** 2).sum() * x[0]

    def f_torch(x):
        return (torch.tanh(torch.from_numpy(weights) @ x) ** 2).sum() * x[0]

    x = torch.from_numpy(X.copy())
    np.testing.assert_allclose(grad(f)(X), torch.func.grad(f_torch)(x).numpy(), rtol=1e-11)
    np.testing.assert_allclose(hessian(f)(X), torch.func.hessian(f_torch)(x).numpy(), rtol=1e-10)
    product = torch.autograd.functional.hvp(f_torch, x, torch.from_numpy(v))[1].numpy()
    np.testing.assert_allclose(hvp(f)(X, v), product, rtol=1e-10)


# -- composition -----------------------------------------------------------------------------------


def test_grad_of_grad_of_grad():
    f = np.sin
    for wanted in (np.cos, lambda x: -np.sin(x), lambda x: -np.cos(x), np.sin, np.cos):
        f = grad(f)
        np.testing.assert_allclose(f(0.7), wanted(0.7), rtol=1e-13)


def test_transforms_compose_in_any_order():
    v = np.array([1.0, -2.0, 0.5])
    h = hessian(rosenbrock)(X)
    forward_over_reverse = jvp(grad(rosenbrock), (X,), (v,))[1]
    np.testing.assert_allclose(forward_over_reverse, h @ v, rtol=1e-11)
    reverse_over_forward = grad(lambda x: jvp(rosenbrock, (x,), (v,))[1])(X)
    np.testing.assert_allclose(reverse_over_forward, h @ v, rtol=1e-11)
    forward_over_forward = jvp(lambda x: jvp(rosenbrock, (x,), (v,))[1], (X,), (v,))[1]
    np.testing.assert_allclose(forward_over_forward, v @ h @ v, rtol=1e-11)
    for mode in ("forward", "reverse"):
        np.testing.assert_allclose(jacobian(grad(rosenbrock), mode=mode)(X), h, rtol=1e-11)
        sines = jacobian(np.sin, mode=mode)
        np.testing.assert_allclose(grad(lambda x, j=sines: np.trace(j(x)))(X), -np.sin(X))
    pulled = grad(lambda x: vjp(np.sin, x)[1](v)[0].sum())(X)
    np.testing.assert_allclose(pulled, -np.sin(X) * v)
    np.testing.assert_allclose(grad(lambda x: hvp(rosenbrock)(x, v) @ v)(X)[0].shape, ())


def test_third_derivative_tensor_is_symmetric():
    t = jacobian(hessian(lambda x: np.exp(x[0] * x[1]) * x[2] ** 2))(X)
    for axes in ((1, 0, 2), (2, 1, 0), (0, 2, 1)):
        np.testing.assert_allclose(t, t.transpose(axes), rtol=1e-12)


def test_derivative_with_respect_to_tangents_and_cotangents():
    v = np.array([1.0, 2.0, 3.0])
    j = jacobian(lambda t: jvp(np.sin, (X,), (t,))[1])(v)
    np.testing.assert_allclose(j, np.diag(np.cos(X)))
    j = jacobian(lambda g: vjp(np.sin, X)[1](g)[0])(v)
    np.testing.assert_allclose(j, np.diag(np.cos(X)))
    j = jacobian(lambda t: hvp(rosenbrock)(X, t))(v)
    np.testing.assert_allclose(j, hessian(rosenbrock)(X), rtol=1e-12)


def test_a_transform_inside_no_grad_still_differentiates():
    with no_grad():
        np.testing.assert_allclose(grad(lambda x: (x**2).sum())(X), 2 * X)
        np.testing.assert_allclose(hessian(lambda x: (x**2).sum())(X), 2 * np.eye(3), atol=1e-15)
        np.testing.assert_allclose(jvp(np.sin, (X,), (X,))[1], np.cos(X) * X)


def test_no_grad_inside_a_function_makes_a_constant():
    def f(x):
        with no_grad():
            c = x * x
        return (c * x).sum()

    np.testing.assert_allclose(grad(f)(X), X * X)


def test_arguments_outside_are_not_touched():
    x = Variable(X, requires_grad=True)
    inner = grad(lambda v: (v**2).sum())(x)
    assert x.grad is None
    assert isinstance(inner, Variable)
    assert inner.requires_grad
    before = X.copy()
    grad(lambda v: (v**2).sum())(X)
    np.testing.assert_array_equal(X, before)


def test_a_closed_over_parameter_is_part_of_the_outer_graph():
    w = nn.Parameter(np.array([1.0, 2.0, 3.0]))
    g = grad(lambda x: (w * x**3).sum())(X)
    assert isinstance(g, Variable)
    np.testing.assert_allclose(g.data, 3 * w.data * X**2)
    g.sum().backward()
    np.testing.assert_allclose(w.grad, 3 * X**2)
    with no_grad():
        assert type(grad(lambda x: (w * x**3).sum())(X)) is np.ndarray


def test_gradient_penalty_of_a_module_reaches_its_parameters():
    autograd.manual_seed(1)
    layer = nn.Linear(3, 1, dtype=np.float64)

    def penalty():
        return (grad(lambda x: layer(x).sum() ** 2)(X) ** 2).sum()

    penalty().backward()
    g = layer.weight.grad.copy()
    h = 1e-6
    layer.weight.data[0, 1] += h
    up = penalty().item()
    layer.weight.data[0, 1] -= 2 * h
    down = penalty().item()
    np.testing.assert_allclose(g[0, 1], (up - down) / (2 * h), rtol=1e-5)


# -- perturbation confusion ------------------------------------------------------------------------


def test_the_classic_nested_derivative():
    """Siskind and Pearlmutter 2005: d/dx (x * d/dy (x + y)) at 1 is 1; a confused system says 2."""
    assert grad(lambda x: x * grad(lambda y: x + y)(1.0))(1.0) == 1.0
    value = jvp(lambda x: x * jvp(lambda y: x + y, (1.0,), (1.0,))[1], (1.0,), (1.0,))[1]
    assert value == 1.0
    assert grad(lambda x: x * jvp(lambda y: x + y, (1.0,), (1.0,))[1])(1.0) == 1.0
    assert jvp(lambda x: x * grad(lambda y: x + y)(1.0), (1.0,), (1.0,))[1] == 1.0


def test_nested_lambdas_at_the_same_point():
    assert grad(lambda x: x * grad(lambda y: x * y * y)(x))(3.0) == 6 * 3.0**2
    nested = grad(lambda x: grad(lambda y: grad(lambda z: x * y**2 * z**3)(x))(x))
    x = 0.9  # d/dz: 3 x y^2 z^2 at z = x: 3 x^3 y^2; d/dy: 6 x^3 y at y = x: 6 x^4
    np.testing.assert_allclose(nested(x), 24 * x**3, rtol=1e-13)


def test_a_derivative_that_returns_a_function_is_not_confused():
    """Manzyuk et al. 2019, the amazing bug: one derivative's function used inside another."""

    def shift(offset):
        return lambda f: lambda x: f(x + offset)

    def derivative_of_shift(f):
        return lambda x: grad(lambda offset: shift(offset)(f)(x))(0.0)

    twice = derivative_of_shift(derivative_of_shift(np.exp))
    np.testing.assert_allclose(twice(1.0), np.e, rtol=1e-14)


def test_sibling_derivatives_do_not_meet():
    def f(x):
        return grad(lambda y: y**2 * x)(2.0) + grad(lambda y: x * y)(5.0) * x

    assert grad(f)(3.0) == 4.0 + 2 * 3.0


def test_an_inner_derivative_at_a_constant_is_a_constant():
    assert grad(lambda x: grad(lambda y: y**2)(3.0) + 0 * x)(1.0) == 0.0
    assert grad(lambda x: x * grad(lambda y: y**2)(3.0))(1.0) == 6.0


def test_threads_never_mix_nested_gradients():
    """Thousands of nested gradients, switched between threads as often as Python can."""
    wrong = []

    def work(seed):
        for i in range(400):
            a = 0.5 + 0.001 * (seed * 400 + i)
            if i % 3 == 0:
                with no_grad():
                    Variable(a) * a
            got = grad(lambda x: x * grad(lambda y: x * y**3)(x))(a)  # 3 x^4
            if abs(got - 12 * a**3) > 1e-9:
                wrong.append((a, got))

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        threads = [threading.Thread(target=work, args=(i,)) for i in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(interval)
    assert wrong == []


# -- checkpoint ------------------------------------------------------------------------------------


def block(x, w):
    for _ in range(10):
        x = np.tanh(x @ w)
    return x


def test_checkpoint_gives_equal_gradients():
    w = rng.normal(size=(3, 3))
    loss = lambda f: lambda x, w: (f(f(x, w), w) ** 2).sum()
    plain = grad(loss(block), (0, 1))(M, w)
    saved = grad(loss(checkpoint(block)), (0, 1))(M, w)
    for a, b in zip(plain, saved, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-13)


def live_arrays(function, size):
    """Count arrays of `size` bytes that a recorded result keeps alive."""
    x = Variable(np.zeros(size // 8), requires_grad=True)
    import tracemalloc

    gc.collect()
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    out = function(x)
    kept = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    out.sum().backward()
    return kept / size


def test_checkpoint_keeps_only_its_arguments():
    def deep(x):
        for _ in range(20):
            x = np.tanh(x)
        return x

    size = 80_000
    assert live_arrays(deep, size) > 19
    assert live_arrays(checkpoint(deep), size) < 2.5


def test_checkpoint_replays_dropout():
    drop = nn.Dropout(0.5)
    x = Variable(np.ones((50, 50)), requires_grad=True)
    autograd.manual_seed(3)
    out = checkpoint(lambda x: drop(x * 1.0))(x)
    after = autograd.new_generator().random()
    out.sum().backward()
    np.testing.assert_array_equal(x.grad, out.data)
    autograd.manual_seed(3)
    drop(x * 1.0)
    assert autograd.new_generator().random() == after


def test_checkpoint_reaches_parameters_in_the_closure():
    layer = nn.Linear(3, 2, dtype=np.float64)
    checkpoint(lambda x: layer(x) ** 2)(Variable(M)).sum().backward()
    g = layer.weight.grad
    layer.zero_grad()
    (layer(M) ** 2).sum().backward()
    np.testing.assert_allclose(g, layer.weight.grad, rtol=1e-14)


def test_checkpoint_has_second_derivatives():
    f = checkpoint(lambda x: (np.exp(x) * x).sum())
    np.testing.assert_allclose(
        hessian(lambda x: f(x) ** 2)(X), hessian(lambda x: (np.exp(x) * x).sum() ** 2)(X)
    )
    np.testing.assert_allclose(jvp(f, (X,), (X,))[1], (np.exp(X) * (1 + X) * X).sum())


def test_checkpoint_works_with_grad_of_a_graph_and_containers():
    x, w = Variable(M, requires_grad=True), Variable(rng.normal(size=(3, 3)), requires_grad=True)
    f = checkpoint(lambda p: {"out": block(p["x"], p["w"]), "n": 3, "w": p["w"] * 2})
    out = f({"x": x, "w": w})
    assert out["n"] == 3
    got = grad([out["out"].sum(), out["w"].sum()], [x, w])
    wanted = grad([block(x, w).sum(), (w * 2).sum()], [x, w])
    for a, b in zip(got, wanted, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-13)


def test_checkpoint_leaves_unused_outputs_and_nongradient_calls_alone():
    x = Variable(X, requires_grad=True)
    first, _ = checkpoint(lambda x: (x * 2, x * 3))(x)
    first.sum().backward()
    np.testing.assert_allclose(x.grad, 2 * np.ones(3))
    with no_grad():
        assert not checkpoint(np.sin)(x).requires_grad
    assert type(checkpoint(np.sin)(X)) is np.ndarray


def test_checkpoint_notices_another_result():
    count = []

    def f(x):
        count.append(1)
        return x * len(count)

    out = checkpoint(f)(Variable(X, requires_grad=True))
    with pytest.raises(RuntimeError, match="the same output from the second evaluation"):
        out.sum().backward()


@pytest.mark.parametrize("power", [1, 2])
def test_checkpoint_counts_what_it_closes_over_once(power):
    """An argument, or another closed-over Variable, may have been computed from it."""

    def fifth(c, wrapper):
        square = c * c
        return wrapper(lambda x: x * square * c)(square)

    def derivative(wrapper):
        f = lambda c: fifth(c, wrapper)
        for _ in range(power):
            f = autograd.grad(f)
        return f(1.3)

    assert derivative(checkpoint) == pytest.approx(derivative(lambda f: f))


def test_checkpoint_leaves_what_it_closes_over_to_a_second_pass():
    c = Variable(1.3, requires_grad=True)
    square = c * c
    out = checkpoint(lambda x: x * square * c)(2.0)
    out.backward(retain_graph=True)
    out.backward()
    assert c.grad == pytest.approx(2 * 6 * 1.3**2)
