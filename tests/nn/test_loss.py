"""Losses: formulas and gradients are in the op table; here PyTorch, dtypes, kinds of target,
errors.
"""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import nn
from autograd import Variable, grad, hessian
from nn import functional

numbers = st.floats(-5, 5, width=32)
probabilities = st.floats(0, 1, width=32)
reductions = st.sampled_from(["mean", "sum", "none"])

ELEMENTWISE = {
    "MSELoss": st.just({}),
    "L1Loss": st.just({}),
    "HuberLoss": st.fixed_dictionaries({"delta": st.sampled_from([0.5, 1.0, 2.0])}),
    "SmoothL1Loss": st.fixed_dictionaries({"beta": st.sampled_from([0.0, 0.5, 1.0])}),
    "BCELoss": st.just({}),
    "BCEWithLogitsLoss": st.just({}),
    "KLDivLoss": st.fixed_dictionaries({"log_target": st.booleans()}),
}


def differentiate(loss, x, target):
    """Return loss(x, target) and the gradients of its sum with respect to x, and to a floating
    target.
    """
    x = Variable(x, requires_grad=True)
    given = target
    if target.dtype.kind == "f":
        given = Variable(target, requires_grad=True)
    out = loss(x, given)
    out.sum().backward()
    return [out.data, x.grad, *([given.grad] if given is not target else [])]


def differentiate_in_torch(torch, loss, x, target):
    x = torch.tensor(x, requires_grad=True)
    given = torch.tensor(target, requires_grad=target.dtype.kind == "f")
    out = loss(x, given)
    out.sum().backward()
    found = [out.detach().numpy(), x.grad.numpy()]
    return [*found, given.grad.numpy()] if given.requires_grad else found


def assert_equal(got, wanted, rtol=1e-9):
    for a, b in zip(got, wanted, strict=True):
        assert np.shape(a) == np.shape(b)
        np.testing.assert_allclose(a, b, rtol=rtol, atol=1e-11)


@pytest.mark.torch
@pytest.mark.filterwarnings("ignore:reduction. 'mean' divides:UserWarning")
@pytest.mark.parametrize("name", ELEMENTWISE)
@given(data=st.data())
def test_elementwise_losses_and_their_gradients_equal_pytorchs(name, data):
    torch = pytest.importorskip("torch")
    shape = data.draw(hnp.array_shapes(min_dims=0, max_dims=3, max_side=3))
    arguments = data.draw(ELEMENTWISE[name]) | {"reduction": data.draw(reductions)}
    inputs = probabilities if name == "BCELoss" else numbers
    targets = numbers
    if name.startswith("BCE") or (name == "KLDivLoss" and not arguments["log_target"]):
        targets = probabilities
    x = data.draw(hnp.arrays(np.float64, shape, elements=inputs))
    target = data.draw(hnp.arrays(np.float64, shape, elements=targets))
    if name == "KLDivLoss":
        target = np.maximum(target, 1e-3) if not arguments["log_target"] else target
    if name == "BCELoss":
        # At 0 and 1 exactly PyTorch's rule for the target is its own; inputs there are tested
        # below.
        x = np.clip(x, 1e-6, 1 - 1e-6)
    got = differentiate(getattr(nn, name)(**arguments), x, target)
    wanted = differentiate_in_torch(torch, getattr(torch.nn, name)(**arguments), x, target)
    assert_equal(got, wanted)


@pytest.mark.torch
@given(data=st.data())
def test_weights_of_binary_cross_entropy_equal_pytorchs(data):
    torch = pytest.importorskip("torch")
    x, target = data.draw(st.tuples(*[hnp.arrays(np.float64, (3, 2), elements=probabilities)] * 2))
    weight, pos_weight = np.array([0.5, 2.0]), np.array([3.0, 0.1])
    reduction = data.draw(reductions)
    ours = nn.BCEWithLogitsLoss(weight, reduction, pos_weight)
    theirs = torch.nn.BCEWithLogitsLoss(
        torch.tensor(weight), reduction=reduction, pos_weight=torch.tensor(pos_weight)
    )
    logits = 8 * x - 4
    assert_equal(
        differentiate(ours, logits, target), differentiate_in_torch(torch, theirs, logits, target)
    )


@st.composite
def classifications(draw):
    """Draw log-odds, class indices (some ignored, at least one not) and loss arguments."""
    count = draw(st.integers(1, 4))
    rest = draw(hnp.array_shapes(min_dims=0, max_dims=3, max_side=3))
    shape = (count,) if not rest else (rest[0], count, *rest[1:])
    x = draw(hnp.arrays(np.float64, shape, elements=numbers))
    ignored = draw(st.sampled_from([-100, 0, 7]))
    target = draw(hnp.arrays(np.int64, rest, elements=st.integers(0, count - 1)))
    hidden = draw(hnp.arrays(np.bool_, rest))
    weight = draw(st.none() | hnp.arrays(np.float64, count, elements=st.floats(0.1, 2)))
    arguments = {"ignore_index": ignored, "reduction": draw(reductions)}
    target = np.where(hidden, ignored, target)
    if (target == ignored).all():
        arguments["reduction"] = "sum"  # the mean over nothing is an error here, nan in PyTorch
    return x, np.asarray(target), weight, arguments


@pytest.mark.torch
@given(case=classifications(), smoothing=st.sampled_from([0.0, 0.1, 1.0]))
def test_cross_entropy_of_class_indices_equals_pytorchs(case, smoothing):
    torch = pytest.importorskip("torch")
    x, target, weight, arguments = case
    arguments["label_smoothing"] = smoothing
    ours = nn.CrossEntropyLoss(weight, **arguments)
    theirs = torch.nn.CrossEntropyLoss(
        None if weight is None else torch.tensor(weight), **arguments
    )
    assert_equal(differentiate(ours, x, target), differentiate_in_torch(torch, theirs, x, target))


@pytest.mark.torch
@given(case=classifications())
def test_negative_log_likelihood_equals_pytorchs(case):
    torch = pytest.importorskip("torch")
    x, target, weight, arguments = case
    ours = nn.NLLLoss(weight, **arguments)
    theirs = torch.nn.NLLLoss(None if weight is None else torch.tensor(weight), **arguments)
    assert_equal(differentiate(ours, x, target), differentiate_in_torch(torch, theirs, x, target))


@pytest.mark.torch
@given(data=st.data())
def test_cross_entropy_of_probabilities_equals_pytorchs(data):
    torch = pytest.importorskip("torch")
    shape = data.draw(hnp.array_shapes(min_dims=1, max_dims=3, max_side=3))
    x = data.draw(hnp.arrays(np.float64, shape, elements=numbers))
    target = data.draw(hnp.arrays(np.float64, shape, elements=probabilities))
    count = shape[0] if len(shape) == 1 else shape[1]
    weight = data.draw(
        st.none() | hnp.arrays(np.float64, count, elements=st.floats(0.125, 2, width=32))
    )
    arguments = {
        "reduction": data.draw(reductions),
        "label_smoothing": data.draw(st.sampled_from([0.0, 0.2])),
    }
    ours = nn.CrossEntropyLoss(weight, **arguments)
    theirs = torch.nn.CrossEntropyLoss(
        None if weight is None else torch.tensor(weight), **arguments
    )
    assert_equal(differentiate(ours, x, target), differentiate_in_torch(torch, theirs, x, target))


@pytest.mark.parametrize("shape", [(3,), (2, 3), (2, 3, 4), (2, 3, 4, 5)])
def test_certain_probabilities_cost_what_their_classes_cost(shape):
    rng = np.random.default_rng(0)
    x, weight = rng.normal(size=shape), np.array([0.5, 1.0, 2.0])
    axis = min(len(shape) - 1, 1)
    classes = rng.integers(0, 3, (*shape[:axis], *shape[axis + 1 :]))
    certain = np.moveaxis(np.eye(3)[classes], -1, axis)
    loss = nn.CrossEntropyLoss(weight, reduction="none")
    np.testing.assert_allclose(loss(x, certain), loss(x, classes), rtol=1e-12)


@pytest.mark.torch
def test_batchmean_of_the_divergence_equals_pytorchs():
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(0)
    x, target = np.log(rng.dirichlet(np.ones(3), 4)), rng.dirichlet(np.ones(3), 4)
    got = differentiate(nn.KLDivLoss("batchmean"), x, target)
    wanted = differentiate_in_torch(torch, torch.nn.KLDivLoss(reduction="batchmean"), x, target)
    assert_equal(got, wanted)


@pytest.mark.torch
def test_binary_cross_entropy_of_certainties_equals_pytorchs():
    torch = pytest.importorskip("torch")
    x, target = np.array([0.0, 1.0, 0.0, 1.0]), np.array([0.0, 1.0, 1.0, 0.0])
    got = differentiate(nn.BCELoss(reduction="none"), x, target)
    wanted = differentiate_in_torch(torch, torch.nn.BCELoss(reduction="none"), x, target)
    assert_equal(got[:2], wanted[:2], rtol=1e-8)  # PyTorch's 1e-12 is a float32


def every_loss():
    x = np.array([[0.2, 0.7], [0.6, 0.1]], np.float32)
    y = np.array([[1.0, 0.0], [0.0, 1.0]], np.float32)
    classes = np.array([1, 0])
    for name in ELEMENTWISE:
        for reduction in ("mean", "sum", "none"):
            yield name, getattr(nn, name)(reduction=reduction), x, y
    for reduction in ("mean", "sum", "none"):
        weight = [1.0, 2.0]
        yield "nll", nn.NLLLoss(weight, reduction=reduction), x, classes
        yield "plain", nn.CrossEntropyLoss(reduction=reduction), x, classes
        smooth = nn.CrossEntropyLoss(weight, reduction=reduction, label_smoothing=0.1)
        yield "smooth", smooth, x, classes
        yield "soft", smooth, x, y


@pytest.mark.parametrize("name, loss, x, target", list(every_loss()))
def test_float32_stays_float32(name, loss, x, target):
    out, *gradients = differentiate(loss, x, target)
    assert out.dtype == np.float32
    assert [g.dtype for g in gradients] == [np.float32] * len(gradients)


@pytest.mark.parametrize("name, loss, x, target", list(every_loss()))
def test_targets_may_be_lists_and_variables(name, loss, x, target):
    wanted = loss(Variable(x), target).data
    for other in (target.tolist(), Variable(target)):
        out = loss(Variable(x), other)
        assert out.dtype == np.float32
        np.testing.assert_array_equal(out.data, wanted)
    assert not isinstance(loss(x, target), Variable)


@pytest.mark.parametrize("name", ELEMENTWISE)
def test_a_target_of_another_shape_is_refused_instead_of_broadcast(name):
    loss = getattr(nn, name)()
    x = np.full((4, 1), 0.5)
    with pytest.raises(
        ValueError,
        match=r"wanted a target of the input's shape \(4, 1\), got \(4,\); write target.res",
    ):
        loss(x, np.full(4, 0.5))
    with pytest.raises(ValueError, match=r"got \(\); compare like with like"):
        loss(x, 1.0)


LOGITS = np.zeros((2, 3))


@pytest.mark.parametrize(
    "call, error, message",
    [
        (
            lambda: functional.cross_entropy(LOGITS, [0, 3]),
            ValueError,
            "wanted class indices from 0 to 2 .*, got 3",
        ),
        (
            lambda: functional.nll_loss(LOGITS, [0, -1]),
            ValueError,
            "wanted class indices from 0 to 2 .*, got -1",
        ),
        (
            lambda: functional.nll_loss(LOGITS, [0.0, 1.0]),
            TypeError,
            "wanted integers as class indices, got float64",
        ),
        (
            lambda: functional.cross_entropy(LOGITS, [0.0, 1.0]),
            TypeError,
            "wanted integers as class indices, got float64",
        ),
        (
            lambda: functional.cross_entropy(LOGITS, np.zeros((2, 3), int)),
            TypeError,
            "wanted floating-point probabilities",
        ),
        (
            lambda: functional.cross_entropy(LOGITS, np.full((2, 3), 1 / 3), ignore_index=0),
            ValueError,
            "wanted class indices as targets for an ignore_index, got probabilities and ignore_in",
        ),
        (
            lambda: functional.cross_entropy(LOGITS, [[0], [1]]),
            ValueError,
            r"wanted class indices of shape \(2,\) for an input of shape \(2, 3\), got \(2, 1\)",
        ),
        (lambda: functional.cross_entropy(np.float64(1.0), 0), ValueError, "got a single number"),
        (
            lambda: functional.cross_entropy(LOGITS, [0, 1], weight=[1.0]),
            ValueError,
            r"wanted one weight for each of 3 classes, got shape \(1,\)",
        ),
        (
            lambda: functional.cross_entropy(LOGITS, [0, 1], label_smoothing=2),
            ValueError,
            "wanted a label_smoothing from 0 to 1, got 2",
        ),
        (
            lambda: functional.cross_entropy(LOGITS, [-100, -100]),
            ValueError,
            "wanted at least one target that counts",
        ),
        (
            lambda: functional.cross_entropy(LOGITS, [0, 1], reduction="avg"),
            ValueError,
            "wanted reduction 'mean', 'sum', 'none', got 'avg'",
        ),
        (
            lambda: functional.binary_cross_entropy(np.array([1.5]), [1]),
            ValueError,
            "wanted inputs from 0 to 1, got values from 1.5",
        ),
        (
            lambda: functional.binary_cross_entropy(np.array([np.nan]), [1]),
            ValueError,
            "wanted inputs from 0 to 1, got values from nan",
        ),
        (
            lambda: functional.binary_cross_entropy(np.full(2, 0.5), [1, 0], weight=np.ones(3)),
            ValueError,
            r"wanted a weight that broadcasts to the input's shape \(2,\), got \(3,\)",
        ),
        (
            lambda: functional.huber_loss(np.ones(1), [0.0], delta=0),
            ValueError,
            "wanted a positive delta, got 0",
        ),
        (
            lambda: functional.smooth_l1_loss(np.ones(1), [0.0], beta=-1),
            ValueError,
            "wanted a beta of at least 0, got -1",
        ),
        (
            lambda: nn.MSELoss("avg"),
            ValueError,
            "MSELoss: wanted reduction 'mean', 'sum', 'none', got 'avg'",
        ),
        (lambda: nn.MSELoss("batchmean"), ValueError, "got 'batchmean'"),
        (
            lambda: functional.cross_entropy([[0.0, 1.0]], [1]),
            TypeError,
            "cross_entropy: wanted an array or a Variable as input, got list",
        ),
    ],
)
def test_wrong_arguments_are_explained(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_an_ignored_sample_adds_nothing_whatever_its_logits():
    x = Variable([[0.0, 1.0], [np.inf, -np.inf]], requires_grad=True)
    with np.errstate(invalid="ignore"):
        loss = functional.nll_loss(x, [1, -100])
    loss.backward()
    assert loss.item() == -1.0
    np.testing.assert_array_equal(x.grad, [[0.0, -1.0], [0.0, 0.0]])


def test_the_divergence_leaves_out_the_logarithm_of_a_class_of_probability_zero():
    x = Variable(np.log([0.3, 0.7]), requires_grad=True)
    target = Variable([0.0, 1.0], requires_grad=True)
    functional.kl_div(x, target, "sum").backward()
    np.testing.assert_allclose(x.grad, [0.0, -1.0])
    # d/dt of t (log t - x), and of -t x where t is 0
    np.testing.assert_allclose(target.grad, [-np.log(0.3), 1 - np.log(0.7)])


def test_cross_entropy_of_large_logits_is_exact():
    x = Variable([[1000.0, -1000.0]], requires_grad=True)
    loss = nn.CrossEntropyLoss()(x, [1])
    loss.backward()
    assert loss.item() == 2000.0
    np.testing.assert_array_equal(x.grad, [[1.0, -1.0]])


def test_integer_targets_take_the_dtype_of_the_input():
    out = nn.MSELoss()(np.ones(2, np.float32), np.array([0, 1]))
    assert out.dtype == np.float32
    assert out == 0.5


def test_class_weights_are_state_as_in_pytorch():
    loss = nn.CrossEntropyLoss([1.0, 2.0])
    assert list(loss.state_dict()) == ["weight"]
    assert repr(loss) == "CrossEntropyLoss(reduction='mean')"


@pytest.mark.parametrize("name", ["MSELoss", "L1Loss", "CrossEntropyLoss", "BCELoss", "KLDivLoss"])
@pytest.mark.parametrize("target", [np.zeros(3), [0.0, 1.0, 2.0], Variable(np.zeros(3))])
def test_a_loss_called_before_it_is_made_says_so(name, target):
    with pytest.raises(
        TypeError, match=rf"{name}: wanted options, got arrays; .*nn.{name}\(\)\(prediction, targ"
    ):
        getattr(nn, name)(Variable(np.ones(3)), target)


def test_a_reduction_is_text():
    with pytest.raises(TypeError, match="MSELoss: wanted a reduction as text, got Variable; make"):
        nn.MSELoss(Variable(np.ones(3)))


def test_weights_by_position_are_no_mistake():
    assert nn.CrossEntropyLoss(np.ones(3), -1, "sum").reduction == "sum"
    assert nn.BCELoss(np.ones(3), "sum").reduction == "sum"


@pytest.mark.parametrize(
    "loss",
    [nn.MSELoss(), nn.L1Loss(), nn.KLDivLoss(), nn.BCEWithLogitsLoss(), nn.CrossEntropyLoss()],
)
def test_a_prediction_of_none_is_explained(loss):
    with pytest.raises(TypeError, match="wanted a prediction, got None; does forward end with ret"):
        loss(None, np.ones((20, 1)))


# -- digits near certainty -------------------------------------------------------------------------


@pytest.mark.parametrize("p, dtype", [(1e-8, np.float32), (1e-6, np.float32), (1e-12, np.float64)])
def test_binary_cross_entropy_keeps_the_digits_of_a_small_probability(p, dtype):
    p = dtype(p)

    def loss(p, target=0.0):
        return functional.binary_cross_entropy(p, target)

    eps = float(np.finfo(dtype).eps)
    assert loss(p) == pytest.approx(float(-np.log1p(-np.float64(p))), rel=4 * eps, abs=0)
    assert grad(loss)(p) == pytest.approx(1.0, rel=1e-5)
    assert grad(grad(loss))(p) == pytest.approx(1.0, rel=1e-5)
    assert grad(grad(lambda p: loss(1 - p, 1.0)))(p) == pytest.approx(1.0, rel=1e-5)


def test_binary_cross_entropy_limits_what_it_divides_by():
    """PyTorch's limit: p (1 - p) counts as at least 1e-12."""
    found = grad(functional.binary_cross_entropy)(1e-14, 1.0)
    assert found == pytest.approx(-1e12, rel=1e-12)
    assert grad(functional.binary_cross_entropy)(0.0, 0.0) == 0.0


@pytest.mark.parametrize("x, target, wanted", [(-38.0, 0.0, 1.0), (38.0, 1.0, 3.0)])
def test_a_weight_of_the_positive_class_does_not_cost_the_digits_of_a_certain_loss(
    x, target, wanted
):
    loss = functional.binary_cross_entropy_with_logits
    wanted *= np.exp(-38.0)
    weighted = lambda x: loss(x, np.array(target), pos_weight=3.0)
    assert weighted(np.float64(x)) == pytest.approx(wanted, rel=1e-13, abs=0)
    assert abs(grad(weighted)(x)) == pytest.approx(wanted, rel=1e-13, abs=0)
    assert grad(grad(weighted))(x) == pytest.approx(wanted, rel=1e-13, abs=0)
    if target == 0.0:
        assert loss(np.float64(x), np.array(target)) == pytest.approx(wanted, rel=1e-13, abs=0)


def test_the_second_derivative_of_cross_entropy_keeps_the_digits_of_small_shares():
    x = np.array([0.0, 40.0])
    found = hessian(lambda x: functional.cross_entropy(x, 0))(x)
    small = np.exp(-40.0)
    np.testing.assert_allclose(found, [[small, -small], [-small, small]], rtol=1e-12)
