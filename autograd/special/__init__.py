"""Special functions, with the names and arguments of `scipy.special`.

NumPy has no kernels for most of them, so SciPy computes them where it is installed (the extra
`special`); without it they raise an ImportError that says so. `erf`, `erfc`, `expit` and what is
made of elementary functions work without. float32 stays float32. Derivatives are those of the NIST
Digital Library of Mathematical Functions (dlmf.nist.gov), whose sections are named; where such a
formula cancels, the derivative is a function of its own that does not, so that first and second
derivatives have the digits of the functions (docs/conventions.md names the exceptions).

Orders of Bessel functions and degrees (`v`, `n`) are constants, and so is the first argument of the
incomplete gamma and beta functions and of `stdtr`: there is no elementary derivative.

Imports its modules, one family of functions each, and `ops`.
"""

from autograd.ops.exponential_sums import log_softmax, logsumexp, softmax
from autograd.publication import publish as _publish
from autograd.special.bessel_functions import (
    airy_ai,
    bessel_j0,
    bessel_j1,
    bessel_y0,
    bessel_y1,
    i0,
    i0e,
    i1,
    i1e,
    iv,
    ive,
    j0,
    j1,
    jn,
    jv,
    k0,
    k0e,
    k1,
    k1e,
    kv,
    kve,
    spherical_bessel_j0,
    y0,
    y1,
    yn,
    yv,
)
from autograd.special.elementary import (
    entr,
    exp1,
    expi,
    expit,
    log_expit,
    logit,
    spence,
    xlog1py,
    xlogy,
)
from autograd.special.error_functions import (
    dawsn,
    erf,
    erfc,
    erfcinv,
    erfcx,
    erfinv,
    log_ndtr,
    ndtr,
    ndtri,
)
from autograd.special.gamma_functions import (
    beta,
    betainc,
    betaln,
    digamma,
    gamma,
    gammainc,
    gammaincc,
    gammaln,
    gammasgn,
    multigammaln,
    polygamma,
    psi,
    rgamma,
    zeta,
)
from autograd.special.student import stdtr

__all__ = [
    "airy_ai",
    "bessel_j0",
    "bessel_j1",
    "bessel_y0",
    "bessel_y1",
    "beta",
    "betainc",
    "betaln",
    "dawsn",
    "digamma",
    "entr",
    "erf",
    "erfc",
    "erfcinv",
    "erfcx",
    "erfinv",
    "exp1",
    "expi",
    "expit",
    "gamma",
    "gammainc",
    "gammaincc",
    "gammaln",
    "gammasgn",
    "i0",
    "i0e",
    "i1",
    "i1e",
    "iv",
    "ive",
    "j0",
    "j1",
    "jn",
    "jv",
    "k0",
    "k0e",
    "k1",
    "k1e",
    "kv",
    "kve",
    "log_expit",
    "log_ndtr",
    "log_softmax",
    "logit",
    "logsumexp",
    "multigammaln",
    "ndtr",
    "ndtri",
    "polygamma",
    "psi",
    "rgamma",
    "softmax",
    "spence",
    "spherical_bessel_j0",
    "stdtr",
    "xlog1py",
    "xlogy",
    "y0",
    "y1",
    "yn",
    "yv",
    "zeta",
]

_publish(__name__)
