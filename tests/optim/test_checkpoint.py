"""`state_dict` and `load_state_dict`: PyTorch's structure, nothing shared, nothing half loaded."""

import numpy as np
import pytest

import optim
from autograd import Variable


def trained(algorithm=optim.Adam, steps=3, **options):
    rng = np.random.default_rng(0)
    params = [Variable(rng.normal(size=s), requires_grad=True) for s in [(2, 3), (3,), ()]]
    groups = [{"params": params[:2]}, {"params": params[2:], "lr": 0.5}]
    optimizer = algorithm(groups, **options)
    for _ in range(steps):
        for p in params:
            p.grad = rng.normal(size=p.shape)
        optimizer.step()
    return optimizer


def arrays_of(state_dict):
    return [a for s in state_dict["state"].values() for a in s.values() if hasattr(a, "shape")]


def test_the_structure_is_that_of_pytorch():
    saved = trained().state_dict()
    assert list(saved) == ["state", "param_groups"]
    assert [group["params"] for group in saved["param_groups"]] == [[0, 1], [2]]
    assert [group["lr"] for group in saved["param_groups"]] == [1e-3, 0.5]
    assert set(saved["state"]) == {0, 1, 2}
    assert set(saved["state"][0]) == {"step", "exp_avg", "exp_avg_sq"}
    assert saved["state"][0]["exp_avg"].shape == (2, 3)
    assert saved["state"][0]["step"] == 3


def test_an_optimizer_without_memory_saves_no_state():
    assert trained(optim.SGD).state_dict()["state"] == {}


def test_saving_and_loading_share_no_memory():
    optimizer, other = trained(), trained(steps=0)
    saved = optimizer.state_dict()
    other.load_state_dict(saved)
    before = [a.copy() for a in arrays_of(saved)]
    for o in (optimizer, other):
        for group in o.param_groups:
            for p in group["params"]:
                p.grad = np.ones(p.shape)
        o.step()
    for a, b in zip(arrays_of(saved), before, strict=True):
        np.testing.assert_array_equal(a, b)
    saved["param_groups"][0]["lr"] = 7.0
    assert other.param_groups[0]["lr"] == 1e-3


def test_loading_replaces_options_and_keeps_parameters():
    other = trained(steps=0, lr=0.3)
    params = [group["params"] for group in other.param_groups]
    other.load_state_dict(trained().state_dict())
    assert [group["lr"] for group in other.param_groups] == [1e-3, 0.5]
    assert all(
        a is b for a, b in zip(params, [g["params"] for g in other.param_groups], strict=True)
    )


def test_loading_after_steps_forgets_what_was():
    optimizer, reference = trained(steps=2), trained(steps=0)
    optimizer.load_state_dict(reference.state_dict())
    assert optimizer.state_dict()["state"] == {}


def spoil_groups(saved):
    saved["param_groups"].pop()


def spoil_size(saved):
    saved["param_groups"][0]["params"] = [0]


def spoil_shape(saved):
    saved["state"][2]["exp_avg"] = np.zeros(7)


def spoil_index(saved):
    saved["state"][9] = saved["state"][0]


def spoil_option(saved):
    saved["param_groups"][1]["betas"] = (0.9, 2.0)


def spoil_moment(saved):
    del saved["state"][2]["exp_avg"]


def spoil_dtype(saved):
    saved["state"][0]["exp_avg"] = saved["state"][0]["exp_avg"] + 1j


def spoil_step(saved):
    saved["state"][1]["step"] = -5


def spoil_pair(saved):
    saved["param_groups"][1]["betas"] = (0.9,)


def spoil_spelling(saved):
    saved["param_groups"][0]["weight_decai"] = 0.1


def spoil_kind(saved):
    saved["state"][0] = [1]


def spoil_key(saved):
    del saved["state"]


@pytest.mark.parametrize(
    "spoil, error, message",
    [
        (spoil_groups, ValueError, "wanted a state_dict with 2 parameter groups, got 1"),
        (spoil_size, ValueError, "wanted 2 parameters in group 0 of the state_dict, got 1"),
        (spoil_shape, ValueError, r"wanted 'exp_avg' of shape \(\) for parameter 2, got \(7,\)"),
        (spoil_index, ValueError, "has state for parameter 9"),
        (spoil_option, ValueError, "Adam: wanted 0 <= betas < 1"),
        (
            spoil_moment,
            ValueError,
            r"wanted 'exp_avg' in the state of parameter 2, got 'step', 'exp",
        ),
        (
            spoil_dtype,
            ValueError,
            "wanted 'exp_avg' of parameter 0 of a dtype that float64 can hold",
        ),
        (spoil_step, ValueError, "a whole number of at least 0 as 'step' of parameter 1, got -5"),
        (spoil_pair, ValueError, r"wanted 2 numbers for betas, got \(0.9,\)"),
        (spoil_spelling, ValueError, "has no option 'weight_decai'; did you mean 'weight_decay'"),
        (spoil_kind, TypeError, "wanted a dict as the state of parameter 0 of the state_dict, got"),
        (spoil_key, KeyError, r"wanted a state_dict with the keys 'state' and 'param_groups', got"),
    ],
)
def test_what_does_not_fit_is_explained_and_changes_nothing(spoil, error, message):
    saved = trained(steps=5, lr=0.7).state_dict()
    spoil(saved)
    optimizer = trained()
    before = optimizer.state_dict()
    with pytest.raises(error, match=message):
        optimizer.load_state_dict(saved)
    after = optimizer.state_dict()
    assert after["param_groups"] == before["param_groups"]
    for a, b in zip(arrays_of(after), arrays_of(before), strict=True):
        np.testing.assert_array_equal(a, b)


def test_a_momentum_buffer_without_a_count_is_one_that_was_filled():
    saved = trained(optim.SGD, momentum=0.9, dampening=0.5).state_dict()
    reference, other = trained(optim.SGD, 0), trained(optim.SGD, 0)
    reference.load_state_dict(saved)
    for state in saved["state"].values():
        del state["step"]
    other.load_state_dict(saved)
    for optimizer in (reference, other):
        for group in optimizer.param_groups:
            for p in group["params"]:
                p.grad = np.ones(p.shape)
        optimizer.step()
    for a, b in zip(reference.param_groups, other.param_groups, strict=True):
        for p, q in zip(a["params"], b["params"], strict=True):
            np.testing.assert_array_equal(p.data, q.data)


def test_an_unused_buffer_stored_as_none_is_no_state():
    saved = trained(optim.SGD).state_dict()
    saved["state"] = {0: {"momentum_buffer": None}}
    optimizer = trained(optim.SGD, steps=0)
    optimizer.load_state_dict(saved)
    assert not optimizer.state


def test_a_path_given_as_a_state_says_how_to_load_it():
    with pytest.raises(
        TypeError, match=r"Adam: wanted a state_dict, got str 'm.npz'; a file is loa"
    ):
        trained().load_state_dict("m.npz")


def test_keys_that_went_through_json_are_read():
    saved = trained().state_dict()
    saved["state"] = {str(index): state for index, state in saved["state"].items()}
    other = trained(steps=0)
    other.load_state_dict(saved)
    assert set(other.state_dict()["state"]) == {0, 1, 2}


def test_own_keys_of_a_group_are_loaded_where_the_group_has_them():
    x = Variable([1.0], requires_grad=True)
    saved = optim.SGD([{"params": [x], "label": "head"}]).state_dict()
    other = optim.SGD([{"params": [x], "label": "tail"}])
    other.load_state_dict(saved)
    assert other.param_groups[0]["label"] == "head"
    with pytest.raises(ValueError, match="has no option 'label'; its options are lr, momentum"):
        optim.SGD([x]).load_state_dict(saved)


@pytest.mark.torch
def test_adam_and_adamw_of_pytorch_are_told_apart():
    torch = pytest.importorskip("torch")
    states = {}
    for name in ("Adam", "AdamW"):
        tensors = [torch.zeros(2, requires_grad=True)]
        tensors[0].grad = torch.ones(2)
        peer = getattr(torch.optim, name)(tensors)
        peer.step()
        states[name] = peer.state_dict()
        getattr(optim, name)(leaves(1)).load_state_dict(states[name])
    with pytest.raises(ValueError, match="AdamW: wanted decoupled_weight_decay=True, got False; "):
        optim.AdamW(leaves(1)).load_state_dict(states["Adam"])
    adam = optim.Adam(leaves(1))
    adam.load_state_dict(states["AdamW"])
    assert adam.param_groups[0]["decoupled_weight_decay"] is True


def leaves(count):
    return [Variable(np.zeros(2), requires_grad=True) for _ in range(count)]


@pytest.mark.torch
@pytest.mark.parametrize(
    "name, options",
    [
        ("SGD", {"momentum": 0.9, "dampening": 0.1}),
        ("SGD", {}),
        ("Adam", {"amsgrad": True}),
        ("AdamW", {}),
        ("RMSprop", {"momentum": 0.5, "centered": True}),
        ("Adagrad", {}),
        ("Adadelta", {}),
        ("Rprop", {}),
        ("ASGD", {"t0": 2, "lambd": 0.1}),
        ("Adafactor", {}),
        ("Muon", {}),
    ],
)
def test_checkpoints_of_pytorch_load_and_continue(name, options, monkeypatch):
    torch = pytest.importorskip("torch")
    monkeypatch.setattr(torch.Tensor, "bfloat16", torch.Tensor.clone)  # of Muon's iteration
    rng = np.random.default_rng(0)
    shapes = [(2, 3), (4, 1) if name == "Muon" else (4,)]
    tensors = [torch.tensor(rng.normal(size=s), requires_grad=True) for s in shapes]
    peer = getattr(torch.optim, name)(tensors, **options)
    for _ in range(3):
        for t in tensors:
            t.grad = torch.tensor(rng.normal(size=tuple(t.shape)))
        peer.step()
    params = [Variable(t.detach().numpy().copy(), requires_grad=True) for t in tensors]
    ours = getattr(optim, name)(params)
    ours.load_state_dict(peer.state_dict())
    for _ in range(3):
        for p, t in zip(params, tensors, strict=True):
            p.grad = rng.normal(size=p.shape)
            t.grad = torch.tensor(p.grad)
        ours.step()
        peer.step()
    for p, t in zip(params, tensors, strict=True):
        # The numbers of ASGD's state are float32 in PyTorch.
        near = 1e-7 if name == "ASGD" else 1e-12
        np.testing.assert_allclose(p.data, t.detach().numpy(), rtol=near)
