<<<<<<< HEAD
"""Who answers NumPy and SciPy: `np.exp(v)`, `array + v`, `np.concatenate([v, w])`,
`scipy.special.gamma(v)`. `Variable` binds both protocols in the body of its class.
"""

from autograd.protocols.functions import array_function
from autograd.protocols.ufuncs import array_ufunc

__all__ = ["array_function", "array_ufunc"]
=======
"""Who answers NumPy and SciPy: functions, ufuncs."""
>>>>>>> main
