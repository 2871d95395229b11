"""The cases of `numpy_probe.py`: expressions of NumPy that have a derivative, by category.

Each expression is its own name. Operands are single letters (see `operands`), constants are
written out; statements before a semicolon are executed first. The result is an array or a tuple of
arrays; what is not unique (signs of singular vectors) is made so by the expression. Plain NumPy
only: the file is read by interpreters in which the peers live.
"""

import math

import numpy as np


def operands():
    """Return the operands by name: all float64, apart from kinks, ties and poles.

    x, y (3, 4) of both signs, all different; p, q (3, 4) positive; u (3, 4) within (-1, 1);
    a (3, 4) above 1; n (3, 4) as x, with a nan; v, w (4,); b (3,); o (5,); f (12,); z a scalar;
    m, k (3, 3) well conditioned; s (3, 3) positive definite; r (4, 3); t (2, 3, 4);
    h (2, 3, 3) a stack of well-conditioned matrices.
    """
    rng = np.random.default_rng(7)

    def distinct(shape, first):
        size = math.prod(shape)
        grid = 0.3 * (np.arange(size) // 2) + first
        signs = np.where(np.arange(size) % 2, -1.0, 1.0)
        return rng.permutation(signs * grid + rng.uniform(-0.02, 0.02, size)).reshape(shape)

    x = distinct((3, 4), 0.15)
    n = x.copy()
    n[1, 2] = np.nan
    lower = rng.normal(size=(3, 3))
    return {
        "x": x,
        "y": distinct((3, 4), 0.23),
        "p": rng.uniform(0.3, 3.0, (3, 4)),
        "q": rng.uniform(0.3, 3.0, (3, 4)),
        "u": rng.uniform(-0.9, 0.9, (3, 4)),
        "a": rng.uniform(1.3, 4.0, (3, 4)),
        "n": n,
        "v": distinct((4,), 0.2),
        "w": distinct((4,), 0.33),
        "b": distinct((3,), 0.4),
        "o": distinct((5,), 0.25),
        "f": distinct((12,), 0.18),
        "z": np.array(0.7),
        "m": 0.5 * rng.normal(size=(3, 3)) + 2 * np.eye(3),
        "k": 0.5 * rng.normal(size=(3, 3)) + 2 * np.eye(3),
        "s": lower @ lower.T + 3 * np.diag([1.0, 2.0, 3.0]),
        "r": rng.normal(size=(4, 3)),
        "t": distinct((2, 3, 4), 0.12),
        "h": 0.5 * rng.normal(size=(2, 3, 3)) + np.diag([1.5, 2.5, 3.5]),
    }


def _lines(text):
    return [line.strip() for line in text.strip().splitlines()]


CASES = {
    "ufuncs": _lines("""
        np.absolute(x)
        np.fabs(x)
        np.negative(x)
        np.positive(x)
        np.reciprocal(p)
        np.square(x)
        np.sqrt(p)
        np.cbrt(p)
        np.exp(x)
        np.exp2(x)
        np.expm1(x)
        np.log(p)
        np.log2(p)
        np.log10(p)
        np.log1p(p)
        np.sin(x)
        np.cos(x)
        np.tan(u)
        np.arcsin(u)
        np.arccos(u)
        np.arctan(x)
        np.sinh(x)
        np.cosh(x)
        np.tanh(x)
        np.arcsinh(x)
        np.arccosh(a)
        np.arctanh(u)
        np.deg2rad(x)
        np.rad2deg(x)
        np.radians(x)
        np.degrees(x)
        np.conjugate(x)
        np.add(x, y)
        np.add(x, v)
        np.subtract(x, z)
        np.multiply(x, v)
        np.divide(x, y)
        np.true_divide(v, p)
        np.power(p, y)
        np.power(x, 3)
        np.float_power(p, y)
        np.remainder(x, a)
        np.mod(x, 0.7)
        np.fmod(x, a)
        np.maximum(x, y)
        np.minimum(x, y)
        np.fmax(x, y)
        np.fmin(x, v)
        np.logaddexp(x, y)
        np.logaddexp2(x, y)
        np.arctan2(x, y)
        np.hypot(x, y)
        np.copysign(x, y)
        np.heaviside(x, y)
        np.ldexp(x, 2)
        np.frexp(x)[0]
        np.modf(x)[0]
        np.divmod(x, a)[1]
        np.sign(x) * y
        np.floor(x) + x
        np.sinc(x)
        np.i0(x)
        np.nan_to_num(n, nan=2.0)
        np.where(x > 0, x, y)
        np.clip(x, -0.5, 0.5)
        np.clip(x, y - 1.0, y + 0.1)
        np.angle(x + 1j * y)
        np.exp(x, where=x > 0, out=np.zeros((3, 4)))
        np.add(x, y, where=x > y, out=np.ones((3, 4)))
        np.multiply(x, y, dtype=np.float64)
    """),
    "reductions": _lines("""
        np.sum(x)
        np.sum(x, axis=0)
        np.sum(t, axis=(0, -1), keepdims=True)
        np.sum(x, where=x > 0)
        np.sum(x, axis=1, initial=2.0)
        np.sum(x, dtype=np.float64)
        np.mean(x)
        np.mean(t, axis=(0, 2))
        np.mean(x, axis=-1, keepdims=True)
        np.mean(x, axis=0, where=x > -1)
        np.var(x)
        np.var(x, axis=0, ddof=1)
        np.var(x, axis=(0, 1), correction=1)
        np.var(x, axis=1, where=x > -1.5)
        np.var(x, axis=0, mean=np.mean(x, axis=0, keepdims=True))
        np.std(x)
        np.std(x, axis=1, ddof=1, keepdims=True)
        np.std(x, correction=1)
        np.std(x, axis=0, where=x > -1.5)
        np.prod(x)
        np.prod(x, axis=-1)
        np.prod(t, axis=(0, 1), keepdims=True)
        np.prod(x, where=x > 0)
        np.prod(x, axis=0, initial=2.0)
        np.max(x)
        np.max(x, axis=0)
        np.max(t, axis=(1, 2), keepdims=True)
        np.max(x, axis=1, initial=0.5)
        np.max(x, where=x < 0.5, initial=-9.0)
        np.min(x)
        np.min(t, axis=(0, -1))
        np.amax(x, axis=-1)
        np.amin(x, axis=0, keepdims=True)
        np.ptp(x, axis=0)
        np.cumsum(x)
        np.cumsum(x, axis=1)
        np.cumprod(x)
        np.cumprod(x, axis=0)
        np.cumulative_sum(x, axis=0, include_initial=True)
        np.cumulative_prod(x, axis=1)
        np.nansum(n, axis=0)
        np.nanmean(n, axis=1)
        np.nanmax(n)
        np.nanmin(n, axis=0)
        np.nanstd(n)
        np.nanvar(n, axis=0, ddof=1)
        np.nanprod(n, axis=1)
        np.nanmedian(n, axis=0)
        np.nancumsum(n, axis=1)
        np.nancumprod(n, axis=0)
        np.nanquantile(n, 0.3)
        np.nanpercentile(n, 30.0, axis=1)
        np.median(x)
        np.median(x, axis=1, keepdims=True)
        np.quantile(x, 0.3, axis=0)
        np.quantile(x, [0.1, 0.6], method="lower")
        np.percentile(x, 40.0)
        np.percentile(x, [10.0, 70.0], axis=-1, method="midpoint")
        np.average(x, axis=0)
        np.average(x, weights=p)
        np.average(x, axis=1, weights=v + 5)
    """),
    "shape, join": _lines("""
        np.reshape(x, (2, 6))
        np.reshape(x, -1, order="F")
        np.ravel(x)
        np.ravel(x, order="F")
        np.squeeze(x[:, :1], axis=1)
        np.expand_dims(x, (0, -1))
        np.transpose(x)
        np.transpose(t, (2, 0, 1))
        np.permute_dims(t, (1, 2, 0))
        np.matrix_transpose(t)
        np.swapaxes(t, 0, -1)
        np.moveaxis(t, 0, -1)
        np.moveaxis(t, [0, 1], [2, 0])
        np.rollaxis(t, 2)
        np.rollaxis(t, -1, 1)
        np.roll(x, 2)
        np.roll(x, 1, axis=0)
        np.roll(x, (1, -1), axis=(0, 1))
        np.repeat(x, 2)
        np.repeat(x, 3, axis=1)
        np.repeat(x, 2, axis=-1)
        np.repeat(x, [1, 0, 2], axis=0)
        np.tile(x, 2)
        np.tile(x, (2, 1, 3))
        np.broadcast_to(v, (3, 4))
        np.broadcast_to(x, (2, 3, 4))
        np.broadcast_arrays(v, x)
        np.atleast_1d(z)
        np.atleast_2d(v)
        np.atleast_3d(x)
        np.flip(x)
        np.flip(x, axis=1)
        np.flipud(x)
        np.fliplr(x)
        np.rot90(x)
        np.rot90(t, 3, axes=(1, 2))
        np.diag(v)
        np.diag(x, k=1)
        np.diagonal(x)
        np.diagonal(t, offset=1, axis1=0, axis2=2)
        np.diagflat(x, k=-1)
        np.trace(m)
        np.trace(t, offset=1, axis1=1, axis2=2)
        np.triu(x)
        np.triu(t, k=1)
        np.tril(x, k=-1)
        np.pad(x, 1)
        np.pad(x, ((1, 0), (2, 1)), mode="constant", constant_values=0.5)
        np.pad(x, 1, mode="edge")
        np.pad(x, ((1, 1), (2, 0)), mode="reflect")
        np.pad(x, 2, mode="symmetric")
        np.pad(x, 2, mode="wrap")
        np.pad(x, 1, mode="mean")
        np.pad(x, 2, mode="linear_ramp", end_values=0.5)
        np.pad(x, 1, mode="maximum")
        np.astype(x, np.complex128).real
        np.asarray(x)
        np.copy(x)
        np.full((2, 3), z)
        np.full_like(x, z)
        np.linspace(z, 3.0, 5)
        np.linspace(z, 3.0, 5, endpoint=False)
        np.logspace(z, 1.5, 4)
        np.geomspace(z, 3.0, 4)
        np.meshgrid(v, b)
        np.vander(v, 3)
        np.resize(x, (2, 8))
        np.concatenate([x, y])
        np.concatenate([x, y], axis=-1)
        np.concatenate([x, v], axis=None)
        np.stack([x, y])
        np.stack([x, y], axis=-1)
        np.vstack([x, v])
        np.hstack([v, b])
        np.dstack([x, y])
        np.column_stack([x, b])
        np.append(x, y)
        np.append(x, y, axis=1)
        np.block([[m, m], [k, m]])
        np.split(x, [1, 3], axis=1)
        np.array_split(x, 2)
        np.unstack(t, axis=1)
        np.insert(x, 1, b, axis=1)
        np.delete(x, [0, 2], axis=1)
    """),
    "order, misc": _lines("""
        np.sort(o)
        np.sort(x)
        np.sort(x, axis=0)
        np.sort(x, axis=None)
        np.partition(f, 5)
        np.sort(np.partition(x, 2, axis=1)[:, :3])
        np.take(x, 5)
        np.take(x, np.array([2, 0, 2]), axis=0)
        np.take(x, [3, 1], axis=1)
        np.take(x, np.array([7, 14]), mode="wrap")
        np.take_along_axis(x, np.argsort(np.array(X)), axis=1)
        np.compress([True, False, True], x, axis=0)
        np.extract(x > 0, x)
        np.choose(np.array([0, 1, 1, 0]), [v, w])
        np.select([x > 1, x > 0], [x, y], 0.5)
        np.piecewise(x, [x > 0], [lambda a: a**2, lambda a: -a])
        np.diff(x)
        np.diff(x, 2, axis=0)
        np.diff(x, prepend=0.5)
        np.ediff1d(x, to_begin=0.5)
        np.gradient(x)
        np.gradient(x, axis=1)
        np.gradient(f, 0.5)
        np.gradient(x, np.array([0.0, 1.0, 3.0, 4.5]), axis=1, edge_order=2)
        np.trapezoid(x)
        np.trapezoid(x, x=np.array([0.0, 1.0, 3.0, 4.5]))
        np.trapezoid(v, x=w)
        np.interp(u, np.array([-1.0, 0.3, 1.0]), b)
        np.interp(np.array([-0.5, 0.7]), np.array([-1.0, 0.3, 1.0]), b)
        np.convolve(v, o)
        np.convolve(v, o, mode="same")
        np.convolve(o, b, mode="valid")
        np.correlate(v, b)
        np.correlate(v, o, mode="full")
        np.polyval(b, x)
        np.cov(x)
        np.cov(x, y, rowvar=False, ddof=0)
        np.corrcoef(x)
        np.unwrap(f * 5)
        np.apply_along_axis(lambda row: row[0] * row, 1, x)
        np.bincount(np.array([0, 2, 2, 1]), weights=v)
        np.logaddexp.reduce(x, axis=0)
        np.maximum.accumulate(x, axis=1)
    """),
    "products": _lines("""
        np.dot(v, w)
        np.dot(x, v)
        np.dot(x, r)
        np.dot(t, r)
        np.dot(t, np.ones((2, 4, 3)))
        np.dot(z, x)
        np.matmul(x, r)
        np.matmul(t, r)
        np.matmul(v, r)
        np.matmul(h, b)
        np.inner(v, w)
        np.inner(x, y)
        np.outer(v, b)
        np.outer(x, v)
        np.vdot(x, y)
        np.vecdot(x, y)
        np.matvec(t, v)
        np.vecmat(b, t)
        np.tensordot(t, x, axes=2)
        np.tensordot(t, r, axes=([2], [0]))
        np.kron(m, v)
        np.cross(m, b)
        np.einsum("ij,jk->ik", x, r)
        np.einsum("...ij,...j", h, b)
        np.einsum("ii->i", m), np.einsum("ii", m), np.einsum("bii->b", h)
    """),
    "linalg": _lines("""
        np.linalg.norm(x)
        np.linalg.norm(x, axis=1)
        np.linalg.norm(x, axis=0, keepdims=True)
        np.linalg.norm(v, 1)
        np.linalg.norm(v, 3)
        np.linalg.norm(v, np.inf)
        np.linalg.norm(v, -np.inf)
        np.linalg.norm(p, 0.5, axis=1)
        np.linalg.norm(m, "fro")
        np.linalg.norm(m, "nuc")
        np.linalg.norm(m, 2)
        np.linalg.norm(m, 1)
        np.linalg.norm(t, np.inf, axis=(1, 2))
        np.linalg.vector_norm(t, axis=(0, 2))
        np.linalg.matrix_norm(h)
        np.linalg.det(m)
        np.linalg.det(h)
        np.linalg.slogdet(h)[1]
        np.linalg.inv(m)
        np.linalg.inv(h)
        np.linalg.pinv(r)
        np.linalg.solve(m, b)
        np.linalg.solve(h, m)
        np.linalg.cholesky((s + s.T) / 2)
        np.linalg.eigvalsh((s + s.T) / 2)
        np.abs(np.linalg.eigh((s + s.T) / 2)[1])
        np.sort(np.linalg.eigvals(s).real)
        np.linalg.eig(s)[0].real.sum()
        np.linalg.svd(h, compute_uv=False)
        np.abs(np.linalg.svd(m)[0])
        np.abs(np.linalg.svd(r, full_matrices=False)[2])
        np.abs(np.linalg.svd(r)[0])
        np.linalg.svdvals(r)
        np.abs(np.linalg.qr(r)[1])
        np.linalg.lstsq(r, v, rcond=None)[0]
        np.linalg.matrix_power(m, 3), np.linalg.matrix_power(m, -2)
        np.linalg.tensorsolve(np.reshape(m, (3, 1, 3)), np.reshape(b, (3, 1)))
        np.linalg.cond(m), np.linalg.multi_dot([x, r, m])
    """),
    "fft": _lines("""
        np.fft.fft(x)
        np.fft.fft(x, n=6, axis=0, norm="ortho")
        np.fft.ifft(x)
        np.fft.ifft(x, norm="forward")
        np.fft.rfft(x)
        np.fft.rfft(o)
        np.fft.irfft(x)
        np.fft.irfft(x, n=5)
        np.fft.hfft(x)
        np.fft.ihfft(o)
        np.fft.fft2(t)
        np.fft.ifft2(x)
        np.fft.rfft2(x)
        np.fft.irfft2(t, s=(3, 5))
        np.fft.fftn(t)
        np.fft.ifftn(x, s=(2, 3), axes=(0, 1))
        np.fft.rfftn(t)
        np.fft.irfftn(t)
        np.fft.fftshift(x)
        np.fft.ifftshift(x, axes=0)
    """),
    "index, operators": _lines("""
        x[1]
        x[..., None, ::2]
        x[::-1, -1]
        x[[0, 2, 2]]
        x[np.array([[0, 1], [2, 0]]), [1, 1]]
        x[np.array(X) > 0]
        x[np.ix_([0, 2], [1, 3])]
        t[:, [0, 0, 2], 1:]
        x + y, x - v, z - x
        2.0 * x * y, x / p, 1.0 / p
        x**2, p**y, 2.0**x
        x % a, x // a + x
        divmod(x, a)[1]
        x @ r, v @ r
        -x, +x, abs(x)
        np.array(X) * y
        np.array(X) @ r + np.float64(2.0) * m[0, 0]
        x.T, x.reshape(4, 3), x.sum(axis=0), x.mean()
        x.max(axis=1), x.cumsum(), x.var(), x.clip(-0.5, 0.5)
        np.add.reduce(x), np.multiply.reduce(x, axis=1)
        np.subtract.outer(v, b), np.multiply.outer(v, b)
        np.add.accumulate(x), np.multiply.accumulate(x, axis=1)
        c = 1.0 * x; c += y; c *= 2.0; c
        c = 1.0 * x; c[1] = v; c
    """),
}
