"""Gradients that other libraries get wrong without a word: each is right here, or refused."""

import copy
import gc
import math
import sys
import threading

import numpy as np
import pytest

import autograd
from autograd import Variable, grad

rng = np.random.default_rng(1)
X = rng.normal(size=(3, 4))
MASK = np.array([[True, False, True, True], [False, True, True, True], [True, True, False, True]])


def gradient_by_differences(f, x, h=1e-5):
    g = np.zeros_like(x)
    units = (1, 1j) if x.dtype.kind == "c" else (1,)
    for unit in units:
        for i in np.ndindex(x.shape):
            step = np.zeros_like(x)
            step[i] = h * unit
            g[i] += unit * (f(x + step) - f(x - step)) / (2 * h)
    return g


def check(f, x, rtol=1e-7):
    """Compare the gradient of a function to a scalar with differences of the same function."""
    np.testing.assert_allclose(grad(f)(x), gradient_by_differences(f, x), rtol=rtol, atol=1e-8)


# -- keywords that are swallowed -------------------------------------------------------------------


@pytest.mark.parametrize("f", [np.sum, np.mean, np.prod, np.var, np.std], ids=lambda f: f.__name__)
@pytest.mark.parametrize("axis", [None, 0, 1])
def test_where_of_a_reduction_reaches_its_gradient(f, axis):
    check(lambda x: (f(x, axis=axis, where=MASK) ** 2).sum(), X)


@pytest.mark.parametrize("f", [np.var, np.std], ids=lambda f: f.__name__)
def test_correction_and_mean_of_var_reach_their_gradient(f):
    check(lambda x: f(x, axis=0, correction=1).sum(), X)
    check(lambda x: f(x, axis=0, ddof=1).sum(), X)
    check(lambda x: f(x, axis=0, mean=np.mean(x, axis=0, keepdims=True)).sum(), X)
    check(lambda x: f(x, axis=0, mean=np.full((1, 4), 0.3)).sum(), X)


def test_initial_of_max_takes_part():
    check(lambda x: np.max(x, axis=0, initial=0.5).sum(), X)
    assert (grad(lambda x: np.max(x, initial=9.0))(X) == 0).all()
    check(lambda x: np.min(x, axis=1, initial=-0.5).sum(), X)
    check(lambda x: np.prod(x, initial=3.0), X)


def test_an_unknown_keyword_is_an_error():
    x = Variable(X, requires_grad=True)
    for call in (
        lambda: autograd.sum(x, axes=0),
        lambda: np.sum(x, out=np.zeros(())),
        lambda: autograd.linalg.norm(x, order=1),
    ):
        with pytest.raises(TypeError):
            call()


# -- rules that are wrong for some arguments -------------------------------------------------------


@pytest.mark.parametrize("axis", [-1, -2, 0, 1])
def test_repeat_along_any_axis_keeps_the_order(axis):
    weights = np.arange(24.0)
    check(lambda x: (np.repeat(x, 2, axis=axis).ravel() * weights).sum(), X)


@pytest.mark.parametrize("order", [None, 1, 2, 3, math.inf, -math.inf])
def test_norm_with_keepdims_and_any_order(order):
    weights = np.arange(1.0, 4.0)[:, None]
    check(lambda x: (np.linalg.norm(x, order, axis=1, keepdims=True) * weights).sum(), X)


def test_full_like_is_recorded_in_its_value():
    check(lambda x: (autograd.full_like(X, x[0, 0]) * X).sum(), X)
    check(lambda x: np.full_like(x, x[0, 0]).sum(), X)
    with pytest.raises(TypeError, match="autograd.full_like"):  # of an array NumPy asks nobody
        grad(lambda x: np.full_like(X, x[0, 0]).sum())(X)
    check(lambda x: autograd.full_like(np.zeros((2, 4)), x[0] ** 2).sum(), X)


def test_complex_cholesky_is_right():
    z = rng.normal(size=(3, 3)) + 1j * rng.normal(size=(3, 3))
    weights = rng.normal(size=(3, 3)) + 1j * rng.normal(size=(3, 3))

    def f(z):
        hermitian = z @ z.conj().T + 3 * np.eye(3)
        return (np.linalg.cholesky(hermitian) * weights).real.sum()

    check(f, z, rtol=1e-6)


def test_the_chi2_density_has_a_gradient_in_its_degrees_of_freedom():
    pytest.importorskip("scipy")
    gammaln = autograd.special.gammaln

    def log_density(df, x=2.7):
        half = df / 2
        return (half - 1) * math.log(x) - x / 2 - half * math.log(2) - gammaln(half)

    df = np.array([0.7, 1.5, 2.0, 4.3])
    check(lambda df: log_density(df).sum(), df)


def test_det_of_a_singular_matrix_has_a_gradient():
    singular = np.array([[1.0, 2.0], [2.0, 4.0]])
    np.testing.assert_allclose(grad(np.linalg.det)(singular), [[4.0, -2.0], [-2.0, 1.0]])


# -- state that is shared --------------------------------------------------------------------------


def test_gradients_nested_in_threads_are_not_mixed():
    wrong = []

    def work(a):
        for _ in range(100):
            got = grad(lambda x: x * grad(lambda y: x * y * y)(3.0))(a)
            wrong.append(abs(got - 12 * a) > 1e-12)

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        threads = [threading.Thread(target=work, args=(float(i),)) for i in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(interval)
    assert len(wrong) == 400
    assert not any(wrong)


def test_no_grad_in_one_thread_leaves_the_others_alone():
    missing = []

    def work(recording):
        for _ in range(200):
            if recording:
                x = Variable(1.0, requires_grad=True)
                (x * x).backward()
                missing.append(x.grad is None)
            else:
                with autograd.no_grad():
                    Variable(1.0) * 2

    threads = [threading.Thread(target=work, args=(i % 2 == 0,)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(missing) == 400
    assert not any(missing)


def test_a_constant_changed_between_the_passes_is_found_by_the_debug_mode():
    c = np.array([1.0, 2.0])
    x = Variable(np.array([3.0, 4.0]), requires_grad=True)
    with autograd.detect_anomaly():
        out = (x * c).sum()
        c *= 10
        with pytest.raises(RuntimeError, match="changed"):
            out.backward()


def test_data_changed_through_the_library_is_found_always():
    x = Variable(np.array([3.0, 4.0]), requires_grad=True)
    out = (x * x).sum()
    x.data = np.array([5.0, 6.0])
    with pytest.raises(RuntimeError, match="was changed"):
        out.backward()


def test_changes_of_views_are_refused():
    x = Variable(np.array([1.0, 2.0, 3.0]), requires_grad=True)
    a = x * 1
    part = a[1:]
    with pytest.raises(RuntimeError, match=r"\*=: wanted an array of its own, got a view"):
        part *= 2
    part = part * 2
    np.testing.assert_array_equal(a.data, [1.0, 2.0, 3.0])
    part.sum().backward()
    np.testing.assert_array_equal(x.grad, [0.0, 2.0, 2.0])


# -- conversions that drop the gradient ------------------------------------------------------------


@pytest.mark.parametrize(
    "copied",
    [
        lambda v: v.copy(),
        lambda v: v.astype(np.float64),
        lambda v: v.astype(np.float32).astype(np.float64),
        copy.copy,
        np.copy,
        lambda v: autograd.sum([v, v], axis=0) / 2,
        lambda v: np.asanyarray([0.0]) + v,
        lambda v: np.array([1.0, 1.0]) * v,
        np.positive,
    ],
)
def test_copies_stay_in_the_graph(copied):
    x = Variable(np.array([2.0, 3.0]), requires_grad=True)
    (copied(x) * x).sum().backward()
    np.testing.assert_allclose(x.grad, [4.0, 6.0])


@pytest.mark.parametrize(
    "convert",
    [
        math.sin,
        float,
        np.asarray,
        np.array,
        lambda v: np.array([v, v]),
        lambda v: np.copyto(np.zeros(()), v),
        lambda v: np.sum([v, v]),
        lambda v: np.full(3, v),
    ],
)
def test_conversions_that_would_drop_the_gradient_are_refused(convert):
    x = Variable(2.0, requires_grad=True)
    with pytest.raises(TypeError, match="wanted"):
        convert(x)


@pytest.mark.parametrize(
    "assign", [lambda a, v: a.__setitem__(0, v), lambda a, v: a.fill(v)], ids=["setitem", "fill"]
)
def test_assignment_into_a_plain_array_is_refused(assign):
    """NumPy puts an error of its own on top; ours is its cause and says what to write."""
    with pytest.raises((TypeError, ValueError)) as caught:
        assign(np.zeros(3), Variable(2.0, requires_grad=True))
    error = caught.value.__cause__ or caught.value
    assert "autograd.zeros(shape)" in str(error)


def test_reductions_over_lists_of_variables_are_recorded():
    x, y = Variable(2.0, requires_grad=True), Variable(3.0, requires_grad=True)
    autograd.sum([x, y]).backward()
    autograd.prod([x, y]).backward()
    assert x.grad == 4.0
    assert y.grad == 3.0


def test_an_array_on_the_left_records():
    x = Variable(np.ones(3), requires_grad=True)
    for out in (np.ones(3) * x, np.ones((2, 3)) @ x, np.ones(3) - x, np.float64(2) * x):
        assert isinstance(out, Variable)
        assert out.requires_grad
    assert np.sin(x).requires_grad


# -- order and orientation -------------------------------------------------------------------------


def test_shared_nodes_are_visited_once_in_order():
    x = Variable(2.0, requires_grad=True)
    y = x + x
    (y * y).backward()
    assert x.grad == 16.0


def test_a_second_backward_pass_does_not_grow_wrongly():
    x = Variable(2.0, requires_grad=True)
    y = x * x
    z = y * y
    z.backward(retain_graph=True)
    z.backward()
    assert x.grad == 64.0


def test_matmul_and_bias_have_gradients_of_their_own_shapes():
    weights, bias = rng.normal(size=(4, 2)), rng.normal(size=2)
    check(lambda w: ((X @ w + bias) ** 2).sum(), weights)
    check(lambda b: ((X @ weights + b) ** 2).sum(), bias)


def test_graphs_leave_nothing_for_the_collector():
    gc.collect()
    gc.disable()
    try:
        x = Variable(np.ones(3), requires_grad=True)
        for _ in range(20):
            (np.sin(x * x) + x).sum().backward()
        del x
        assert gc.collect() == 0
    finally:
        gc.enable()
