"""Loops that numba compiles give what eager code gives: numbers, gradients, warnings, masks."""

import os
import subprocess
import sys
import warnings

import mpmath
import numpy as np
import pytest
from compiled_twin import agree, derived, others
from op_table import calls, collect
from ops_without_replay import EXCEPT, UNLIKE

import autograd
import nn
from autograd import Variable
from autograd.special import expit
from autograd.transforms.containers import flatten

numba = pytest.importorskip("numba")

from autograd.compiler import loop_text  # noqa: E402
from autograd.compiler.loops import Loop  # noqa: E402

ALL = os.environ.get("HYPOTHESIS_PROFILE") == "ci"
ROWS = [r for r in collect() if r.name not in EXCEPT and r.name not in UNLIKE]


def looped(function, **options):
    return autograd.compile(function, backend="numba", **options)


def close(got, wanted):
    """Compare nested results: to their own precision, relative to the largest of each."""
    for a, b in zip(flatten(got)[0], flatten(wanted)[0], strict=True):
        a, b = (x.data if isinstance(x, Variable) else np.asarray(x) for x in (a, b))
        assert a.dtype == b.dtype
        assert a.shape == b.shape
        error = 1e-12 if b.dtype == np.float64 else 1e-5
        scale = np.abs(b[np.isfinite(b)]).max(initial=1e-30)
        np.testing.assert_allclose(a, b, rtol=error, atol=error * scale)


def loops_of(fast):
    """Return the groups of the programs that were made last."""
    return [u for p in fast._last.programs for u in p.units if isinstance(u, Loop)]


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("row", ROWS[::3] if ALL else ROWS[:1], ids=lambda row: row.name)
def test_rows_of_the_op_table_in_loops(row, monkeypatch):
    monkeypatch.setattr(Loop, "least", 1)
    for case, call in list(calls(row))[:1]:
        function = lambda *operands, call=call: call(list(operands))
        fast = looped(function)
        new = others(case, call, row.cases.index(case), row)
        order = min(2, row.order if case.order is None else case.order)
        if [x.shape for x in new] != [x.shape for x in call.operands]:
            new = call.operands
        derived(fast, call.operands, order)
        agree(derived(fast, new, order), derived(function, new, order), str(case))


# -- programs --------------------------------------------------------------------------------------


def wave(x, w, b):
    return np.sum(np.tanh(x * w + b) * expit(x * b))


def attention(x, w):
    z = x * w
    z = z - z.max(axis=-1, keepdims=True)
    p = np.exp(z)
    p = p / p.sum(axis=-1, keepdims=True)
    return (p * np.log1p(p) * w).mean()


def norm(x, w):
    c = x - x.mean(axis=-1, keepdims=True)
    z = c / np.sqrt((c * c).mean(axis=-1, keepdims=True) + 1e-5)
    return np.where(z > 0.5, z * w, np.sin(z)).sum()


CASES = [
    (wave, [(70_001,), (), ()], np.float32),
    (norm, [(2, 3, 1500), (3, 1)], np.float32),
    (attention, [(3, 4, 37), (37,)], np.float64),
    (wave, [(70_001,), (), ()], np.float64),
    (attention, [(3, 4, 37), (37,)], np.float32),
    (norm, [(2, 3, 1500), (3, 1)], np.float64),
]


@pytest.mark.parametrize("function,shapes,dtype", CASES if ALL else CASES[:2])
def test_values_and_gradients_are_those_of_eager_code(function, shapes, dtype):
    rng = np.random.default_rng(0)
    given = [dtype(rng.normal(size=s)) if s else dtype(rng.normal()) for s in shapes]
    step = autograd.value_and_grad(function, argnum=tuple(range(len(given))))
    fast = looped(step)
    fast(*given)
    given = [dtype(x * 0.7 + 0.1) for x in given]
    close(fast(*given), step(*given))
    assert loops_of(fast)


def test_second_derivatives_are_those_of_eager_code():
    x = np.linspace(-1.0, 1.0, 5)
    function = lambda x: np.sum(x * x / (1.0 + x * x))
    close(autograd.hessian(looped(function))(x), autograd.hessian(function)(x))


def test_a_program_of_single_numbers_is_one_loop_which_computes_again_instead_of_keeping():
    def chain(x, y):
        for _ in range(5):
            x = np.tanh(x * 0.9 + y)
        return x

    fast, leaf = looped(chain), Variable(np.float64(0.3), requires_grad=True)
    fast(leaf, 0.1).backward()
    close(leaf.grad, autograd.grad(chain)(np.float64(0.3), 0.1))
    assert len(loops_of(fast)) == 2
    assert all(v.op is None for v in fast._last.saved)
    for program in fast._last.programs:
        assert len(program.units) == 1


def test_threads_give_the_same_numbers_again_and_again():
    x = np.random.default_rng(0).normal(size=200_000)
    fast = looped(autograd.value_and_grad(wave), threads=2)
    first = fast(x, np.float64(0.5), np.float64(0.2))
    close(first, autograd.value_and_grad(wave)(x, np.float64(0.5), np.float64(0.2)))
    again = fast(x, np.float64(0.5), np.float64(0.2))
    assert first[0] == again[0]
    np.testing.assert_array_equal(first[1], again[1])
    rows = lambda x: (x / (x * x).sum(axis=1, keepdims=True)).sum(axis=0)
    x = x.reshape(500, 400)
    close(looped(rows, threads=2)(x), rows(x))


def test_layers_of_a_model_share_their_loops():
    model = nn.Sequential(*(nn.Sequential(nn.Linear(8, 8), nn.LayerNorm(8)) for _ in range(2)))
    x = np.random.default_rng(0).normal(size=(6, 8)).astype(np.float32)
    loss = lambda x: (model(x) * x).sum()
    fast = looped(loss)
    fast(x).backward()
    got = [p.grad for p in model.parameters()]
    model.zero_grad()
    loss(x).backward()
    close(got, [p.grad for p in model.parameters()])
    assert len(loops_of(fast)) > len({t for p in fast._last.programs for t in p.names.before})


def test_a_float32_sum_is_as_exact_as_that_of_numpy():
    x = np.random.default_rng(0).uniform(size=1_000_000).astype(np.float32)
    exact = np.sum(x.astype(np.float64) * np.float64(np.float32(0.3)))
    got = looped(lambda x: (x * np.float32(0.3)).sum())(x)
    assert abs(got - exact) < 3e-7 * exact


# -- what NumPy says -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "function,x",
    [
        (lambda x: (1.0 / x + x).sum(), [1.0, 0.0]),
        (lambda x: (np.log(x) * x).sum(), [1.0, -1.0]),
        (lambda x: (np.exp(x) * x).sum(), [1.0, 1000.0]),
        (lambda x: (np.sqrt(x) + x).sum(), [1.0, -1.0]),
        (lambda x: (np.sin(x) + x).sum(), [1.0, np.inf]),
    ],
)
def test_what_numpy_warns_of_is_warned_of_in_its_words(function, x):
    heard = []
    for change in (lambda f: f, looped):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            change(function)(np.ones(2))
            value = change(function)(np.array(x))
        heard.append([str(w.message) for w in caught] + [repr(value)])
    assert heard[0] == heard[1]


def test_exact_zeros_mask_as_in_eager_code():
    x = np.array([0.0, 1.0, -1.0, np.inf, np.nan, -0.0])
    function = lambda x: np.where(x > 0, np.sqrt(np.abs(x)) / x, 0.0).sum()
    with np.errstate(all="ignore"):
        fast = looped(autograd.grad(function))
        fast(np.ones(6))
        np.testing.assert_array_equal(fast(x), autograd.grad(function)(x))


@pytest.mark.parametrize("dtype", [np.float32, np.float64][: 1 + ALL])
def test_numbers_that_are_no_numbers_go_through(dtype):
    x = np.array([np.nan, np.inf, -np.inf, 0.0, -0.0, 1e-45, 3e38, -3e38, 1.0], dtype)

    def function(x):
        return (
            np.maximum(x, 0.5) + np.minimum(x, 2.0),
            np.tanh(x) * expit(x),
            np.abs(-x) * (x == x),
            np.where(x > 0, x, -x) * 2,
            np.exp(-x * x),
        )

    with np.errstate(all="ignore"):
        for got, wanted in zip(looped(function)(x), function(x), strict=True):
            known = ~np.isnan(wanted)
            np.testing.assert_array_equal(np.signbit(got[known]), np.signbit(wanted[known]))
            np.testing.assert_allclose(got, wanted, rtol=1e-6)


def test_regular_values_are_not_computed_twice(monkeypatch):
    """Masked attention and saturated gates are no reason to call NumPy."""
    x = np.array([[-np.inf, 1.0, 900.0], [0.0, -900.0, 3.0]])
    fast = looped(lambda x: (expit(np.tanh(x) * 2 - 900.0) + np.exp(np.minimum(x, 0.0))).sum())
    wanted = fast(x)
    monkeypatch.setattr(np, "tanh", None)  # which the other branch would call
    assert fast(x) == wanted


# -- functions -------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [np.float64, np.float32][: 1 + ALL])
def test_logarithms_sines_and_cosines_are_within_two_units_in_the_last_place(dtype):
    rng = np.random.default_rng(0)
    end = 37 if dtype is np.float32 else 307
    near = 10 ** rng.uniform(-12, -0.5, 100)
    positive = np.concatenate([10 ** rng.uniform(-end - 6, end, 200), 1 + near, 1 - near])
    angles = np.concatenate(
        [rng.uniform(-1e5, 1e5, 200), np.arange(-999, 999, 9) * np.pi / 2, near]
    )
    found = {
        "log": positive[positive.astype(dtype) > 0],
        "log1p": np.concatenate([positive, near, -near, -1 + near]),
        "sin": angles,
        "cos": angles,
    }
    for name, x in found.items():
        x = x.astype(dtype)
        x = x[x > -1] if name == "log1p" else x
        function = getattr(np, name)
        fast = looped(lambda x, function=function: 1.0 * (function(x) + 0.0) * 1.0)
        got = fast(x)
        assert f"{name}(x1_)" in fast.source
        with mpmath.workprec(200):
            exact = [getattr(mpmath, name)(mpmath.mpf(float(v))) for v in x]
            error = [float(abs(mpmath.mpf(float(a)) - b)) for a, b in zip(got, exact, strict=True)]
        unit = np.spacing(np.abs(np.array(list(map(float, exact)))).astype(dtype))
        assert np.max(error / unit.astype(np.float64)) < 2


# -- around it -------------------------------------------------------------------------------------


def test_the_source_shows_the_loop_and_exports_are_numpy(tmp_path):
    fast = looped(lambda x: (np.tanh(x) * 2.0).sum())
    value = fast(np.ones(3))
    assert "for e in range(3):" in fast.source
    assert "v1 = tanh(x1_)  # test_loops.py" in fast.source
    fast.export(tmp_path / "step.py")
    text = (tmp_path / "step.py").read_text()
    assert "fetestexcept" not in text
    scope = {}
    exec(text, scope)
    assert scope["program"](np.ones(3)) == value


def test_what_cannot_be_in_a_loop_stays_numpy():
    function = lambda x: (np.cumsum(x) * np.mod(x, 2) + x.astype(np.complex128).real).sum()
    close(looped(function)(np.arange(5.0)), function(np.arange(5.0)))
    half = np.ones(4, np.float16)
    assert looped(lambda x: x * x + x)(half).dtype == np.float16


def test_other_backends_are_refused():
    with pytest.raises(ValueError, match="wanted the backend 'numpy' or 'numba', got 'jax'"):
        autograd.compile(np.tanh, backend="jax")
    code = (
        "import sys; sys.modules['numba'] = None; import autograd; "
        "autograd.compile(abs, backend='numba')"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert "numba is not installed: run pip install 'gradloom[fast]'" in done.stderr


def test_a_loop_is_compiled_once_for_the_same_text():
    before = loop_text._compiled.cache_info().misses
    for _ in range(2):
        looped(lambda x: (x * 1.25 + 3.5) * x)(np.ones(11))
    assert loop_text._compiled.cache_info().misses <= before + 1
