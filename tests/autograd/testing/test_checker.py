"""`check_gradients` on functions whose derivatives are known to be right or wrong."""

import numpy as np
import pytest

import autograd
from autograd import Variable
from autograd.extend import binary, primitive, unary
from autograd.testing import GradientError, check_gradients, gradcheck, gradgradcheck


def failure(fn, *inputs, **options):
    with pytest.raises(GradientError) as caught:
        check_gradients(fn, *inputs, **options)
    return caught.value


@pytest.fixture
def x(rng):
    return rng.uniform(0.2, 2.0, (2, 3)) * rng.choice((-1.0, 1.0), (2, 3))


twice_sine = unary(np.sin, name="sine", x=lambda g, x: 2 * g * np.cos(x))


# -- what is right passes ------------------------------------------------------------------------


@pytest.mark.parametrize("fast", [False, True])
@pytest.mark.parametrize("order", [1, 2, 3])
def test_right_derivatives_of_all_orders_pass(x, order, fast):
    assert check_gradients(lambda a, b: np.sin(a) * b, x, x[0], order=order, fast=fast)


def test_inputs_and_outputs_may_be_nested(x):
    def fn(parameters, pair):
        hidden = np.tanh(pair[0] @ parameters["w"] + parameters["b"])
        return {"hidden": hidden, "parts": (hidden.sum(), [pair[1] * 2])}

    assert check_gradients(fn, {"w": x.T, "b": x[:, :1].T[:, :1]}, (x, 0.5 * x))


def test_names_lead_to_the_input_inside_a_container(x):
    error = failure(lambda parameters: twice_sine(parameters["w"][0]), {"w": [x]}, order=1)
    assert error.input == "parameters['w'][0]"
    assert f"parameters['w'][0][{error.index[0]}, {error.index[1]}]" in str(error)


def test_complex_functions_follow_the_documented_convention(x):
    z = x + 1j * x[::-1]
    assert check_gradients(lambda z: np.real(z * np.conj(z)), z)
    assert check_gradients(lambda z, w: z * np.exp(w), z, z[0])


def test_empty_arrays_have_nothing_to_differentiate():
    assert check_gradients(np.exp, np.zeros((0, 3)))
    assert check_gradients(lambda x: x.sum(axis=0), np.zeros((0, 3)))


def test_only_variables_that_require_a_gradient_are_differentiated(x):
    def fn(a, b):
        assert not isinstance(b, Variable)
        return a * b

    assert check_gradients(fn, Variable(x, requires_grad=True), x)


def test_a_large_problem_is_checked_by_projections(rng):
    calls = []

    def product(a, b):
        calls.append(1)
        return a @ b

    assert check_gradients(product, rng.normal(size=(30, 40)), rng.normal(size=(40, 20)), order=1)
    assert len(calls) < 30


def test_gradcheck_and_gradgradcheck_read_like_those_of_pytorch(x):
    assert gradcheck(np.sin, (x,))
    assert gradgradcheck(np.sin, x)
    detached = unary(np.sin, x=lambda g, x: g * np.cos(x.data if isinstance(x, Variable) else x))
    assert gradcheck(detached, (x,))
    with pytest.raises(GradientError, match="second derivative"):
        gradgradcheck(detached, (x,))


def test_parameters_that_a_function_holds_are_differentiated_as_well(rng):
    weight = Variable(rng.normal(size=(3, 2)).astype(np.float32), requires_grad=True)
    before = weight.data.copy()
    x = rng.normal(size=(4, 3)).astype(np.float32)
    assert check_gradients(lambda x: np.tanh(x @ weight), x, parameters=[weight])
    assert weight.data.dtype == np.float32
    np.testing.assert_array_equal(weight.data, before)
    error = failure(lambda x: x @ twice_sine(weight), x, parameters=[weight])
    assert error.input == "parameters[0]"
    assert weight.is_leaf


# -- what is wrong is explained ------------------------------------------------------------------


def test_the_error_states_the_numbers(x):
    error = failure(twice_sine, x, order=1, modes=("reverse",))
    i = error.index
    assert error.output_index == i
    np.testing.assert_allclose(error.analytic, 2 * np.cos(x[i]))
    np.testing.assert_allclose(error.numeric, np.cos(x[i]))
    np.testing.assert_allclose(error.absolute, abs(np.cos(x[i])))
    assert error.relative == pytest.approx(0.5)
    assert (error.function, error.order, error.mode, error.kind) == ("sine", 1, "reverse", "value")
    for part in ("analytic: ", "numeric: ", "absolute", "relative", "step", "suspected: "):
        assert part in str(error)


def test_a_wrong_element_of_a_large_input_is_found(rng):
    @primitive(x=lambda g, x: np.where(x == 7.0, 3.0, 2.0) * g)
    def double(x):
        return 2 * x

    x = rng.normal(size=(80, 60))
    x[11, 23] = 7.0
    error = failure(double, x, order=1)
    assert error.index == (11, 23)
    assert error.analytic == 3.0


CAUSES = {
    "wrong sign": unary(np.cos, x=lambda g, x: g * np.sin(x)),
    "every entry is 2 times": twice_sine,
    "every entry is 1 / log 2 times": unary(np.exp2, x=lambda g, out: g * out),
    "no gradient at all": unary(np.sin, x=lambda g: g * 0.0),
    "error of single precision": unary(np.exp, x=lambda g, out: g * out.astype(np.float32)),
    "a rounded constant": unary(np.radians, x=lambda g: g * 0.0174533),
    "not linear": unary(np.exp, x=lambda g, out: g * g * out),
    "permuted": primitive(x=lambda g: g)(lambda x: np.flip(x, axis=1)),
    "wrong sign of some entries": unary(np.abs, x=lambda g: g),
    "last two axes of the gradient are exchanged": primitive(x=lambda g: g.T)(lambda x: x * 1.0),
    "a term too much": unary(
        lambda x: np.where(x > 0, x, 0), name="relu", x=lambda g, x: g * np.where(x > 0, 1.0, 0.1)
    ),
    "a missing term": unary(np.sin, x=lambda g, x: g * np.where(x > 0, np.cos(x), 0.0)),
}


@pytest.mark.parametrize("cause", CAUSES)
def test_the_suspected_cause_is_the_cause(cause):
    x = np.array([[0.3, -0.9, 1.4], [-1.7, 0.6, -0.2], [1.1, 0.8, -1.3]])
    assert cause in failure(CAUSES[cause], x, order=1, modes=("reverse",)).cause


def test_a_missing_sum_over_a_broadcast_axis_is_named():
    @primitive(x=lambda g: g, b=lambda g: g[0])
    def shift(x, b):
        return x + b

    assert "missing broadcast sum" in failure(shift, np.ones((3, 2)), np.ones(2)).cause


def test_a_gradient_of_the_wrong_shape_is_named():
    @primitive(x=lambda g: g, b=lambda g: g)
    def shift(x, b):
        return x + b

    error = failure(shift, np.ones((3, 2)), np.ones(2))
    assert error.kind == "shape"
    assert "wanted a gradient of shape (2,)" in str(error)


def test_a_conjugated_gradient_is_named():
    wrong = unary(np.absolute, x=lambda g, x: g * np.sign(x))
    assert "conjugated" in failure(wrong, np.array([1 + 2j, 3 - 1j]), modes=("reverse",)).cause


def test_a_second_derivative_that_left_the_graph_is_found():
    wrong = unary(
        np.tanh, x=lambda g, out: g * (1 - (out.data if isinstance(out, Variable) else out) ** 2)
    )
    assert check_gradients(wrong, np.array([0.5, 1.0]), order=1)
    error = failure(wrong, np.array([0.5, 1.0]))
    assert error.order == 2
    assert "no gradient at all" in error.cause


def test_a_rule_with_another_value_on_variables_is_found():
    wrong = unary(np.exp, x=lambda g, out: g * out * (2.0 if isinstance(g, Variable) else 1.0))
    assert "Variables (create_graph)" in failure(wrong, np.array([0.5])).cause


def test_a_function_that_writes_into_its_input_is_found():
    def fn(x):
        if isinstance(x, Variable):
            x.data[...] *= 2
        return x * 1.0

    assert "changes this input" in failure(fn, np.ones(3)).cause


def test_a_function_that_is_not_repeatable_is_found(rng):
    assert "two evaluations" in failure(lambda x: x * rng.normal(), np.ones(3)).cause


def test_a_buffer_shared_between_calls_is_found():
    buffer = np.empty(3)

    def forward(x):
        return np.exp(x, out=buffer) if x.dtype == float else np.exp(x)

    wrong = unary(forward, x=lambda g, out: g * out)
    for fast in (False, True):
        failure(wrong, np.array([0.1, 0.2, 0.3]), fast=fast, order=1)


# -- precision -----------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [np.float32, np.float16])
def test_low_precision_is_judged_in_double_precision(dtype, rng):
    x = rng.normal(size=(3,)).astype(dtype)
    assert check_gradients(lambda x: np.exp(x) * np.sin(3 * x), x)
    assert "times what it should be" in failure(twice_sine, x).cause


def test_single_precision_may_turn_complex(rng):
    x = rng.normal(size=3).astype(np.float32)
    assert check_gradients(lambda x: x * np.array([1j, 2.0, 1 - 1j], dtype=np.complex64), x)


def test_a_rule_that_is_wrong_in_single_precision_only_is_found():
    wrong = unary(np.exp, x=lambda g, out: g * out * (1.1 if g.dtype == np.float32 else 1.0))
    assert check_gradients(wrong, np.ones(3))
    assert "dtype" in failure(wrong, np.ones(3, dtype=np.float32)).cause


# -- kinks ---------------------------------------------------------------------------------------


def relu(at_zero):
    return unary(
        lambda x: np.maximum(x, 0),
        name="relu",
        x=lambda g, x: g * np.where(x == 0, at_zero, np.where(x > 0, 1.0, 0.0)),
    )


@pytest.mark.parametrize("at_zero", [0.0, 0.25, 0.5, 1.0])
def test_any_value_between_the_one_sided_derivatives_is_legal(at_zero):
    assert check_gradients(relu(at_zero), np.array([0.0, 1.0, -1.0]))


@pytest.mark.parametrize("at_zero", [-0.01, 1.01, 2.0])
def test_a_value_outside_the_one_sided_derivatives_is_wrong(at_zero):
    error = failure(relu(at_zero), np.array([1.0, 0.0, -1.0]))
    assert error.index == (1,)
    assert error.cause.startswith("only at a kink")
    assert "between 0 and 1" in str(error).replace("-0 ", "0 ")


@pytest.mark.parametrize(
    "function, inputs",
    [
        (np.abs, [[0.0, 1.0]]),
        (np.maximum, [[1.0, 2.0], [1.0, 0.0]]),
        (np.minimum, [[1.0, 2.0], [1.0, 0.0]]),
        (lambda x: np.clip(x, -1.0, 1.0), [[-1.0, 1.0, 0.5]]),
        (np.max, [[2.0, 2.0, 2.0, 1.0]]),
        (np.sqrt, [[0.0, 2.0]]),
        (np.sqrt, [[0.0]]),
        (np.sort, [[1.0, 1.0, 0.0, 1.0, 0.0]]),
        (np.cbrt, [[0.0, 2.0]]),
        (lambda x: autograd.where(x > 0, np.sqrt(x), 0.0), [[0.0, 2.0]]),
        (np.floor, [[0.5, 2.0]]),
        (np.arccos, [[1.0, 0.5]]),
    ],
)
def test_the_conventions_of_this_library_at_kinks_are_legal(function, inputs):
    assert check_gradients(function, *map(np.array, inputs))


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_shares_of_a_tie_must_add_up(share):
    rule = {"x": lambda g, x, y: g * np.where(x == y, share, x > y)}
    rule["y"] = lambda g, x, y: g * np.where(x == y, share, x < y)
    wrong = binary(np.maximum, **rule)
    assert (
        "sum over the 2 inputs" in failure(wrong, np.array([1.0, 2.0]), np.array([1.0, 0.0])).cause
    )


def test_a_middle_value_of_a_tie_may_be_any_of_them_but_only_once():
    @primitive(x=lambda g, x: g * np.eye(3)[1])
    def second(x):
        return np.sort(x)[1]

    @primitive(x=lambda g, x: g * 2 * np.eye(3)[1])
    def twice_second(x):
        return np.sort(x)[1]

    assert check_gradients(second, np.ones(3), order=1)
    failure(twice_second, np.ones(3), order=1)


def test_a_kink_close_by_is_no_reason_to_complain():
    for distance in (1e-2, 1e-4, 1e-6, 1e-9):
        assert check_gradients(np.abs, np.array([distance, -distance]))
        assert check_gradients(lambda x: np.maximum(x, 1.0), np.array([1 + distance, 1 - distance]))


def test_what_the_chain_rule_loses_at_a_kink_is_reported():
    error = failure(lambda x: np.log1p(np.abs(x) ** 2), np.zeros(1))
    assert error.order == 2
    assert error.cause.startswith("only at a kink")


def test_a_jump_has_no_derivative_to_judge():
    assert check_gradients(np.sign, np.array([0.0, 1.0]))


# -- special inputs ------------------------------------------------------------------------------


def test_symmetric_inputs_move_symmetrically(rng):
    lower = primitive(x=lambda g: g)(lambda x: np.tril(x) + np.tril(x, -1).T)
    a = rng.normal(size=(3, 3))
    a = a + a.T
    with pytest.raises(GradientError):
        check_gradients(lower, a)
    for fast in (False, True):
        assert check_gradients(lower, a, symmetric=True, fast=fast)
        assert check_gradients(lambda x, b: lower(x) * b, a, a[0], symmetric=[0], fast=fast)


def test_hermitian_inputs_stay_hermitian(rng):
    seen = []

    def trace(a):
        seen.append(a.data)
        return (a * a.conj()).sum().real

    a = rng.normal(size=(2, 2)) + 1j * rng.normal(size=(2, 2))
    a = a + a.conj().T
    assert check_gradients(trace, a, symmetric=True, order=1, modes=("reverse",))
    assert all(np.allclose(b, b.conj().T) for b in seen)


# -- what the checker cannot do ------------------------------------------------------------------


def test_integers_are_refused():
    with pytest.raises(
        TypeError, match="wanted a floating array among the inputs of exp, got none"
    ):
        check_gradients(np.exp, np.arange(3))


def test_masked_arrays_are_refused():
    with pytest.raises(TypeError, match="exp: wanted an array without a mask, got a masked one"):
        check_gradients(np.exp, np.ma.masked_invalid([1.0, np.nan]))


def test_a_function_without_finite_values_is_refused():
    with pytest.raises(ValueError, match="wanted a point where log is finite"):
        check_gradients(np.log, np.array([-1.0, -2.0]))


@pytest.mark.parametrize(
    "options, complaint",
    [
        ({"modes": "reverse"}, "wanted modes"),
        ({"modes": ()}, "wanted modes"),
        ({"order": 0}, "wanted an order"),
    ],
)
def test_options_are_checked(options, complaint):
    with pytest.raises(ValueError, match=complaint):
        check_gradients(np.exp, np.ones(2), **options)


def test_errors_of_the_function_itself_come_through():
    with pytest.raises(ZeroDivisionError):
        check_gradients(lambda x: x * (1 // 0), np.ones(2))


@pytest.mark.torch
def test_pytorch_reports_what_is_legal_and_we_do_not():
    torch = pytest.importorskip("torch")
    x = torch.zeros(1, dtype=torch.float64, requires_grad=True)
    assert not torch.autograd.gradcheck(torch.relu, (x,), raise_exception=False)
    assert check_gradients(lambda x: autograd.maximum(x, 0.0), np.zeros(1))


@pytest.mark.parametrize("function", [np.log, np.sqrt, lambda x: 1 / x])
def test_an_element_much_smaller_than_its_neighbours_gets_steps_of_its_own_size(function):
    x = np.array([1e-12, 1.0])
    assert check_gradients(function, x, order=1)
    nearly = unary(np.log, name="nearly", x=lambda g, x: g / x * np.where(x < 1e-6, 1.01, 1.0))
    with pytest.raises(GradientError, match=r"\[0\], of shape \(2,\)"):
        check_gradients(nearly, x, order=1)
