"""Wrong rules of kinds that once got through, each with the right one beside it."""

import numpy as np
import pytest
from hypothesis import Phase, settings

import autograd
from autograd.extend import binary, primitive, unary
from autograd.testing import (
    ContractError,
    GradientError,
    check_function,
    check_gradients,
    differentiable_property,
)

# Always the same examples, and no time spent on making a counterexample small.
OFTEN = settings(
    max_examples=50, derandomize=True, database=None, phases=[Phase.generate], deadline=None
)


def failure(fn, *inputs, **options):
    with pytest.raises(GradientError) as caught:
        check_gradients(fn, *inputs, **options)
    return caught.value


def cube(factor):
    return unary(lambda x: x**3, name="cube", x=lambda g, x: g * 3 * x**2 * factor)


# -- large inputs --------------------------------------------------------------------------------


@pytest.mark.parametrize("modes", [("reverse",), ("forward",)])
@pytest.mark.parametrize("factor", [1.1, 1.0001])
@pytest.mark.parametrize("size", [200, 2000, 20_000])
def test_a_rule_that_is_wrong_everywhere_is_found_at_any_size(size, factor, modes):
    x = np.random.default_rng(0).uniform(0.3, 2, size)
    error = failure(cube(factor), x, order=1, modes=modes)
    assert error.relative == pytest.approx(1 - 1 / factor, rel=1e-3)


@pytest.mark.parametrize("modes", [("reverse",), ("forward",)])
@pytest.mark.parametrize("size", [1000, 3000, 20_000])
def test_one_wrong_entry_is_found_at_any_size(size, modes):
    place = size // 3
    off = np.where(np.arange(size) == place, 1.0001, 1.0)
    x = np.random.default_rng(1).uniform(0.3, 2, size)
    assert failure(cube(off), x, order=1, modes=modes).index == (place,)
    assert check_gradients(cube(1.0), x, order=1, modes=modes)


@pytest.mark.parametrize("size", [1000, 20_000])
def test_one_wrong_entry_in_a_sum_is_found(size):
    off = np.where(np.arange(size) == 7, 1.0001, 1.0)
    total = primitive(x=lambda g, x: g * 3 * x**2 * off)(lambda x: np.sum(x**3))
    assert failure(total, np.linspace(0.5, 1.5, size), order=1).index == (7,)


def test_one_wrong_entry_among_larger_ones_is_found():
    off = np.where(np.arange(500) == 7, 1.0001, 1.0)
    weight = np.where(np.arange(500) < 100, 3e-4, 1.0)
    total = primitive(x=lambda g, x: g * weight * 3 * x**2 * off)(lambda x: np.sum(weight * x**3))
    assert failure(total, np.linspace(0.5, 1.5, 500), order=1, modes=("reverse",)).index == (7,)


def test_one_wrong_entry_of_a_large_matrix_product_is_found(rng):
    @primitive(
        x=lambda g, w: g @ w.T,
        w=lambda g, x: (x.T @ g) * np.where(np.arange(50)[:, None] == 7, 1.0001, 1.0),
    )
    def product(x, w):
        return x @ w

    error = failure(product, rng.normal(size=(60, 50)), rng.normal(size=(50, 40)), order=1)
    assert error.input == "w"
    assert error.index[0] == 7


@pytest.mark.parametrize("size", [1500, 3000])
def test_an_error_without_a_place_is_still_an_error(size):
    """Every entry is off by less than is known of it; the sum is not."""
    x = np.linspace(0.5, 1.5, size)
    mean = primitive(x=lambda g, x: g * (2 * x / x.size + 3e-9))(lambda x: np.mean(x * x) + 1e3)
    error = failure(mean, x, order=1, modes=("reverse",))
    assert error.absolute > 0


def relu(at_zero):
    return unary(
        lambda x: np.maximum(x, 0.0),
        name="relu",
        x=lambda g, x: g * np.where(x == 0, at_zero, np.where(x > 0, 1.0, 0.0)),
    )


@pytest.mark.parametrize("modes", [("reverse",), ("forward",)])
def test_kinks_of_large_inputs_are_judged_as_well(modes, rng):
    x = rng.normal(size=5000) * rng.integers(0, 2, 5000)
    for legal in (0.0, 0.5, 1.0):
        assert check_gradients(relu(legal), x, order=1, modes=modes)
        assert check_gradients(lambda x: relu(legal)(x).sum(), x, order=1, modes=modes)  # noqa: B023
    failure(relu(2.0), x, order=1, modes=modes)


# -- precision -----------------------------------------------------------------------------------


def sine(factor, dtype):
    rule = lambda g, x, x_dtype: (
        g * np.cos(x) * np.asarray(factor if x_dtype == dtype else 1, x_dtype)
    )
    return unary(np.sin, name="sine", x=rule)


@pytest.mark.parametrize("factor", [1.01, 1.001, 1.0001])
def test_single_precision_is_held_to_what_it_can_hold(factor):
    x = np.array([0.3, -1.2])
    assert check_gradients(sine(factor, np.float32), x)
    cause = "right in double precision, wrong in the precision of the inputs"
    assert cause in failure(sine(factor, np.float32), x.astype(np.float32)).cause
    with pytest.raises(ContractError, match="failed   float32"):
        check_function(sine(factor, np.float32), x)
    with pytest.raises(GradientError, match="double precision"):
        OFTEN(differentiable_property(sine(factor, np.float32)))()


@pytest.mark.parametrize("dtype, factor", [(np.float16, 1.05), (np.complex128, 1.01)])
def test_precisions_that_nobody_gave_are_generated(dtype, factor):
    with pytest.raises(ContractError) as caught:
        check_function(sine(factor, dtype), np.array([0.3, -1.2]))
    assert ("float16" if dtype == np.float16 else "complex") in caught.value.report.failed


@pytest.mark.parametrize(
    "fn",
    [
        lambda x: np.sum(np.exp(x)) - 3e3,
        lambda x: np.var(x + 100.0),
        lambda x: np.exp(x) * np.sin(30 * x),
        lambda x: (np.exp(x) - 1 - x) / x**2,
        lambda x: np.log(np.sum(np.exp(20 * x))),
        lambda x: np.cumprod(1 + x) / np.cumsum(x * x),
    ],
)
def test_rounding_in_single_precision_is_no_mistake(fn, rng):
    assert check_gradients(fn, rng.uniform(0.05, 1, 40).astype(np.float32), order=1)


# -- cotangents ----------------------------------------------------------------------------------


def _sine(x):
    return np.sin(x)


LAYOUT_RULES = {
    "non-contiguous": lambda g, x: g * np.cos(x) * (1 if g.flags.c_contiguous else 2),
    "stride 0": lambda g, x: g * np.cos(x) * (2 if 0 in g.strides else 1),
    "memory order": lambda g, x: (g.ravel("K").reshape(g.shape)) * np.cos(x),
}


@pytest.mark.parametrize("name", LAYOUT_RULES)
def test_a_rule_may_not_depend_on_the_layout_of_its_cotangent(name):
    fn = primitive(x=LAYOUT_RULES[name])(_sine)
    error = failure(fn, np.array([[0.3, 0.5, 0.7], [1.0, 1.2, 1.4]]), order=1)
    assert "memory layout of the incoming gradient" in error.cause


LINEAR_RULES = {
    "clips": lambda g, x: np.clip(g, -1e3, 1e3) * np.cos(x),
    "drops small ones": lambda g, x: np.where(np.abs(g) < 1e-8, 0.0, g) * np.cos(x),
    "drops what is small beside others": lambda g, x: (
        np.where(np.abs(g) < 1e-5 * np.max(np.abs(g)), 0.0, g) * np.cos(x)
    ),
    "normalises": lambda g, x: g / np.maximum(1.0, np.sqrt(np.sum(g * g)) / 100) * np.cos(x),
}


@pytest.mark.parametrize("name", LINEAR_RULES)
def test_a_rule_has_to_be_linear_at_every_size_of_its_cotangent(name):
    fn = primitive(x=LINEAR_RULES[name])(_sine)
    assert "not linear" in failure(fn, np.linspace(0.1, 1.0, 8), order=1).cause


def test_a_cotangent_is_not_written_to():
    def rule(g, x):
        if isinstance(g, np.ndarray):
            g *= np.cos(x)
            return g
        return g * np.cos(x)

    failure(primitive(x=rule)(_sine), np.ones(3))


# -- memory --------------------------------------------------------------------------------------


def test_results_in_one_buffer_for_all_calls_are_found():
    buffer = {}

    def forward(x):
        out = buffer.setdefault((x.shape, x.dtype), np.empty_like(x))
        np.sin(x, out=out)
        return out

    error = failure(unary(forward, name="sine", x=lambda g, x: g * np.cos(x)), np.ones(3), order=1)
    assert "change what an earlier one has returned" in error.cause


def test_saved_data_in_one_buffer_for_all_calls_are_found():
    buffer = np.empty(3)

    class Exp(autograd.Function):
        @staticmethod
        def forward(ctx, x):
            np.exp(x, out=buffer)
            ctx.kept = buffer
            return buffer.copy()

        @staticmethod
        def backward(ctx, g):
            return g * ctx.kept

    error = failure(Exp.apply, np.array([0.1, 0.2, 0.3]), order=1)
    assert "change what an earlier one has saved" in error.cause


# -- operands and shapes -------------------------------------------------------------------------


def test_one_object_as_two_operands_is_tried():
    def swapped(g, x, y):
        return (g * y, g * x) if x is not y else (g * y, g * 0.0)

    wrong = primitive(joint=swapped)(lambda x, y: x * y)
    x = np.array([0.5, 2.0])
    assert check_gradients(wrong, x, x.copy(), order=1)
    with pytest.raises(ContractError, match="wanted the gradient that the function has"):
        check_function(wrong, x, x.copy(), order=1)


SHAPE_RULES = {
    "square": lambda g, x: (g.T if g.ndim == 2 and g.shape[0] == g.shape[1] > 1 else g) * 2.0,
    "long": lambda g, x: g * (3.0 if g.ndim and g.shape[-1] > 8 else 2.0),
    "one element": lambda g, x: g * (3.0 if g.shape == (1,) else 2.0),
    "empty": lambda g, x: g * 2.0 if g.size else np.zeros((1,)),
}


@pytest.mark.parametrize("name", SHAPE_RULES)
def test_shapes_are_drawn_on_purpose(name):
    wrong = primitive(x=SHAPE_RULES[name])(lambda x: x * 2.0)
    with pytest.raises((AssertionError, ValueError)):
        OFTEN(differentiable_property(wrong, order=1))()


# -- side effects --------------------------------------------------------------------------------

SIDE_EFFECTS = {
    "np.seterr": lambda: np.seterr(over="raise"),
    "np.random": lambda: np.random.seed(0),
    "the grad mode": lambda: autograd.set_grad_enabled(False),
    "prints": lambda: np.set_printoptions(precision=3),
}


@pytest.mark.parametrize("place", ["rule", "forward"])
@pytest.mark.parametrize("name", SIDE_EFFECTS)
def test_side_effects_on_global_state_are_found(name, place, sealed_modes):
    printing, modes, numbers = np.get_printoptions(), np.geterr(), np.random.get_state()

    def rule(g, x):
        if place == "rule":
            SIDE_EFFECTS[name]()
        return g * np.cos(x)

    def forward(x):
        if place == "forward":
            SIDE_EFFECTS[name]()
        return np.sin(x)

    try:
        error = failure(unary(forward, name="sine", x=rule), np.ones(2), order=1)
    finally:
        np.set_printoptions(**printing)
        np.seterr(**modes)
        np.random.set_state(numbers)
        autograd.set_grad_enabled(True)
    if name != "the grad mode":
        assert "a side effect" in error.cause


# -- what a rule returns -------------------------------------------------------------------------


def test_broadcast_operands_of_a_right_rule_pass():
    right = binary(np.multiply, x=lambda g, y: g * y, y=lambda g, x: g * x)
    assert not check_function(right, np.ones((2, 3)), np.array([0.5, 1.0, 2.0])).failed
