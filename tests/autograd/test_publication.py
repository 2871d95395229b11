"""Every public function and class: where it lives, how it is called, what `help` says of it."""

import importlib
import inspect
import pickle
import re
import types

import numpy as np
import pytest
from op_table import collect

import autograd
from autograd import docstrings
from autograd._optional import available
from autograd.publication import publish

PACKAGES = (
    "autograd",
    "autograd.debug",
    "autograd.extend",
    "autograd.fft",
    "autograd.function",
    "autograd.implicit",
    "autograd.integrate",
    "autograd.linalg",
    "autograd.random",
    "autograd.interpolate",
    "autograd.signal",
    "autograd.spatial",
    "autograd.special",
    "autograd.stats",
    *(
        f"autograd.stats.{name}"
        for name in [
            "beta",
            "chi2",
            "dirichlet",
            "gamma",
            "multivariate_normal",
            "norm",
            "poisson",
            "t",
        ]
    ),
    "nn",
    "nn.functional",
    "nn.init",
    "optim",
    "optim.lr_scheduler",
)


def contents(package):
    """Yield (address, value) of the public functions and classes of a package."""
    module = importlib.import_module(package)
    for name in module.__all__:
        value = getattr(module, name)
        if isinstance(value, type | types.FunctionType):
            yield f"{package}.{name}", value


def functions(package):
    return [(a, f) for a, f in contents(package) if isinstance(f, types.FunctionType)]


each_package = pytest.mark.parametrize("package", PACKAGES)


# -- where it lives --------------------------------------------------------------------------------


@each_package
def test_what_is_public_can_be_pickled(package):
    for _, value in contents(package):
        assert pickle.loads(pickle.dumps(value)) is value


@each_package
def test_a_function_lives_in_a_public_package_under_its_name(package):
    for address, function in functions(package):
        if function.__module__.startswith("numpy"):
            continue  # fft.fftfreq is NumPy's own
        home = importlib.import_module(function.__module__)
        assert function.__module__ in PACKAGES, address
        assert getattr(home, function.__qualname__) is function
        assert function.__name__ == function.__qualname__
        assert function.__name__ in home.__all__
        assert repr(function).startswith(f"<function {function.__name__} at ")


def test_one_function_in_several_packages_lives_in_the_outermost():
    assert autograd.linalg.matmul is autograd.matmul
    assert autograd.matmul.__module__ == "autograd"
    assert autograd.special.logsumexp.__module__ == "autograd"
    assert autograd.special.i0.__module__ == "autograd"
    assert autograd.linalg.cross.__module__ == "autograd.linalg"


def test_the_second_name_of_a_function_is_no_name_of_its_own():
    assert autograd.abs.__name__ == "absolute"
    assert autograd.amax.__name__ == "max"
    assert autograd.special.psi.__name__ == "digamma"


def test_functions_of_numpy_stay_where_they_are():
    assert np.argmax.__module__ == "numpy"
    assert np.fft.fftfreq.__module__ == "numpy.fft"
    assert "Without a derivative" not in np.argmax.__doc__


def test_a_package_of_others_is_published_in_the_same_way(monkeypatch):
    module = types.ModuleType("shop")
    exec("def _made(x): return x\n_made.__name__ = 'shop.f'", vars(module))
    module.f = module.g = module._made
    module.h = lambda x: x
    module.exp = autograd.exp
    module.__all__ = ["exp", "g", "f", "h"]
    monkeypatch.setitem(importlib.import_module("sys").modules, "shop", module)
    monkeypatch.setattr("autograd.publication._packages", {"autograd"})
    publish("shop")
    assert (module.f.__module__, module.f.__qualname__) == ("shop", "f")
    assert (module.h.__module__, module.h.__qualname__) == ("shop", "h")
    assert (autograd.exp.__module__, autograd.exp.__qualname__) == ("autograd", "exp")
    assert pickle.loads(pickle.dumps(module.g)) is module.f


# -- rooms on demand -------------------------------------------------------------------------------


@pytest.mark.parametrize("room", ["implicit", "integrate", "signal", "stats", "testing"])
def test_rooms_are_imported_when_they_are_asked_for(room):
    script = (
        f"import sys, autograd; assert 'autograd.{room}' not in sys.modules; "
        f"assert {room!r} in dir(autograd); assert autograd.{room}.__all__; "
        f"assert 'autograd.{room}' in sys.modules"
    )
    subprocess = importlib.import_module("subprocess")
    subprocess.run([importlib.import_module("sys").executable, "-c", script], check=True)


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="module 'autograd' has no attribute 'expp'"):
        autograd.expp  # noqa: B018


def test_constants_and_operations_without_a_derivative_are_there():
    assert autograd.pi == np.pi
    assert autograd.e == np.e
    assert autograd.newaxis is None
    x = autograd.Variable([3.0, np.nan, 5.0], requires_grad=True)
    assert autograd.nanargmax(x) == 2
    assert autograd.isnan(x).tolist() == [False, True, False]
    assert [places.tolist() for places in autograd.where(x > 4)] == [[2]]


# -- how it is called ------------------------------------------------------------------------------


@each_package
def test_a_function_has_a_signature(package):
    for _, function in functions(package):
        try:
            signature = inspect.signature(function)
        except ValueError:  # a builtin of NumPy, which older versions give none
            assert not isinstance(function.__wrapped__, types.FunctionType)
        else:
            assert str(signature).startswith("(")


def test_operands_of_tables_are_named():
    assert inspect.signature(autograd.exp).parameters.keys() == {"x"}
    assert str(inspect.signature(autograd.power)) == "(x1, x2, /)"
    assert str(inspect.signature(autograd.special.jv)) == "(v, z, /)"
    assert str(inspect.signature(autograd.isnan)) == "(x, /, **kwargs)"


# -- what help says --------------------------------------------------------------------------------


@each_package
def test_a_docstring_begins_with_a_sentence(package):
    short = {}
    for address, value in contents(package):
        first = (inspect.getdoc(value) or "").partition("\n\n")[0]
        if not re.search(r"[.:]$", first) or len(first.split()) < 2:
            short[address] = first
    assert short == {}


ENTRIES = [
    pytest.param(package, name, entry, id=f"{package}.{name}")
    for package, table in docstrings.TABLES.items()
    for name, entry in table.items()
]


@pytest.mark.parametrize("package, name, entry", ENTRIES)
def test_an_entry_is_about_a_public_function(package, name, entry):
    function = getattr(importlib.import_module(package), name)
    assert function.__name__ == name
    assert function.__doc__ == entry.docstring()
    assert ("Derivative" in function.__doc__) or ("derivative" in function.__doc__)


def _module(function):
    return getattr(function, "__module__", "numpy")  # ufuncs tell it since NumPy 2.1


@each_package
def test_a_row_of_a_table_has_an_entry(package):
    """Functions made by `unary`, `binary` and `plain` have no text of their own; those of `nn` get
    theirs beside the row.
    """
    for _, function in functions(package):
        made = function.__code__.co_filename.endswith(("calls.py", "plain.py"))
        wrapped = getattr(function, "__wrapped__", None)
        if made and (wrapped is None or _module(wrapped).startswith("numpy")):
            tables = docstrings.TABLES.values()
            texts = [t[function.__name__].docstring() for t in tables if function.__name__ in t]
            assert function.__doc__ in texts or function.__module__ == "nn.functional"


# What of SciPy the formulas name beside our own functions.
NAMES = {name: getattr(autograd, name) for name in autograd.__all__}
NAMES |= {name: getattr(autograd.special, name) for name in autograd.special.__all__}
if available("scipy"):
    NAMES["airy"] = importlib.import_module("scipy.special").airy
ROWS = {}
for row in collect():
    ROWS.setdefault(getattr(row.function, "__name__", None), row)
FORMULAS = [
    p
    for p in ENTRIES
    if p.values[2].derivatives and not isinstance(p.values[2], docstrings.Question)
]


@pytest.mark.parametrize("package, name, entry", FORMULAS)
def test_formulas_give_the_gradient(package, name, entry):
    if package == "autograd.special" and name not in ("erf", "erfc"):
        pytest.importorskip("scipy")
    function = getattr(importlib.import_module(package), name)
    rng = np.random.default_rng(0)
    if name == "matmul":
        operands = rng.normal(size=(2, 3)), rng.normal(size=(3, 4))
    else:
        operands = np.broadcast_arrays(*ROWS[name].cases[0].arguments(rng))
    out = function(*operands)
    g = np.random.default_rng(1).normal(size=out.shape)
    given = dict(zip(entry.derivatives, operands, strict=True)) | {"out": out, "g": g}
    for i, formula in enumerate(entry.derivatives.values()):

        def of_one(x, i=i):
            return (function(*operands[:i], x, *operands[i + 1 :]) * g).sum()

        if operands[i].dtype.kind != "f":
            continue  # ldexp takes integers there
        if formula is None:
            with pytest.raises(TypeError, match="no rule"):
                autograd.grad(of_one)(operands[i].astype(float))
            continue
        wanted = eval(formula, NAMES | given)
        if "@" not in formula:
            wanted = np.broadcast_to(wanted, out.shape) * g
        np.testing.assert_allclose(autograd.grad(of_one)(operands[i]), wanted, rtol=1e-6)


INF = np.inf
NOT_FINITE = np.nan  # any of nan, inf and -inf
SINGULAR = {
    "absolute": {0.0: 0.0},
    "arccos": {-1.0: -INF, 1.0: -INF},
    "arccosh": {1.0: INF},
    "arccot": {0.0: -1.0},
    "arccoth": {-1.0: -INF, 1.0: -INF},
    "arccsc": {-1.0: -INF, 1.0: -INF},
    "arccsch": {0.0: NOT_FINITE},
    "arcsec": {-1.0: INF, 1.0: INF},
    "arcsech": {1.0: -INF},
    "arcsin": {-1.0: INF, 1.0: INF},
    "arctanh": {-1.0: INF, 1.0: INF},
    "cbrt": {0.0: INF},
    "fabs": {0.0: 0.0},
    "log": {0.0: INF},
    "log10": {0.0: INF},
    "log1p": {-1.0: INF},
    "log2": {0.0: INF},
    "sinc": {0.0: 0.0},
    "sqrt": {0.0: INF},
    # of special
    "digamma": {0.0: NOT_FINITE, -1.0: NOT_FINITE},
    "entr": {0.0: INF},
    "erfcinv": {0.0: -INF, 2.0: -INF},
    "erfinv": {-1.0: INF, 1.0: INF},
    "exp1": {0.0: -INF},
    "expi": {0.0: INF},
    "gamma": {0.0: NOT_FINITE, -1.0: NOT_FINITE},
    "gammaln": {0.0: NOT_FINITE, -1.0: NOT_FINITE},
    "logit": {0.0: INF, 1.0: INF},
    "ndtri": {0.0: INF, 1.0: INF},
    "rgamma": {0.0: 1.0, -1.0: -1.0, -2.0: 2.0, -3.0: -6.0},
    "spence": {1.0: -1.0},
    # of two operands
    "arctan2": {(0.0, 0.0): (0.0, 0.0)},
    "copysign": {(0.0, 1.0): (0.0, 0.0)},
    "float_power": {(0.0, 0.0): (0.0, 0.0), (-2.0, 2.0): (-4.0, NOT_FINITE)},
    "floor_divide": {(4.0, 2.0): (0.0, 0.0)},
    "fmax": {(1.0, 1.0): (0.5, 0.5)},
    "fmin": {(1.0, 1.0): (0.5, 0.5)},
    "fmod": {(4.0, 2.0): (1.0, -2.0)},
    "heaviside": {(0.0, 0.5): (0.0, 1.0)},
    "hypot": {(0.0, 0.0): (0.0, 0.0)},
    "logaddexp": {(-INF, -INF): (0.5, 0.5), (INF, INF): (0.5, 0.5)},
    "logaddexp2": {(-INF, -INF): (0.5, 0.5), (INF, INF): (0.5, 0.5)},
    "maximum": {(1.0, 1.0): (0.5, 0.5)},
    "minimum": {(1.0, 1.0): (0.5, 0.5)},
    "power": {(0.0, 0.0): (0.0, 0.0), (-2.0, 2.0): (-4.0, NOT_FINITE)},
    "remainder": {(4.0, 2.0): (1.0, -2.0)},
    "xlog1py": {(0.0, -1.0): (-INF, NOT_FINITE)},
    "xlogy": {(0.0, 0.0): (-INF, NOT_FINITE)},
}
WITH_CONVENTION = [p for p in FORMULAS if p.values[2].convention]


@pytest.mark.parametrize("package, name, entry", WITH_CONVENTION)
def test_conventions_are_what_functions_do(package, name, entry):
    if package == "autograd.special":
        pytest.importorskip("scipy")
    function = getattr(importlib.import_module(package), name)
    for point, wanted in SINGULAR[name].items():
        points = point if isinstance(point, tuple) else (point,)
        with np.errstate(all="ignore"):
            found = autograd.grad(function, argnum=tuple(range(len(points))))(*points)
        for slope, value in zip(found, np.atleast_1d(wanted), strict=True):
            if np.isnan(value):
                assert not np.isfinite(slope)
            else:
                assert slope == value


def test_every_convention_has_its_points():
    assert set(SINGULAR) == {p.values[1] for p in WITH_CONVENTION}
