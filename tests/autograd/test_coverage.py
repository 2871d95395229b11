"""The table of what NumPy offers: every row against what the function does, and its page."""

import importlib.util
import json
from pathlib import Path

import numpy as np
import pytest
from op_table import calls, collect

import autograd
from autograd import Variable, _coverage
from autograd.engine.primitive import PRIMITIVES
from autograd.protocols.functions import HANDLERS

ROOT = Path(__file__).parent.parent.parent
TABLE = autograd.coverage()
KINDS = ("gradient", "zero", "none", "refused")


def function_of(entry):
    owner = np
    for part in entry.name.split(".")[1:]:
        owner = getattr(owner, part)
    return owner


FUNCTIONS = [e for e in TABLE if e.name.startswith("np.")]
METHODS = [e for e in TABLE if e.name.startswith("ndarray.")]
RECORDED = [e for e in FUNCTIONS if e.gradient in ("gradient", "zero")]
REFUSED = [e for e in FUNCTIONS if e.gradient == "refused"]
by_name = {"ids": lambda entry: entry.name}

# NumPy's function -> the rows of the op table that test it.
ROWS = {}
for row in collect():
    if row.twin is not None and row.recorded:
        ROWS.setdefault(id(row.twin), []).append(row)
NAMED = {}
for row in collect():
    NAMED.setdefault(row.name.partition("[")[0], []).append(row)
    ROWS.setdefault(id(row.function), []).append(row)


def rows_of(entry):
    if entry.name == "np.i0":
        pytest.importorskip("scipy")
    function = function_of(entry)
    name = entry.name.removeprefix("np.")
    original = getattr(function, "__name__", name)
    return (
        ROWS.get(id(function))
        or NAMED.get(name)
        or NAMED.get(original)
        or ROWS.get(id(HANDLERS[function]), [])
    )


def gradient_of(row):
    """Return the largest element of the gradients of the sum of a row's outputs."""
    largest = 0.0
    for _, call in calls(row):
        inputs = [Variable(np.array(x), requires_grad=True) for x in call.operands]
        for i, out in enumerate(call(inputs)):
            if isinstance(out, Variable) and out.requires_grad:
                weights = np.arange(1.0, out.size + 1).reshape(out.shape) * (1 + i)
                out.backward(weights, retain_graph=True)
        found = [np.abs(x.grad).max(initial=0.0) for x in inputs if x.grad is not None]
        largest = max([largest, *found])
    return largest


# -- the table against what functions do -----------------------------------------------------------


def test_every_function_that_takes_arrays_has_one_row():
    names = [entry.name for entry in TABLE]
    assert len(names) == len(set(names))
    for prefix, module in (("np.", np), ("np.linalg.", np.linalg), ("np.fft.", np.fft)):
        for name, function in vars(module).items():
            if isinstance(function, np.ufunc) and not name.startswith("_"):
                assert prefix + name in names
    assert {"np.linalg.svd", "np.fft.irfft", "ndarray.sum", "ufunc.reduce"} <= set(names)
    assert {entry.gradient for entry in TABLE} == set(KINDS)
    assert sum(TABLE.counts().values()) == len(TABLE)


@pytest.mark.parametrize("entry", RECORDED, **by_name)
def test_a_recorded_function_is_in_the_op_table_and_has_the_gradient_that_is_said(entry):
    rows = rows_of(entry)
    assert rows, f"no row of tests/op_rows has {entry.name} as its twin or its name"
    largest = max(gradient_of(row) for row in rows)
    assert (largest == 0.0) == (entry.gradient == "zero")


@pytest.mark.parametrize("entry", RECORDED, **by_name)
def test_orders_are_those_of_the_op_table(entry):
    rows = rows_of(entry)
    checked = max(
        row.order + (row.elementwise and row.order > 1 and row.cases[0].order is None)
        for row in rows
    )
    assert entry.orders == checked


ARGUMENTS = {
    "copyto": (np.zeros(3),),
    "place": ([True, False, True], [1.0]),
    "put": ([0], [1.0]),
    "put_along_axis": (np.array([0]), 1.0, 0),
    "putmask": ([True, False, True], [1.0]),
    "fill_diagonal": (1.0,),
    "polyadd": ([1.0],),
    "polysub": ([1.0],),
    "polymul": ([1.0],),
    "polydiv": ([1.0],),
    "polyfit": (np.ones(3), 1),
    "histogram2d": (np.ones(3),),
    "in1d": (np.ones(3),),
    "intersect1d": (np.ones(3),),
    "setdiff1d": (np.ones(3),),
    "setxor1d": (np.ones(3),),
    "union1d": (np.ones(3),),
}


@pytest.mark.parametrize("entry", REFUSED, **by_name)
def test_a_refused_function_raises_with_the_advice_of_the_table(entry):
    x = Variable(np.array([0.3, 0.8, 0.55]), requires_grad=True)
    if entry.name == "np.fill_diagonal":
        x = Variable(np.eye(3), requires_grad=True)
    arguments = ARGUMENTS.get(entry.name.removeprefix("np."), ())
    with pytest.raises(TypeError, match="wanted a function with a recorded counterpart") as caught:
        function_of(entry)(x, *arguments)
    assert entry.convention in str(caught.value)
    assert entry.name in str(caught.value)


@pytest.mark.parametrize("entry", METHODS, **by_name)
def test_methods_exist_as_the_table_says(entry):
    name = entry.name.removeprefix("ndarray.")
    x = Variable(np.array([[0.3, 0.8], [0.55, 0.1]]), requires_grad=True)
    if entry.gradient == "refused":
        with pytest.raises(AttributeError, match="write"):
            getattr(x, name)
        return
    arguments = {
        "astype": (np.float64,),
        "choose": ([np.ones(2), np.zeros(2)],),
        "clip": (0.2, 0.6),
        "compress": ([True, False],),
        "dot": (np.ones(2),),
        "item": (0,),
        "repeat": (2,),
        "reshape": (4,),
        "searchsorted": (0.5,),
        "swapaxes": (0, 1),
        "take": ([0],),
        "to_device": ("cpu",),
        "argpartition": (1,),
    }.get(name, ())
    if name in ("searchsorted", "choose"):
        return  # of a Variable of one axis, of integers
    result = getattr(x, name)(*arguments)
    recorded = isinstance(result, Variable) and result.requires_grad
    assert recorded == (entry.gradient in ("gradient", "zero"))


@pytest.mark.parametrize("method", ["reduce", "accumulate", "outer"])
def test_methods_of_ufuncs_are_recorded(method):
    x = Variable(np.array([0.3, 0.8]), requires_grad=True)
    out = getattr(np.add, method)(*(x, x) if method == "outer" else (x,))
    assert out.requires_grad
    assert TABLE[f"ufunc.{method}"].gradient == "gradient"


METHOD_CALLS = {
    "__call__": lambda x: np.hypot(x, x[::-1] ** 2),
    "reduce": lambda x: np.logaddexp.reduce(x) * np.multiply.reduce(x),
    "accumulate": lambda x: np.multiply.accumulate(x) + np.maximum.accumulate(x) ** 2,
    "outer": lambda x: np.hypot.outer(x, x**2 + 1),
}


@pytest.mark.parametrize("method", METHOD_CALLS)
def test_methods_of_ufuncs_have_the_orders_that_are_said(method):
    assert TABLE[f"ufunc.{method}"].orders == 2
    x = np.array([0.4, 0.9, 1.3])
    gradient = autograd.grad(lambda x: (METHOD_CALLS[method](x) ** 2).sum())
    wanted = [(gradient(x + h) - gradient(x - h)) / 2e-5 for h in 1e-5 * np.eye(3)]
    np.testing.assert_allclose(autograd.jacobian(gradient)(x), wanted, rtol=1e-7, atol=1e-7)


@pytest.mark.parametrize("method, arguments", [("at", ([0], 1.0)), ("reduceat", ([0, 1],))])
def test_methods_of_ufuncs_that_are_refused(method, arguments):
    x = Variable(np.array([0.3, 0.8]), requires_grad=True)
    with pytest.raises(TypeError, match=f"np.add.{method}"):
        getattr(np.add, method)(x, *arguments)
    assert TABLE[f"ufunc.{method}"].gradient == "refused"


def test_limits_are_refused_by_name():
    x = Variable(np.array([[0.3, 0.8], [0.55, 0.1]]), requires_grad=True)
    checked = 0
    for entry in RECORDED:
        for keyword in filter(None, entry.limits.split(", ")):
            if "=" in keyword:
                continue
            try:
                function_of(entry)(x, **{keyword: np.zeros((2, 2))})
            except (TypeError, ValueError):
                checked += 1
            else:
                pytest.fail(f"{entry.name} took {keyword}=")
    assert checked > 20


def test_forward_kinds_are_those_of_the_registry():
    assert TABLE["np.exp"].forward == "elementwise"
    assert TABLE["np.concatenate"].forward in ("linear", "composed")
    assert TABLE["np.transpose"].forward == "linear"
    assert TABLE["np.matmul"].forward == "own"
    assert TABLE["np.linalg.solve"].forward in ("own", "transposed")


def test_conventions_are_about_functions_that_exist():
    known = set(_coverage.CONVENTIONS)
    names = {e.name.removeprefix("np.") for e in RECORDED}
    assert known <= names


def test_the_table_follows_the_registry(monkeypatch):
    monkeypatch.delitem(_coverage.HANDLERS, np.tanh)
    assert autograd.coverage()["np.tanh"].gradient == "refused"
    assert "tanh" in PRIMITIVES


# -- the table as an object ------------------------------------------------------------------------


def test_the_table_prints_one_line_per_row():
    lines = str(TABLE).splitlines()
    assert len(lines) == len(TABLE) + 1
    assert lines[0].split() == list(_coverage.Entry._fields)
    start = lines[0].index("gradient")
    assert all(line[start:].split()[0] in KINDS for line in lines[1:])


def test_rows_are_found_by_name_and_by_position():
    assert TABLE["np.sum"].name == "np.sum"
    assert TABLE[0] == next(iter(TABLE))
    with pytest.raises(KeyError, match="wanted a name such as 'np.sum', got 'sum'"):
        TABLE["sum"]


# -- the page --------------------------------------------------------------------------------------


def test_the_page_is_up_to_date():
    probe = json.loads((ROOT / "docs" / "numpy_probe.json").read_text())
    if probe["versions"]["numpy"].split(".")[:2] != np.__version__.split(".")[:2]:
        pytest.skip("the page lists the functions of another version of NumPy")
    path = ROOT / "docs" / "numpy_coverage.py"
    spec = importlib.util.spec_from_file_location("numpy_coverage", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    written = (ROOT / "docs" / "numpy_coverage.md").read_text()
    assert written == module.page(), "run python docs/numpy_coverage.py"
