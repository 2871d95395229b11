"""Random draws that depend on Variables: the numbers of NumPy, and their slopes by differences."""

import numpy as np
import pytest

import autograd
import autograd.numpy as anp
import autograd.numpy.random as npr
from autograd import Variable
from autograd.test_util import check_grads

DRAWS = {
    "normal": (1.5, 2.5),
    "uniform": (-1.5, 2.2),
    "exponential": (1.7,),
    "laplace": (0.3, 1.9),
    "logistic": (0.3, 1.9),
    "gumbel": (0.3, 1.9),
    "lognormal": (0.3, 0.7),
    "rayleigh": (1.7,),
    "weibull": (1.7,),
    "pareto": (1.7,),
    "power": (1.7,),
    "triangular": (-1.3, 0.4, 2.2),
}
ROUNDED = {"lognormal", "weibull", "pareto", "power"}  # of C's exp and pow; NumPy has its own


@pytest.mark.parametrize("name", DRAWS)
def test_draws_are_numpys_and_their_slopes_are_right(name):
    theirs, ours, parameters = getattr(np.random, name), getattr(npr, name), DRAWS[name]

    np.random.seed(0)
    expected, after = theirs(*parameters, size=(2, 50)), np.random.random()
    np.random.seed(0)
    drawn = ours(*(Variable(p, requires_grad=True) for p in parameters), size=(2, 50))
    assert drawn.requires_grad
    assert np.random.random() == after
    bound = 4e-15 if name in ROUNDED else 0.0
    np.testing.assert_allclose(drawn.data, expected, rtol=bound, atol=bound)
    # The same numbers in every call:
    check_grads(lambda *ps: ours(*ps, size=5), tuple(range(len(parameters))))(*parameters)
    # Without a size the parameters say how many; arrays broadcast, also in lists.
    np.random.seed(1)
    rows = theirs(np.full((3, 1), parameters[0]), *parameters[1:], size=None)
    np.random.seed(1)
    listed = ours([[Variable(parameters[0], requires_grad=True)]] * 3, *parameters[1:])
    np.testing.assert_allclose(listed.data, rows, rtol=bound, atol=bound)


def test_draws_that_depend_on_some_of_their_parameters():
    v = Variable(2.0, requires_grad=True)
    places = Variable(np.arange(5.0), requires_grad=True)
    mean, cov = Variable(np.zeros(2), requires_grad=True), np.array([[2.0, 0.5], [0.5, 1.0]])
    for draw, given, plain in [
        (lambda r, x: r.gamma(1.5, x, size=3), v, 2.0),
        (lambda r, x: r.multivariate_normal(x, cov, size=3), mean, np.zeros(2)),
        (lambda r, x: r.choice(x, 4), places, places.data),
        (lambda r, x: r.choice(x, 2, False, np.full(5, 0.2)), places, places.data),
        (lambda r, x: r.permutation(x), places, places.data),
    ]:
        np.random.seed(0)
        expected = draw(np.random, plain)
        np.random.seed(0)
        found = draw(npr, given)
        np.testing.assert_array_equal(found.data, expected)
        assert found.requires_grad
    np.random.seed(0)
    assert autograd.grad(lambda x: npr.gamma(1.5, x))(2.0) > 0
    shuffled = autograd.grad(lambda x: anp.sum(npr.permutation(x) * np.arange(5)))(np.ones(5))
    assert sorted(shuffled) == [0, 1, 2, 3, 4]


def test_other_draws_refuse_gradients_and_take_constants():
    v = Variable(0.5, requires_grad=True)
    for draw, message in [
        (lambda: npr.poisson(v), r"random\.poisson: wanted parameters without a gradient.*normal"),
        (lambda: npr.beta(v, [v, 1.0]), r"random\.beta: .*write \.detach\(\) to draw without it"),
        (lambda: npr.gamma(v, 1.0), r"random\.gamma: wanted a shape without a gradient"),
        (lambda: npr.choice(np.ones(2), p=[v, 1 - v]), r"random\.choice: wanted a p without"),
        (lambda: npr.multivariate_normal(np.zeros(1), [[v]]), r"wanted a cov without a gradient"),
    ]:
        with pytest.raises(TypeError, match=message):
            draw()
    with pytest.raises(ValueError, match=r"random\.normal: wanted scale >= 0"):
        npr.normal(v, -v)
    with pytest.raises(ValueError, match=r"random\.triangular: wanted left <= mode <= right"):
        npr.triangular(0.0, v, 0.25)
    np.random.seed(0)
    expected = np.random.poisson(0.5, 3)
    npr.seed(0)
    assert npr.poisson(v.detach(), 3).tolist() == expected.tolist()
    assert npr.RandomState is np.random.RandomState
    assert type(npr.normal(1.0, 2.0)) is float
