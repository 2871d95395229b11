"""Products with derivatives: values against closed forms, structures, and what is refused."""

import numpy as np
import pytest

from autograd import Variable, hessian, hvp, jvp, value_and_grad, vjp

rng = np.random.default_rng(0)
X = rng.normal(size=(3,))
M = rng.normal(size=(4, 3))


def rosenbrock(x):
    return ((1 - x[:-1]) ** 2 + 100 * (x[1:] - x[:-1] ** 2) ** 2).sum()


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
    with pytest.raises(ValueError, match=r"wanted a cotangent of shape \(3,\), got \(2,\)"):
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


def test_hvp_is_hessian_times_vector():
    v = rng.normal(size=3)
    np.testing.assert_allclose(hvp(rosenbrock)(X, v), hessian(rosenbrock)(X) @ v, rtol=1e-12)
    np.testing.assert_allclose(
        hvp(lambda y, x: rosenbrock(x) * y, 1)(2.0, X, v), 2 * hessian(rosenbrock)(X) @ v
    )


def test_products_of_what_has_no_variable_are_zero_with_a_warning():
    with pytest.warns(UserWarning, match="vjp: the result does not depend on the argument"):
        assert (vjp(lambda x: np.ones(2), X)[1](np.ones(2))[0] == 0).all()
    with pytest.warns(UserWarning, match="jvp: the result does not depend on the argument"):
        assert (jvp(lambda x: np.ones(2), (X,), (X,))[1] == 0).all()
    assert (hvp(lambda x: x.sum())(X, X) == 0).all()
    with pytest.raises(TypeError, match=r"jvp: wanted a function .* got bool, which has no"):
        jvp(lambda x: x > 0, (X,), (X,))


@pytest.mark.parametrize(
    "same", [lambda x: x, lambda x: x[:], lambda x: x.reshape(3, 1).reshape(-1), lambda x: [x, x]]
)
def test_results_share_no_memory_with_what_was_given(same):
    x, v = X.copy(), np.ones(3)
    for results in (
        jvp(same, (x,), (v,)),
        (vjp(same, x)[0],),
        vjp(same, x)[1]([v, v] if isinstance(same(x), list) else v),
    ):
        for result in results:
            for array in result if isinstance(result, list) else [result]:
                assert not np.may_share_memory(array, x)
                assert not np.may_share_memory(array, v)
                array *= 2.0
    np.testing.assert_array_equal(x, X)
    np.testing.assert_array_equal(v, 1.0)
    scalar = np.array(3.0)
    assert value_and_grad(lambda x: x)(scalar)[0] is not scalar


@pytest.mark.parametrize("transform, name", [(vjp, "vjp"), (jvp, "jvp"), (hvp, "hvp")])
def test_errors_name_the_transform_that_was_typed(transform, name):
    for value, kind in [(2.0, "a float"), (X, "an array"), (Variable(X), "a Variable")]:
        with pytest.raises(TypeError, match=f"{name}: wanted a function, got {kind}; write"):
            transform(value)
    with pytest.raises(TypeError, match="hvp: wanted argnum as .* got a float"):
        hvp(np.sum, 1.0)
