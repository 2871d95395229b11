"""Whole Jacobians and Hessians: values against differences and closed forms."""

import numpy as np
import pytest

from autograd import hessian, jacobian

rng = np.random.default_rng(0)
X = rng.normal(size=(3,))
M = rng.normal(size=(4, 3))


def rosenbrock(x):
    return ((1 - x[:-1]) ** 2 + 100 * (x[1:] - x[:-1] ** 2) ** 2).sum()


def differences(f, x, h=1e-5):
    """Return the Jacobian of an array function by central differences."""
    columns = [(f(x + h * e) - f(x - h * e)) / (2 * h) for e in np.eye(x.size)]
    return np.stack(columns, axis=-1)


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
    from autograd.transforms import products as _products
    from autograd.transforms import trace as _trace

    counts = {"backward": 0, "forward": 0}

    def counting(key, original):
        def wrapper(*args, **kwargs):
            counts[key] += 1
            return original(*args, **kwargs)

        return wrapper

    places = ((_trace, "backward", "run_backward"), (_products, "forward", "push_forward"))
    for module, key, name in places:
        monkeypatch.setattr(module, name, counting(key, getattr(module, name)))
    jacobian(function)(x)
    return counts


def test_jacobian_takes_the_direction_with_fewer_passes(monkeypatch):
    assert passes_of(lambda x: M @ x, X, monkeypatch) == {"backward": 0, "forward": 1}
    assert passes_of(lambda x: x[:2] * 2, X, monkeypatch) == {"backward": 1, "forward": 0}


def test_jacobian_refuses_other_modes():
    with pytest.raises(ValueError, match="wanted mode 'auto', 'forward' or 'reverse', got 'both'"):
        jacobian(np.sin, mode="both")


def test_complex_jacobian_is_the_complex_derivative():
    z = X + 1j * X[::-1]
    np.testing.assert_allclose(jacobian(lambda z: z**2 + 1j * z)(z), np.diag(2 * z + 1j))
    np.testing.assert_allclose(jacobian(np.exp, mode="forward")(z), np.diag(np.exp(z)), rtol=1e-13)


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


def test_a_jacobian_of_what_has_no_derivative_is_refused():
    with pytest.raises(TypeError, match=r"jacobian: wanted a function .* got bool, which has no"):
        jacobian(lambda x: x > 0)(X)
    with pytest.raises(TypeError, match=r"hessian: wanted a function .* got int64, which has no"):
        hessian(np.argmax)(X)


def test_a_jacobian_without_a_variable_is_zero_with_a_warning():
    with pytest.warns(UserWarning, match="jacobian: the result does not depend on the argument"):
        assert (jacobian(lambda x: np.ones(2))(X) == np.zeros((2, 3))).all()
    assert (hessian(lambda x: x.sum())(X) == np.zeros((3, 3))).all()  # a Variable: nothing to say


@pytest.mark.parametrize("transform, name", [(jacobian, "jacobian"), (hessian, "hessian")])
def test_errors_name_the_transform_that_was_typed(transform, name):
    with pytest.raises(TypeError, match=f"{name}: wanted a function, got a float; write {name}"):
        transform(2.0)
    with pytest.raises(TypeError, match=f"{name}: wanted argnum as .* got 'k'"):
        transform(np.sin, "k")
    with pytest.raises(ValueError, match=f"{name}: wanted argnum below .* 1, got 3"):
        transform(np.sum, 3)(X)
    with pytest.raises(TypeError, match=f"{name}: wanted floating or complex"):
        transform(np.sum)(np.array([1, 2]))
