"""Variables over arrays of another library, by the strict duck of `tests/duck.py`."""

import importlib
import os

import numpy as np
import pytest
from duck import Duck, asarray, compare, gotten

import autograd
from autograd import Variable
from autograd.arrays import is_array, is_foreign

THOROUGH = os.environ.get("HYPOTHESIS_PROFILE", "dev") != "dev"

# Rows of the op table that a duck does not run, and why.
_ITS_SHAPE = "the shape of the result depends on numbers of the array"
_BESIDE = "the row itself puts an array of NumPy beside the operand"
REFUSED = {
    "trim_zeros": _ITS_SHAPE,
    "repeat": _ITS_SHAPE,
    "bincount": _ITS_SHAPE,
    "nanquantile": _ITS_SHAPE,
    "nanpercentile": _ITS_SHAPE,
    "nanquantile[nan]": _ITS_SHAPE,
    "nanpercentile[nan]": _ITS_SHAPE,
    "quantile[q]": _ITS_SHAPE,
    "percentile[q]": _ITS_SHAPE,
    "nanmedian[nan]": _BESIDE,
    "real_if_close": "the dtype of the result depends on numbers of the array",
    "choose": _BESIDE,
    "polyval[powers of 0]": _BESIDE,
    "nancumsum": _BESIDE,
    "nancumprod": _BESIDE,
    "diff[constant ends]": _BESIDE,
    "gradient[complex]": _BESIDE,
    "r_": _BESIDE,
}
_NAMES = (
    "elementwise reductions shaping indexing contractions cumulative diagonals joining statistics "
    "sorting creation branches assignment padding differences exponential_sums "
    "reciprocal_trigonometry"
)
FAMILIES = _NAMES.split()


def rows():
    return [row for name in FAMILIES for row in importlib.import_module(f"op_rows.{name}").ROWS]


@pytest.mark.parametrize("name", FAMILIES)
@pytest.mark.parametrize("order", [1, 2] if THOROUGH else [1])
def test_rows_of_the_op_table_run_on_another_librarys_arrays(name, order):
    for row in importlib.import_module(f"op_rows.{name}").ROWS:
        if row.name in REFUSED or row.order < order:
            continue
        try:
            compare(row, order)
        except BaseException as error:
            error.add_note(f"in row {row.name}")
            raise


def test_the_rows_that_are_left_out_are_still_refused():
    found = {row.name: row for row in rows()}
    assert set(REFUSED) <= set(found)
    for name in REFUSED:
        with pytest.raises((TypeError, AttributeError)):
            compare(found[name], 1)


def leaf(values=(1.0, 2.0), **options):
    return Variable(asarray(np.array(values)), requires_grad=True, **options)


def test_a_variable_holds_another_librarys_array_as_it_is():
    given = asarray(np.array([1.0, 2.0]))
    shared, own = Variable(given, copy=False), Variable(given)
    assert shared.data is given
    assert type(own.data) is Duck
    assert own.data is not given
    given[0] = 9.0
    assert own.data.get().tolist() == [1.0, 2.0]
    assert Variable(given, dtype=np.float32).dtype == np.float32
    with pytest.raises(TypeError, match="wanted floating or complex data, got int64"):
        Variable(asarray(np.array([1, 2])), requires_grad=True)
    with pytest.raises(TypeError, match="wanted numbers, got Duck of dtype"):
        Variable(asarray(np.array(["a"])))
    assert (own.shape, own.ndim, own.size, own.nbytes, len(own)) == ((2,), 1, 2, 16, 2)
    assert "Duck" in repr(own)


def test_what_counts_as_an_array():
    assert is_array(asarray([1.0]))
    assert is_foreign(asarray([1.0]))
    for value in (Variable([1.0]), [1.0], 1.0, None, np.ones(2), np.float64(1.0)):
        assert not is_foreign(value)
    assert not is_array(Variable([1.0]))


def test_gradients_are_arrays_of_the_library_and_nobody_elses():
    x, y = leaf(), leaf()
    z = x + y
    z.sum().backward()
    assert type(x.grad) is type(y.grad) is Duck
    x.grad[0] = 7.0
    assert y.grad.get().tolist() == [1.0, 1.0]
    (x * 2.0).sum().backward()
    assert x.grad.get().tolist() == [9.0, 3.0]
    x.zero_grad()
    assert x.grad is None
    x.grad = np.array([3.0, 4.0])
    assert gotten(x.grad).tolist() == [3.0, 4.0]
    x.grad = asarray(np.array([5.0, 6.0]))
    assert gotten(x.grad).tolist() == [5.0, 6.0]


def test_a_cotangent_of_numpy_is_moved_to_the_array_it_belongs_to():
    x = leaf()
    (x * x).backward(np.array([1.0, 10.0]))
    assert gotten(x.grad).tolist() == [2.0, 40.0]


def test_transforms_take_and_give_arrays_of_the_library():
    x = asarray(np.array([0.5, 1.5]))

    def f(x):
        return (np.sin(x) * x).sum()

    numbers = x.get()
    value, gradient = autograd.value_and_grad(f)(x)
    assert gotten(gradient) == pytest.approx(autograd.grad(f)(numbers))
    assert value.item() == pytest.approx(f(numbers))
    assert gotten(autograd.hvp(f)(x, x)) == pytest.approx(autograd.hvp(f)(numbers, numbers))
    twice = autograd.grad(lambda x: autograd.grad(f)(x).sum())
    assert gotten(twice(x)) == pytest.approx(twice(numbers))
    value, tangent = autograd.jvp(f, (x,), (x,))
    assert tangent.item() == pytest.approx(autograd.jvp(f, (numbers,), (numbers,))[1])


def test_a_zero_cotangent_contributes_zero_where_no_flag_is_raised():
    x = leaf([0.0, 4.0])
    np.where(x > 0, np.sqrt(x), 0.0).sum().backward()
    assert gotten(x.grad).tolist() == [0.0, 0.25]
    x, w = leaf([0.0, 4.0]), leaf([0.0, 1.0])  # by accident, no mask about
    (np.sqrt(x) * w).sum().backward()
    assert gotten(x.grad).tolist() == [0.0, 0.25]


def test_a_cotangent_that_is_zero_by_accident_keeps_its_derivative():
    def slope(w, x):
        return autograd.grad(lambda x: (np.where(x > 0, np.sqrt(x), 0.0) * w).sum())(x).sum()

    w, x = np.array([1.0, 0.0]), np.array([0.0, 4.0])
    assert autograd.grad(slope)(w, x).tolist() == [0.0, 0.25]  # in NumPy's arrays as well
    assert gotten(autograd.grad(slope)(asarray(w), asarray(x))).tolist() == [0.0, 0.25]


@pytest.mark.parametrize(
    "mix",
    [
        lambda x, array: x * array,
        lambda x, array: array * x,
        lambda x, array: x @ array,
        lambda x, array: np.add(array, x),
        lambda x, array: np.hypot(x, array),
        lambda x, array: x * Variable(array),
    ],
)
@pytest.mark.parametrize("other", ["numpy", "duck"])
def test_arrays_of_two_libraries_are_told_apart(mix, other):
    numbers = np.array([3.0, 4.0])
    x = leaf() if other == "numpy" else Variable(numbers, requires_grad=True)
    array = numbers if other == "numpy" else asarray(numbers)
    with pytest.raises(TypeError, match="wanted arrays of one library, got .*(duck.Duck|NumPy)"):
        mix(x, array)


def test_numbers_go_with_any_library():
    x = leaf()
    out = np.float64(2.0) * x + 1 - np.float32(1.0) / x
    out.sum().backward()
    assert gotten(x.grad) == pytest.approx([3.0, 2.25])


def test_conversions_say_how_to_come_back():
    x = Variable(asarray(np.array([1.0, 2.0])))
    assert x.numpy().tolist() == [1.0, 2.0]
    assert type(x.numpy()) is np.ndarray
    with pytest.raises(TypeError, match="implicit conversion to NumPy"):
        np.asarray(x)
    with pytest.raises(TypeError, match="wanted a Variable without a gradient"):
        leaf().numpy()
    with pytest.raises(TypeError, match="shape depends on its numbers, got duck.Duck"):
        autograd.trim_zeros(leaf())


def test_constant_variables_compute_as_the_library_does():
    x = Variable(asarray(np.array([1.0, 2.0])))
    assert type(np.exp(x).data) is Duck
    assert type(x > 1.5) is Duck
    assert type(np.argsort(x)) is Duck


def test_a_hook_gets_and_gives_arrays_of_the_library():
    x, seen = leaf(), []
    y = x * 3.0
    y.register_hook(lambda g: seen.append(g) or g * 2.0)
    y.sum().backward()
    assert type(seen[0]) is Duck
    assert gotten(x.grad).tolist() == [6.0, 6.0]


def test_assignment_says_what_to_write_instead():
    y = leaf() * 2.0
    with pytest.raises(TypeError, match="got duck.Duck; write x = autograd.set_at"):
        y[0] = 5.0
    x = leaf()
    autograd.set_at(x * 2.0, 0, 5.0).sum().backward()
    assert gotten(x.grad).tolist() == [0.0, 2.0]


def test_a_leaf_is_updated_under_no_grad():
    x = leaf()
    (x * x).sum().backward()
    with autograd.no_grad():
        x -= 0.5 * x.grad
    assert gotten(x.data).tolist() == [0.0, 0.0]


def test_data_changed_in_place_after_they_were_saved_are_detected():
    x = leaf()
    out = (x * x).sum()
    x.data[0] = 5.0
    x.mark_changed()
    with pytest.raises(RuntimeError, match="was changed .* after multiply saved it"):
        out.backward()
