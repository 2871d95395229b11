"""LBFGS: every point at which it looks is PyTorch's; the dense formula; the conditions of Wolfe."""

import copy
import inspect
import json

import numpy as np
import pytest

import autograd
import nn
import optim
from autograd import Variable

RNG = np.random.default_rng(3)
DATA, LABELS = RNG.normal(size=(30, 4)), RNG.integers(0, 2, size=30) * 2.0 - 1.0
SCALES = np.array([1.0, 3.0, 10.0, 30.0, 100.0])


# Each as a function of (sum and exp of a library, parameters), for ours and PyTorch's alike.
def bowl(lib, x):
    return (lib.asarray(SCALES) * (x - 1.0) ** 2).sum()


def valley(lib, x):
    return ((1 - x[:-1]) ** 2).sum() + 100 * ((x[1:] - x[:-1] ** 2) ** 2).sum()


def logistic(lib, weight, bias):
    margins = lib.asarray(LABELS) * ((lib.asarray(DATA) @ weight).reshape(-1) + bias)
    return lib.log(1 + lib.exp(-margins)).sum() + 0.1 * (weight * weight).sum()


STARTS = {
    bowl: [np.zeros(5)],
    valley: [np.array([-1.2, 1.0, -0.5])],
    logistic: [np.zeros((4, 1)), np.array(0.5)],
}
SEARCH = {"line_search_fn": "strong_wolfe"}
OPTIONS = [
    SEARCH,
    SEARCH | {"max_iter": 4, "history_size": 2},
    SEARCH | {"max_eval": 6, "lr": 0.3},
    SEARCH | {"lr": 30.0, "max_iter": 3},
    {"lr": 0.1},
    {"lr": 0.1, "max_iter": 3, "history_size": 1},
    {"lr": 0.05, "max_eval": 2, "tolerance_grad": 1.0, "tolerance_change": 1e-3},
]


def leaves(arrays):
    return [Variable(a, requires_grad=True) for a in arrays]


def closure_of(optimizer, function, params, seen=None):
    def closure():
        if seen is not None:
            seen.append(np.concatenate([p.data.ravel() for p in params]))
        optimizer.zero_grad()
        loss = function(np, *params)
        loss.backward()
        return loss

    return closure


@pytest.mark.torch
@pytest.mark.parametrize("options", OPTIONS, ids=str)
@pytest.mark.parametrize("function", STARTS, ids=lambda f: f.__name__)
def test_every_point_is_that_of_pytorch(function, options):
    torch = pytest.importorskip("torch")
    params, seen, losses = leaves(STARTS[function]), [], []
    optimizer = optim.LBFGS(params, **options)
    tensors = [torch.tensor(a, requires_grad=True) for a in STARTS[function]]
    peer, points = torch.optim.LBFGS(tensors, **options), []

    def closure():
        points.append(np.concatenate([t.detach().numpy().ravel() for t in tensors]))
        peer.zero_grad()
        loss = function(torch, *tensors)
        loss.backward()
        return loss

    for _ in range(3):
        loss = optimizer.step(closure_of(optimizer, function, params, seen)).item()
        losses.append((loss, peer.step(closure).item()))
    assert len(seen) == len(points) > 3
    np.testing.assert_allclose(seen, points, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(*zip(*losses, strict=True), rtol=1e-9, atol=1e-12)
    for p, tensor in zip(params, tensors, strict=True):
        np.testing.assert_allclose(p.data, tensor.detach().numpy(), rtol=1e-9, atol=1e-9)
    state, other = optimizer.state[params[0]], peer.state[tensors[0]]
    for name in ("func_evals", "n_iter"):
        assert state[name] == other[name]
    for name in ("d", "prev_flat_grad", "t", "H_diag"):
        np.testing.assert_allclose(state[name], other[name], rtol=1e-6, atol=1e-9)


@pytest.mark.torch
def test_arguments_defaults_and_groups_are_those_of_pytorch():
    torch = pytest.importorskip("torch")
    ours, theirs = (inspect.signature(m.LBFGS).parameters for m in (optim, torch.optim))
    assert list(ours) == list(theirs)
    assert all(ours[name].default == theirs[name].default for name in ours)
    peer = torch.optim.LBFGS([torch.zeros(1, requires_grad=True)], max_iter=7)
    group = optim.LBFGS(leaves([np.zeros(1)]), max_iter=7).param_groups[0]
    assert {**group, "params": 0} == {**peer.param_groups[0], "params": 0}


@pytest.mark.torch
def test_a_checkpoint_of_pytorch_continues_and_ours_there():
    torch = pytest.importorskip("torch")
    tensors = [torch.tensor(a, requires_grad=True) for a in STARTS[logistic]]
    peer = torch.optim.LBFGS(tensors, max_iter=3, **SEARCH)

    def closure():
        peer.zero_grad()
        loss = logistic(torch, *tensors)
        loss.backward()
        return loss

    peer.step(closure)
    params = leaves([t.detach().numpy() for t in tensors])
    ours = optim.LBFGS(params)
    ours.load_state_dict(peer.state_dict())
    back = optim.LBFGS(leaves(STARTS[logistic]))
    back.load_state_dict(ours.state_dict())
    ours.step(closure_of(ours, logistic, params))
    peer.step(closure)
    for p, tensor in zip(params, tensors, strict=True):
        np.testing.assert_allclose(p.data, tensor.detach().numpy(), rtol=1e-9)
    peer.load_state_dict(with_tensors(torch, ours.state_dict()))
    before = [t.detach().numpy().copy() for t in tensors]
    peer.step(closure)
    ours.step(closure_of(ours, logistic, params))
    for p, tensor, start in zip(params, tensors, before, strict=True):
        assert not np.array_equal(p.data, start)
        np.testing.assert_allclose(p.data, tensor.detach().numpy(), rtol=1e-9)


def with_tensors(torch, tree):
    if isinstance(tree, dict):
        return {key: with_tensors(torch, value) for key, value in tree.items()}
    if isinstance(tree, list):
        return [with_tensors(torch, value) for value in tree]
    return torch.tensor(tree) if isinstance(tree, np.ndarray) else tree


def test_steps_are_those_of_the_inverse_hessian_written_down():
    """BFGS from scratch at every point, with matrices: what the two loops avoid."""
    x, hessian = np.zeros(5), np.diag(2 * SCALES)
    points, gradients = [x], [hessian @ (x - 1.0)]
    for k in range(8):
        g, inverse, factor = gradients[-1], np.eye(5), 0.3
        if k == 0:
            factor *= min(1.0, 1 / np.abs(g).sum())
        else:
            pairs = [(points[i + 1] - points[i], gradients[i + 1] - gradients[i]) for i in range(k)]
            pairs = pairs[-3:]
            s, y = pairs[-1]
            inverse = inverse * (s @ y) / (y @ y)
            for s, y in pairs:
                v = np.eye(5) - np.outer(y, s) / (s @ y)
                inverse = v.T @ inverse @ v + np.outer(s, s) / (s @ y)
        points.append(points[-1] - factor * inverse @ g)
        gradients.append(hessian @ (points[-1] - 1.0))
    params, seen = leaves(STARTS[bowl]), []
    optimizer = optim.LBFGS(params, lr=0.3, max_iter=9, history_size=3)
    optimizer.step(closure_of(optimizer, bowl, params, seen))
    np.testing.assert_allclose(seen, points, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("lr", [1e-3, 1.0, 1e3])
def test_the_line_search_ends_where_both_conditions_of_wolfe_hold(lr):
    params = leaves(STARTS[valley])
    optimizer = optim.LBFGS(
        params, lr=lr, max_iter=1, max_eval=60, tolerance_change=1e-15, **SEARCH
    )
    for _ in range(100):
        optimizer.step(closure_of(optimizer, valley, params))
        state = optimizer.state[params[0]]
        slope = state["prev_flat_grad"] @ state["d"]
        if np.abs(state["prev_flat_grad"]).max() < 1e-3:
            break
        assert slope < 0
        loss, g = autograd.value_and_grad(lambda x: valley(np, x))(params[0].data)
        assert loss <= state["prev_loss"] + 1e-4 * state["t"] * slope
        assert abs(g @ state["d"]) <= 0.9 * abs(slope)
    np.testing.assert_allclose(params[0].data, 1.0, atol=1e-2)


def test_known_minima_are_found_with_about_as_many_calls_as_scipy_makes():
    optimize = pytest.importorskip("scipy.optimize")
    for function, (start, *_) in STARTS.items():
        if function is logistic:
            continue
        params, seen = leaves([start]), []
        optimizer = optim.LBFGS(params, max_iter=200, tolerance_change=1e-13, **SEARCH)
        optimizer.step(closure_of(optimizer, function, params, seen))
        np.testing.assert_allclose(params[0].data, 1.0, rtol=1e-6)
        f = autograd.value_and_grad(lambda x, function=function: function(np, x))
        reference = optimize.minimize(f, start, jac=True, method="L-BFGS-B", tol=1e-12)
        assert len(seen) < 1.5 * reference.nfev


def test_complex_and_mixed_parameters_move_like_one_real_vector():
    z = Variable(np.array([1.0 + 2.0j, -1.0j]), requires_grad=True)
    w = Variable(np.array([[0.5], [2.0]], np.float32).T, requires_grad=True)
    idle = Variable(np.ones(2), requires_grad=True)
    x = Variable(np.array([1.0, 2.0, 0.0, -1.0, 0.5, 2.0]), requires_grad=True)
    mixed, plain = optim.LBFGS([z, w, idle], lr=0.2), optim.LBFGS([x], lr=0.2)

    def closure():
        mixed.zero_grad()
        loss = np.real(z[0] * np.conj(z[0]) + 4 * z[1] * np.conj(z[1])) + (3 * w * w).sum()
        loss.backward()
        return loss

    def twin():
        plain.zero_grad()
        loss = (np.array([1.0, 1.0, 4.0, 4.0, 3.0, 3.0]) * x * x).sum()
        loss.backward()
        return loss

    mixed.step(closure)
    plain.step(twin)
    assert w.data.dtype == np.float32
    np.testing.assert_allclose(np.r_[z.data.view(float), w.data[0]], x.data, rtol=1e-5, atol=1e-7)
    np.testing.assert_array_equal(idle.data, 1.0)


@pytest.mark.parametrize("options", OPTIONS[:5], ids=str)
def test_a_checkpoint_continues_bit_for_bit(options):
    params = leaves(STARTS[valley])
    optimizer = optim.LBFGS(params, **options)
    optimizer.step(closure_of(optimizer, valley, params))
    saved = copy.deepcopy(optimizer.state_dict())
    others = leaves([p.data for p in params])
    other = optim.LBFGS(others)
    other.load_state_dict(saved)
    for _ in range(2):
        optimizer.step(closure_of(optimizer, valley, params))
        other.step(closure_of(other, valley, others))
    np.testing.assert_array_equal(params[0].data, others[0].data)
    lists = json.loads(json.dumps(saved, default=np.ndarray.tolist))
    other.load_state_dict(lists)  # as plain lists, too


def test_a_file_keeps_the_history(tmp_path):
    params = leaves(STARTS[logistic])
    optimizer = optim.LBFGS(params, max_iter=4, **SEARCH)
    optimizer.step(closure_of(optimizer, logistic, params))
    nn.save(tmp_path / "run.npz", optimizer=optimizer)
    others = leaves([p.data for p in params])
    other = optim.LBFGS(others)
    nn.load(tmp_path / "run.npz", optimizer=other)
    for o, p in ((optimizer, params), (other, others)):
        o.step(closure_of(o, logistic, p))
    for p, q in zip(params, others, strict=True):
        np.testing.assert_array_equal(p.data, q.data)


def test_a_step_at_the_minimum_looks_once():
    params, seen = leaves([np.ones(5)]), []
    optimizer = optim.LBFGS(params)
    optimizer.step(closure_of(optimizer, bowl, params, seen))
    assert len(seen) == 1
    np.testing.assert_array_equal(params[0].data, 1.0)


def test_the_search_steps_back_from_where_there_is_no_loss():
    x = Variable([1.0], requires_grad=True)
    optimizer = optim.LBFGS([x], lr=50.0, tolerance_change=1e-13, **SEARCH)

    def closure():
        optimizer.zero_grad()
        loss = (x - np.log(np.where(x > 0, x, np.nan))).sum() + 0.5 * (x * x).sum()
        loss.backward()
        return loss

    optimizer.step(closure)
    np.testing.assert_allclose(x.data, (np.sqrt(5) - 1) / 2, rtol=1e-6)


@pytest.mark.parametrize("options", [SEARCH, {}])
def test_a_closure_that_fails_leaves_the_parameters_where_the_last_iteration_was(options):
    params = leaves(STARTS[valley])
    optimizer = optim.LBFGS(params, lr=1e-3, **options)
    inner, calls = closure_of(optimizer, valley, params), []

    def closure():
        calls.append(params[0].data.copy())
        if len(calls) == 4:
            raise KeyboardInterrupt
        return inner()

    with pytest.raises(KeyboardInterrupt):
        optimizer.step(closure)
    assert any(np.array_equal(params[0].data, point) for point in calls[:-1])
    state = optimizer.state[params[0]]
    assert np.isfinite(state["t"])
    optimizer.step(inner)
    assert np.isfinite(params[0].data).all()


def test_a_graph_from_before_the_step_is_out_of_date():
    params = leaves(STARTS[valley])
    optimizer = optim.LBFGS(params)
    loss = valley(np, *params)
    optimizer.step(closure_of(optimizer, valley, params))
    with pytest.raises(RuntimeError, match="was changed"):
        loss.backward()


def x_of(count=1):
    return leaves([np.ones(2)] * count)


@pytest.mark.parametrize(
    "call, error, message",
    [
        (
            lambda: optim.LBFGS(x_of()).step(),
            TypeError,
            r"wanted a closure in step\(closure\), got",
        ),
        (
            lambda: optim.LBFGS(x_of()).step(lambda: None),
            TypeError,
            "wanted the loss from the closure, got None; add: return loss",
        ),
        (
            lambda: optim.LBFGS([{"params": x_of()}, {"params": x_of()}]),
            ValueError,
            "LBFGS: wanted one group of parameters, got a second; .* put them into one list",
        ),
        (lambda: optim.LBFGS(x_of(), lr=-1.0), ValueError, "LBFGS: wanted lr >= 0, got -1.0"),
        (lambda: optim.LBFGS(x_of(), max_iter=0), ValueError, "wanted max_iter >= 1, got 0"),
        (
            lambda: optim.LBFGS(x_of(), max_iter=2.5),
            TypeError,
            "whole number for max_iter, got 2.5",
        ),
        (lambda: optim.LBFGS(x_of(), max_eval="9"), TypeError, "real number for max_eval, got .9."),
        (lambda: optim.LBFGS(x_of(), history_size=0), ValueError, "wanted history_size >= 1, got"),
        (
            lambda: optim.LBFGS(x_of(), line_search_fn="armijo"),
            ValueError,
            "LBFGS: wanted line_search_fn among 'strong_wolfe', None, got 'armijo'",
        ),
    ],
)
def test_wrong_use_is_explained(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_read_only_data_are_refused_before_the_first_call():
    params, calls = x_of(2), []
    optimizer = optim.LBFGS(params)
    params[1].data = np.broadcast_to(np.ones(1), 2)
    with pytest.raises(ValueError, match="LBFGS: wanted parameters that can be .* parameter 1 of"):
        optimizer.step(lambda: calls.append(1))
    assert not calls


@pytest.mark.parametrize(
    "change, message",
    [
        ({"d": np.zeros(7)}, r"wanted 'd' of shape \(3,\) for parameter 0, got \(7,\)"),
        ({"t": np.nan}, "wanted a finite number as 't' of parameter 0, got nan"),
        ({"n_iter": 1.5}, "wanted a finite whole number as 'n_iter' of parameter 0, got 1.5"),
        ({"ro": 3}, "wanted a list of at most 100 entries as 'ro', got int 3"),
        ({"ro": []}, "wanted old_dirs, old_stps, ro of one length"),
        ({"old_dirs": [np.zeros(2)] * 19}, r"wanted 'old_dirs' of shape \(3,\) for parameter 0"),
        ({"prev_flat_grad": None}, "wanted 'prev_flat_grad' in the state of parameter 0, got"),
    ],
)
def test_a_state_that_does_not_fit_changes_nothing(change, message):
    params = leaves(STARTS[valley])
    optimizer = optim.LBFGS(params, **SEARCH)
    optimizer.step(closure_of(optimizer, valley, params))
    saved = optimizer.state_dict()
    before = optimizer.state[params[0]]["d"].copy()
    saved["state"][0] |= change
    saved["param_groups"][0]["lr"] = 7.0
    with pytest.raises(ValueError, match=message):
        optimizer.load_state_dict(saved)
    assert optimizer.param_groups[0]["lr"] == 1.0
    np.testing.assert_array_equal(optimizer.state[params[0]]["d"], before)
    saved["state"] = {1: saved["state"][0]}
    with pytest.raises(ValueError, match="state for parameter 1, which is in none"):
        optimizer.load_state_dict(saved)


def test_evaluations_are_limited_to_five_quarters_of_the_steps_as_in_pytorch():
    limits = [optim.LBFGS(x_of(), max_iter=n).param_groups[0]["max_eval"] for n in (1, 4, 20)]
    assert limits == [1, 5, 25]
