"""SciPy's own functions, called with Variables."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import autograd
from autograd import Variable, special

scipy_special = pytest.importorskip("scipy.special")

NAMES = [
    name for name in special.__all__ if isinstance(getattr(scipy_special, name, None), np.ufunc)
]


@pytest.fixture
def v():
    return Variable(np.array([0.3, 0.7]), requires_grad=True)


@pytest.mark.parametrize("name", [*NAMES, "cbrt", "exp2", "expm1", "log1p"])
def test_a_ufunc_of_scipy_is_recorded_like_the_function_of_that_name(name, v):
    theirs = getattr(scipy_special, name)
    constants = [1.5] * (theirs.nin - 1)
    out = theirs(*constants, v)
    ours = getattr(special, name, None) or getattr(np, name)
    expected = ours(*constants, v)
    assert out.requires_grad
    np.testing.assert_array_equal(out.data, expected.data)
    assert out._node.plan is expected._node.plan


def test_most_functions_of_special_are_ufuncs_in_scipy():
    assert len(NAMES) > 35


def test_a_python_function_around_a_ufunc_is_recorded(v):
    out = scipy_special.zeta(2.0, v + 1)
    out.sum().backward()
    np.testing.assert_allclose(v.grad, -2 * scipy_special.zeta(3.0, v.data + 1))


def test_keywords_and_methods_of_ufuncs_work_as_with_those_of_numpy(v):
    out = scipy_special.gamma(v, where=[True, False], out=np.zeros(2))
    np.testing.assert_allclose(out.data, [scipy_special.gamma(0.3), 0])
    assert scipy_special.beta.outer(v, v).shape == (2, 2)
    with pytest.raises(TypeError, match="scipy.special.gamma: wanted a call without out="):
        scipy_special.gamma(v, out=np.zeros(2))


def test_ufuncs_of_scipy_without_a_counterpart_are_refused_by_name(v):
    with pytest.raises(TypeError, match="scipy.special.ellipk: wanted a function with a recorded"):
        scipy_special.ellipk(v)
    with pytest.raises(TypeError, match="nearest recorded function is scipy.special.betainc"):
        scipy_special.betaincc(1.0, 2.0, v)
    np.testing.assert_allclose(scipy_special.ellipk(v.detach()).data, scipy_special.ellipk(v.data))


def test_orders_of_bessel_functions_are_refused_by_name(v):
    with pytest.raises(TypeError, match="jv: wanted operand 'x' without a gradient"):
        scipy_special.jv(v, 1.0)


@pytest.mark.parametrize(
    "function",
    [
        scipy_special.logsumexp,
        scipy_special.softmax,
        scipy_special.log_softmax,
        lambda v: scipy_special.polygamma(1, v),
        lambda v: scipy_special.multigammaln(v + 3, 2),
        lambda v: scipy_special.comb(v, v),
    ],
)
def test_functions_of_scipy_in_python_lose_no_gradient(function, v):
    with pytest.raises(TypeError, match="wanted a Variable without a gradient"):
        function(v)


@pytest.mark.parametrize(
    "typed, instead",
    [
        ("scipy.linalg.cholesky(matrix)", r"write autograd\.linalg\.cholesky\(\.\.\.\)"),
        ("scipy.stats.norm.logpdf(v)", r"write autograd\.stats\.norm\.logpdf\(\.\.\.\)"),
    ],
)
def test_the_counterpart_of_a_function_of_scipy_is_named(typed, instead, v, tmp_path):
    script = tmp_path / "typed.py"  # a file, because the words of the user are read there
    script.write_text(f"import scipy.linalg, scipy.stats\n{typed}\n")
    names = {"v": v, "matrix": autograd.diag(v * v + 1)}
    with pytest.raises(TypeError, match=instead):
        exec(compile(script.read_text(), str(script), "exec"), names)


def test_scipy_is_not_imported_before_it_is_used():
    script = "import sys, autograd; print('scipy' in sys.modules)"
    result = subprocess.run(
        [sys.executable, "-c", script],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=True,
    )
    assert result.stdout.strip() == "False"
