"""Rows of padding, folding, interpolation and distances in `nn/functional`."""

import numpy as np
from op_rows.nn_conv import places
from op_table import Case, Row

from nn import functional


def _row(name, twin, *cases, **options):
    function = getattr(functional, name.partition("[")[0])
    return Row(f"nn.{name}", function, twin, cases, method=False, **options)


# -- padding and folding ---------------------------------------------------------------------------


def _pad(x, lengths, mode="constant", value=None):
    pairs = [lengths[i : i + 2] for i in range(0, len(lengths), 2)][::-1]
    widths = [(0, 0)] * (x.ndim - len(pairs)) + [(max(a, 0), max(b, 0)) for a, b in pairs]
    index = [slice(None)] * (x.ndim - len(pairs)) + [
        slice(max(-a, 0), z - max(-b, 0))
        for (a, b), z in zip(pairs, x.shape[x.ndim - len(pairs) :], strict=True)
    ]
    names = {"replicate": "edge", "circular": "wrap"}
    keywords = {"constant_values": value or 0.0} if mode == "constant" else {}
    return np.pad(x[tuple(index)], widths, names.get(mode, mode), **keywords)


def _unfold(x, kernel, dilation=1, padding=0, stride=1):
    x = np.pad(x, [(0, 0), (0, 0), (padding, padding), (padding, padding)])
    count = tuple((z - dilation * (k - 1) - 1) // stride + 1 for z, k in zip(x.shape[2:], kernel))  # noqa: B905
    windows = [
        x[(..., *window)].reshape(len(x), -1)
        for _, window in places(count, kernel, stride, dilation)
    ]
    return np.stack(windows, axis=-1)


def _fold(columns, size, kernel, dilation=1, padding=0, stride=1):
    wide = tuple(z + 2 * padding for z in size)
    count = tuple((z - dilation * (k - 1) - 1) // stride + 1 for z, k in zip(wide, kernel))  # noqa: B905
    channels = columns.shape[1] // (kernel[0] * kernel[1])
    out = np.zeros((len(columns), channels, *wide))
    for i, (_, window) in enumerate(places(count, kernel, stride, dilation)):
        out[(..., *window)] += columns[..., i].reshape(len(columns), channels, *kernel)
    return out[..., padding : padding + size[0], padding : padding + size[1]]


def _pixel_shuffle(x, r):
    n, c, h, w = x.shape
    out = np.zeros((n, c // (r * r), h * r, w * r))
    for index in np.ndindex(out.shape):
        b, k, i, j = index
        out[index] = x[b, k * r * r + (i % r) * r + j % r, i // r, j // r]
    return out


def _pixel_unshuffle(x, r):
    n, c, h, w = x.shape
    out = np.zeros((n, c * r * r, h // r, w // r))
    for b, k, i, j in np.ndindex(x.shape):
        out[b, k * r * r + (i % r) * r + j % r, i // r, j // r] = x[b, k, i, j]
    return out


# -- interpolation ---------------------------------------------------------------------------------


def _interpolate(x, size, mode="nearest", align_corners=None):
    """Interpolate by np.interp, or by index for the nearest."""
    sizes = (size,) * (x.ndim - 2) if np.isscalar(size) else size
    for axis, m in enumerate(sizes, start=2):
        n = x.shape[axis]
        if mode == "nearest":
            x = np.take(x, [i * n // m for i in range(m)], axis)
            continue
        at = np.linspace(0, n - 1, m) if align_corners else (np.arange(m) + 0.5) * n / m - 0.5
        x = np.apply_along_axis(lambda line, at=at, n=n: np.interp(at, np.arange(n), line), axis, x)
    return x


def _affine_grid(theta, size):
    out = np.zeros((size[0], *size[2:], len(size) - 2))
    for index in np.ndindex(out.shape[:-1]):
        x = [(2 * i + 1) / n - 1 for i, n in zip(index[1:], size[2:], strict=True)][::-1]
        out[index] = theta[index[0]] @ [*x, 1.0]
    return out


def _grid_sample(x, grid):
    """Read bilinearly, with zeros outside."""
    n, c, *size = x.shape
    wide = np.pad(x, [(0, 0), (0, 0), *[(1, 1)] * len(size)])
    out = np.zeros((n, c, *grid.shape[1:-1]))
    for index in np.ndindex(grid.shape[:-1]):
        at = [((g + 1) * z - 1) / 2 for g, z in zip(grid[index][::-1], size, strict=True)]
        if any(not -1 < a < z for a, z in zip(at, size, strict=True)):
            continue
        for corner in np.ndindex((2,) * len(size)):
            low = [int(np.floor(a)) for a in at]
            weight = np.prod([1 - abs(a - i - k) for a, i, k in zip(at, low, corner, strict=True)])
            spot = tuple(i + k + 1 for i, k in zip(low, corner, strict=True))
            out[(index[0], slice(None), *index[1:])] += (
                weight * wide[(index[0], slice(None), *spot)]
            )
    return out


def _places(*shape):
    """Draw places away from the middles of elements, where slopes jump: sizes are 4 and 3."""

    def draw(rng):
        cell = rng.integers(-1, 4, shape) + rng.uniform(0.2, 0.8, shape)
        return (2 * cell + 1) / np.array([3.0, 4.0, 2.0][: shape[-1]]) - 1

    return draw


def _sampled(*shape, **kwargs):
    size = (4, 3) if shape[-1] == 2 else (2, 4, 3)
    draw = _places(*shape)
    return Case(make=lambda rng: (rng.normal(size=(shape[0], 2, *size)), draw(rng)), kwargs=kwargs)


# -- distances -------------------------------------------------------------------------------------


def _norm(x, p):
    x = np.abs(x)
    if p == np.inf:
        return x.max(-1)
    return (x**p).sum(-1) ** (1 / p)


def _pdist(x, p=2.0):
    return np.array([_norm(x[i] - x[j], p) for i in range(len(x)) for j in range(i + 1, len(x))])


def _cosine(x, y, axis=1):
    x, y = np.broadcast_arrays(x, y)
    return (x * y).sum(axis) / np.sqrt((x * x).sum(axis) * (y * y).sum(axis))


ROWS = [
    _row(
        "pad",
        _pad,
        Case((2, 3), args=((1, 2),), kwargs={"value": 0.5}),
        Case((2, 3, 4), args=((1, -2, 0, 1),)),
        Case((2, 3, 4), args=((3, 1, 0, 2), "reflect")),
        Case((2, 3, 4), args=((5, 1, 0, 2), "replicate")),
        Case((2, 3, 4), args=((4, 1, -1, 2), "circular")),
        complex=True,
    ),
    _row(
        "unfold",
        _unfold,
        Case((2, 2, 3, 4), args=((2, 3),)),
        Case((1, 2, 4, 4), args=((2, 2), 2, 1, 2)),
        primitives=["columns_of"],
    ),
    _row(
        "fold",
        _fold,
        Case((2, 12, 4), args=((3, 4), (2, 3))),
        Case((1, 8, 4), args=((4, 4), (2, 2), 2, 1, 2)),
        primitives=["add_columns"],
    ),
    _row("pixel_shuffle", _pixel_shuffle, Case((2, 8, 2, 3), args=(2,))),
    _row("pixel_unshuffle", _pixel_unshuffle, Case((2, 2, 4, 6), args=(2,))),
    _row(
        "channel_shuffle",
        lambda x, g: np.stack([x[:, i :: 6 // g] for i in range(6 // g)], 1).reshape(x.shape),
        Case((2, 6, 2), args=(3,)),
    ),
    _row(
        "interpolate", _interpolate, Case((2, 2, 3), args=(5,)), Case((1, 2, 3, 4), args=((2, 7),))
    ),
    _row(
        "interpolate[linear]",
        _interpolate,
        Case((2, 2, 3), args=(5,), kwargs={"mode": "linear"}),
        Case((1, 2, 3, 4), args=((2, 7),), kwargs={"mode": "bilinear"}),
        Case((1, 2, 3, 4), args=((5, 6),), kwargs={"mode": "bilinear", "align_corners": True}),
        Case((1, 1, 2, 3, 2), args=((3, 2, 4),), kwargs={"mode": "trilinear"}),
        primitives=["resample"],
    ),
    _row(
        "interpolate[other]",
        None,
        Case((1, 2, 4, 3), args=((6, 5),), kwargs={"mode": "bicubic"}),
        Case((1, 2, 7, 3), args=((3, 2),), kwargs={"mode": "bicubic", "antialias": True}),
        Case((1, 2, 7, 3), args=((3, 2),), kwargs={"mode": "area"}),
        Case((1, 2, 3), args=(5,), kwargs={"mode": "nearest-exact"}),
    ),
    _row("affine_grid", _affine_grid, Case((2, 2, 3), args=((2, 1, 2, 3),))),
    _row("grid_sample", _grid_sample, _sampled(2, 3, 2, 2), _sampled(1, 2, 2, 2, 3)),
    _row(
        "grid_sample[other]",
        None,
        _sampled(1, 3, 2, 2, mode="nearest"),
        _sampled(1, 3, 2, 2, mode="bicubic", padding_mode="border"),
        _sampled(1, 3, 2, 2, padding_mode="reflection", align_corners=False),
        rtol=1e-5,
    ),
    _row(
        "cosine_similarity",
        _cosine,
        Case((3, 4), (3, 4)),
        Case((2, 3, 4), (3, 1), kwargs={"axis": -2}),
    ),
    _row(
        "pairwise_distance",
        lambda x, y, p=2.0, keepdims=False: (
            _norm(x - y + 1e-6, p)[..., None] if keepdims else _norm(x - y + 1e-6, p)
        ),
        Case((3, 4), (3, 4)),
        Case((3, 4), (4,), kwargs={"p": 3.0, "keepdims": True}),
    ),
    _row(
        "cdist",
        lambda x, y, p=2.0: _norm(x[..., :, None, :] - y[..., None, :, :], p),
        Case((2, 3, 4), (2, 2, 4)),
        Case((3, 2), (2, 2, 2), kwargs={"p": 1.5}),
        Case((3, 2), (2, 2), domain="distinct", kwargs={"p": np.inf}),
    ),
    _row("pdist", _pdist, Case((4, 3)), Case((4, 3), domain="distinct", kwargs={"p": 1.0})),
]
