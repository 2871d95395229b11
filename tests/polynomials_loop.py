"""All polynomials of `autograd.kernels` in one loop, in a file of its own for numba's cache."""

from autograd.kernels._jit import loop
from autograd.kernels.polynomials import erf, erfc, exp, exp_minus_square, expit, expm1, tanh


@loop
def all_of_them(x, outs):
    for i in range(x.size):
        outs[0, i] = exp(x[i])
        outs[1, i] = expm1(x[i])
        outs[2, i] = exp_minus_square(x[i])
        outs[3, i] = expit(x[i])
        outs[4, i] = tanh(x[i])
        outs[5, i] = erf(x[i])
        outs[6, i] = erfc(x[i])
