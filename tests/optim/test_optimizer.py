"""Groups, gradients, hooks and errors: what all optimizers share."""

import copy
import inspect
import math
import pickle
from collections.abc import Mapping
from typing import ClassVar

import numpy as np
import pytest

import autograd
import optim
from autograd import Variable


def leaf(*values, dtype=np.float64):
    return Variable(np.array(values, dtype=dtype), requires_grad=True)


def with_gradient(*values):
    x = leaf(*values)
    x.grad = np.ones_like(x.data)
    return x


# -- a step -------------------------------------------------------------------------------


def test_a_step_changes_the_data_in_place():
    x = leaf(1.0, 2.0)
    array = x.data
    x.grad = np.array([1.0, 1.0])
    optim.SGD([x], lr=0.5).step()
    np.testing.assert_array_equal(array, [0.5, 1.5])
    assert x.data is array


@pytest.mark.parametrize("size", [2, 20_000])
def test_read_only_data_are_refused_before_anything_changes(size):
    x, y = Variable(np.ones(size), requires_grad=True), Variable(np.ones(size), requires_grad=True)
    optimizer = optim.Adam([x, y])
    for p in (x, y):
        p.grad = np.ones(size)
    optimizer.step()
    before, state = x.data.copy(), optimizer.state_dict()
    y.data = np.broadcast_to(np.ones(1), size)
    with pytest.raises(
        ValueError, match=r"Adam: wanted parameters that can be changed, .* 1 of its"
    ):
        optimizer.step()
    np.testing.assert_array_equal(x.data, before)
    after = optimizer.state_dict()
    assert after["state"][0]["step"] == state["state"][0]["step"] == 1
    np.testing.assert_array_equal(after["state"][0]["exp_avg"], state["state"][0]["exp_avg"])
    y.data = y.data.copy()
    optimizer.step()


def test_a_step_leaves_gradients_alone():
    x = with_gradient(1.0, 2.0)
    optim.Adam([x], weight_decay=0.1, maximize=True).step()
    np.testing.assert_array_equal(x.grad, [1.0, 1.0])


@pytest.mark.parametrize("size", [3, 20_000])
@pytest.mark.parametrize("algorithm", [optim.SGD, optim.Rprop, optim.Adamax])
def test_the_state_shares_no_memory_with_data_or_gradient(algorithm, size):
    x = Variable(np.ones(size), requires_grad=True)
    x.grad = np.ones(size)
    optimizer = algorithm([x], **({"momentum": 0.9} if algorithm is optim.SGD else {}))
    optimizer.step()
    arrays = [a for a in optimizer.state[x].values() if isinstance(a, np.ndarray)]
    assert arrays
    for array in arrays:
        assert not np.may_share_memory(array, x.grad)
        assert not np.may_share_memory(array, x.data)


def test_parameters_without_a_gradient_are_passed_over():
    x, y = with_gradient(1.0), leaf(1.0)
    optimizer = optim.Adam([x, y], weight_decay=0.5)
    optimizer.step()
    assert y.data[0] == 1.0
    assert set(optimizer.state) == {x}


def test_a_step_without_any_gradient_does_nothing_and_says_so_once():
    x = leaf(1.0)
    optimizer = optim.Adam([x])
    with pytest.warns(UserWarning, match=r"Adam\.step: wanted gradients, got none .*backward"):
        optimizer.step()
    optimizer.step()
    assert x.data[0] == 1.0
    assert not optimizer.state


@pytest.mark.filterwarnings("ignore:.*step. wanted gradients:UserWarning")
def test_each_parameter_counts_its_own_steps():
    a, b = leaf(1.0), leaf(1.0)
    expected = [leaf(1.0), leaf(1.0)]
    optimizer = optim.Adam([a, b])
    apart = [optim.Adam([p]) for p in expected]
    rng = np.random.default_rng(0)
    for has_a, has_b in [(1, 0), (1, 1), (0, 1), (1, 1), (1, 0), (1, 1)]:
        for p, q, other, has in zip((a, b), expected, apart, (has_a, has_b), strict=True):
            p.grad = q.grad = rng.normal(size=1) if has else None
            other.step()
        optimizer.step()
    assert optimizer.state[a]["step"] == 5
    assert optimizer.state[b]["step"] == 4
    np.testing.assert_array_equal([a.data, b.data], [p.data for p in expected])


def test_data_assigned_between_steps_is_what_moves():
    rng = np.random.default_rng(0)
    x = Variable(np.zeros((200, 100)), requires_grad=True)
    optimizer = optim.SGD([x], lr=1.0, momentum=0.5)
    for array in (rng.normal(size=(200, 100)), rng.normal(size=(100, 200)).T):
        before = array.copy()
        x.data = array
        x.grad = np.ones_like(x.data)
        optimizer.step()
        momentum = optimizer.state[x]["momentum_buffer"]
        np.testing.assert_allclose(x.data, before - momentum)


def test_the_closure_runs_once_records_and_returns_its_loss():
    x = leaf(3.0)
    optimizer = optim.SGD([x], lr=0.5)
    calls = []

    def closure():
        calls.append(autograd.is_grad_enabled())
        optimizer.zero_grad()
        loss = (x * x).sum()
        loss.backward()
        return loss

    with autograd.no_grad():
        loss = optimizer.step(closure)
    assert loss.item() == 9.0
    assert calls == [True]
    assert x.data[0] == 0.0


def test_steps_are_counted():
    x = Variable([1.0], requires_grad=True)
    optimizer = optim.SGD([x])
    for _ in range(2):
        x.grad = np.ones(1)
        optimizer.step()
    assert optimizer.steps_taken == 2


@pytest.mark.parametrize("algorithm", [optim.SGD, optim.Adafactor])
def test_a_step_makes_recorded_graphs_stale(algorithm):
    x = leaf(1.0, 2.0)
    loss = (x * x).sum()
    x.grad = np.ones(2)
    algorithm([x], lr=0.1).step()
    with pytest.raises(RuntimeError, match="was changed"):
        loss.backward()


def test_zero_grad_forgets_or_fills():
    x, y = with_gradient(1.0), leaf(1.0)
    optimizer = optim.SGD([x, y])
    optimizer.zero_grad(set_to_none=False)
    assert x.grad[0] == 0.0
    assert y.grad is None
    optimizer.zero_grad()
    assert x.grad is None


def test_numpy_numbers_as_options_do_not_promote_float32():
    x = leaf(1.0, dtype=np.float32)
    optimizer = optim.AdamW([x], lr=np.float64(0.1), betas=[np.float64(0.9), 0.99])
    optimizer.param_groups[0]["lr"] = np.float64(0.2)
    optimizer.param_groups[0]["weight_decay"] = np.array(0.1)
    x.grad = np.ones(1, np.float32)
    optimizer.step()
    options = optimizer.param_groups[0]
    assert [type(options[name]) for name in ("lr", "weight_decay")] == [float, float]
    assert options["betas"] == (0.9, 0.99)
    assert x.data.dtype == np.float32


def test_mixed_dtypes_each_keep_theirs():
    x, y = leaf(1.0, dtype=np.float32), leaf(1.0)
    x.grad, y.grad = np.ones(1), np.ones(1)
    optimizer = optim.Adam([x, y])
    optimizer.step()
    assert optimizer.state[x]["exp_avg"].dtype == np.float32
    assert optimizer.state[y]["exp_avg"].dtype == np.float64


def test_momentum_may_be_switched_on_and_off_later():
    x = with_gradient(0.0)
    optimizer = optim.SGD([x], lr=1.0)
    optimizer.step()
    assert not optimizer.state
    optimizer.param_groups[0]["momentum"] = 0.5
    optimizer.step()
    optimizer.step()
    assert x.data[0] == -1 - 1 - 1.5
    optimizer.param_groups[0]["momentum"] = 0.0
    optimizer.step()
    assert x.data[0] == -4.5


def test_a_gradient_of_another_shape_is_refused():
    x = leaf(1.0, 2.0)
    with pytest.raises(ValueError, match=r"grad: wanted a gradient of shape \(2,\), got \(3,\)"):
        x.grad = np.ones(3)


# -- groups -------------------------------------------------------------------------------


def test_groups_take_the_options_they_state_and_defaults_for_the_rest():
    x, y = with_gradient(0.0), with_gradient(0.0)
    optimizer = optim.SGD([{"params": x}, {"params": [y], "lr": 0.1}], lr=1.0)
    optimizer.step()
    assert (x.data[0], y.data[0]) == (-1.0, -0.1)


def test_a_group_can_be_added_later():
    x, y = with_gradient(0.0), with_gradient(0.0)
    optimizer = optim.Adam([x], lr=1.0)
    optimizer.step()
    optimizer.add_param_group({"params": (p for p in [y]), "lr": 0.5})
    optimizer.step()
    assert y.data[0] == pytest.approx(-0.5)
    assert x.data[0] == pytest.approx(-2.0)


def test_parameters_may_be_a_generator_or_named_pairs():
    x, y = with_gradient(0.0), with_gradient(0.0)
    assert optim.SGD(p for p in (x, y)).param_groups[0]["params"] == [x, y]
    named = optim.SGD([("weight", x), ("bias", y)])
    assert named.param_groups[0]["param_names"] == ["weight", "bias"]
    groups = optim.SGD([{"params": [("weight", x)]}, {"params": [("bias", y)]}])
    assert groups.param_groups[1]["param_names"] == ["bias"]


def test_the_group_given_is_copied():
    group = {"params": [leaf(1.0)], "lr": 0.5}
    optimizer = optim.SGD([group])
    optimizer.param_groups[0]["lr"] = 2.0
    assert group == {"params": group["params"], "lr": 0.5}


def test_own_keys_of_a_group_are_kept():
    optimizer = optim.SGD([{"params": [leaf(1.0)], "label": "head"}])
    assert optimizer.param_groups[0]["label"] == "head"


def test_repr_tells_the_groups_apart():
    text = repr(optim.SGD([{"params": [leaf(1.0)]}, {"params": [leaf(1.0, 2.0)] * 1, "lr": 0.5}]))
    assert text.startswith("SGD(\n  group 0: 1 parameter, 1 elements, lr=0.001, momentum=0.0")
    assert "\n  group 1: 1 parameter, 2 elements, lr=0.5" in text


# -- errors -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "params, error, message",
    [
        ([], ValueError, "SGD: wanted at least one parameter, got none; was the generator"),
        (iter([]), ValueError, "at least one parameter"),
        (leaf(1.0), TypeError, r"got a single one; write \[x\]"),
        ({"a": leaf(1.0)}, TypeError, "got a dict"),
        ({leaf(1.0)}, TypeError, "fixed order, got a set"),
        (3, TypeError, "wanted an iterable of Variables, got int"),
        (
            [np.ones(2)],
            TypeError,
            "wanted Variables as parameters, got ndarray as parameter 0; pass model",
        ),
        ([leaf(1.0), leaf(1.0) * 2], ValueError, "parameter 1 is the result of an operation"),
        ([Variable([1.0])], ValueError, "parameter 0 does not require a gradient"),
        ([("w", Variable([1.0]))], ValueError, "parameter 'w' does not require a gradient"),
        ([("w", leaf(1.0)), leaf(1.0)], ValueError, "got a mixture"),
        ([leaf(1.0), {"params": [leaf(1.0)]}], TypeError, "got dict as parameter 1"),
        ([{"lr": 0.1}], TypeError, "a dict with the key 'params', got dict"),
        ([{"params": []}], ValueError, "wanted parameters in a group, got an empty list"),
        ([{"params": leaf(1.0), "momentun": 1}], ValueError, "'momentun'; did you mean 'momentum'"),
        ([{"params": leaf(1.0), "lr": -1.0}], ValueError, "SGD: wanted lr >= 0, got -1.0"),
    ],
    ids=lambda value: value if isinstance(value, str) else type(value).__name__,
)
def test_wrong_parameters_are_explained(params, error, message):
    with pytest.raises(error, match=message):
        optim.SGD(params)


def test_duplicates_are_refused_within_and_between_groups():
    x = leaf(1.0)
    with pytest.raises(ValueError, match="parameter 1 appears twice"):
        optim.SGD([x, x])
    optimizer = optim.SGD([x])
    with pytest.raises(ValueError, match="parameter 1 appears twice"):
        optimizer.add_param_group({"params": [x]})
    assert len(optimizer.param_groups) == 1


SHARED = np.zeros((4, 6))


@pytest.mark.parametrize(
    "one, other",
    [
        (SHARED, SHARED),
        (SHARED[0], SHARED),
        (SHARED[:, ::2], SHARED[1]),
        (SHARED.reshape(-1)[5:10], SHARED[1]),
        (np.frombuffer(bytearray(8)), None),
    ],
)
def test_two_parameters_over_one_memory_are_refused(one, other):
    if other is None:
        memory = bytearray(16)
        one, other = np.frombuffer(memory, count=2), np.frombuffer(memory, offset=8)
    x, y = Variable(np.zeros(one.shape), True), Variable(np.zeros(other.shape), True)
    x.data, y.data = one, other
    message = (
        r"SGD: wanted parameters with memory of their own, got parameter 0 and parameter {} over "
        r"one; pass one of them, or give the other a copy: p.data = p.data.copy\(\)"
    )
    with pytest.raises(ValueError, match=message.format(1)):
        optim.SGD([x, y])
    optimizer = optim.SGD([x, leaf(1.0)])
    with pytest.raises(ValueError, match=message.format(2)):
        optimizer.add_param_group({"params": [y]})
    with pytest.raises(ValueError, match="got parameter 'a' and parameter 'b' over one"):
        optim.SGD([("a", x), ("b", y)])


def test_parts_of_one_array_that_do_not_meet_are_parameters():
    memory = np.zeros((4, 6))
    parts = [memory[0], memory[1, ::2], memory[1, 1::2], memory[2:], np.zeros(0), np.zeros(0)]
    params = [Variable(np.zeros(part.shape), requires_grad=True) for part in parts]
    for p, part in zip(params, parts, strict=True):
        p.data = part
        p.grad = np.ones(p.shape)
    optim.SGD(params, lr=1.0).step()
    assert (memory == -1).all()


@pytest.mark.parametrize(
    "call, message",
    [
        (
            lambda p: optim.Adam(p, learning_rate=1),
            "Adam: wanted options among lr, betas.*; write lr=",
        ),
        (lambda p: optim.AdamW(p, epsilon=1), "AdamW: wanted options .*got 'epsilon'; write eps="),
        (lambda p: optim.SGD(p, momentun=1), "got 'momentun'; write momentum="),
        (lambda p: optim.SGD(p, zzz=1), "SGD: wanted options among lr, momentum, .*got 'zzz'$"),
        (
            lambda p: optim.SGD(p, 0.1, lr=0.1),
            "SGD: wanted lr once, got it by position and by name",
        ),
        (lambda p: optim.SGD(p, params=p), "SGD: wanted params once"),
        (lambda p: optim.Lion(p, 1, (0.1, 0.2), 1, True), "Lion: wanted at most 3 options by pos"),
        (lambda p: optim.Adam(), r"Adam: wanted parameters, got none; write Adam\(model.param"),
        (lambda p: optim.Adam(lr=0.1), "Adam: wanted parameters, got none"),
    ],
)
def test_wrong_arguments_are_explained(call, message):
    with pytest.raises(TypeError, match=message):
        call([leaf(1.0)])


def test_parameters_may_be_given_by_name():
    assert optim.Adam(params=[leaf(1.0)], lr=0.5).defaults["lr"] == 0.5


@pytest.mark.parametrize(
    "algorithm, options, error, message",
    [
        (optim.SGD, {"lr": -0.1}, ValueError, r"SGD: wanted lr >= 0, got -0\.1"),
        (optim.SGD, {"lr": math.nan}, ValueError, "wanted lr >= 0, got nan"),
        (optim.SGD, {"lr": "fast"}, TypeError, "wanted a real number for lr, got 'fast'"),
        (optim.SGD, {"momentum": -1}, ValueError, "wanted momentum >= 0"),
        (optim.SGD, {"nesterov": True}, ValueError, "nesterov wants momentum > 0"),
        (optim.SGD, {"weight_decay_l1": -1}, ValueError, "wanted weight_decay_l1 >= 0"),
        (optim.Adam, {"betas": (0.9, 1.0)}, ValueError, r"wanted 0 <= betas < 1, got \(0\.9, 1"),
        (optim.Adam, {"eps": -1e-8}, ValueError, "wanted eps >= 0"),
        (optim.AdamW, {"weight_decay": -1}, ValueError, "AdamW: wanted weight_decay >= 0"),
        (optim.RMSprop, {"alpha": -1}, ValueError, "wanted alpha >= 0"),
        (optim.Adagrad, {"lr_decay": -1}, ValueError, "wanted lr_decay >= 0"),
        (optim.Adadelta, {"rho": 2.0}, ValueError, "wanted 0 <= rho < 1, got 2"),
        (optim.Rprop, {"etas": (1.2, 0.5)}, ValueError, "wanted etas with 0 < first < 1 < second"),
        (optim.Rprop, {"step_sizes": (50, 1)}, ValueError, "wanted step_sizes in order, got 50, 1"),
        (optim.Adam, {"betas": (0.9,)}, ValueError, r"wanted 2 numbers for betas, got \(0.9,\)"),
        (optim.Adam, {"betas": (0.9, 0.99, 0.999)}, ValueError, "wanted 2 numbers for betas"),
        (optim.Adam, {"betas": 0.9}, TypeError, "wanted numbers in a tuple for betas, got float 0"),
        (optim.Adam, {"betas": "ab"}, TypeError, "in a tuple for betas, got str 'ab'"),
        (optim.Adam, {"betas": (0.9, None)}, TypeError, "a real number for betas, got NoneType"),
        (optim.Adam, {"lr": None}, TypeError, "wanted a real number for lr, got NoneType"),
        (optim.Adam, {"lr": True}, TypeError, "wanted a real number for lr, got bool"),
        (optim.Adam, {"lr": (1e-3,)}, TypeError, "wanted a real number for lr, got tuple"),
        (optim.Adam, {"lr": math.inf}, ValueError, "wanted lr >= 0, got inf"),
        (optim.Adam, {"amsgrad": "yes"}, TypeError, "wanted True or False for amsgrad, got 'yes'"),
        (optim.SGD, {"nesterov": 1}, TypeError, "wanted True or False for nesterov, got 1"),
        (optim.SGD, {"dampening": math.nan}, ValueError, "wanted a finite dampening, got nan"),
        (optim.ASGD, {"lambd": -1}, ValueError, "ASGD: wanted lambd >= 0, got -1"),
        (optim.ASGD, {"alpha": -1}, ValueError, "ASGD: wanted alpha >= 0, got -1"),
        (optim.ASGD, {"t0": math.inf}, ValueError, "ASGD: wanted t0 >= 0, got inf"),
        (optim.Adafactor, {"beta2_decay": 0.1}, ValueError, "wanted beta2_decay <= 0, got 0.1"),
        (optim.Adafactor, {"eps": (None, None)}, TypeError, "a real number for eps, got NoneType"),
        (optim.Adafactor, {"eps": (-1, 1)}, ValueError, r"wanted eps >= 0, got \(-1, 1\)"),
        (optim.Adafactor, {"d": 0.5}, ValueError, "Adafactor: wanted d >= 1, got 0.5"),
        (optim.Muon, {"ns_steps": 100}, ValueError, "wanted 0 <= ns_steps < 100, got 100"),
        (optim.Muon, {"ns_steps": 2.0}, TypeError, "wanted a whole number for ns_steps, got 2.0"),
        (optim.Muon, {"ns_coefficients": (1.0, 2.0)}, ValueError, "wanted 3 numbers for ns_coef"),
        (
            optim.Muon,
            {"adjust_lr_fn": "x"},
            ValueError,
            "wanted adjust_lr_fn among 'original', 'match_rms_adamw', None, got 'x'",
        ),
        (
            optim.Adam,
            {"fused": "yes"},
            TypeError,
            "wanted True, False or None for fused, got 'yes'",
        ),
        (
            optim.Adam,
            {"differentiable": True},
            ValueError,
            "Adam: wanted differentiable=False, got True; steps .* are not recorded",
        ),
        (
            optim.AdamW,
            {"decoupled_weight_decay": False},
            TypeError,
            "AdamW: wanted options among .* got 'decoupled_weight_decay'",
        ),
    ],
)
def test_options_outside_their_interval_are_explained(algorithm, options, error, message):
    with pytest.raises(error, match=message):
        algorithm([leaf(1.0)], **options)


@pytest.mark.parametrize("algorithm", [optim.AdamW, optim.SGD, optim.ASGD])
def test_how_loops_run_in_pytorch_is_taken_and_not_kept(algorithm):
    flags = {"foreach": None, "fused": True, "capturable": True, "differentiable": False}
    x, y = with_gradient(1.0), with_gradient(1.0)
    plain, flagged = algorithm([x]), algorithm([{"params": [y], "foreach": False}], **flags)
    assert flagged.defaults == plain.defaults
    assert flagged.param_groups[0].keys() == plain.param_groups[0].keys()
    flagged.add_param_group({"params": leaf(1.0), "fused": True})
    plain.step()
    flagged.step()
    np.testing.assert_array_equal(x.data, y.data)
    flagged.load_state_dict(flagged.state_dict())
    with pytest.raises(ValueError, match="wanted differentiable=False, got True"):
        flagged.add_param_group({"params": leaf(1.0), "differentiable": True})


def test_an_option_of_ones_own_may_be_called_as_a_flag():
    class Own(optim.Optimizer):
        fused: bool = optim.option("something else", default=False)

        def update(self, p, g, state, group, scratch):
            p -= 1 if group["fused"] else 2

    x = with_gradient(0.0)
    Own([x], fused=True).step()
    assert x.data[0] == -1


def test_an_algorithm_may_ask_for_whole_parameters():
    class Normalized(optim.Optimizer):
        lr: float = optim.option("length of a step", default=1.0)

        elementwise: ClassVar = False

        def buffers(self, group):
            return {"length": 0.0}

        def shape_of(self, buffer, parameter):
            return ()

        def update(self, p, g, state, group, scratch):
            state["length"][...] = np.linalg.norm(g)
            p -= group["lr"] * g / state["length"]

    x, y = leaf(0.0, 0.0), Variable(np.zeros((200, 100)), requires_grad=True)
    x.grad, y.grad = np.array([3.0, 4.0]), np.ones(y.shape)
    optimizer = Normalized([x, y])
    optimizer.step()
    np.testing.assert_array_equal(x.data, [-0.6, -0.8])
    np.testing.assert_allclose(np.linalg.norm(y.data), 1.0)
    assert optimizer.state[x] == {"step": 1, "length": 5.0}
    other = Normalized([x, y])
    other.load_state_dict(optimizer.state_dict())
    assert other.state[x] == {"step": 1, "length": 5.0}
    x.data = np.broadcast_to(np.zeros(1), 2)
    with pytest.raises(ValueError, match="Normalized: wanted parameters that can be changed"):
        optimizer.step()


def test_a_subclass_without_update_says_so():
    x = with_gradient(1.0)
    with pytest.raises(NotImplementedError, match="a subclass must define update"):
        optim.Optimizer([x], {"lr": 1.0}).step()


def test_an_own_algorithm_needs_only_its_arithmetic():
    class SignSGD(optim.Optimizer):
        limits: ClassVar = {"lr": (0.0, math.inf)}

        def __init__(self, params, lr=1e-3):
            super().__init__(params, {"lr": lr})

        def update(self, p, g, state, group, scratch):
            step = np.sign(g, out=scratch[0])
            step *= group["lr"]
            p -= step

    x = leaf(1.0, 1.0)
    x.grad = np.array([5.0, -0.1])
    SignSGD([x], lr=0.5).step()
    np.testing.assert_array_equal(x.data, [0.5, 1.5])


def test_an_own_algorithm_declares_its_options_once():
    class SignSGD(optim.Optimizer):
        """The sign of the gradient.

        Raises:
            ValueError: an option outside its interval.
        """

        lr: float = optim.option("learning rate", default=1e-3)
        cut: float = optim.option("least gradient that counts", default=0.0, below=1.0)
        maximize: bool = optim.option("go uphill", default=False, kw_only=True)

        def update(self, p, g, state, group, scratch):
            p -= group["lr"] * np.sign(g) * (np.abs(g) >= group["cut"])

    class Fast(SignSGD):
        lr: float = optim.option("learning rate, large", default=0.5)

    x = leaf(1.0, 1.0)
    x.grad = np.array([5.0, -0.1])
    optimizer = Fast([x], cut=0.5)
    optimizer.step()
    np.testing.assert_array_equal(x.data, [0.5, 1.0])
    assert optimizer.defaults == {"lr": 0.5, "cut": 0.5, "maximize": False}
    assert str(inspect.signature(Fast)) == "(params, lr=0.5, cut=0.0, *, maximize=False)"
    assert "lr: learning rate.\n" in SignSGD.__doc__
    assert SignSGD.__doc__.index("Args:") < SignSGD.__doc__.index("Raises:")
    with pytest.raises(ValueError, match="Fast: wanted 0 <= cut < 1, got 2"):
        Fast([x], cut=2)
    assert not hasattr(optimizer, "lr")


def test_a_subclass_may_still_write_its_constructor():
    class Slow(optim.Adam):
        def __init__(self, params, lr=1e-5):
            super().__init__(params, lr, eps=1e-3)

    assert str(inspect.signature(Slow)) == "(params, lr=1e-05)"
    assert Slow([leaf(1.0)]).defaults["eps"] == 1e-3


@pytest.mark.parametrize("algorithm", [getattr(optim, name) for name in ("SGD", "AdamW", "Rprop")])
def test_every_option_stands_in_the_docstring(algorithm):
    for name, declared in algorithm.options.items():
        assert f"    {name}: {declared.meaning.split(',')[0][:40]}" in algorithm.__doc__


# -- hooks, state, copies -----------------------------------------------------------------


def test_hooks_run_around_the_step_until_removed():
    x = with_gradient(1.0)
    optimizer = optim.SGD([x], lr=1.0)
    seen = []
    handle = optimizer.register_step_pre_hook(lambda o, args, kwargs: seen.append(x.data[0]))
    optimizer.register_step_post_hook(lambda o, args, kwargs: seen.append((o, args, x.data[0])))
    optimizer.step()
    assert seen == [1.0, (optimizer, (), 0.0)]
    assert repr(handle).startswith("HookHandle(")
    handle.remove()
    handle.remove()
    optimizer.step()
    assert seen[2:] == [(optimizer, (), -1.0)]


def test_a_pre_hook_may_replace_gradients():
    x = with_gradient(1.0)
    optimizer = optim.SGD([x], lr=1.0)

    def average(optimizer, args, kwargs):
        x.grad = x.grad / 2

    optimizer.register_step_pre_hook(average)
    optimizer.step()
    assert x.data[0] == 0.5


def test_a_hook_must_be_callable():
    with pytest.raises(TypeError, match="wanted a callable hook, got int"):
        optim.SGD([leaf(1.0)]).register_step_post_hook(3)


def test_the_state_is_shown_but_not_handed_out():
    x = with_gradient(1.0)
    optimizer = optim.Adam([x])
    optimizer.step()
    assert isinstance(optimizer.state, Mapping)
    with pytest.raises(TypeError, match="does not support item assignment"):
        optimizer.state[x]["exp_avg"] = np.zeros(1)
    optimizer.state[x]["exp_avg"][...] = 0.0
    x.grad = np.zeros(1)
    before = x.data.copy()
    optimizer.step()
    np.testing.assert_array_equal(x.data, before)


@pytest.mark.parametrize("duplicate", [copy.deepcopy, lambda o: pickle.loads(pickle.dumps(o))])
def test_copies_go_on_by_themselves(duplicate):
    params = [with_gradient(1.0), with_gradient(2.0, 3.0)]
    optimizer = optim.Adam(params)
    optimizer.step()
    other = duplicate(optimizer)
    optimizer.step()
    after_two = [p.data.copy() for p in params]
    optimizer.step()
    other.step()
    copies = other.param_groups[0]["params"]
    assert [other.state[p]["step"] for p in copies] == [2, 2]
    for p, wanted in zip(copies, after_two, strict=True):
        np.testing.assert_array_equal(p.data, wanted)
