"""Interpolation beside infinities; the rest of the family is in the op table."""

import numpy as np
import pytest

import autograd
from autograd import Variable

INF = np.inf


@pytest.mark.parametrize(
    "x, xp, fp",
    [
        ([0, 1], [0, 1], [0, INF]),
        ([0, 0.5, 1, 1.5, 2], [0, 1, 2], [0, INF, INF]),
        ([0, 0.5, 1], [0, 1], [INF, 0]),
        ([0, 0.25, 0.5, 1, 2], [0, 0.5, 1], [1, -INF, INF]),
        ([0, 0.5, 1], [0, 1], [-INF, INF]),
        ([-1, 5], [0, 1], [0, INF]),
        ([0.5, 0.7], [0, INF], [1, 2]),
        ([np.nan, 0.5], [0, 1], [0, 1]),
    ],
)
def test_values_next_to_infinities_are_those_of_numpy(x, xp, fp):
    wanted = np.interp(x, xp, fp)
    with np.errstate(invalid="raise"):
        np.testing.assert_array_equal(autograd.interp(x, xp, fp), wanted)
        recorded = autograd.interp(x, xp, Variable(np.array(fp, float), requires_grad=True))
        np.testing.assert_array_equal(recorded.data, wanted)


def test_pieces_away_from_an_infinity_keep_their_gradients():
    x = Variable(np.array([0.25, 1.5]), requires_grad=True)
    fp = Variable(np.array([0.0, 2.0, INF]), requires_grad=True)
    autograd.interp(x, np.array([0.0, 1.0, 2.0]), fp)[0].backward()
    np.testing.assert_array_equal(x.grad, [2.0, 0.0])
    np.testing.assert_array_equal(fp.grad, [0.75, 0.25, 0.0])
