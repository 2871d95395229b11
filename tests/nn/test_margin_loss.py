"""Losses with a margin beside PyTorch, at their kinks too. Their formulas: `tests/op_rows`."""

import numpy as np
import pytest
import torch_nested
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import nn
from autograd import Variable
from nn import functional

REDUCTIONS = ("mean", "sum", "none")
# Quarters meet the margins 0, 0.5, 1 and 1.5 exactly, where PyTorch's convention is ours.
quarters = st.integers(-16, 16).map(lambda k: k / 4)
signs = st.sampled_from([-1, 1])
reductions = st.sampled_from(REDUCTIONS)
margins = st.sampled_from([0.0, 0.5, 1.0, 1.5])


def arrays(draw, elements=quarters, shape=None):
    if shape is None:
        shape = draw(hnp.array_shapes(max_dims=3, max_side=4))
    dtype = np.int64 if elements is signs else np.float64
    return draw(hnp.arrays(dtype, shape, elements=elements))


def compare(torch, name, args, **options):
    """Compare a layer of ours with PyTorch's."""
    weights = {k: v for k, v in options.items() if isinstance(v, np.ndarray)}
    tensors = {k: torch.tensor(v) for k, v in weights.items()}
    ours, theirs = getattr(nn, name)(**options), getattr(torch.nn, name)(**(options | tensors))
    torch_nested.compare_modules(torch, ours, theirs, *args)


@pytest.mark.torch
@given(st.data())
def test_losses_of_pairs_equal_pytorchs(data):
    torch = pytest.importorskip("torch")
    draw = data.draw
    x = arrays(draw)
    y, target = arrays(draw, shape=x.shape), arrays(draw, signs, x.shape)
    options = {"margin": draw(margins), "reduction": draw(reductions)}
    compare(torch, "MarginRankingLoss", (x, y, target), **options)
    compare(torch, "HingeEmbeddingLoss", (x, target), **options)
    compare(torch, "SoftMarginLoss", (x, target), reduction=options["reduction"])


@pytest.mark.torch
@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("margin", [-0.5, 0.0, 0.3])
@pytest.mark.parametrize("batch", [(), (5,)])
def test_cosine_embedding_equals_pytorchs(reduction, margin, batch):
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(2, *batch, 4))
    target = rng.choice([-1, 1], batch)
    args = (x, y, np.asarray(target))
    compare(torch, "CosineEmbeddingLoss", args, margin=margin, reduction=reduction)


@pytest.mark.torch
def test_the_cosine_with_a_vector_of_zeros_is_pytorchs():
    torch = pytest.importorskip("torch")
    y = np.random.default_rng(0).normal(size=(2, 4))
    torch_nested.compare_functions(
        torch,
        functional.cosine_embedding_loss,
        torch.nn.functional.cosine_embedding_loss,
        *(np.zeros((2, 4)), y, np.array([1, -1])),
        margin=-0.5,
        tolerance={"rtol": 1e-8},  # PyTorch's guard of 1e-12 is a float32 number
    )


@pytest.mark.torch
@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize(
    "options", [{}, {"p": 1.0}, {"p": 3.0, "margin": 2.5}, {"swap": True}, {"eps": 0.1}], ids=str
)
def test_triplet_margin_equals_pytorchs(reduction, options):
    torch = pytest.importorskip("torch")
    args = tuple(np.random.default_rng(0).normal(size=(3, 6, 4)))
    compare(torch, "TripletMarginLoss", args, reduction=reduction, **options)
    compare(torch, "TripletMarginLoss", tuple(a[0] for a in args), reduction=reduction, **options)


@pytest.mark.torch
@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"swap": True, "margin": 3.0},
        {"distance_function": lambda x, y: ((x - y) ** 4).sum(-1)},
        {"distance_function": lambda x, y: abs(x - y).sum(-1), "swap": True},
    ],
    ids="+".join,
)
def test_triplet_margin_with_a_distance_equals_pytorchs(reduction, options):
    torch = pytest.importorskip("torch")
    args = tuple(np.random.default_rng(0).normal(size=(3, 6, 4)))
    compare(torch, "TripletMarginWithDistanceLoss", args, reduction=reduction, **options)


@pytest.mark.torch
@given(st.data())
def test_losses_of_scores_equal_pytorchs(data):
    torch = pytest.importorskip("torch")
    draw = data.draw
    batch, classes = draw(st.sampled_from([(), (1,), (3,)])), draw(st.integers(1, 5))
    x = arrays(draw, shape=(*batch, classes))
    reduction = draw(reductions)
    weight = (
        arrays(draw, st.sampled_from([0.5, 1.0, 2.0]), (classes,)) if draw(st.booleans()) else None
    )
    target = draw(hnp.arrays(np.int64, batch, elements=st.integers(0, classes - 1)))
    options = {"p": draw(st.sampled_from([1, 2])), "margin": draw(margins)}
    compare(torch, "MultiMarginLoss", (x, target), weight=weight, reduction=reduction, **options)
    labels = draw(hnp.arrays(np.int64, x.shape, elements=st.integers(-1, classes - 1)))
    compare(torch, "MultiLabelMarginLoss", (x, labels), reduction=reduction)
    chosen = draw(hnp.arrays(np.float64, x.shape, elements=st.sampled_from([0.0, 0.25, 1.0])))
    compare(torch, "MultiLabelSoftMarginLoss", (x, chosen), weight=weight, reduction=reduction)


def test_soft_margin_of_a_large_score_is_finite():
    x = Variable([-800.0, 800.0], requires_grad=True)
    with np.errstate(over="raise"):
        loss = functional.soft_margin_loss(x, [1, 1], reduction="sum")
    loss.backward()
    np.testing.assert_allclose([loss.item(), *x.grad], [800.0, -1.0, 0.0], atol=1e-300)


def test_layers_are_their_functions_with_arguments_by_keyword():
    x, y = np.array([0.5, 2.0]), np.array([1.0, 1.0])
    layer = nn.MarginRankingLoss(margin=1.0, reduction="none")
    np.testing.assert_array_equal(layer(input1=x, input2=y, target=[1, 1]), [1.5, 0.0])
    assert repr(layer) == "MarginRankingLoss(margin=1.0, reduction='none')"
    weighted = nn.MultiMarginLoss(weight=np.ones(3))
    assert list(weighted.state_dict()) == ["weight"]
    assert repr(weighted) == "MultiMarginLoss(p=1, margin=1.0, reduction='mean')"


@pytest.mark.parametrize(
    "call, error, message",
    [
        (
            lambda: functional.margin_ranking_loss(np.ones(3), np.ones((3, 1)), np.ones(3)),
            ValueError,
            r"margin_ranking_loss: wanted input2 of the shape of input1 \(3,\), got \(3, 1\)",
        ),
        (
            lambda: functional.margin_ranking_loss(np.ones(3), np.ones(3), [1, 0, 1]),
            ValueError,
            "wanted targets 1 or -1.*write 2 \\* target - 1 for targets 1 or 0",
        ),
        (
            lambda: functional.hinge_embedding_loss(np.ones(3), [1, 2, 1]),
            ValueError,
            r"hinge_embedding_loss: wanted targets 1 or -1, got \[1, 2\]",
        ),
        (
            lambda: functional.hinge_embedding_loss(np.ones(3), [1, 1]),
            ValueError,
            r"wanted a target of shape \(3,\), got \(2,\)",
        ),
        (
            lambda: functional.cosine_embedding_loss(*np.ones((2, 2, 3, 4)), np.ones(2)),
            ValueError,
            r"wanted inputs of shape \(N, E\) or \(E,\), got \(2, 3, 4\)",
        ),
        (
            lambda: functional.triplet_margin_loss(np.ones(3), np.ones(3), np.ones(4)),
            ValueError,
            r"triplet_margin_loss: wanted negative of the shape of anchor \(3,\), got \(4,\)",
        ),
        (
            lambda: nn.TripletMarginLoss(margin=0.0),
            ValueError,
            "TripletMarginLoss: wanted a positive margin, got 0.0",
        ),
        (
            lambda: functional.triplet_margin_with_distance_loss(
                *np.ones((3, 2)), distance_function=np.subtract, margin=-1.0
            ),
            ValueError,
            "wanted a positive margin, got -1.0",
        ),
        (lambda: nn.MultiMarginLoss(p=3), ValueError, "MultiMarginLoss: wanted p = 1 or 2, got 3"),
        (
            lambda: functional.multi_margin_loss(np.ones((2, 3)), [0, 3]),
            ValueError,
            "multi_margin_loss: wanted class indices from 0 to 2, got 3",
        ),
        (
            lambda: functional.multi_margin_loss(np.ones((2, 3)), [0.0, 1.0]),
            TypeError,
            "multi_margin_loss: wanted integers as class indices, got float64",
        ),
        (
            lambda: functional.multi_margin_loss(np.ones((2, 3)), [0, 1], weight=np.ones(2)),
            ValueError,
            r"wanted one weight for each of 3 classes, got shape \(2,\)",
        ),
        (
            lambda: functional.multi_margin_loss(np.ones((2, 3, 4)), [0, 1]),
            ValueError,
            r"wanted scores of shape \(N, C\) or \(C,\), got \(2, 3, 4\)",
        ),
        (
            lambda: functional.multilabel_margin_loss(np.ones((2, 3)), [0, 1]),
            ValueError,
            r"wanted class indices of shape \(2, 3\), got \(2,\)",
        ),
        (
            lambda: functional.multilabel_margin_loss(np.ones(3), [0, -2, 1]),
            ValueError,
            "wanted class indices from -1 to 2, got -2",
        ),
        (
            lambda: functional.soft_margin_loss(np.ones(3), np.ones(3), "median"),
            ValueError,
            "soft_margin_loss: wanted reduction 'mean', 'sum', 'none', got 'median'",
        ),
    ],
)
def test_wrong_use_is_explained(call, error, message):
    with pytest.raises(error, match=message):
        call()
