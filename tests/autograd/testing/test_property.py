"""The decorator that makes a property test of a function."""

import numpy as np
import pytest
from hypothesis import Phase, settings
from hypothesis import strategies as st

from autograd import Variable
from autograd.extend import binary, unary
from autograd.testing import GradientError, differentiable_property, strategies


@differentiable_property(domain="positive")
def test_entropy_is_differentiable(p):
    return -p * np.log(p)


@differentiable_property
def test_products_broadcast(x, y):
    return np.sin(x) * y


@differentiable_property(domain="ties", order=1)
def test_maximum_is_right_at_ties(x, y):
    return np.maximum(x, y)


@differentiable_property(
    domain=["real", "well_conditioned"],
    shapes=strategies.shapes(min_dims=1, max_dims=1, min_side=1).map(lambda s: (s, s * 2)),
    dtypes=["float64"],
)
def test_functions_of_matrices_take_shapes(v, m):
    return m @ np.tanh(v)


# The same examples in every run.
often = settings(max_examples=50, derandomize=True, database=None)


without_shrinking = settings(often, phases=[Phase.generate])


def failure(fn, chosen=without_shrinking, **options):
    """Run a property that fails, and return its error."""
    with pytest.raises(AssertionError) as caught:
        chosen(differentiable_property(fn, **options))()
    return caught.value


def test_a_failure_is_shrunk_to_simple_numbers():
    wrong = binary(np.multiply, x=lambda g, y: g * y, y=lambda g, x: g * np.abs(x))

    def product(x, y):
        return wrong(x, y)

    error = failure(product, often)
    assert isinstance(error, GradientError)
    assert error.input == "y"
    assert all(np.size(a) == 1 for a in error.inputs)
    assert float(error.inputs[0].sum()) == -0.125
    assert float(error.inputs[1].sum()) == 0.0


def test_the_function_stays_within_reach():
    assert test_entropy_is_differentiable.function(1.0) == 0.0
    assert test_entropy_is_differentiable.__name__ == "test_entropy_is_differentiable"


def test_second_derivatives_are_part_of_it():
    wrong = unary(np.sin, x=lambda g, x: g * np.cos(x.data if isinstance(x, Variable) else x))
    assert differentiable_property(wrong, order=1)() is None
    assert "second derivative" in str(failure(wrong))


@pytest.mark.parametrize(
    "complaint, fn",
    [
        (
            "Variables give other values than arrays",
            lambda x: x * (2 if isinstance(x, Variable) else 1),
        ),
        ("float32 goes in and float64 comes out", lambda x: x * np.full(x.shape, 2.0)),
        (
            "not elementwise",
            lambda x, y: x + y + np.size(x),
        ),
    ],
)
def test_broken_promises_are_named(complaint, fn):
    assert complaint in str(failure(fn))


def test_an_input_that_is_written_to_is_named():
    def fn(x):
        if isinstance(x, Variable):
            x.data[...] = 0.5
        return np.sin(x) * 0.0

    assert "changed in place" in str(failure(fn, dtypes=["float64"]))


def test_a_function_without_arrays_is_refused():
    with pytest.raises(TypeError, match="wanted a function of at least one array"):
        differentiable_property(lambda: 0.0)
    with pytest.raises(ValueError, match="wanted one domain or one for each of the 1 arrays"):
        differentiable_property(lambda x: x, domain=["real", "real"])


@differentiable_property(k=st.integers(1, 4), scale=st.sampled_from([0.5, 2.0]))
def test_parameters_may_be_drawn_as_well(x, k, *, scale):
    assert isinstance(k, int)
    return scale * x**k


@differentiable_property(weights=strategies.arrays((3,)), shapes=st.just(((3,),)))
def test_a_parameter_may_be_an_array_with_a_strategy_of_its_own(x, weights):
    return np.tanh(x) @ weights


def test_a_parameter_that_does_not_exist_is_refused():
    with pytest.raises(TypeError, match="wanted parameters of .* and options .*, got n"):
        differentiable_property(lambda x: x, n=st.integers())


def test_shapes_and_layouts_are_drawn_on_purpose():
    seen = []

    def fn(x, y):
        if not isinstance(x, Variable):
            seen.extend((x, y))
        return np.sin(x) + y

    often(differentiable_property(fn, order=1))()
    for wanted in (
        lambda a: a.ndim == 2 and a.shape[0] == a.shape[1] > 1,
        lambda a: a.ndim > 1 and a.shape[-1] > 9,
        lambda a: a.size == 1,
        lambda a: a.size == 0,
        lambda a: not a.flags.c_contiguous,
    ):
        assert any(map(wanted, seen))


def test_what_refuses_empty_arrays_may_do_so():
    differentiable_property(
        lambda x: np.max(x, keepdims=True), domain="distinct", shapes=one_shape
    )()


one_shape = strategies.shapes(min_dims=1, max_dims=1, max_side=2).map(lambda s: (s,))
