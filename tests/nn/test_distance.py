import numpy as np
import pytest
from torch_twin import compare, compare_layers, compare_signatures, torch

import nn
from autograd import Variable
from nn import functional

RNG = np.random.default_rng(0)
EXACT = {"compute_mode": "donot_use_mm_for_euclid_dist"}
ORDERS = [0.0, 0.5, 1.0, 1.5, 2.0, 3.0, np.inf]


def normal(*shape):
    return RNG.normal(size=shape)


@pytest.mark.torch
@pytest.mark.parametrize("axis", [0, 1, -1])
@pytest.mark.parametrize(
    "shapes", [((4, 5), (4, 5)), ((4, 5), (1, 5)), ((5,), (4, 5)), ((2, 3, 4), (3, 1))]
)
def test_cosine_similarity_equals_pytorchs(shapes, axis):
    F = torch().nn.functional
    arrays = [normal(*shape) for shape in shapes]
    compare(
        lambda *x: functional.cosine_similarity(*x, dim=axis),
        lambda *x: F.cosine_similarity(*x, dim=axis),
        arrays,
    )
    compare_layers(nn.CosineSimilarity(axis), torch().nn.CosineSimilarity(axis), *arrays)


@pytest.mark.torch
@pytest.mark.parametrize("p", ORDERS)
def test_distances_equal_pytorchs(p):
    module, F = torch(), torch().nn.functional
    compare(functional.pairwise_distance, F.pairwise_distance, [normal(4, 3), normal(3)], [p])
    ours, theirs = nn.PairwiseDistance(p, keepdim=True), module.nn.PairwiseDistance(p, keepdim=True)
    compare_layers(ours, theirs, normal(2, 4, 3), normal(2, 1, 3))
    x = normal(4, 3)
    for x1, x2 in ((normal(2, 4, 3), normal(5, 3)), (x, x.copy())):
        compare(
            lambda *x: functional.cdist(*x, p), lambda *x: module.cdist(*x, p, **EXACT), [x1, x2]
        )
    compare(functional.pdist, F.pdist, [normal(5, 3)], [p])


@pytest.mark.torch
def test_signatures_are_pytorchs():
    module = torch()
    for name in ("cosine_similarity", "pairwise_distance"):
        compare_signatures(getattr(functional, name), getattr(module.nn.functional, name))
    compare_signatures(functional.cdist, module.cdist)
    for name in ("CosineSimilarity", "PairwiseDistance"):
        compare_signatures(getattr(nn, name), getattr(module.nn, name))


def test_equal_points_have_a_gradient_of_zero():
    x = Variable(np.ones((3, 2)), requires_grad=True)
    functional.pdist(x).sum().backward()
    np.testing.assert_array_equal(x.grad, 0.0)
    y = Variable(np.zeros((1, 2)), requires_grad=True)
    functional.cosine_similarity(y, np.ones((1, 2))).sum().backward()
    assert np.isfinite(y.grad).all()


def test_axis_and_dim_name_one_thing():
    x, y = normal(3, 4), normal(3, 4)
    for given in ({"dim": 0}, {"axis": 0}):
        assert functional.cosine_similarity(x, y, **given).shape == (4,)
        assert nn.CosineSimilarity(**given)(x, y).shape == (4,)
        assert functional.normalize(x, **given).shape == (3, 4)
    for given in ({"keepdim": True}, {"keepdims": True}):
        assert functional.pairwise_distance(x, y, **given).shape == (3, 1)
    assert nn.Flatten(start_dim=0, end_dim=1)(x).shape == (12,)
    assert nn.Unflatten(dim=1, unflattened_size=(2, 2))(x).shape == (3, 2, 2)
    with pytest.raises(TypeError, match="CosineSimilarity: wanted axis or dim, got both"):
        nn.CosineSimilarity(dim=1, axis=1)


@pytest.mark.parametrize(
    "call, error, message",
    [
        (
            lambda: functional.cosine_similarity(normal(3, 4), normal(3, 5)),
            ValueError,
            r"cosine_similarity: wanted shapes that broadcast, got \(3, 4\) and \(3, 5\)",
        ),
        (
            lambda: functional.cosine_similarity(normal(3), normal(3)),
            ValueError,
            r"cosine_similarity: wanted vectors along axis 1, got shapes \(3,\) and \(3,\)",
        ),
        (
            lambda: functional.cdist(normal(3, 4), normal(3, 5)),
            ValueError,
            r"cdist: wanted shapes \(\.\.\., P, n\) and \(\.\.\., R, n\), got \(3, 4\) and",
        ),
        (
            lambda: functional.cdist(normal(3, 4), normal(3, 4), -1),
            ValueError,
            "of at least 0, got -1",
        ),
        (
            lambda: functional.pdist(normal(3)),
            ValueError,
            r"pdist: wanted an input of shape \(N, n\), got \(3,\)",
        ),
        (
            lambda: functional.cosine_similarity(1j * normal(3, 4), normal(3, 4)),
            TypeError,
            "cosine_similarity: wanted real numbers, got complex128",
        ),
        (lambda: functional.pdist([[1.0]]), TypeError, "pdist: wanted an array or a Variable"),
    ],
)
def test_wrong_use_is_explained(call, error, message):
    with pytest.raises(error, match=message):
        call()


@pytest.mark.torch
@pytest.mark.parametrize("given", [{}, {"p": 1.0, "axis": 0}, {"p": 3.0, "axis": -1, "eps": 10.0}])
def test_normalize_is_pytorchs(given):
    arrays = [np.random.default_rng(0).normal(size=(3, 4))]
    theirs = {"dim" if key == "axis" else key: value for key, value in given.items()}
    compare(
        lambda x: functional.normalize(x, **given),
        lambda x: torch().nn.functional.normalize(x, **theirs),
        arrays,
    )
