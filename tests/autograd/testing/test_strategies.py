"""The strategies: what they give is valid, covers what it should, and shrinks well."""

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, find, given, settings
from hypothesis import strategies as st

from autograd import Variable
from autograd.testing import strategies
from autograd.testing.strategies import _MATRICES as MATRICES
from autograd.testing.strategies import _NUMBERS as NUMBERS

quiet = settings(
    max_examples=2000,
    database=None,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.generate],
)


@pytest.mark.parametrize("domain", strategies.domain_names())
@given(data=st.data())
def test_arrays_have_the_shape_and_dtype_asked_for(data, domain):
    shape = data.draw(strategies.shapes(min_dims=1))
    shape = (*shape, 2, 2) if domain in MATRICES else shape
    dtype = data.draw(strategies.dtypes("fc"))
    array = data.draw(strategies.arrays(shape, dtype=dtype, domain=domain, layouts=True))
    assert array.shape == shape
    assert array.dtype == dtype


MEMBERS = {
    "nonzero": lambda a: (a != 0).all(),
    "positive": lambda a: (a > 0).all(),
    "unit": lambda a: ((a > 0) & (a < 1)).all(),
    "symmetric_unit": lambda a: (np.abs(a) < 1).all(),
    "above_one": lambda a: (a > 1).all(),
    "between_integers": lambda a: (np.abs(a - np.round(a)) > 0.3).all(),
    "distinct": lambda a: np.unique(a).size == a.size,
    "simplex": lambda a: not a.size or np.allclose(a.sum(axis=-1), 1),
    "symmetric": lambda a: np.array_equal(a, np.swapaxes(a, -1, -2)),
    "positive_definite": lambda a: (np.linalg.eigvalsh(a) > 0.5).all(),
    "well_conditioned": lambda a: (np.linalg.cond(a) < 100).all(),
    "triangular": lambda a: np.array_equal(a, np.tril(a)),
    "orthogonal": lambda a: np.allclose(a @ np.swapaxes(a, -1, -2), np.eye(a.shape[-1])),
}


@pytest.mark.parametrize("domain", MEMBERS)
@given(data=st.data())
def test_arrays_lie_in_their_domain(data, domain):
    shape = None if domain in MATRICES else strategies.shapes(min_dims=1, min_side=1)
    assert MEMBERS[domain](data.draw(strategies.arrays(shape, domain=domain)))


def test_a_domain_can_be_a_strategy_or_be_registered():
    assert find(strategies.arrays((2,), domain=st.just(7.0)), lambda a: True).tolist() == [7.0, 7.0]
    strategies.register_domain("sevens", st.just(7.0))
    try:
        assert find(strategies.arrays((1,), domain="sevens"), lambda a: True).tolist() == [7.0]
        with pytest.raises(ValueError, match="'sevens', which is taken"):
            strategies.register_domain("sevens", st.just(7.0))
    finally:
        del NUMBERS["sevens"]


def test_an_unknown_domain_and_a_wrong_shape_are_explained():
    with pytest.raises(ValueError, match="wanted a domain among real"):
        find(strategies.arrays(domain="reel"), lambda a: True)
    with pytest.raises(ValueError, match="wanted square matrices for domain 'orthogonal'"):
        find(strategies.arrays((2, 3), domain="orthogonal"), lambda a: True)


@given(strategies.broadcastable_shapes(3))
def test_shapes_broadcast(found):
    assert len(found) == 3
    np.broadcast_shapes(*found)


def test_scalars_and_empty_axes_are_among_the_shapes():
    assert find(strategies.broadcastable_shapes(2), lambda s: () in s and (1,) in s)
    assert find(strategies.broadcastable_shapes(2), lambda s: any(0 in shape for shape in s))


@given(strategies.reductions())
def test_axes_are_valid(call):
    array, kwargs = call
    np.sum(array, **kwargs)


def test_every_kind_of_axis_appears():
    axes = strategies.axes(3)
    for wanted in (
        lambda a: a is None,
        lambda a: isinstance(a, int) and a < 0,
        lambda a: isinstance(a, tuple) and len(a) == 2 and min(a) < 0 <= max(a),
        lambda a: a == (),
    ):
        find(axes, wanted, settings=quiet)


@pytest.mark.parametrize("shape", [(), (3,), (2, 3), (0, 2), (2, 1, 3)])
@given(data=st.data())
def test_indices_are_valid(data, shape):
    np.zeros(shape)[data.draw(strategies.indices(shape))]


def test_every_kind_of_index_appears():
    def parts(index):
        return index if isinstance(index, tuple) else (index,)

    for wanted in (
        lambda i: any(p is None for p in parts(i)),
        lambda i: any(p is Ellipsis for p in parts(i)),
        lambda i: any(isinstance(p, slice) and (p.step or 1) < 0 for p in parts(i)),
        lambda i: isinstance(i, list),
        lambda i: isinstance(i, np.ndarray) and i.dtype == bool and i.ndim == 2,
        lambda i: (
            any(isinstance(p, np.ndarray) and p.dtype != bool for p in parts(i))
            and any(isinstance(p, slice) for p in parts(i))
        ),
    ):
        find(strategies.indices((2, 3)), wanted, settings=quiet)


@given(strategies.variables(domain="positive"))
def test_variables_require_a_gradient(variable):
    assert isinstance(variable, Variable)
    assert variable.requires_grad


def test_counterexamples_are_small_and_simple():
    found = find(strategies.broadcastable_arrays(2), lambda pair: (pair[0] * pair[1]).sum() > 1)
    assert all(a.size == 1 for a in found)
    assert float(found[0].sum() * found[1].sum()) < 3.1
    wide = find(strategies.arrays(domain="real"), lambda a: a.size >= 2)
    assert wide.shape == (2,)
    np.testing.assert_array_equal(wide, [0.0, 0.0])
