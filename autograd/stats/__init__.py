"""Probability distributions, with the names and arguments of `scipy.stats`.

    >>> import numpy as np
    >>> import autograd
    >>> from autograd import stats
    >>> autograd.grad(lambda mu: stats.norm.logpdf(np.array([1.0, 3.0]), mu, 2.0).sum())(1.0)
    np.float64(0.5)

One module for each: `norm`, `t`, `gamma`, `chi2`, `beta`, `poisson`, `dirichlet` and
`multivariate_normal`, with densities (`pdf`, `logpdf`; `pmf`, `logpmf` for counts) and distribution
functions (`cdf`, ...). All arguments broadcast and are differentiated, to any order, parameters
included; the exceptions are refused by name: counts, and the shape parameters of `cdf` of gamma,
chi2, beta and t. They are composed of elementary and special functions. The normal distributions
need NumPy alone (except `norm.logcdf` and `norm.logsf`), the others the extra `special`.

Outside of the support a density is 0 and its gradient, too. Parameters that are not positive, where
they have to be, give nan, as in SciPy. float32 stays float32: integers and Python numbers do not
promote it.

Not imported by `import autograd`. Imports `special`, `linalg`, `ops` and NumPy.
"""

from autograd.stats import beta, chi2, dirichlet, gamma, multivariate_normal, norm, poisson, t

__all__ = ["beta", "chi2", "dirichlet", "gamma", "multivariate_normal", "norm", "poisson", "t"]
