"""Learning rate schedules: the formula of each, PyTorch's numbers, checkpoints and errors."""

import importlib
import inspect
import json
import math
import re

import numpy as np
import pytest
from torch_twin import compare_defaults, torch

import optim
from autograd import Variable
from optim import lr_scheduler as ls
from optim.swa_utils import SWALR

# Rates are the subject: most steps here are taken without a gradient, which is told.
pytestmark = pytest.mark.filterwarnings("ignore:.*step. wanted gradients:UserWarning")

RATES = (0.4, 0.05)


def optimizer(algorithm=optim.SGD, rates=RATES, **options):
    groups = [{"params": [Variable([1.0], requires_grad=True)], "lr": r} for r in rates]
    return algorithm(groups, **options)


def history(opt, scheduler, steps, *metrics):
    """Learning rates (and momenta) of all groups, before the first step and after each."""
    rows = [snapshot(opt)]
    for t in range(steps):
        opt.step()
        scheduler.step(*(metric[t] for metric in metrics))
        rows.append(snapshot(opt))
    return rows


def snapshot(opt):
    return [(g["lr"], g.get("momentum", 0.0), *g.get("betas", ())) for g in opt.param_groups]


def rates(opt, scheduler, steps):
    return [row[0][0] for row in history(opt, scheduler, steps)]


def averaging(module):
    """Where SWALR is, for ours and PyTorch's alike."""
    return importlib.import_module(module.__name__.replace("lr_scheduler", "swa_utils"))


# Schedules as functions of (module, optimizer), for ours and PyTorch's alike.
SCHEDULES = {
    "lambda": lambda m, o: m.LambdaLR(o, lambda t: 0.9**t + 0.1),
    "lambdas": lambda m, o: m.LambdaLR(o, [lambda t: 1 / (1 + t), lambda t: t]),
    "multiplicative": lambda m, o: m.MultiplicativeLR(o, lambda t: 0.9 if t % 2 else 1.05),
    "step": lambda m, o: m.StepLR(o, step_size=4, gamma=0.3),
    "multistep": lambda m, o: m.MultiStepLR(o, milestones=[9, 3, 3, 12], gamma=0.5),
    "constant": lambda m, o: m.ConstantLR(o, factor=0.25, total_iters=6),
    "constant defaults": lambda m, o: m.ConstantLR(o),
    "linear": lambda m, o: m.LinearLR(o, start_factor=0.2, end_factor=0.7, total_iters=8),
    "linear defaults": lambda m, o: m.LinearLR(o),
    "exponential": lambda m, o: m.ExponentialLR(o, gamma=0.93),
    "polynomial": lambda m, o: m.PolynomialLR(o, total_iters=12, power=1.7),
    "polynomial defaults": lambda m, o: m.PolynomialLR(o),
    "cosine": lambda m, o: m.CosineAnnealingLR(o, T_max=7, eta_min=0.01),
    "cosine once": lambda m, o: m.CosineAnnealingLR(o, T_max=40),
    "restarts": lambda m, o: m.CosineAnnealingWarmRestarts(o, T_0=5),
    "restarts longer": lambda m, o: m.CosineAnnealingWarmRestarts(o, 3, T_mult=2, eta_min=0.01),
    "one cycle": lambda m, o: m.OneCycleLR(o, max_lr=0.5, total_steps=41),
    "one cycle linear": lambda m, o: m.OneCycleLR(
        o, [0.5, 0.1], epochs=7, steps_per_epoch=6, anneal_strategy="linear", pct_start=0.25
    ),
    "one cycle in three": lambda m, o: m.OneCycleLR(
        o, 0.5, 41, three_phase=True, base_momentum=0.7, max_momentum=0.8, div_factor=5.0
    ),
    "one cycle alone": lambda m, o: m.OneCycleLR(o, 0.5, 41, cycle_momentum=False),
    "cyclic": lambda m, o: m.CyclicLR(o, base_lr=0.01, max_lr=0.3, step_size_up=4),
    "cyclic shrinking": lambda m, o: m.CyclicLR(
        o, 0.01, [0.3, 0.2], 3, step_size_down=5, mode="triangular2"
    ),
    "cyclic fading": lambda m, o: m.CyclicLR(
        o, [0.01, 0.02], 0.3, 3, mode="exp_range", gamma=0.97, base_momentum=0.6, max_momentum=0.8
    ),
    "cyclic own": lambda m, o: m.CyclicLR(
        o, 0.01, 0.3, 3, scale_fn=lambda x: 1 / (1 + x), scale_mode="iterations"
    ),
    "averaging": lambda m, o: averaging(m).SWALR(o, swa_lr=[0.2, 0.03]),
    "averaging linear": lambda m, o: averaging(m).SWALR(o, 0.5, 7, anneal_strategy="linear"),
    "averaging at once": lambda m, o: averaging(m).SWALR(o, 0.5, anneal_epochs=0),
    "averaging in the end": lambda m, o: m.SequentialLR(
        o, [m.ExponentialLR(o, 0.9), averaging(m).SWALR(o, 0.2, 4)], milestones=[6]
    ),
    "sequence": lambda m, o: m.SequentialLR(
        o,
        [
            m.LinearLR(o, start_factor=0.1, total_iters=5),
            m.CosineAnnealingLR(o, T_max=9, eta_min=0.001),
            m.ExponentialLR(o, gamma=0.8),
            m.StepLR(o, step_size=3),
            m.CosineAnnealingWarmRestarts(o, T_0=4),
        ],
        milestones=[5, 14, 20, 30],
    ),
    "sequence of products": lambda m, o: m.SequentialLR(
        o,
        [m.ConstantLR(o, 0.5, 3), m.MultiplicativeLR(o, lambda t: 0.9), m.PolynomialLR(o, 8)],
        milestones=[4, 10],
    ),
    "chain": lambda m, o: m.ChainedScheduler(
        [m.ConstantLR(o, 0.1, 4), m.ExponentialLR(o, 0.9), m.StepLR(o, 5)]
    ),
}
every_schedule = pytest.mark.parametrize("build", SCHEDULES.values(), ids=SCHEDULES)

FORMULAS = {
    "averaging": lambda t: 0.75 + 0.25 * math.cos(math.pi * min(t, 10) / 10),
    "lambda": lambda t: 0.9**t + 0.1,
    "step": lambda t: 0.3 ** (t // 4),
    "multistep": lambda t: 0.5 ** ((t >= 9) + 2 * (t >= 3) + (t >= 12)),
    "constant": lambda t: 0.25 if t < 6 else 1.0,
    "linear": lambda t: 0.2 + 0.5 * min(t, 8) / 8,
    "exponential": lambda t: 0.93**t,
    "polynomial": lambda t: (1 - min(t, 12) / 12) ** 1.7,
    "cosine once": lambda t: (1 + math.cos(math.pi * t / 40)) / 2,
    "restarts": lambda t: (1 + math.cos(math.pi * (t % 5) / 5)) / 2,
    "chain": lambda t: (0.1 if t < 4 else 1.0) * 0.9**t * 0.1 ** (t // 5),
}


@pytest.mark.parametrize("name", FORMULAS)
def test_rates_follow_the_formula(name):
    opt = optimizer()
    got = rates(opt, SCHEDULES[name](ls, opt), 40)
    wanted = [0.4 * FORMULAS[name](t) for t in range(41)]
    np.testing.assert_allclose(got, wanted, rtol=1e-12, atol=1e-15)


@pytest.mark.torch
@every_schedule
@pytest.mark.parametrize("algorithm", ["SGD", "Adam"])
def test_rates_and_momenta_are_those_of_pytorch(build, algorithm):
    torch = pytest.importorskip("torch")
    options = {"momentum": 0.9} if algorithm == "SGD" else {}
    ours = optimizer(getattr(optim, algorithm), **options)
    groups = [{"params": [torch.ones(1, requires_grad=True)], "lr": r} for r in RATES]
    theirs = getattr(torch.optim, algorithm)(groups, **options)
    peer = torch.optim.lr_scheduler
    np.testing.assert_allclose(
        history(ours, build(ls, ours), 40),
        history(theirs, build(peer, theirs), 40),
        rtol=1e-12,
        atol=1e-16,
    )


@every_schedule
def test_a_checkpoint_continues_the_schedule(build):
    opt = optimizer(momentum=0.9)
    scheduler = build(ls, opt)
    history(opt, scheduler, 17)
    saved = json.loads(json.dumps([opt.state_dict(), scheduler.state_dict()]))
    other = optimizer(momentum=0.9)
    resumed = build(ls, other)
    other.load_state_dict(saved[0])
    resumed.load_state_dict(saved[1])
    assert resumed.get_last_lr() == scheduler.get_last_lr()
    assert history(other, resumed, 20) == history(opt, scheduler, 20)


def test_the_last_rate_is_told_for_every_group():
    opt = optimizer()
    scheduler = ls.ExponentialLR(opt, 0.5)
    assert scheduler.get_last_lr() == list(RATES)
    opt.step()
    scheduler.step()
    assert scheduler.get_last_lr() == [0.2, 0.025]
    scheduler.get_last_lr()[0] = 7.0
    assert scheduler.get_last_lr() == [0.2, 0.025]


def test_a_rate_changed_by_hand_is_what_goes_on():
    opt = optimizer()
    scheduler = ls.ExponentialLR(opt, 0.5)
    opt.step()
    opt.param_groups[0]["lr"] = 8.0
    scheduler.step()
    assert opt.param_groups[0]["lr"] == 4.0


def test_numpy_rates_become_python_floats():
    opt = optimizer()
    ls.LambdaLR(opt, np.cos)
    assert [type(g["lr"]) for g in opt.param_groups] == [float, float]


def test_restarts_may_be_placed_within_an_epoch():
    opt = optimizer()
    scheduler = ls.CosineAnnealingWarmRestarts(opt, T_0=2, T_mult=3)
    opt.step()
    for epoch, share in [(0.5, 0.25), (1.5, 0.75), (2.0, 0.0), (5.0, 0.5), (8.0, 0.0), (17, 0.5)]:
        scheduler.step(epoch)
        wanted = 0.4 * (1 + math.cos(math.pi * share)) / 2
        assert opt.param_groups[0]["lr"] == pytest.approx(wanted)
    with pytest.raises(ValueError, match="wanted epoch >= 0, got -1"):
        scheduler.step(-1)


@pytest.mark.torch
@pytest.mark.parametrize("growth", [1, 3])
def test_restarts_within_an_epoch_are_those_of_pytorch(growth):
    torch = pytest.importorskip("torch")
    ours = optimizer()
    theirs = torch.optim.SGD([torch.ones(1, requires_grad=True)], lr=RATES[0])
    peer = torch.optim.lr_scheduler
    pair = [
        (o, m.CosineAnnealingWarmRestarts(o, 2, growth)) for o, m in [(ours, ls), (theirs, peer)]
    ]
    for epoch in [0.3, 1.9, None, 2.7, 7.9, None, 8.0, 30.2, None, None, 1.0, None]:
        for o, scheduler in pair:
            o.step()
            scheduler.step(epoch)
        wanted = theirs.param_groups[0]["lr"]
        assert ours.param_groups[0]["lr"] == pytest.approx(wanted, rel=1e-12)


# -- ReduceLROnPlateau --------------------------------------------------------------------

PLATEAUS = [
    {},
    {"patience": 1, "factor": 0.5},
    {"patience": 0, "factor": 0.5, "threshold": 0.1},
    {"patience": 1, "cooldown": 3, "min_lr": [0.1, 0.001]},
    {"patience": 1, "threshold_mode": "abs", "threshold": 0.05},
    {"mode": "max", "patience": 2, "min_lr": 0.01},
    {"mode": "max", "patience": 1, "threshold_mode": "abs", "threshold": 0.2, "eps": 0.01},
]


@pytest.mark.torch
@pytest.mark.parametrize("options", PLATEAUS, ids=str)
def test_plateaus_are_found_where_pytorch_finds_them(options):
    torch = pytest.importorskip("torch")
    metrics = np.random.default_rng(0).normal(size=60).cumsum() / 5 + 3
    ours = optimizer()
    groups = [{"params": [torch.ones(1, requires_grad=True)], "lr": r} for r in RATES]
    theirs = torch.optim.SGD(groups)
    peer = torch.optim.lr_scheduler.ReduceLROnPlateau(theirs, **options)
    scheduler = ls.ReduceLROnPlateau(ours, **options)
    got = history(ours, scheduler, 60, metrics)
    assert len({row[0][0] for row in got}) > 1
    np.testing.assert_allclose(got, history(theirs, peer, 60, metrics), rtol=1e-12)


def test_the_rate_falls_after_more_bad_epochs_than_patience():
    opt = optimizer(rates=(1.0,))
    scheduler = ls.ReduceLROnPlateau(opt, factor=0.5, patience=2)
    assert scheduler.last_epoch == scheduler.num_bad_epochs == scheduler.cooldown_counter == 0
    for loss in (3.0, 2.0, 2.0, 2.5):
        scheduler.step(Variable(loss))
    assert scheduler.get_last_lr() == [1.0]
    assert scheduler.last_epoch == 4
    scheduler.step(2.2)
    assert scheduler.get_last_lr() == [0.5]


@pytest.mark.parametrize("mode", ["min", "max"])
@pytest.mark.parametrize("threshold_mode", ["rel", "abs"])
def test_the_same_number_again_is_no_progress(mode, threshold_mode):
    opt = optimizer(rates=(1.0,))
    scheduler = ls.ReduceLROnPlateau(
        opt, mode, factor=0.5, patience=1, threshold=0.0, threshold_mode=threshold_mode
    )
    for _ in range(3):
        scheduler.step(2.0)
    assert scheduler.get_last_lr() == [0.5]


def test_a_plateau_checkpoint_continues():
    metrics = list(np.random.default_rng(1).normal(size=40) + 3)
    opt, other = optimizer(), optimizer()
    scheduler = ls.ReduceLROnPlateau(opt, patience=1, cooldown=2)
    resumed = ls.ReduceLROnPlateau(other)
    history(opt, scheduler, 15, metrics)
    saved = json.loads(json.dumps([opt.state_dict(), scheduler.state_dict()]))
    other.load_state_dict(saved[0])
    resumed.load_state_dict(saved[1])
    later = metrics[15:]
    assert history(other, resumed, 25, later) == history(opt, scheduler, 25, later)


# -- what can go wrong --------------------------------------------------------------------


def test_a_schedule_before_the_first_step_warns():
    opt = optimizer()
    scheduler = ls.StepLR(opt, 2)
    with pytest.warns(UserWarning, match=r"StepLR: step\(\) was called before optimizer.step"):
        scheduler.step()


def test_continuing_needs_the_initial_rates():
    with pytest.raises(KeyError, match="group 0 has no 'initial_lr'"):
        ls.StepLR(optimizer(), 2, last_epoch=3)
    opt = optimizer()
    history(opt, ls.ExponentialLR(opt, 0.5), 3)
    before = [g["lr"] for g in opt.param_groups]
    scheduler = ls.ExponentialLR(opt, 0.5, last_epoch=3)
    assert scheduler.base_lrs == list(RATES)
    assert scheduler.get_last_lr() == before


@pytest.mark.parametrize(
    "build, error, message",
    [
        (lambda o: ls.StepLR([], 2), TypeError, "StepLR: wanted an Optimizer"),
        (lambda o: ls.StepLR(o, 0), ValueError, "wanted a positive integer as step_size, got 0"),
        (lambda o: ls.StepLR(o, 1.5), ValueError, "positive integer as step_size, got 1.5"),
        (lambda o: ls.LambdaLR(o, [abs]), ValueError, "one for each of 2 parameter groups, got 1"),
        (lambda o: ls.ConstantLR(o, 2.0), ValueError, "wanted 0 < factor <= 1, got 2.0"),
        (lambda o: ls.LinearLR(o, 0.0), ValueError, "wanted 0 < start_factor <= 1, got 0.0"),
        (lambda o: ls.LinearLR(o, 1.0, -1), ValueError, "wanted 0 <= end_factor <= 1, got -1"),
        (lambda o: ls.CosineAnnealingLR(o, 0), ValueError, "positive integer as T_max"),
        (lambda o: ls.CosineAnnealingWarmRestarts(o, 0), ValueError, "positive integer as T_0"),
        (lambda o: ls.OneCycleLR(o, 0.1), ValueError, "wanted the length of the cycle, got none"),
        (lambda o: ls.OneCycleLR(o, 0.1, 9, pct_start=2), ValueError, "wanted 0 <= pct_start <= 1"),
        (
            lambda o: ls.OneCycleLR(o, 0.1, 9, anneal_strategy="x"),
            ValueError,
            "wanted anneal_strategy 'cos' or 'linear', got 'x'",
        ),
        (lambda o: ls.CyclicLR(o, 0.1, 0.2, mode="x"), ValueError, "wanted mode as one of"),
        (
            lambda o: ls.OneCycleLR(optimizer(optim.Adagrad), 0.1, 9),
            ValueError,
            "Adagrad has neither momentum nor betas; pass cycle_momentum=False",
        ),
        (lambda o: ls.LambdaLR(o, 0.9), TypeError, "wanted a function as lr_lambda, got float 0.9"),
        (
            lambda o: ls.MultiplicativeLR(o, [abs, "x"]),
            TypeError,
            "MultiplicativeLR: wanted a function as lr_lambda, got str 'x'",
        ),
        (lambda o: ls.StepLR(o, 2, None), TypeError, "a real number for gamma, got NoneType None"),
        (lambda o: ls.StepLR(o, 2, math.nan), ValueError, "StepLR: wanted a number for gamma, got"),
        (lambda o: ls.StepLR(o, True), ValueError, "positive integer as step_size, got True"),
        (
            lambda o: ls.MultiStepLR(o, 3),
            TypeError,
            "MultiStepLR: wanted a list of milestones, got",
        ),
        (lambda o: ls.MultiStepLR(o, ["3"]), TypeError, "real number for milestones, got str '3'"),
        (lambda o: ls.CyclicLR(o, 0.1, 0.2, 0), ValueError, "wanted step sizes above 0, got 0"),
        (lambda o: ls.CyclicLR(o, 0.1, [0.2, None]), TypeError, "a real number for max_lr, got No"),
        (
            lambda o: ls.CyclicLR(o, 0.1, 0.2, scale_fn=3),
            TypeError,
            "wanted a function as scale_fn",
        ),
        (
            lambda o: ls.OneCycleLR(o, 0.1, 9, div_factor=0),
            ValueError,
            "wanted div_factor and final_div_factor above 0, got 0 and 10000.0",
        ),
        (
            lambda o: SWALR(o, None),
            TypeError,
            "SWALR: wanted a real number for swa_lr, got NoneType",
        ),
        (lambda o: SWALR(o, [0.1]), ValueError, "wanted one swa_lr for all or one for each of 2"),
        (lambda o: SWALR(o, 0.1, -1), ValueError, "an integer of at least 0 as anneal_epochs, got"),
        (lambda o: SWALR(o, 0.1, 3, "x"), ValueError, "anneal_strategy 'cos' or 'linear', got 'x'"),
        (lambda o: ls.ReduceLROnPlateau(o, factor=1.0), ValueError, "wanted factor < 1, got 1.0"),
        (lambda o: ls.ReduceLROnPlateau(o, "low"), ValueError, "wanted mode 'min' or 'max'"),
        (
            lambda o: ls.ReduceLROnPlateau(o, threshold_mode="x"),
            ValueError,
            "wanted threshold_mode 'rel' or 'abs', got 'x'",
        ),
        (lambda o: ls.SequentialLR(o, [], []), ValueError, "wanted at least one schedule"),
        (
            lambda o: ls.SequentialLR(o, [ls.StepLR(o, 1)], [3]),
            ValueError,
            "wanted one milestone fewer than schedules, got 1 for 1 schedules",
        ),
        (
            lambda o: ls.SequentialLR(o, [ls.StepLR(o, 1) for _ in range(3)], [3, 3]),
            ValueError,
            r"wanted increasing milestones, got \[3, 3\]",
        ),
        (lambda o: ls.ChainedScheduler([o]), TypeError, "got SGD at index 0"),
        (
            lambda o: ls.ChainedScheduler([ls.ReduceLROnPlateau(o)]),
            TypeError,
            "got ReduceLROnPlateau at index 0; step it beside this one",
        ),
        (
            lambda o: ls.ChainedScheduler([ls.StepLR(o, 1)], optimizer()),
            ValueError,
            "wanted schedules of one optimizer",
        ),
    ],
)
def test_wrong_arguments_are_explained(build, error, message):
    with pytest.raises(error, match=message):
        build(optimizer())


NEEDED = {
    "LambdaLR": {"lr_lambda": abs},
    "MultiplicativeLR": {"lr_lambda": abs},
    "StepLR": {"step_size": 2},
    "MultiStepLR": {"milestones": [1, 2]},
    "ExponentialLR": {"gamma": 0.5},
    "CosineAnnealingLR": {"T_max": 5},
    "CosineAnnealingWarmRestarts": {"T_0": 5},
    "CyclicLR": {"base_lr": 0.1, "max_lr": 0.2},
    "OneCycleLR": {"max_lr": 0.1, "total_steps": 10},
    "SWALR": {"swa_lr": 0.1},
}


@pytest.mark.torch
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    "name",
    [*NEEDED, "ConstantLR", "LinearLR", "PolynomialLR", "ReduceLROnPlateau"],
)
def test_arguments_are_pytorchs_and_what_it_refuses_is_refused_at_once(name):
    torch = pytest.importorskip("torch")
    peers = torch.optim.lr_scheduler
    ours, theirs = (getattr(m if hasattr(m, name) else averaging(m), name) for m in (ls, peers))
    arguments, others = (inspect.signature(c).parameters for c in (ours, theirs))
    assert [(p.name, p.default) for p in arguments.values()] == [
        (p.name, p.default) for p in others.values()
    ]
    refused = 0
    for argument in list(arguments)[1:]:
        for value in (-1, 0.0, 1.5, 2.0, math.nan, None, "x", [1.0], [1.0] * 3, True):
            if argument == "last_epoch":
                continue
            given = {**NEEDED.get(name, {}), argument: value}
            groups = [{"params": [torch.ones(1, requires_grad=True)], "lr": r} for r in RATES]
            peer = torch.optim.SGD(groups, momentum=0.9)
            try:
                scheduler = theirs(peer, **given)
                for _ in range(3):
                    scheduler.step(*([1.0] if name == "ReduceLROnPlateau" else []))
            except (ValueError, TypeError, ArithmeticError):
                refused += 1
                with pytest.raises((ValueError, TypeError), match=f"^{name}: wanted "):
                    ours(optimizer(momentum=0.9), **given)
    assert refused > 3


def test_more_steps_than_the_cycle_has_are_refused():
    opt = optimizer(momentum=0.9)
    scheduler = ls.OneCycleLR(opt, 0.1, total_steps=3)
    history(opt, scheduler, 3)
    with pytest.raises(ValueError, match="wanted at most 3 steps, got step 4"):
        scheduler.step()


def test_a_state_of_another_schedule_is_refused_and_nothing_changes():
    opt = optimizer()
    scheduler = ls.StepLR(opt, 2)
    before = scheduler.state_dict()
    message = "wanted a state_dict of a StepLR, got one with missing keys ['step_size']"
    with pytest.raises(KeyError, match=re.escape(message)):
        scheduler.load_state_dict(ls.ExponentialLR(opt, 0.5).state_dict())
    assert scheduler.state_dict() == before


def test_a_state_with_another_number_of_parts_is_refused():
    opt = optimizer()
    one = ls.ChainedScheduler([ls.StepLR(opt, 2)])
    two = ls.ChainedScheduler([ls.StepLR(opt, 2), ls.StepLR(opt, 2)])
    with pytest.raises(ValueError, match="wanted a state_dict with 1 schedules, got 2"):
        one.load_state_dict(two.state_dict())


def test_parts_go_back_when_a_later_one_does_not_fit():
    opt = optimizer()
    scheduler = ls.ChainedScheduler([ls.StepLR(opt, 2), ls.ExponentialLR(opt, 0.5)])
    before = scheduler.state_dict()
    history(opt, scheduler, 3)
    spoiled = scheduler.state_dict()
    del spoiled["_schedulers"][1]["gamma"]
    scheduler.load_state_dict(before)
    with pytest.raises(KeyError, match="wanted a state_dict of a ExponentialLR"):
        scheduler.load_state_dict(spoiled)
    assert scheduler.state_dict() == before


def test_cycles_leave_the_momentum_alone_on_request():
    opt = optimizer(momentum=0.5)
    scheduler = ls.CyclicLR(opt, 0.1, 0.2, 3, cycle_momentum=False)
    assert history(opt, scheduler, 3)[-1] == [(0.2, 0.5), (0.2, 0.5)]


def test_a_schedule_without_a_formula_says_so():
    with pytest.raises(NotImplementedError, match="a subclass must define get_lr"):
        ls.LRScheduler(optimizer())


@pytest.mark.parametrize(
    "change, error, match",
    [
        ({"last_epoch": "1"}, ValueError, "StepLR: wanted last_epoch .* kind of 0, got '1'"),
        ({"last_epoch": None}, ValueError, "wanted last_epoch .* got None"),
        ({"last_epoch": True}, ValueError, "wanted last_epoch .* got True"),
        ({"base_lrs": [0.1]}, ValueError, "wanted base_lrs of the state_dict of the kind of"),
        ({"base_lrs": ["a", "b"]}, ValueError, "wanted base_lrs of the state_dict of the kind of"),
        ({"_beginning": 0}, ValueError, "wanted _beginning of the state_dict"),
        ({"step_size": 0}, ValueError, "StepLR: wanted a positive integer as step_size, got 0"),
    ],
)
def test_a_state_of_the_wrong_kind_changes_nothing(change, error, match):
    schedule = ls.StepLR(optimizer(), 2)
    before = schedule.state_dict()
    with pytest.raises(error, match=match):
        schedule.load_state_dict(before | change)
    assert schedule.state_dict() == before


@pytest.mark.parametrize("state", [None, 3, "a.npz", []])
def test_what_is_no_state_is_refused(state):
    for schedule in (ls.StepLR(optimizer(), 2), ls.ChainedScheduler([ls.StepLR(optimizer(), 2)])):
        with pytest.raises(TypeError, match=f"{type(schedule).__name__}: wanted a state_dict, got"):
            schedule.load_state_dict(state)


def test_a_part_that_does_not_fit_leaves_all_parts_as_they_were():
    opt = optimizer()
    schedule = ls.ChainedScheduler([ls.StepLR(opt, 2), ls.ExponentialLR(opt, 0.5)])
    before = schedule.state_dict()
    state = schedule.state_dict()
    state["_schedulers"][0]["last_epoch"] = 7
    state["_schedulers"][1]["last_epoch"] = "x"
    with pytest.raises(ValueError, match="ExponentialLR: wanted last_epoch"):
        schedule.load_state_dict(state)
    assert schedule.state_dict() == before


def build_all():
    opt = optim.SGD([Variable([1.0], requires_grad=True)], lr=0.1, momentum=0.9)
    step = ls.StepLR(opt, 2)
    return [
        step,
        ls.LambdaLR(opt, lambda t: 1.0),
        ls.MultiplicativeLR(opt, [lambda t: 1.0]),
        ls.MultiStepLR(opt, [1, 2]),
        ls.ConstantLR(opt),
        ls.LinearLR(opt),
        ls.ExponentialLR(opt, 0.5),
        ls.PolynomialLR(opt),
        ls.CosineAnnealingLR(opt, 3),
        ls.CosineAnnealingWarmRestarts(opt, 3),
        ls.CyclicLR(opt, 0.1, 0.2),
        ls.OneCycleLR(opt, 0.1, 10),
        ls.ReduceLROnPlateau(opt),
        ls.SequentialLR(opt, [ls.StepLR(opt, 2), ls.ExponentialLR(opt, 0.5)], [3]),
        ls.ChainedScheduler([step]),
    ]


def test_every_schedule_shows_what_it_is():
    built = build_all()
    assert {type(s).__name__ for s in built} == set(ls.__all__) - {"LRScheduler"}
    for schedule in built:
        assert repr(schedule).startswith(type(schedule).__name__ + "(")
        assert " at 0x" not in repr(schedule)
    assert repr(built[0]) == "StepLR(step_size=2, gamma=0.1, base_lrs=[0.1], last_epoch=0)"
    assert repr(built[-1]) == f"ChainedScheduler(\n  {built[0]!r},\n)"


@pytest.mark.torch
@pytest.mark.parametrize("name", sorted(set(ls.__all__) - {"LRScheduler"}))
def test_defaults_are_pytorchs(name):
    assert compare_defaults(getattr(ls, name), getattr(torch().optim.lr_scheduler, name))
