import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from torch_twin import compare, compare_layers, compare_signatures, torch

import nn
from autograd import Variable
from nn import functional
from nn.functional import _resampling

RNG = np.random.default_rng(0)
LINEAR = {1: "linear", 2: "bilinear", 3: "trilinear"}


def normal(*shape):
    return RNG.normal(size=shape)


def corners(mode):
    return (None, False, True) if mode.endswith(("linear", "cubic")) else (None,)


# -- interpolation ---------------------------------------------------------------------------------


@pytest.mark.torch
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize(
    "n, mode",
    [(n, m) for n in (1, 2, 3) for m in ("nearest", "nearest-exact", "area", LINEAR[n])]
    + [(2, "bicubic")],
)
def test_interpolation_equals_pytorchs(n, mode, dtype):
    x = normal(2, 3, *range(5, 5 + n)).astype(dtype)
    tolerance = (
        {"rtol": 1e-9, "atol": 1e-9} if dtype == np.float64 else {"rtol": 1e-4, "atol": 1e-5}
    )
    F = torch().nn.functional
    sizes = [{"size": s} for s in (1, 3, 6, 13, tuple(range(4, 4 + n)))]
    sizes += [{"scale_factor": f} for f in (0.3, 0.7, 1.0, 1.7, 2, 2.3, (1.5,) * n)]
    sizes += [{"scale_factor": f, "recompute_scale_factor": True} for f in (0.7, 2.3)]
    for size in sizes:
        for align in corners(mode):
            for antialias in (False, True) if mode in ("bilinear", "bicubic") else (False,):
                options = {**size, "mode": mode, "align_corners": align, "antialias": antialias}
                compare(functional.interpolate, F.interpolate, [x], kwargs=options, **tolerance)


@pytest.mark.torch
@pytest.mark.parametrize(
    "name, options",
    [
        ("Upsample", {"scale_factor": 2}),
        ("Upsample", {"size": (3, 5), "mode": "bilinear", "align_corners": True}),
        ("Upsample", {"scale_factor": 1.5, "mode": "bicubic", "recompute_scale_factor": True}),
        ("UpsamplingNearest2d", {"scale_factor": 2}),
        ("UpsamplingBilinear2d", {"size": 7}),
        ("PixelShuffle", {"upscale_factor": 2}),
        ("PixelUnshuffle", {"downscale_factor": 2}),
        ("ChannelShuffle", {"groups": 4}),
        ("Unfold", {"kernel_size": 2, "stride": 2, "padding": 1}),
        ("Unfold", {"kernel_size": (3, 2), "dilation": (1, 2), "padding": (0, 1)}),
    ],
)
def test_layers_equal_pytorchs(name, options):
    ours, theirs = getattr(nn, name)(**options), getattr(torch().nn, name)(**options)
    compare_signatures(getattr(nn, name), getattr(torch().nn, name))
    compare_layers(ours, theirs, normal(2, 8, 4, 6))


@pytest.mark.torch
@pytest.mark.parametrize("batch", [(2,), ()])
@pytest.mark.parametrize(
    "options",
    [{"kernel_size": 2, "stride": 2}, {"kernel_size": (2, 3), "dilation": 2, "padding": 2}],
)
def test_fold_and_unfold_equal_pytorchs(options, batch):
    unfold, fold = nn.Unfold(**options), nn.Fold((6, 8), **options)
    compare_signatures(nn.Fold, torch().nn.Fold)
    compare_layers(unfold, torch().nn.Unfold(**options), x := normal(*batch, 3, 6, 8))
    compare_layers(fold, torch().nn.Fold((6, 8), **options), normal(*unfold(x).shape))


@pytest.mark.torch
@pytest.mark.parametrize(
    "name",
    [
        "interpolate",
        "grid_sample",
        "affine_grid",
        "fold",
        "unfold",
        "pixel_shuffle",
        "pixel_unshuffle",
        "channel_shuffle",
    ],
)
def test_signatures_of_functions_are_pytorchs(name):
    compare_signatures(getattr(functional, name), getattr(torch().nn.functional, name))


@given(n=st.integers(1, 9), m=st.integers(1, 9), data=st.data())
def test_the_transposed_table_is_the_transposed_matrix(n, m, data):
    tables = [
        _resampling.area(n, m),
        _resampling.nearest(n, m, n / m, 0.5, np.dtype(float)),
        _resampling.smooth("cubic", n, m, n / m, False, data.draw(st.booleans()), np.dtype(float)),
    ]
    for table in tables:
        matrix = np.zeros((m, n))
        for index, weight in zip(table.index, table.weight, strict=True):
            np.add.at(matrix, (np.arange(m), index), weight)
        x, y = normal(n), normal(m)
        np.testing.assert_allclose(_resampling.resample(x, 0, table), matrix @ x, atol=1e-12)
        back = _resampling.resample(y, 0, table.transposed)
        np.testing.assert_allclose(back, matrix.T @ y, atol=1e-12)
        np.testing.assert_allclose(matrix.sum(axis=1), 1.0)


def test_a_nan_spoils_no_more_than_its_neighbours():
    x = np.zeros((1, 1, 8))
    x[..., 3] = np.nan
    out = functional.interpolate(x, scale_factor=2, mode="linear")
    np.testing.assert_array_equal(np.isnan(out.ravel()).nonzero()[0], [5, 6, 7, 8])


@pytest.mark.parametrize("mode", ["bilinear", "bicubic"])
def test_a_plane_stays_a_plane(mode):
    x = np.add.outer(np.arange(6.0), 2 * np.arange(7.0))[None, None]
    out = functional.interpolate(x, (11, 13), mode=mode, align_corners=True)[0, 0]
    wanted = np.add.outer(np.linspace(0, 5, 11), 2 * np.linspace(0, 6, 13))
    np.testing.assert_allclose(out[2:-2, 2:-2], wanted[2:-2, 2:-2])


def test_images_of_bytes_are_interpolated():
    x = np.array([[[[0, 255]]]], np.uint8)
    np.testing.assert_array_equal(functional.interpolate(x, (1, 4))[0, 0], [[0, 0, 255, 255]])
    np.testing.assert_allclose(
        functional.interpolate(x, (1, 4), mode="bilinear")[0, 0], [[0, 63.75, 191.25, 255]]
    )


# -- reading at given places -----------------------------------------------------------------------


@pytest.mark.torch
@pytest.mark.parametrize("padding_mode", ["zeros", "border", "reflection"])
@pytest.mark.parametrize("align_corners", [None, False, True])
@pytest.mark.parametrize(
    "n, mode", [(2, "nearest"), (2, "bilinear"), (2, "bicubic"), (3, "nearest"), (3, "bilinear")]
)
@pytest.mark.filterwarnings("ignore:Default grid_sample")
def test_reading_at_places_equals_pytorchs(n, mode, padding_mode, align_corners):
    F = torch().nn.functional
    grid = RNG.uniform(-1.8, 1.8, size=(2, *range(3, 3 + n), n))
    options = {"mode": mode, "padding_mode": padding_mode, "align_corners": align_corners}
    for size in (tuple(range(4, 4 + n)), (1,) * n):
        compare(functional.grid_sample, F.grid_sample, [normal(2, 3, *size), grid], kwargs=options)


@pytest.mark.torch
@pytest.mark.filterwarnings("ignore:Since version 1.3.0")
@pytest.mark.parametrize("align_corners", [False, True])
@pytest.mark.parametrize("size", [(2, 3, 4, 5), (2, 1, 1, 3), (2, 3, 2, 3, 4), (2, 1, 1, 1, 2)])
def test_affine_grids_equal_pytorchs(size, align_corners):
    n = len(size) - 2
    F = torch().nn.functional
    compare(functional.affine_grid, F.affine_grid, [normal(2, n, n + 1)], [size, align_corners])


@pytest.mark.parametrize("mode", ["nearest", "bilinear", "bicubic"])
def test_the_identity_reads_the_image_itself(mode):
    x = normal(1, 2, 4, 5)
    grid = functional.affine_grid(np.eye(2, 3)[None], x.shape)
    np.testing.assert_allclose(functional.grid_sample(x, grid, mode), x)


def test_reading_between_elements_is_scipys():
    ndimage = pytest.importorskip("scipy.ndimage")
    x, grid = normal(1, 1, 5, 6), RNG.uniform(-1.3, 1.3, (1, 7, 8, 2))
    at = [((grid[0, ..., 1] + 1) * 5 - 1) / 2, ((grid[0, ..., 0] + 1) * 6 - 1) / 2]
    wanted = ndimage.map_coordinates(x[0, 0], at, order=1, mode="grid-constant")
    np.testing.assert_allclose(functional.grid_sample(x, grid)[0, 0], wanted, atol=1e-12)


def test_a_shift_is_found_by_its_gradient():
    """Spatial transformers learn: the gradient with respect to the map leads to the image."""
    y, x = np.mgrid[-1:1:16j, -1:1:16j]
    image = np.exp(-4 * (x**2 + y**2))[None, None]
    moved = np.exp(-4 * ((x - 0.2) ** 2 + (y + 0.1) ** 2))[None, None]
    theta = Variable(np.eye(2, 3)[None], requires_grad=True)
    for _ in range(300):
        grid = functional.affine_grid(theta, image.shape)
        loss = ((functional.grid_sample(image, grid) - moved) ** 2).mean()
        theta.grad = None
        loss.backward()
        theta = Variable(theta.data - 2.0 * theta.grad, requires_grad=True)
    np.testing.assert_allclose(theta.data[0, :, 2], [-0.2 * 15 / 16, 0.1 * 15 / 16], atol=0.02)


# -- folding ---------------------------------------------------------------------------------------


def test_folding_counts_how_many_windows_hold_each_element():
    ones = np.ones((1, 1, 3, 4))
    back = functional.fold(functional.unfold(ones, 2), (3, 4), 2)
    np.testing.assert_array_equal(back[0, 0], [[1, 2, 2, 1], [2, 4, 4, 2], [1, 2, 2, 1]])


def test_convolution_is_a_product_with_the_columns():
    x, w = normal(2, 3, 5, 6), normal(4, 3, 2, 3)
    columns = functional.unfold(x, (2, 3), padding=1)
    product = w.reshape(4, -1) @ columns
    np.testing.assert_allclose(
        product.reshape(2, 4, 6, 6), functional.conv2d(x, w, padding=1), atol=1e-12
    )


def test_unshuffling_undoes_shuffling():
    x = normal(2, 12, 3, 4)
    np.testing.assert_array_equal(functional.pixel_unshuffle(functional.pixel_shuffle(x, 2), 2), x)
    np.testing.assert_array_equal(
        functional.channel_shuffle(functional.channel_shuffle(x, 3), 4), x
    )


def test_layers_show_their_arguments():
    assert repr(nn.Upsample(scale_factor=2)) == "Upsample(scale_factor=2, mode='nearest')"
    assert repr(nn.Upsample((2, 3))) == "Upsample(size=(2, 3), mode='nearest')"
    assert repr(nn.PixelShuffle(2)) == "PixelShuffle(upscale_factor=2)"
    assert repr(nn.PixelUnshuffle(2)) == "PixelUnshuffle(downscale_factor=2)"
    assert repr(nn.ChannelShuffle(2)) == "ChannelShuffle(groups=2)"
    assert repr(nn.Fold(4, 2)) == (
        "Fold(output_size=4, kernel_size=2, dilation=1, padding=0, stride=1)"
    )


X = np.ones((2, 4, 6, 6))


@pytest.mark.parametrize(
    "call, error, message",
    [
        (
            lambda: functional.interpolate(X),
            ValueError,
            "interpolate: wanted size or scale_factor, got neither",
        ),
        (lambda: functional.interpolate(X, 2, 2.0), ValueError, "size or scale_factor, got both"),
        (
            lambda: functional.interpolate(X, 2, mode="linear"),
            ValueError,
            r"a mode for its axes \(nearest, .*bicubic\), got 'linear' for shape \(2, 4, 6, 6\)",
        ),
        (lambda: functional.interpolate(X, 2, mode="cubic"), ValueError, "got 'cubic'"),
        (
            lambda: functional.interpolate(X[0, 0], 2),
            ValueError,
            r"wanted an input of shape \(N, C, \*size\) and a mode .*\(none for this shape\)",
        ),
        (
            lambda: functional.interpolate(X, 2, align_corners=True),
            ValueError,
            "interpolate: wanted no align_corners in mode 'nearest', got True",
        ),
        (
            lambda: functional.interpolate(X, 2, mode="area", antialias=True),
            ValueError,
            "interpolate: wanted antialias with mode 'bilinear' or 'bicubic', got 'area'",
        ),
        (
            lambda: functional.interpolate(X, scale_factor=-1),
            ValueError,
            "interpolate: wanted a positive scale_factor, or one for each of 2 axes, got -1",
        ),
        (
            lambda: functional.interpolate(X, scale_factor=0.1),
            ValueError,
            "interpolate: wanted size of at least 1, got 0, 0",
        ),
        (
            lambda: functional.interpolate(X, 2, recompute_scale_factor=True),
            ValueError,
            "wanted recompute_scale_factor with a scale_factor, got size",
        ),
        (
            lambda: functional.grid_sample(X, np.ones((2, 3, 3, 3))),
            ValueError,
            r"grid_sample: wanted an input \(N, C, H, W\) and a grid .* got \(2, 4, 6, 6\) and",
        ),
        (
            lambda: functional.grid_sample(X, np.ones((2, 3, 3, 2)), "linear"),
            ValueError,
            "wanted a mode 'nearest', 'bilinear' or 'bicubic' for 2 axes, got 'linear'",
        ),
        (
            lambda: functional.grid_sample(X, np.ones((2, 3, 3, 2)), padding_mode="zero"),
            ValueError,
            "wanted a padding_mode 'zeros', 'border' or 'reflection', got 'zero'",
        ),
        (
            lambda: functional.affine_grid(np.ones((2, 3, 3)), (2, 1, 4, 4)),
            ValueError,
            r"affine_grid: wanted a theta \(N, 2, 3\) .* got \(2, 3, 3\) and \(2, 1, 4, 4\)",
        ),
        (
            lambda: functional.unfold(X, 7),
            ValueError,
            "unfold: wanted a space of at least 7 x 7 with its padding, got 6 x 6",
        ),
        (
            lambda: functional.fold(np.ones((1, 8, 10)), (4, 5), 2),
            ValueError,
            r"fold: wanted an input of shape \(N, C \* 4, 12\) or .* 3 x 4 windows of 4 elements",
        ),
        (
            lambda: functional.pixel_shuffle(X, 3),
            ValueError,
            "pixel_shuffle: wanted a multiple of 9 channels for upscale_factor 3, got 4",
        ),
        (
            lambda: functional.pixel_unshuffle(X, 4),
            ValueError,
            "pixel_unshuffle: wanted height and width that are multiples of 4, got 6 x 6",
        ),
        (
            lambda: functional.pixel_shuffle(X[0, 0], 2),
            ValueError,
            r"pixel_shuffle: wanted an input \(\.\.\., C, H, W\)",
        ),
        (
            lambda: functional.channel_shuffle(X, 3),
            ValueError,
            r"channel_shuffle: wanted an input \(N, C, \.\.\.\) with groups that divide C",
        ),
    ],
)
def test_wrong_use_is_explained(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_a_place_that_is_nan_is_read_as_the_edge():
    image = np.arange(12.0).reshape(1, 1, 3, 4)
    grid = np.array([[[[np.nan, 0.0], [-1.0, 0.0]]]])
    out = nn.functional.grid_sample(image, grid, align_corners=True)
    assert out[0, 0, 0, 0] == out[0, 0, 0, 1] == 4.0
