"""The array API standard: every function against `array-api-strict`, signatures included, and
libraries that ask arrays for their namespace.

SciPy's paths are switched on by an environment variable that it reads when it is imported, so they
run in a process of their own.
"""

import importlib.metadata
import importlib.util
import inspect
import os
import subprocess
import sys

import numpy as np
import pytest

import autograd
from autograd import Variable, array_api, grad

REAL = ["float32", "float64"]
INTEGERS = ["int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"]
DTYPES = ["bool", *INTEGERS, *REAL, "complex64", "complex128"]


@pytest.fixture(scope="module")
def strict():
    return pytest.importorskip("array_api_strict")


def example(dtype, shape, seed=0):
    """Numbers between 0.1 and 0.9, so that they are in every domain; integers from 1 to 5."""
    rng = np.random.default_rng(seed)
    if dtype == "bool":
        return rng.random(shape) < 0.5
    if dtype in INTEGERS:
        return rng.integers(1, 6, shape).astype(dtype)
    real = 0.1 + 0.8 * rng.random(shape)
    return (real + 1j * rng.random(shape) if "complex" in dtype else real).astype(dtype)


# Calls with `x`, `y` of shape (3, 3), `v` of shape (3,), of each dtype that the standard allows.
# fmt: off
UNARY = [
    "abs", "acos", "acosh", "asin", "asinh", "atan", "atanh", "bitwise_invert", "ceil", "conj",
    "cos", "cosh", "exp", "expm1", "floor", "imag", "isfinite", "isinf", "isnan", "log", "log10",
    "log1p", "log2", "logical_not", "negative", "positive", "real", "reciprocal", "round", "sign",
    "signbit", "sin", "sinh", "sqrt", "square", "tan", "tanh", "trunc", "nonzero",
    "matrix_transpose", "unique_counts", "unique_inverse", "unique_all", "zeros_like", "ones_like",
    "unstack", "tril", "triu", "linalg.det", "linalg.inv", "linalg.slogdet", "linalg.svdvals",
    "linalg.matrix_transpose", "linalg.diagonal", "linalg.trace", "linalg.pinv",
    "linalg.matrix_rank", "linalg.matrix_norm", "linalg.vector_norm", "fft.fft", "fft.ifft",
    "fft.rfft", "fft.irfft", "fft.hfft", "fft.ihfft", "fft.fftn", "fft.ifftn", "fft.rfftn",
    "fft.irfftn", "fft.fftshift", "fft.ifftshift",
]
# fmt: on
# fmt: off
BINARY = [
    "add", "atan2", "bitwise_and", "bitwise_left_shift", "bitwise_or", "bitwise_right_shift",
    "bitwise_xor", "copysign", "divide", "equal", "floor_divide", "greater", "greater_equal",
    "hypot", "less", "less_equal", "logaddexp", "logical_and", "logical_or", "logical_xor",
    "maximum", "minimum", "multiply", "nextafter", "not_equal", "pow", "remainder", "subtract",
    "matmul", "vecdot", "tensordot", "linalg.matmul", "linalg.solve", "linalg.cross",
    "linalg.vecdot", "linalg.tensordot",
]
# fmt: on
# fmt: off
REDUCTIONS = ["all", "any", "argmax", "argmin", "count_nonzero", "max", "mean", "min", "prod",
              "std", "sum", "var"]
# fmt: on
OTHERS = [
    *(f"xp.{name}(x)" for name in UNARY),
    *(f"xp.{name}(x, y)" for name in BINARY),
    *(
        f"xp.{name}(x{rest})"
        for name in REDUCTIONS
        for rest in ("", ", axis=0", ", axis=(0, 1)", ", axis=-1, keepdims=True")
        if not (name.startswith("arg") and "(" in rest)
    ),
    *(f"xp.{name}(v, 2)" for name in ["add", "multiply", "pow", "maximum", "less", "equal"]),
    "xp.std(x, correction=1)",
    "xp.sum(x, dtype=xp.float64)",
    "xp.prod(x, axis=1, dtype=xp.int64)",
    "xp.cumulative_sum(x, axis=1)",
    "xp.cumulative_sum(v, include_initial=True)",
    "xp.cumulative_prod(x, axis=0, include_initial=True)",
    "xp.diff(x)",
    "xp.diff(x, axis=0, n=2, prepend=y)",
    "xp.asarray(x, dtype=xp.float64, copy=True)",
    "xp.asarray([[1, 2], [3, 4]])",
    "xp.asarray(1.5)",
    "xp.asarray(True)",
    "xp.asarray(2j)",
    "xp.astype(x, xp.complex128)",
    "xp.astype(x, xp.int16)",
    "xp.astype(x, xp.bool)",
    "xp.arange(3)",
    "xp.arange(1, 7, 2)",
    "xp.arange(0.0, 1.0, 0.25, dtype=xp.float32)",
    "xp.eye(3)",
    "xp.eye(2, 3, k=1, dtype=xp.int8)",
    "xp.full((2, 3), 7)",
    "xp.full(2, 1.5)",
    "xp.full(2, True)",
    "xp.full(2, 1j, dtype=xp.complex64)",
    "xp.full_like(x, 1)",
    "xp.full_like(x, 1, dtype=xp.float32)",
    "xp.linspace(0, 1, 5)",
    "xp.linspace(0.0, 2.0, 4, endpoint=False, dtype=xp.float32)",
    "xp.zeros((2, 3))",
    "xp.zeros(3, dtype=xp.int32)",
    "xp.ones((2, 0), dtype=xp.bool)",
    "xp.zeros_like(x, dtype=xp.float32)",
    "xp.from_dlpack(x)",
    "xp.meshgrid(v, v)",
    "xp.meshgrid(v, v, indexing='ij')",
    "xp.broadcast_to(v, (2, 3))",
    "xp.broadcast_arrays(v, x)",
    "xp.concat([x, y], axis=1)",
    "xp.concat([x, y], axis=None)",
    "xp.stack([x, y], axis=-1)",
    "xp.expand_dims(x, axis=1)",
    "xp.squeeze(xp.expand_dims(x, axis=1), axis=1)",
    "xp.flip(x)",
    "xp.flip(x, axis=1)",
    "xp.moveaxis(x, 0, 1)",
    "xp.permute_dims(x, (1, 0))",
    "xp.repeat(x, 2, axis=1)",
    "xp.repeat(v, 2)",
    "xp.repeat(v, xp.asarray([0, 1, 2]))",
    "xp.reshape(x, (9,))",
    "xp.reshape(x, (-1, 1), copy=True)",
    "xp.roll(x, 1)",
    "xp.roll(x, (1, 2), axis=(0, 1))",
    "xp.take(x, xp.asarray([2, 0]), axis=1)",
    "xp.take(v, xp.asarray([2, 0]))",
    "xp.take_along_axis(x, xp.argsort(y, axis=0), axis=0)",
    "xp.tile(x, (2, 1))",
    "xp.unstack(x, axis=1)",
    "xp.where(y > 1, x, y)",
    "xp.where(y == x, x, 0)",
    "xp.tril(x, k=-1)",
    "xp.triu(x, k=1)",
    "xp.sort(x)",
    "xp.sort(xp.unique_values(x))",
    "xp.sort(x, axis=0, descending=True)",
    "xp.argsort(x)",
    "xp.argsort(x, descending=True)",
    "xp.argsort(x, axis=0, descending=True, stable=True)",
    "xp.searchsorted(xp.sort(v), x[0, :], side='right')",
    "xp.clip(x, min=1)",
    "xp.clip(x, 1, 3)",
    "xp.clip(x, min=y, max=None)",
    "xp.clip(x)",
    "xp.tensordot(x, y, axes=1)",
    "xp.tensordot(x, y, axes=((0,), (1,)))",
    "xp.vecdot(x, y, axis=-2)",
    "xp.linalg.cholesky(x @ xp.conj(x.mT) + xp.eye(3, dtype=x.dtype))",
    "xp.linalg.cholesky(x @ xp.conj(x.mT) + xp.eye(3, dtype=x.dtype), upper=True)",
    "xp.linalg.eigvalsh(x + xp.conj(x.mT))",
    "xp.linalg.eigh(x + xp.conj(x.mT)).eigenvalues",
    "xp.linalg.qr(x).R",
    "xp.linalg.qr(x[:, :2], mode='complete').Q",
    "xp.linalg.svd(x[:, :2], full_matrices=False).S",
    "xp.linalg.svd(x).Vh",
    "xp.linalg.slogdet(x).logabsdet",
    "xp.linalg.diagonal(x, offset=1)",
    "xp.linalg.trace(x, offset=-1, dtype=xp.float64)",
    "xp.linalg.outer(v, v)",
    "xp.linalg.matrix_power(x, 3)",
    "xp.linalg.matrix_norm(x, ord=1, keepdims=True)",
    "xp.linalg.vector_norm(x, axis=0, ord=3)",
    "xp.linalg.pinv(x, rtol=1e-3)",
    "xp.linalg.matrix_rank(x, rtol=1e-3)",
    "xp.linalg.solve(x, v)",
    "xp.fft.fft(x, n=5, axis=0, norm='ortho')",
    "xp.fft.fftn(x, s=(2, 4), axes=(0, 1), norm='forward')",
    "xp.fft.fftfreq(5, d=0.5)",
    "xp.fft.rfftfreq(6, dtype=xp.float32)",
    "xp.fft.fftshift(x, axes=0)",
    "xp.newaxis is None and x[xp.newaxis, 1:, ::-1]",
    "x[y == y]",
    "x[0, 1]",
    "x + y",
    "x * 2",
    "2 - x",
    "x / y",
    "x // y",
    "x % y",
    "x ** 2",
    "x @ y",
    "~x",
    "-x",
    "+x",
    "abs(x)",
    "x & y",
    "x | y",
    "x ^ y",
    "x << y",
    "x >> y",
    "1 << v",
    "x < y",
    "x >= 1",
    "x != y",
    "x.mT",
    "x.T",
    "x.to_device(x.device)",
    "xp.asarray(complex(x[0, 0]))",
    "xp.asarray(int(x[0, 0]))",
    "xp.asarray([1, 2, 3, 4, 5, 6])[x[0, 0]]",
]


def outcome(expression, xp, make, dtype):
    """The value of an expression, its dtypes and shapes with it, as NumPy's; or no more than that
    it is refused.
    """
    shapes = {"x": (3, 3), "y": (3, 3), "v": (3,)}
    names = {
        name: make(example(dtype, shape, seed)) for seed, (name, shape) in enumerate(shapes.items())
    }
    result = eval(expression, {"xp": xp, **names})
    parts = result if isinstance(result, (tuple, list)) else [result]
    return [np.asarray(part) for part in parts]


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("dtype", DTYPES)
def test_what_the_standard_allows_gives_what_it_says(strict, dtype):
    wrong, allowed = [], 0
    for expression in OTHERS:
        try:
            wanted = outcome(expression, strict, strict.asarray, dtype)
        except (TypeError, IndexError, np.linalg.LinAlgError):
            continue  # no such dtype in the standard
        allowed += 1
        try:
            got = outcome(expression, array_api, array_api.asarray, dtype)
        except Exception as error:  # noqa: BLE001 - all are listed
            wrong.append(f"{expression}: {type(error).__name__}: {error}")
            continue
        same = len(got) == len(wanted) and all(
            a.dtype == b.dtype and a.shape == b.shape and np.allclose(a, b, equal_nan=True)
            for a, b in zip(got, wanted, strict=True)
        )
        if not same:
            wrong.append(f"{expression}: wanted {wanted}, got {got}")
    assert not wrong, "\n".join(wrong)
    assert allowed > 90


def test_all_names_and_signatures_are_those_of_the_standard(strict):
    later = {"broadcast_shapes", "isin", "eig", "eigvals"}  # of the standard after 2024.12
    compared = 0
    for room in ("", "linalg", "fft"):
        theirs = getattr(strict, room) if room else strict
        ours = getattr(array_api, room) if room else array_api
        for name in theirs.__all__:
            function = getattr(theirs, name)
            if (
                name in later
                or name == "__version__"
                or "strict_flags" in name
                or inspect.isclass(function)
            ):
                continue
            assert hasattr(ours, name), name
            assert name in ours.__all__, name
            if inspect.isfunction(function):
                wanted = inspect.signature(function).parameters.values()
                got = inspect.signature(getattr(ours, name)).parameters.values()
                assert [p.name for p in got] == [p.name for p in wanted], name
                if name != "expand_dims":  # whose axis is by keyword, 0 by default, until 2024.12
                    assert [p.kind for p in got] == [p.kind for p in wanted], name
                compared += 1
    assert compared > 150


def test_arrays_drawn_for_the_standard_are_variables_and_index_as_arrays_do():
    """Hypothesis draws arrays through the functions of the namespace alone."""
    from hypothesis import given
    from hypothesis import strategies as st
    from hypothesis.extra.array_api import make_strategies_namespace

    xps = make_strategies_namespace(array_api)

    @given(st.data())
    def indexing_agrees(data):
        shapes = xps.array_shapes(min_dims=1, max_dims=3, max_side=3)
        x = data.draw(xps.arrays(xps.scalar_dtypes(), shapes))
        index = data.draw(xps.indices(x.shape))
        assert isinstance(x, Variable)
        np.testing.assert_array_equal(np.asarray(x[index]), np.asarray(x)[index])

    indexing_agrees()


def written_for_any_library(x):
    xp = x.__array_namespace__()
    high, low = xp.sort(x, axis=0, descending=True)[:2, ...], xp.clip(x, max=0.3)
    parts = xp.concat([xp.cumulative_sum(x, axis=1), high, xp.astype(low, xp.float64)])
    filled = xp.zeros(3, dtype=parts.dtype)
    filled[1:] = parts[0, :2]
    spectrum = xp.fft.rfft(parts, axis=0)
    total = xp.sum(xp.real(spectrum * xp.conj(spectrum))) + xp.linalg.vector_norm(filled)
    return total + xp.std(xp.matrix_transpose(parts), correction=1) + xp.max(xp.exp(x))


def test_code_written_for_any_library_has_gradients(strict):
    x = np.random.default_rng(0).normal(size=(4, 3))
    wanted = float(written_for_any_library(strict.asarray(x)))
    value, gradient = autograd.value_and_grad(written_for_any_library)(x)
    assert value == pytest.approx(wanted)
    v = np.random.default_rng(1).normal(size=x.shape)
    step = [float(written_for_any_library(strict.asarray(x + h * v))) for h in (1e-6, -1e-6)]
    assert np.vdot(gradient, v) == pytest.approx((step[0] - step[1]) / 2e-6)
    np.testing.assert_allclose(
        autograd.hvp(written_for_any_library)(x, v),
        (grad(written_for_any_library)(x + 1e-6 * v) - grad(written_for_any_library)(x - 1e-6 * v))
        / 2e-6,
        rtol=1e-5,
    )


def test_functions_take_what_comparisons_give_and_return_variables():
    x = Variable([-1.0, 2.0], requires_grad=True)
    assert isinstance(x > 0, np.ndarray)
    for result in (
        array_api.astype(x > 0, array_api.float32),
        array_api.logical_not(x > 0),
        array_api.all(x > 0),
        array_api.argsort(x),
        array_api.unique_counts(x.detach()).counts,
        array_api.nonzero(x)[0],
    ):
        assert type(result) is Variable
        assert not result.requires_grad
    assert array_api.where(x > 0, x, 0.0).requires_grad


def test_arrays_and_constants_are_free():
    data = np.arange(1e6)
    integers = array_api.asarray([1, 2])
    assert array_api.asarray(integers) is array_api.astype(integers, np.int64, copy=False)
    for made in (array_api.asarray(data), array_api.asarray(data, copy=False)):
        assert np.shares_memory(np.asarray(made), data)
        assert np.asarray(made) is made.data
        assert array_api.asarray(made) is made
        assert np.from_dlpack(made).ctypes.data == data.ctypes.data
    assert not np.shares_memory(np.asarray(array_api.asarray(data, copy=True)), data)
    v = Variable(data, requires_grad=True)
    assert array_api.asarray(v) is v
    assert array_api.asarray(v, copy=True).requires_grad


def test_a_dtype_holds_before_numbers_become_another_one():
    """Of 0 and 2^63 + 1 alone NumPy makes floats."""
    large = [0, 2**63 + 1]
    for make in (array_api.asarray, autograd.asarray, autograd.array):
        np.testing.assert_array_equal(
            np.asarray(make(large, dtype=np.uint64)), np.array(large, dtype=np.uint64)
        )


def test_limits_are_python_numbers():
    limits = array_api.finfo(array_api.complex64)
    assert type(limits.eps) is float
    assert limits[1:5] == tuple(
        float(getattr(np.finfo(np.float32), n)) for n in ("eps", "max", "min", "smallest_normal")
    )
    assert limits.dtype == array_api.float32
    assert array_api.finfo(Variable(1.0)).bits == 64
    assert array_api.iinfo(array_api.int8).max == 127


def test_what_is_known_of_the_namespace_is_as_in_the_standard(strict):
    info, wanted = array_api.__array_namespace_info__(), strict.__array_namespace_info__()
    assert info.default_device() == Variable(1.0).device == "cpu"
    assert info.devices() == ["cpu"]
    assert set(info.capabilities()) == set(wanted.capabilities())
    for kind in (None, "bool", "integral", "real floating", ("complex floating", "bool")):
        names = wanted.dtypes(kind=kind)
        assert info.dtypes(kind=kind) == {name: np.dtype(name) for name in names}
    made = {
        name: np.dtype(str(d).rpartition(".")[2]) for name, d in wanted.default_dtypes().items()
    }
    assert info.default_dtypes() == made
    with pytest.raises(ValueError, match="dtypes: wanted device 'cpu'"):
        info.dtypes(device="cuda")


V = Variable([1.0, 2.0], requires_grad=True)


@pytest.mark.parametrize(
    "call, error, sentence",
    [
        (lambda: array_api.zeros(3, device="gpu"), ValueError, "full: wanted device 'cpu'.*'gpu'"),
        (lambda: V.to_device("cuda:0"), ValueError, "to_device: wanted 'cpu'.*'cuda:0'"),
        (
            lambda: V.__array_namespace__(api_version="2035.12"),
            ValueError,
            "__array_namespace__: wanted a version of the standard.*'2035.12'",
        ),
        (
            lambda: array_api.asarray(V, dtype=array_api.float32, copy=False),
            ValueError,
            "asarray: wanted copy=None or True",
        ),
        (lambda: array_api.unique_values(V), TypeError, "unique_values: wanted a function with a"),
        (lambda: array_api.from_dlpack(V), BufferError, r"__dlpack__: wanted.*write .detach\(\)"),
        (lambda: array_api.nanmax(V), AttributeError, "no attribute 'nanmax'"),
        (lambda: array_api.sum(V, 0), TypeError, "positional argument"),
        (lambda: array_api.sum(x=V), TypeError, "positional"),
    ],
)
def test_what_is_not_there_is_refused_in_a_sentence(call, error, sentence):
    with pytest.raises(error, match=sentence):
        call()


# -- libraries that ask for the namespace ----------------------------------------------------------

LIBRARIES = """
import importlib, sys, warnings
warnings.simplefilter("ignore")
import numpy as np
import autograd

packages, taken, refused = eval(sys.argv[1])
names = {name.partition(".")[0]: importlib.import_module(name) for name in packages}
names = {name: sys.modules[name] for name in names} | {"np": np}
dispatch = names["sklearn"].config_context(array_api_dispatch=True) if "sklearn" in names else None
X = np.random.default_rng(0).normal(size=(6, 4))

def measured(text, x):
    return eval(text, {"x": x, **names})

if dispatch:
    dispatch.__enter__()
for text in taken:
    result = measured(text, autograd.Variable(X, requires_grad=True))
    assert isinstance(result, autograd.Variable) and result.requires_grad, text
    assert np.allclose(result.data, measured(text, X)), text
    weights = np.random.default_rng(1).normal(size=result.shape)
    slope = (autograd.grad(lambda x: (measured(text, x) * weights).sum())(X) * X).sum()
    ahead, behind = ((measured(text, X * (1 + h)) * weights).sum() for h in (1e-6, -1e-6))
    assert np.isclose(slope, (ahead - behind) / 2e-6, rtol=1e-4, atol=1e-6), text
for text, sentence in refused.items():
    try:
        measured(text, autograd.Variable(X, requires_grad=True))
    except TypeError as error:
        assert sentence in str(error), error
    else:
        raise AssertionError(text + " was not refused")
"""
KERNEL, MIXED = "wanted a Variable without a gradient", "namespaces for array inputs"
SCIPY = (
    ["scipy.special", "scipy.fft"],
    [
        "scipy.special.logsumexp(x, axis=0)",
        "scipy.special.softmax(x, axis=1)",
        "scipy.special.gammaln(x * x + 1)",
        "abs(scipy.fft.rfftn(x))",
    ],
    {"scipy.fft.dct(x)": KERNEL},
)
STATISTICS = (
    ["scipy.stats", "scipy.cluster.vq", "sklearn.preprocessing", "sklearn.metrics"],
    [
        "scipy.stats.zscore(x)",
        "scipy.stats.kurtosis(x)",
        "scipy.stats.gmean(x * x + 1)",
        "scipy.cluster.vq.whiten(x)",
        "sklearn.preprocessing.StandardScaler().fit_transform(x)",
        "sklearn.metrics.pairwise.rbf_kernel(x)",
    ],
    {
        "scipy.stats.tmean(x)": MIXED,  # meets the arrays that comparisons give
        "sklearn.metrics.mean_squared_error(x, x + 1)": KERNEL,
    },
)
THOROUGH = os.environ.get("HYPOTHESIS_PROFILE", "dev") != "dev"


@pytest.mark.parametrize(
    "case",
    [SCIPY, *([STATISTICS] if THOROUGH else [])],
    ids=["scipy", "statistics"][: 1 + THOROUGH],
)
def test_libraries_written_for_any_array_take_variables_or_say_why_not(case):
    if not all(importlib.util.find_spec(name.partition(".")[0]) for name in case[0]):
        pytest.skip("SciPy or scikit-learn is not installed")
    if tuple(map(int, importlib.metadata.version("scipy").split(".")[:2])) < (1, 15):
        pytest.skip("SciPy takes arrays of any library from 1.15 on")
    environment = os.environ | {"SCIPY_ARRAY_API": "1", "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-c", LIBRARIES, repr(case)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_xarray_keeps_variables_and_their_gradients():
    xr = pytest.importorskip("xarray")
    x = np.random.default_rng(0).normal(size=(2, 3))

    def table(x):
        return xr.DataArray(x, dims=("a", "b"), coords={"b": [10, 20, 30]})

    for f in (
        lambda t: t.mean("a"),
        lambda t: np.exp(t) * 2 + t.sel(b=20),
        lambda t: xr.concat([t, t.where(t > 0).fillna(0.5)], "a").std("b"),
        lambda t: t.transpose("b", "a").cumsum("b").isel(a=0),
        lambda t: xr.dot(t, t, dim="b"),
        lambda t: t.differentiate("b"),
        lambda t: t.shift(b=1, fill_value=0.0).groupby("b").sum(),
    ):
        result = f(table(Variable(x, requires_grad=True)))
        assert isinstance(result.data, Variable)
        np.testing.assert_allclose(result.data.data, f(table(x)).values)
        slope = (grad(lambda x, f=f: f(table(x)).sum().data)(x) * x).sum()
        ahead, behind = (float(f(table(x * (1 + h))).sum()) for h in (1e-6, -1e-6))
        assert slope == pytest.approx((ahead - behind) / 2e-6, rel=1e-5, abs=1e-8)
    with pytest.raises(TypeError, match="wanted a Variable without a gradient"):
        table(Variable(x, requires_grad=True)).to_numpy()
