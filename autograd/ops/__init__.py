"""The calculus: NumPy's functions by family, forward beside rules.

This page gathers what the families state in their `__all__`, and `autograd` takes it over.
"""

import typing

from autograd.ops import (
    assignment,
    branches,
    contractions,
    covariance,
    creation,
    cumulative,
    diagonals,
    differences,
    einstein,
    elementwise,
    exponential_sums,
    filtering,
    indexing,
    joining,
    padding,
    plain,
    reciprocal_trigonometry,
    reductions,
    sequences,
    shaping,
    sorting,
    statistics,
    vectorized,
)
from autograd.ops.assignment import *
from autograd.ops.branches import *
from autograd.ops.contractions import *
from autograd.ops.covariance import *
from autograd.ops.creation import *
from autograd.ops.cumulative import *
from autograd.ops.diagonals import *
from autograd.ops.differences import *
from autograd.ops.einstein import *
from autograd.ops.elementwise import *
from autograd.ops.exponential_sums import *
from autograd.ops.filtering import *
from autograd.ops.indexing import *
from autograd.ops.joining import *
from autograd.ops.padding import *
from autograd.ops.plain import *
from autograd.ops.reciprocal_trigonometry import *
from autograd.ops.reductions import *
from autograd.ops.sequences import *
from autograd.ops.shaping import *
from autograd.ops.sorting import *
from autograd.ops.statistics import *
from autograd.ops.vectorized import *

if not typing.TYPE_CHECKING:  # to type checkers star imports are public, computed lists are not
    __all__ = [
        *assignment.__all__,
        *branches.__all__,
        *contractions.__all__,
        *covariance.__all__,
        *creation.__all__,
        *cumulative.__all__,
        *diagonals.__all__,
        *differences.__all__,
        *einstein.__all__,
        *elementwise.__all__,
        *exponential_sums.__all__,
        *filtering.__all__,
        *indexing.__all__,
        *joining.__all__,
        *padding.__all__,
        *plain.__all__,
        *reciprocal_trigonometry.__all__,
        *reductions.__all__,
        *sequences.__all__,
        *shaping.__all__,
        *sorting.__all__,
        *statistics.__all__,
        *vectorized.__all__,
    ]
