import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import autograd
import nn
from autograd import Variable
from nn import init

SHAPE = (60, 50, 4)  # fan_in 200, fan_out 240


def filled(function, *args, shape=SHAPE, **kwargs):
    array = np.full(shape, np.nan)
    assert function(array, *args, **kwargs) is array
    return array


@pytest.mark.torch
@given(
    name=st.sampled_from(
        ["linear", "conv1d", "conv_transpose2d", "sigmoid", "tanh", "relu", "leaky_relu", "selu"]
    ),
    slope=st.none() | st.floats(0, 2),
)
def test_gains_equal_pytorchs(name, slope):
    torch = pytest.importorskip("torch")
    assert init.calculate_gain(name, slope) == pytest.approx(
        torch.nn.init.calculate_gain(name, slope)
    )


UNIFORM = [
    (lambda: filled(init.uniform_), 0.0, 1.0),
    (lambda: filled(init.uniform_, -2.0, 3.0), -2.0, 3.0),
    (lambda: filled(init.xavier_uniform_), -math.sqrt(6 / 440), math.sqrt(6 / 440)),
    (lambda: filled(init.xavier_uniform_, 2.0), -2 * math.sqrt(6 / 440), 2 * math.sqrt(6 / 440)),
    (lambda: filled(init.kaiming_uniform_), -math.sqrt(6 / 200), math.sqrt(6 / 200)),
    (lambda: filled(init.kaiming_uniform_, math.sqrt(5)), -math.sqrt(1 / 200), math.sqrt(1 / 200)),
    (
        lambda: filled(init.kaiming_uniform_, mode="fan_out", nonlinearity="tanh"),
        -5 / 3 * math.sqrt(3 / 240),
        5 / 3 * math.sqrt(3 / 240),
    ),
]


@pytest.mark.parametrize("make, low, high", UNIFORM)
def test_uniform_initialisers_have_the_distribution_of_their_formula(make, low, high):
    values = np.sort(make().ravel())
    assert values[0] >= low
    assert values[-1] < high
    # Kolmogorov-Smirnov: beyond 1.63 / sqrt(n) once in a hundred seeds; this seed is fixed.
    distance = np.abs((values - low) / (high - low) - np.linspace(0, 1, values.size)).max()
    assert distance < 1.63 / math.sqrt(values.size)


NORMAL = [
    (lambda: filled(init.normal_), 0.0, 1.0),
    (lambda: filled(init.normal_, 3.0, 0.1), 3.0, 0.1),
    (lambda: filled(init.xavier_normal_), 0.0, math.sqrt(2 / 440)),
    (lambda: filled(init.xavier_normal_, 0.5), 0.0, 0.5 * math.sqrt(2 / 440)),
    (lambda: filled(init.kaiming_normal_), 0.0, math.sqrt(2 / 200)),
    (lambda: filled(init.kaiming_normal_, 1.0, "fan_out"), 0.0, math.sqrt(1 / 240)),
    (lambda: filled(init.kaiming_normal_, nonlinearity="linear"), 0.0, math.sqrt(1 / 200)),
]


@pytest.mark.parametrize("make, mean, std", NORMAL)
def test_normal_initialisers_have_the_distribution_of_their_formula(make, mean, std):
    values = np.sort((make().ravel() - mean) / std)
    cdf = 0.5 * (1 + np.vectorize(math.erf)(values / math.sqrt(2)))
    assert np.abs(cdf - np.linspace(0, 1, values.size)).max() < 1.63 / math.sqrt(values.size)


def test_a_truncated_normal_stays_within_its_limits_and_keeps_its_shape():
    values = np.sort(filled(init.trunc_normal_, 1.0, 2.0, 0.0, 2.0).ravel())
    assert values[0] >= 0
    assert values[-1] <= 2
    low, high = (0.5 * math.erfc(-(x - 1) / 2 / math.sqrt(2)) for x in (0, 2))
    cdf = 0.5 * (1 + np.vectorize(math.erf)((values - 1) / 2 / math.sqrt(2)))
    distance = np.abs((cdf - low) / (high - low) - np.linspace(0, 1, values.size)).max()
    assert distance < 1.63 / math.sqrt(values.size)


def test_constants_fill_everything():
    np.testing.assert_array_equal(filled(init.constant_, 0.3), np.full(SHAPE, 0.3))
    np.testing.assert_array_equal(filled(init.ones_), np.ones(SHAPE))
    np.testing.assert_array_equal(filled(init.zeros_), np.zeros(SHAPE))
    np.testing.assert_array_equal(filled(init.eye_, shape=(2, 3)), np.eye(2, 3))


@pytest.mark.torch
@pytest.mark.parametrize("shape, groups", [((4, 2, 3), 2), ((2, 5, 3, 3), 1), ((3, 3, 2, 2, 4), 3)])
def test_dirac_equals_pytorchs(shape, groups):
    torch = pytest.importorskip("torch")
    wanted = torch.nn.init.dirac_(torch.empty(shape, dtype=torch.float64), groups)
    np.testing.assert_array_equal(filled(init.dirac_, groups, shape=shape), wanted.numpy())


@given(shape=st.lists(st.integers(1, 5), min_size=2, max_size=3), gain=st.sampled_from([1.0, 2.0]))
def test_orthogonal_rows_or_columns_are_orthonormal(shape, gain):
    values = filled(init.orthogonal_, gain, shape=shape).reshape(shape[0], -1) / gain
    product = values @ values.T if values.shape[0] <= values.shape[1] else values.T @ values
    np.testing.assert_allclose(product, np.eye(len(product)), atol=1e-12)


def test_sparse_columns_hold_the_wanted_number_of_zeros():
    values = filled(init.sparse_, 0.33, 2.0, shape=(10, 500))
    np.testing.assert_array_equal((values == 0).sum(axis=0), 4)
    assert abs(values[values != 0].std() - 2) < 0.1
    assert len(set(map(tuple, (values == 0).T))) > 10


@pytest.mark.parametrize(
    "function", [init.uniform_, init.normal_, init.xavier_normal_, init.orthogonal_]
)
def test_the_seed_fixes_the_values(function):
    first = filled(function, generator=3, shape=(4, 4))
    np.testing.assert_array_equal(filled(function, generator=3, shape=(4, 4)), first)
    autograd.manual_seed(1)
    second = filled(function, shape=(4, 4))
    assert not np.array_equal(filled(function, shape=(4, 4)), second)
    autograd.manual_seed(1)
    np.testing.assert_array_equal(filled(function, shape=(4, 4)), second)


def test_a_parameter_is_filled_in_place_and_nothing_is_recorded():
    p = nn.Parameter(np.zeros((2, 3), np.float32))
    data = p.data
    assert init.normal_(p) is p
    assert p.data is data
    assert p.dtype == np.float32
    assert p.is_leaf
    assert data.all()


def test_a_graph_from_before_is_out_of_date():
    p = nn.Parameter(np.ones((2, 3)))
    out = (p * p).sum()
    init.zeros_(p)
    with pytest.raises(RuntimeError, match="was changed"):
        out.backward()


@pytest.mark.parametrize(
    "call, error, message",
    [
        (
            lambda: init.calculate_gain("swish"),
            ValueError,
            "calculate_gain: wanted one of linear, .*, got 'swish'",
        ),
        (
            lambda: init.calculate_gain("leaky_relu", True),
            ValueError,
            "wanted a number as the slope of leaky_relu, got True",
        ),
        (
            lambda: init.xavier_uniform_(np.ones(3)),
            ValueError,
            r"xavier_uniform_: wanted at least 2 axes, got shape \(3,\)",
        ),
        (
            lambda: init.kaiming_normal_(np.ones((2, 2)), mode="fan"),
            ValueError,
            "wanted mode 'fan_in' or 'fan_out', got 'fan'",
        ),
        (
            lambda: init.normal_([0.0]),
            TypeError,
            "normal_: wanted a Variable or an array to fill, got list",
        ),
        (
            lambda: init.trunc_normal_(np.ones(2), a=1.0, b=-1.0),
            ValueError,
            "trunc_normal_: wanted a below b, got a=1.0, b=-1.0",
        ),
        (
            lambda: init.trunc_normal_(np.ones(2), a=50.0, b=60.0),
            ValueError,
            "wanted limits near the mean 0.0",
        ),
        (lambda: init.eye_(np.ones(2)), ValueError, r"eye_: wanted a matrix, got shape \(2,\)"),
        (
            lambda: init.dirac_(np.ones((3, 2, 1)), 2),
            ValueError,
            "wanted output channels that divide into 2 groups",
        ),
        (
            lambda: init.orthogonal_(Variable(np.ones(2))),
            ValueError,
            "orthogonal_: wanted at least 2 axes",
        ),
        (
            lambda: init.sparse_(np.ones((2, 2)), 1.5),
            ValueError,
            "wanted a matrix and a sparsity from 0 to 1",
        ),
    ],
)
def test_wrong_arguments_are_explained(call, error, message):
    with pytest.raises(error, match=message):
        call()


@pytest.mark.parametrize("shape", [(0, 3), (3, 0), (0, 0)])
def test_tensors_without_elements_are_filled_with_nothing(shape):
    for fill in (
        *(init.kaiming_normal_, init.kaiming_uniform_, init.xavier_normal_, init.xavier_uniform_),
        *(init.orthogonal_, init.normal_, init.uniform_, init.trunc_normal_, init.eye_),
    ):
        tensor = np.zeros(shape)
        assert fill(tensor) is tensor
    init.kaiming_uniform_(np.zeros(shape), mode="fan_out")
