"""Transforms: functions in, derivatives out. Values against closed forms, differences, PyTorch."""

import sys
import threading
from typing import NamedTuple

import numpy as np
import pytest

import autograd
import nn
from autograd import (
    Variable,
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


# -- results without a gradient --------------------------------------------------------------------


@pytest.mark.parametrize(
    "constant",
    [
        lambda x: 5.0,
        lambda x: np.float32(5.0),
        lambda x: np.array(5.0),
        lambda x: x.data.sum(),
        lambda x: x[0].item() ** 2,
        lambda x: float(x.detach()[0]),
    ],
)
@pytest.mark.parametrize("transform", [grad, value_and_grad, elementwise_grad])
def test_a_result_that_is_no_variable_is_a_constant_with_a_warning(transform, constant):
    with pytest.warns(
        UserWarning,
        match=r"grad: the result does not depend on the argument, as the function returned an? "
        r"(float|float32|float64|array) and no Variable, .*\.item\(\), \.data and \.detach\(\)",
    ) as caught:
        g = transform(constant)(X)
    assert caught[0].filename == __file__
    assert ((g[1] if transform is value_and_grad else g) == 0).all()


def test_a_variable_without_a_gradient_is_a_constant_and_nothing_is_said():
    assert (grad(lambda x: Variable(5.0))(X) == 0).all()
    assert (grad(lambda x: x.detach().sum())(X) == 0).all()
    assert (grad(lambda x: np.sign(x).sum())(X) == 0).all()
    assert grad(grad(lambda x: 3.0 * x))(1.0) == 0.0
    assert grad(grad(lambda x: Variable(3.0)))(1.0) == 0.0
    with no_grad():
        assert grad(grad(lambda x: 3.0 * x))(1.0) == 0.0


@pytest.mark.parametrize(
    "function, got",
    [
        (lambda x: np.allclose(x, x), "bool"),
        (lambda x: x.sum() > 3, "bool"),
        (lambda x: x > 3, "bool"),
        (np.argmax, "int64"),
        (lambda x: 3, "int64"),
        (lambda x: x.size, "int64"),
        (lambda x: x.astype(int).sum(), "int64"),
    ],
)
@pytest.mark.parametrize("transform", [grad, value_and_grad, elementwise_grad])
def test_truth_values_and_integers_have_no_derivative(transform, function, got):
    with pytest.raises(
        TypeError,
        match=f"grad: wanted a function that returns floating-point numbers, got {got}, which has "
        "no derivative; return what the condition, count or index was computed from",
    ):
        transform(function)(X)


@pytest.mark.parametrize(
    "function, got", [(lambda x: None, "None"), (lambda x: "text", "a str"), (lambda x: np.sin, "")]
)
def test_what_is_no_number_is_named(function, got):
    with pytest.raises(TypeError, match=f"grad: wanted .* numbers or arrays, got {got}.*return st"):
        grad(function)(X)


def test_an_array_that_is_no_variable_must_be_a_scalar_all_the_same():
    expected = pytest.warns(UserWarning, match="does not depend")
    with expected, pytest.raises(RuntimeError, match=r"scalar .*shape \(3,\)"):
        grad(lambda x: x.data)(X)


# -- what cannot be differentiated -----------------------------------------------------------------


@pytest.mark.parametrize("transform", [grad, value_and_grad, elementwise_grad, jacobian, hessian])
def test_integers_are_refused(transform):
    with pytest.raises(TypeError, match=r"wanted floating or complex numbers in argument 0, got"):
        transform(lambda x: (x * x).sum())(np.array([1, 2]))
    with pytest.raises(TypeError, match=r"got int64; write x\.astype\(float\) for x"):
        transform(lambda x: (x * x).sum())(np.array([1, 2]))
    with pytest.raises(TypeError, match=r"write 3\.0 instead of 3"):
        transform(lambda x: x * x)(3)


def test_a_point_in_the_first_call_is_sent_to_the_second():
    for point, kind in [
        (X, "an array"),
        (1.0, "a float"),
        ([0.5], "a list"),
        (Variable(1.0), "a V"),
    ]:
        with pytest.raises(
            TypeError, match=rf"grad: wanted argnum as .* got {kind}.*write grad\(f\)\(x\)"
        ):
            grad(np.sin, point)
    with pytest.raises(TypeError, match="value_and_grad: wanted argnum as .* got an array"):
        value_and_grad(np.sin, X)


def test_arguments_of_grad_are_explained_without_private_names():
    with pytest.raises(
        TypeError, match=r"grad: wanted argnum as .*, got 'k'; give that argument by"
    ):
        grad(np.sin, argnum="k")
    with pytest.raises(
        TypeError, match=r"grad: wanted keywords among argnum, got 'argnums'; write argnum="
    ):
        grad(np.sin, argnums=1)
    with pytest.raises(
        TypeError, match=r"grad: wanted a function, as in grad\(f\)\(x\), or outputs"
    ):
        grad(4.0)
    with pytest.raises(TypeError, match=r"got a Variable alone; .* write loss\.backward\(\)"):
        grad(Variable(4.0, requires_grad=True))
    with pytest.raises(TypeError, match=r"got a float as output 0; write grad\(f\)\(x\)"):
        grad(4.0, 1.0)
    with pytest.raises(TypeError, match="wanted keywords among inputs, grad_outputs, .* got 'wrt'"):
        grad(Variable(4.0, requires_grad=True), wrt=1)
    with pytest.raises(TypeError, match="value_and_grad: wanted a function, got an array"):
        value_and_grad(X)
    assert np.allclose(grad(np.hypot, np.int64(1))(3.0, 4.0), 0.8)


def test_a_list_of_numbers_that_the_function_cannot_take_is_told_np_array():
    with pytest.raises(TypeError) as caught:
        grad(lambda b: (M @ b).sum())([0.0, 0.0, 0.0])
    (note,) = caught.value.__notes__
    assert note == (
        "grad: argument 0 is a list of 3 numbers, which counts as 3 separate scalars; for a vector "
        "write np.array(list_of_numbers)"
    )
    with pytest.raises(AttributeError) as caught:
        grad(lambda b: b.sum())((1.0, 2.0))
    assert "np.array(tuple_of_numbers)" in caught.value.__notes__[0]
    assert grad(lambda b: b[0] * b[1])([2.0, 3.0]) == [3.0, 2.0]  # a structure of two scalars
    with pytest.raises(ValueError, match="shapes") as caught:
        grad(lambda b: b @ np.ones(7))(X)
    assert not hasattr(caught.value, "__notes__")


def test_grad_wants_one_real_scalar():
    with pytest.raises(RuntimeError, match=r"grad: wanted a scalar .*got shape \(3,\)"):
        grad(lambda x: x * x)(X)
    with pytest.raises(RuntimeError, match="grad: wanted a real output, got complex128"):
        grad(lambda x: x.sum())(X + 1j)
    with pytest.raises(TypeError, match="one scalar, got 2 outputs; .*jacobian"):
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
    with pytest.raises(TypeError, match="got an array as input 0"):
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


def test_gradient_of_a_real_function_of_complex_numbers_points_uphill():
    z = X + 1j * X[::-1]
    np.testing.assert_allclose(grad(lambda z: (np.abs(z) ** 2).sum())(z), 2 * z)
    np.testing.assert_allclose(grad(lambda x: np.abs(np.exp(1j * x) * x).sum())(X), np.sign(X))


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
