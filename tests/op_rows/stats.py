"""Rows of `autograd/stats`."""

import importlib

import numpy as np
from op_table import Case, Row

from autograd import stats
from autograd._optional import available
from autograd.ops.exponential_sums import softmax


def _between(*limits):
    """Return a case with one vector of three elements per pair of limits."""
    return Case(
        make=lambda rng: tuple(rng.uniform(low, high, 3) for low, high in limits),
    )


def _with(*constants, of):
    """Return the case `of` with the constants at the places of the pairs (place, value)."""

    def make(rng):
        arguments = list(of.arguments(rng))
        for place, value in constants:
            arguments[place] = value
        return tuple(arguments)

    return Case(make=make)


def _rows(name, functions, *cases, function=None, twin=None, **options):
    """Return the rows of several functions of one distribution, which SciPy has, too."""

    def row(which):
        ours = getattr(getattr(stats, name), which)
        theirs = getattr(getattr(scipy_stats, name), which)
        change = function or (lambda f: f)
        scipys = (twin or change)(theirs)
        return Row(
            f"stats.{name}.{which}",
            change(ours),
            scipys,
            cases,
            method=False,
            **options,
        )

    return [row(which) for which in functions.split()]


POSITION, SCALE = (0.1, 0.5), (0.7, 1.5)
ABOVE = (1.0, 2.5)  # positions in the support of gamma
INSIDE = (0.6, 1.0)  # and of beta
NORMAL = _between((-1.5, 1.5), POSITION, SCALE)
STUDENT = _between((-1.5, 1.5), (1.5, 4.0), POSITION, SCALE)
GAMMA = _between(ABOVE, (0.7, 3.0), POSITION, SCALE)
BETA = _between(INSIDE, (0.7, 3.0), (0.7, 3.0), POSITION, (1.5, 2.0))
DF = np.array([0.7, 1.5, 4.0]).tolist()  # lists and numbers are constants here
COUNTS = np.array([0, 2, 5])


def _covariance(rng, d=2):
    a = rng.normal(size=(d, d))
    return a @ a.T + 2 * np.eye(d)


def _symmetric(f):
    """Differences leave the symmetric matrices, so they are taken of a symmetric function."""
    return lambda x, mean, cov: f(x, mean, (cov + np.swapaxes(cov, -1, -2)) / 2)


# Without SciPy there are neither kernels nor twins.
scipy_stats = importlib.import_module("scipy.stats") if available("scipy") else None
ROWS = []
if scipy_stats:
    ROWS += [
        *_rows("norm", "pdf logpdf cdf logcdf sf logsf", NORMAL),
        *_rows("t", "pdf logpdf", STUDENT),
        *_rows("t", "cdf logcdf", _with((1, 2.5), of=STUDENT), _with((1, DF), of=STUDENT)),
        *_rows("gamma", "pdf logpdf", GAMMA),
        *_rows("gamma", "cdf", _with((1, 1.7), of=GAMMA), _with((1, DF), of=GAMMA)),
        *_rows("chi2", "pdf logpdf", GAMMA),
        *_rows("chi2", "cdf", _with((1, 2.7), of=GAMMA), _with((1, DF), of=GAMMA)),
        *_rows("beta", "pdf logpdf", BETA),
        *_rows("beta", "cdf", _with((1, 1.7), (2, 2.2), of=BETA)),
        *_rows(
            "poisson",
            "pmf logpmf cdf",
            Case(make=lambda rng: (COUNTS, rng.uniform(0.5, 4.0, 3))),
            Case(make=lambda rng: (3, rng.uniform(0.5, 4.0, (2, 1)), 1)),
        ),
        *_rows(
            "dirichlet",
            "pdf logpdf",
            _between((-1.0, 1.0), (0.7, 3.0)),
            # What differences leave, the simplex, softmax comes back to.
            function=lambda f: lambda z, alpha: f(softmax(z, axis=0), alpha),
            twin=lambda f: lambda z, alpha: f(np.exp(z) / np.exp(z).sum(), alpha),
        ),
        *_rows(
            "multivariate_normal",
            "pdf logpdf",
            Case(make=lambda rng: (rng.normal(size=(3, 2)), rng.normal(size=2), _covariance(rng))),
            Case(make=lambda rng: (rng.normal(size=2), rng.normal(size=2), _covariance(rng))),
            Case(make=lambda rng: (rng.normal(size=(3, 1)), rng.normal(size=1), np.array([[1.3]]))),
            function=_symmetric,
        ),
        *_rows(
            "multivariate_normal",
            "entropy",
            Case(make=lambda rng: (_covariance(rng, 3),)),
            function=lambda f: lambda cov: f(cov=(cov + np.swapaxes(cov, -1, -2)) / 2),
        ),
        *[
            Row(
                f"stats.{name}[{where}]",
                getattr(getattr(stats, name.partition(".")[0]), name.partition(".")[2]),
                None,
                [Case(make=lambda rng, columns=columns: tuple(map(np.array, columns)))],
                method=False,
            )
            for where, columns, names in (
                ("small shapes", ([0.7, 1.3], [0.02, 0.1]), ("gamma.pdf", "chi2.pdf")),
                ("large shapes", ([12.0, 45.0], [9.99, 40.0]), ("gamma.logpdf", "gamma.pdf")),
                ("small shapes", ([0.3, 0.7], [0.02, 0.1], [0.03, 2.0]), ("beta.pdf",)),
                ("many degrees", ([1.0, -3.0], [1e3, 50.0]), ("t.logpdf", "t.pdf")),
                ("far", ([-60.0, 60.0, 9.0],), ("norm.pdf", "norm.cdf", "norm.sf")),
                ("far", ([-60.0, 60.0, 9.0],), ("norm.logcdf", "norm.logsf")),
                ("far", ([-60.0, 4.0], [9.5, 2.5]), ("t.logpdf", "t.pdf")),
            )
            for name in names
        ],
        Row(
            "stats.multivariate_normal.logpdf[stacks]",
            _symmetric(stats.multivariate_normal.logpdf),
            None,
            [
                Case(
                    make=lambda rng: (
                        rng.normal(size=(2, 2)),
                        rng.normal(size=(2, 2)),
                        np.stack([_covariance(rng), _covariance(rng)]),
                    )
                )
            ],
            method=False,
        ),
        Row(
            "stats.dirichlet.logpdf[one share less]",
            stats.dirichlet.logpdf,
            scipy_stats.dirichlet.logpdf,
            [Case(make=lambda rng: (rng.uniform(0.1, 0.3, (2, 4)), rng.uniform(0.7, 3, 3)))],
            method=False,
        ),
    ]
