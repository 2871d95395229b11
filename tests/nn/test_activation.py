"""Activations: their formulas and gradients are in the op table; here PyTorch, dtypes, limits and
errors.
"""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import autograd
import nn
from autograd import Variable
from nn import functional

# name in functional, layer, arguments
ACTIVATIONS = [
    ("relu", "ReLU", {}),
    ("relu6", "ReLU6", {}),
    ("sigmoid", "Sigmoid", {}),
    ("logsigmoid", "LogSigmoid", {}),
    ("tanh", "Tanh", {}),
    ("tanhshrink", "Tanhshrink", {}),
    ("softsign", "Softsign", {}),
    ("silu", "SiLU", {}),
    ("mish", "Mish", {}),
    ("hardsigmoid", "Hardsigmoid", {}),
    ("hardswish", "Hardswish", {}),
    ("selu", "SELU", {}),
    ("gelu", "GELU", {}),
    ("gelu", "GELU", {"approximate": "tanh"}),
    ("leaky_relu", "LeakyReLU", {}),
    ("leaky_relu", "LeakyReLU", {"negative_slope": 0.2}),
    ("elu", "ELU", {}),
    ("elu", "ELU", {"alpha": 0.7}),
    ("celu", "CELU", {}),
    ("celu", "CELU", {"alpha": 0.7}),
    ("hardtanh", "Hardtanh", {}),
    ("hardtanh", "Hardtanh", {"min_val": -0.5, "max_val": 2.0}),
    ("softplus", "Softplus", {}),
    ("softplus", "Softplus", {"beta": 2.0, "threshold": 3.0}),
    ("softshrink", "Softshrink", {}),
    ("softshrink", "Softshrink", {"lambd": 1.0}),
    ("hardshrink", "Hardshrink", {}),
    ("hardshrink", "Hardshrink", {"lambd": 1.0}),
    ("threshold", "Threshold", {"threshold": 0.25, "value": -2.0}),
]
ALONG_AXIS = [("softmax", "Softmax"), ("softmin", "Softmin"), ("log_softmax", "LogSoftmax")]
each_activation = pytest.mark.parametrize("function, layer, arguments", ACTIVATIONS)
# Quarters meet every kink exactly (0, 0.25, 0.5, 1, 3, 6 ...), where PyTorch's convention is ours.
quarters = st.integers(-40, 40).map(lambda k: k / 4)


def arrays(elements=quarters, min_dims=0):
    shapes = hnp.array_shapes(min_dims=min_dims, max_dims=3, min_side=0, max_side=4)
    return hnp.arrays(np.float64, shapes, elements=elements)


def differentiate(function, x, weights):
    """Return the value of `function` at `x` and the gradient of its weighted sum."""
    v = Variable(x, requires_grad=True)
    out = function(v)
    out.backward(weights)
    return out.data, v.grad


def differentiate_in_torch(torch, function, x, weights):
    t = torch.tensor(x, requires_grad=True)
    out = function(t)
    out.backward(torch.tensor(weights))
    return out.detach().numpy(), t.grad.numpy()


def weights_like(x):
    return np.cos(np.arange(x.size, dtype=x.dtype)).reshape(x.shape) + 0.1


@pytest.mark.torch
@each_activation
@given(x=arrays())
def test_layers_and_their_gradients_equal_pytorchs(function, layer, arguments, x):
    torch = pytest.importorskip("torch")
    weights = weights_like(x)
    got = differentiate(getattr(nn, layer)(**arguments), x, weights)
    wanted = differentiate_in_torch(torch, getattr(torch.nn, layer)(**arguments), x, weights)
    # PyTorch's celu is exact to float32 only, mish and softplus lose 1e-9 where they switch
    # formulas.
    for a, b in zip(got, wanted, strict=True):
        np.testing.assert_allclose(a, b, rtol=5e-8, atol=3e-9)


@pytest.mark.torch
@pytest.mark.parametrize("function, layer", [*ALONG_AXIS, ("glu", "GLU")])
@given(x=arrays(min_dims=1), data=st.data())
def test_functions_along_an_axis_equal_pytorchs(function, layer, x, data):
    torch = pytest.importorskip("torch")
    axis = data.draw(st.integers(-x.ndim, x.ndim - 1))
    if layer == "GLU":
        x = np.concatenate([x, x[::-1] + 0.3], axis)
    elif x.size == 0:
        return
    weights = weights_like(x if layer != "GLU" else np.split(x, 2, axis)[0])
    got = differentiate(getattr(nn, layer)(axis=axis), x, weights)
    wanted = differentiate_in_torch(torch, getattr(torch.nn, layer)(dim=axis), x, weights)
    for a, b in zip(got, wanted, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-10, atol=1e-12)


@pytest.mark.torch
@given(x=arrays(min_dims=2), per_channel=st.booleans())
def test_prelu_and_its_weight_gradient_equal_pytorchs(x, per_channel):
    torch = pytest.importorskip("torch")
    count = x.shape[1] if per_channel and x.shape[1] else 1
    ours = nn.PReLU(count, dtype=np.float64)
    theirs = torch.nn.PReLU(count, dtype=torch.float64)
    weights = weights_like(x)
    got = differentiate(ours, x, weights)
    wanted = differentiate_in_torch(torch, theirs, x, weights)
    for a, b in zip(got, wanted, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-12)
    np.testing.assert_allclose(ours.weight.grad, theirs.weight.grad.numpy(), rtol=1e-10, atol=1e-12)


@each_activation
def test_functions_and_layers_agree_and_keep_the_kind(function, layer, arguments):
    x = np.linspace(-3, 3, 12).reshape(3, 4)
    out = getattr(functional, function)(x, **arguments)
    assert isinstance(out, np.ndarray)
    recorded = getattr(nn, layer)(**arguments)(Variable(x))
    assert isinstance(recorded, Variable)
    np.testing.assert_array_equal(recorded.data, out)


@each_activation
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_the_dtype_is_kept(function, layer, arguments, dtype):
    x = np.linspace(-3, 3, 7, dtype=dtype)
    out, gradient = differentiate(getattr(nn, layer)(**arguments), x, np.ones_like(x))
    assert out.dtype == dtype
    assert gradient.dtype == dtype


@each_activation
def test_large_inputs_give_finite_results_without_a_warning(function, layer, arguments):
    x = np.array([-1e4, -800.0, -90.0, 90.0, 800.0, 1e4])
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        for data in (x, x.astype(np.float32)):
            out, gradient = differentiate(getattr(nn, layer)(**arguments), data, np.ones_like(data))
            assert np.isfinite(out).all()
            assert np.isfinite(gradient).all()


def test_small_probabilities_keep_their_digits():
    np.testing.assert_allclose(functional.sigmoid(np.array([-50.0])), np.exp(-50.0), rtol=1e-14)
    np.testing.assert_allclose(functional.logsigmoid(np.array([-800.0])), -800.0)
    np.testing.assert_allclose(functional.softplus(np.array([-50.0])), np.exp(-50.0), rtol=1e-14)
    # x Phi(x) for x = -20, from the asymptotic series -exp(-x^2 / 2) / sqrt(2 pi) (1 - 1 / x^2 + 3
    # / x^4 - 15 / x^6)
    series = 1 - 1 / 400 + 3 / 400**2 - 15 / 400**3 + 105 / 400**4
    wanted = -np.exp(-200.0) / np.sqrt(2 * np.pi) * series
    np.testing.assert_allclose(functional.gelu(np.array([-20.0])), wanted, rtol=1e-9)


def test_the_gradient_of_relu_at_0_is_0():
    assert differentiate(functional.relu, np.zeros(1), np.ones(1))[1] == 0


def test_a_nan_stays_a_nan():
    for function in (functional.relu, functional.relu6, functional.hardtanh, functional.sigmoid):
        assert np.isnan(function(np.array([np.nan])))


def test_the_threshold_itself_takes_the_value():
    out, slope = autograd.value_and_grad(lambda x: functional.threshold(x, 2.0, 7.0))(2.0)
    assert (out, slope) == (7.0, 0.0)


def test_the_random_slope_of_rrelu_holds_at_0_too():
    slope = autograd.grad(lambda x: functional.rrelu(x, 0.25, 0.25, training=True))(0.0)
    assert slope == 0.25


def test_activations_are_modules():
    for layer in (nn.GELU(), nn.ReLU(), nn.PReLU(), nn.Softmax(-1)):
        assert not layer.eval().training
        assert len(list(nn.Sequential(layer).modules())) == 2


def test_a_branch_hidden_by_threshold_adds_no_nan():
    x = Variable([-1.0, 4.0], requires_grad=True)
    with np.errstate(invalid="ignore"):
        functional.threshold(autograd.sqrt(x), 0.0, 7.0).sum().backward()
    np.testing.assert_array_equal(x.grad, [0.0, 0.25])


def test_selu_keeps_mean_and_variance_of_normal_inputs():
    x = np.random.default_rng(0).normal(size=10**6)
    out = functional.selu(x)
    assert abs(out.mean()) < 5e-3
    assert abs(out.var() - 1) < 1e-2


@pytest.mark.parametrize(
    "call, message",
    [
        (
            lambda: functional.gelu(np.ones(2), "erf"),
            "wanted approximate 'none' or 'tanh', got 'erf'",
        ),
        (lambda: functional.celu(np.ones(2), 0.0), "celu: wanted an alpha other than 0"),
        (
            lambda: functional.glu(np.ones((2, 3))),
            r"glu: wanted an even length of axis -1, got shape \(2, 3\)",
        ),
        (
            lambda: functional.prelu(np.ones((2, 3)), np.ones(2)),
            "wanted 1 weight or one for each of 3 channels",
        ),
        (
            lambda: functional.prelu(np.ones((2, 6)), np.ones((2, 3))),
            r"wanted 1 weight or one for each of 6 channels, got shape \(2, 3\)",
        ),
        (
            lambda: functional.hardtanh(np.ones(2), 1.0, -1.0),
            "hardtanh: wanted min_val of at most max_val, got 1.0 and -1.0",
        ),
        (
            lambda: functional.softshrink(np.ones(2), -1.0),
            "softshrink: wanted lambd of at least 0, got -1.0",
        ),
        (lambda: nn.Hardtanh(1.0, -1.0), "Hardtanh: wanted min_val below max_val"),
        (lambda: nn.Hardtanh(1.0, 1.0), "Hardtanh: wanted min_val below max_val"),
        (lambda: nn.Softshrink(-1.0), "Softshrink: wanted a lambd of at least 0"),
    ],
)
def test_wrong_arguments_are_explained(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_arguments_show_in_repr():
    assert repr(nn.LeakyReLU(0.2)) == "LeakyReLU(negative_slope=0.2)"
    assert repr(nn.GELU()) == "GELU(approximate='none')"
    assert repr(nn.ReLU(inplace=True)) == "ReLU()"
    assert repr(nn.PReLU(3)) == "PReLU(num_parameters=3)"
    assert repr(nn.Softmax(axis=1)) == "Softmax(axis=1)"


@pytest.mark.parametrize("cls", [nn.Softmax, nn.Softmin, nn.LogSoftmax, nn.GLU])
def test_dim_is_another_word_for_axis(cls):
    x = np.random.default_rng(0).normal(size=(2, 4))
    for axis in (0, 1, -1):
        np.testing.assert_array_equal(cls(dim=axis)(x), cls(axis)(x))
    assert repr(cls(dim=0)) == f"{cls.__name__}(axis=0)"


@pytest.mark.parametrize(
    "function",
    [
        functional.relu,
        functional.relu6,
        functional.hardtanh,
        functional.hardsigmoid,
        functional.hardswish,
        lambda x: functional.softshrink(x / 16),
        lambda x: functional.hardshrink(x / 16),
        lambda x: functional.leaky_relu(x, 0.0),
        lambda x: functional.threshold(x, -3.5, 0.0),
    ],
)
def test_an_infinite_cotangent_at_a_dead_unit_is_zero(function):
    """`sqrt(relu(x))` has the slope inf * 0 at -1; as in PyTorch and JAX the gradient is 0."""
    with np.errstate(divide="ignore"):
        assert autograd.grad(lambda x: np.sqrt(np.abs(function(x))))(-4.0) == 0.0
        dead = np.array([-4.0, -5.0])
        found = autograd.grad(lambda x: np.sqrt(np.abs(function(x).sum())))(dead)
        np.testing.assert_array_equal(found, [0.0, 0.0])
        assert autograd.jvp(function, (dead,), (np.full(2, np.inf),))[1].tolist() == [0.0, 0.0]


def test_prelu_is_one_recorded_choice():
    x = np.array([[-2.0, 3.0]])
    weight = Variable(np.zeros(1), requires_grad=True)
    v = Variable(x, requires_grad=True)
    out = functional.prelu(v, weight)
    out.backward(np.array([[1.0, np.inf]]))
    np.testing.assert_array_equal(v.grad, [[0.0, np.inf]])
    np.testing.assert_array_equal(weight.grad, [-2.0])


@pytest.mark.parametrize("x", [1e19, 1e20, 1e30, 1e38])
def test_gelu_with_tanh_has_slopes_however_large_its_input(x):
    slope = autograd.grad(lambda x: functional.gelu(x, "tanh"))
    with np.errstate(over="ignore"):
        for dtype, factor in ((np.float32, 1.0), (np.float64, x**6)):
            value = dtype(x * factor)
            assert slope(value) == 1.0
            assert slope(-value) == 0.0
            assert autograd.grad(slope)(value) == autograd.grad(slope)(-value) == 0.0


@pytest.mark.parametrize(
    "function, at", [(functional.softplus, 12.0), (functional.logsigmoid, -17.0)]
)
def test_second_derivatives_of_softplus_and_logsigmoid_keep_their_digits(function, at):
    second = autograd.grad(autograd.grad(function))(at)
    wanted = np.exp(-abs(at)) / (1 + np.exp(-abs(at))) ** 2
    assert abs(second) == pytest.approx(wanted, rel=1e-13, abs=0)


def test_small_integers_do_not_wrap_around():
    x = np.array([0, 1, 200], np.uint8)
    for function in (functional.sigmoid, functional.softplus, functional.logsigmoid):
        np.testing.assert_allclose(function(x), function(x.astype(float)), rtol=1e-6)
