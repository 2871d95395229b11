"""The contract sweep: on functions that keep the contract, and on ones that break one clause."""

import numpy as np
import pytest

import autograd
from autograd import Function, Variable
from autograd.extend import primitive, unary
from autograd.testing import ContractError, check_function


@pytest.fixture
def x(rng):
    return rng.uniform(0.2, 1.5, (2, 3)) * rng.choice((-1.0, 1.0), (2, 3))


def broken(function, *inputs, **options):
    with pytest.raises(ContractError) as caught:
        check_function(function, *inputs, **options)
    return caught.value.report.failed


def test_a_good_function_passes_everything(x):
    report = check_function(autograd.multiply, x, x[0], complex=True)
    assert not report.failed
    assert {"gradient", "float32", "complex", "0-d", "empty", "strided", "read-only"} <= set(
        report.passed
    )
    assert "broadcast operand 0 of length 1 on axis 1" in report.passed
    assert "only operand 1" in report.passed


def test_every_keyword_value_is_tried(x):
    report = check_function(
        autograd.sum, x, keywords={"axis": [None, 0, (0, 1)], "keepdims": [True]}
    )
    assert {"axis=None", "axis=(0, 1)", "keepdims=True"} <= set(report.passed)


def test_axes_are_tried_unasked(x):
    passed = set(check_function(autograd.mean, x).passed)
    assert {"axis=0", "axis=1", "axis=-1", "axis=-2"} <= passed


def test_what_the_function_refuses_is_skipped(x):
    report = check_function(autograd.matmul, x, x.T)
    assert "refused with ValueError" in report.skipped["0-d"]


def test_function_classes_are_checked_through_apply(x):
    class Cube(Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x**3

        @staticmethod
        def backward(ctx, g):
            (x,) = ctx.saved_tensors
            return g * 3 * np.conj(x) ** 2

    report = check_function(Cube, x)
    assert report.function == "Cube"
    assert "threads" in report.passed


def test_a_wrong_keyword_is_told_from_a_right_default(x):
    @primitive(x=lambda g, x_shape: np.broadcast_to(g[..., None], x_shape))
    def total(x, axis=-1):
        return np.sum(x, axis=axis)

    failed = broken(total, x)
    assert "gradient" not in failed
    assert "axis=0" in failed
    assert "axis=-1" not in failed


@pytest.mark.parametrize(
    "check, function",
    [
        ("float32", unary(lambda x: x * np.ones(x.shape), name="same", x=lambda g: g)),
        ("empty", unary(np.exp, x=lambda g, out: g * out + 0 * np.max(g))),
        ("unknown keyword", lambda x, **_: np.sin(x)),
        (
            "arrays and Variables",
            lambda x: np.sin(x.data) if isinstance(x, Variable) else np.sin(x),
        ),
        (
            "Fortran order",
            unary(lambda x: x.ravel("K").reshape(x.shape), name="same", x=lambda g: g),
        ),
        ("complex", unary(np.sin, x=lambda g, x: g * np.conj(np.cos(x)))),
        (
            "big-endian",
            unary(
                lambda x: x.view("<f8") if x.dtype.kind == "f" else x, name="same", x=lambda g: g
            ),
        ),
        ("square", primitive(x=lambda g: g if g.shape != (3, 3) else g.T)(lambda x: x * 1.0)),
        ("long last axis", unary(np.sin, x=lambda g, x: g * np.cos(x) * (1 + (g.size > 16)))),
    ],
)
def test_a_broken_clause_is_named(check, function, x):
    assert check in broken(function, x)


def test_a_rule_that_changes_its_incoming_gradient_is_found(x):
    def rule(g, x):
        if isinstance(g, Variable):
            return g * np.cos(x)
        g *= np.cos(x)
        return g

    assert "writes into an array it was given" in broken(unary(np.sin, x=rule), x)["gradient"]


def test_an_input_that_is_restored_is_still_written_to(x):
    def forward(x):
        x *= 2
        out = x / 2
        x /= 2
        return out

    failed = broken(unary(forward, name="same", x=lambda g: g), x)
    assert any("read-only" in cause for cause in failed.values())


def test_the_report_reads_well(x):
    error_text = str(ContractError(""))
    assert error_text == ""
    with pytest.raises(ContractError, match=r"same: \d+ passed, 1 failed") as caught:
        check_function(unary(lambda x: x * np.ones(x.shape), name="same", x=lambda g: g), x)
    assert "failed   float32: same: float32 goes in and float64 comes out" in str(caught.value)


def test_a_function_without_floating_inputs_is_refused():
    with pytest.raises(TypeError, match="wanted a floating array among the inputs of exp"):
        check_function(autograd.exp, np.arange(3))


def test_a_failure_with_complex_operands_says_how_to_leave_them_out(x):
    real_only = unary(np.abs, x=lambda g, x: g * np.sign(x))
    assert "pass complex=False" in broken(real_only, x)["complex"]
    assert not check_function(real_only, x, complex=False).failed


def test_one_object_may_be_two_operands(x):
    product = primitive(
        joint=lambda g, x, y: (g * y, g * x if x is not y else g * 0.0), name="product"
    )(lambda x, y: x * y)
    failed = broken(product, x, x.copy())
    assert failed
    assert "gradient" not in failed


def test_calls_may_not_share_what_they_return(x):
    kept = {}

    def remembered(x):
        key = x.tobytes()
        return kept.setdefault(key, np.exp(x))

    failed = broken(unary(remembered, name="exp", x=lambda g, out: g * out), x)
    assert "two calls return one array" in failed["memory of its own"]
