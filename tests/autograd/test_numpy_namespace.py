"""`autograd.numpy`: NumPy's whole namespace, with the recorded functions in front."""

import pickle
import subprocess
import sys
from types import ModuleType

import numpy as np
import pytest

import autograd
import autograd.numpy as anp
from autograd import Variable
from autograd.protocols.functions import HANDLERS

MODULES = [(anp, np), (anp.linalg, np.linalg), (anp.fft, np.fft), (anp.random, np.random)]
HEAVY = {"f2py", "testing", "typing", "ctypeslib"}  # submodules that take long to import


def variables():
    return Variable(2.0, requires_grad=True), Variable(3.0, requires_grad=True)


def slopes(out, *leaves):
    return tuple(float(g) for g in autograd.grad(out.sum(), leaves, allow_unused=False))


@pytest.mark.parametrize("ours, theirs", MODULES, ids=lambda m: m.__name__)
def test_every_public_name_of_numpy_is_there(ours, theirs):
    public = {name for name in dir(theirs) if not name.startswith("_")}
    assert public <= set(dir(ours))
    for name in public - HEAVY:
        value, wanted = getattr(ours, name), getattr(theirs, name)
        if isinstance(wanted, np.ufunc) or (callable(wanted) and wanted in HANDLERS):
            assert value is not wanted
            assert value.__name__ == wanted.__name__
        elif not isinstance(wanted, ModuleType) and name not in {"vectorize", "c_", "r_"}:
            assert value is wanted or getattr(value, "__wrapped__", None) is wanted, name
    with pytest.raises(AttributeError, match="no attribute 'sinus'"):
        ours.sinus  # noqa: B018


def test_a_function_that_records_in_numpy_records_on_lists():
    """The namespace is made of the registry: whatever is registered is in front."""
    for function in HANDLERS:
        name = function.__name__
        if getattr(np, name, None) is function and not isinstance(function, np.ufunc):
            assert getattr(anp, name).__wrapped__ is function
            assert getattr(anp, name) is not function


@pytest.mark.parametrize(
    "compute, value, gradients",
    [
        (lambda v, w: anp.array([v, 1.0, w * w]), [2, 1, 9], (1, 6)),
        (lambda v, w: anp.asarray([[v], [w]]), [[2], [3]], (1, 1)),
        (lambda v, w: anp.full(3, v * w), [6, 6, 6], (9, 6)),
        (lambda v, w: anp.full_like(np.ones(2), v) + w, [5, 5], (2, 2)),
        (lambda v, w: anp.r_[v, 1, w], [2, 1, 3], (1, 1)),
        (lambda v, w: anp.c_[[v, w], [1, 2]], [[2, 1], [3, 2]], (1, 1)),
        (lambda v, w: anp.mean([v, w]), 2.5, (0.5, 0.5)),
        (lambda v, w: anp.square([v, w]), [4, 9], (4, 6)),
        (lambda v, w: anp.maximum([v, w], 2.5), [2.5, 3], (0, 1)),
        (lambda v, w: anp.add.reduce([v, w]), 5, (1, 1)),
        (lambda v, w: anp.multiply.accumulate([v, w]), [2, 6], (4, 2)),
        (lambda v, w: anp.multiply.outer([v, w], [1.0, v]), [[2, 4], [3, 6]], (8, 3)),
        (lambda v, w: anp.linspace(v, w, 3), [2, 2.5, 3], (1.5, 1.5)),
        (lambda v, w: anp.linalg.det([[v, 1.0], [1.0, w]]), 5, (3, 2)),
        (lambda v, w: anp.real(anp.fft.fft([v, w])), [5, -1], (2, 0)),
        (lambda v, w: anp.make_diagonal(anp.array([v, w])), [[2, 0], [0, 3]], (1, 1)),
        (lambda v, w: anp.vectorize(lambda x: x * x)([v, w]), [4, 9], (4, 6)),
    ],
)
def test_values_of_variables_are_recorded(compute, value, gradients):
    v, w = variables()
    out = compute(v, w)
    np.testing.assert_allclose(out.data, value)
    np.testing.assert_allclose(slopes(out, v, w), gradients)


def test_arrays_without_variables_are_plain():
    v, _ = variables()
    made = [
        anp.zeros(3),
        anp.ones((2, 2)),
        anp.empty(2),
        anp.eye(2),
        anp.arange(3.0),
        anp.linspace(0.0, 1.0, 3),
        anp.full(2, 1.0),
        anp.array([1.0, 2.0]),
        anp.zeros_like(v),
        anp.r_[1.0, 2.0],
        anp.random.normal(size=2),
    ]
    assert all(type(x) is np.ndarray for x in made)


def test_arrays_have_all_of_numpys_arguments():
    x = np.arange(6.0).reshape(2, 3)
    out = np.zeros(3)
    assert anp.sum(x, axis=0, out=out, where=x > 0) is out
    assert out.tolist() == [3.0, 5.0, 7.0]
    anp.add.at(out, [0, 0], 1.0)
    assert out[0] == 5.0
    assert anp.exp.nin == 1
    assert anp.add.identity == 0


def test_functions_can_be_pickled():
    for function in (anp.mean, anp.exp, anp.linalg.solve, anp.make_diagonal):
        assert pickle.loads(pickle.dumps(function)) is function


def test_diagonals_are_made_in_any_plane():
    rows = np.arange(6.0).reshape(2, 3)
    for offset in (-1, 0, 2):
        for axes in ((-1, -2), (0, 1), (0, 2), (2, 1)):
            made = anp.make_diagonal(rows, offset, *axes)
            np.testing.assert_array_equal(np.diagonal(made, offset, *axes), rows)
            assert made.sum() == rows.sum()


def test_vectorize_takes_what_numpys_takes():
    v = Variable(np.array([2.0, 3.0]), requires_grad=True)
    both = anp.vectorize(lambda x, n, k=1: (x**n, k * x), excluded=["k"], otypes=[float, float])
    power, multiple = both(v, np.array([[2], [3]]), k=4)
    np.testing.assert_array_equal(power.data, [[4, 9], [8, 27]])
    (g,) = autograd.grad((power.sum() + multiple.sum()), [v])
    np.testing.assert_array_equal(g, [4 + 12 + 8, 6 + 27 + 8])
    assert both(np.ones(2), 2)[0].tolist() == [1.0, 1.0]
    single = anp.vectorize(lambda x: x * x, otypes=[np.float32])(v)
    assert single.dtype == np.float32
    assert anp.vectorize(np.dot, signature="(n),(n)->()")(np.ones((2, 3)), np.ones(3)).shape == (2,)
    with pytest.raises(TypeError, match="vectorize: wanted Variables in a function of numbers"):
        anp.vectorize(np.dot, signature="(n),(n)->()")(v, v)
    with pytest.raises(ValueError, match=r"vectorize: wanted elements.*got shape \(0, 2\)"):
        anp.vectorize(np.dot)(v, np.ones((0, 1)))


def test_the_namespace_is_imported_on_demand():
    script = (
        "import sys, autograd; print('autograd.numpy' in sys.modules, end=' '); "
        "autograd.numpy.linalg.norm; print('numpy.testing' in sys.modules, "
        "'make_vjp' in dir(autograd))"
    )
    result = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert result.stdout.split() == ["False", "False", "False"]
