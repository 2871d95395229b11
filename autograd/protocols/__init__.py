"""Who answers NumPy and SciPy: `functions` (np.concatenate), `ufuncs` (np.exp, np.add.reduce),
`scipy` (scipy.special.erf). Variable binds both protocols in the body of its class.
"""

from autograd.protocols.functions import array_function
from autograd.protocols.ufuncs import array_ufunc

__all__ = ["array_function", "array_ufunc"]
