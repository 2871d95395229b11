"""What notebooks and terminals show: no address of an object anywhere, trees, tables and curves."""

import functools
import importlib
import inspect
import re
import types
import xml.etree.ElementTree as ET

import numpy as np
import pytest

import autograd
import nn
import optim
from autograd import Variable
from optim import lr_scheduler

PUBLIC = [
    *("autograd", "autograd.extend", "autograd.testing", "autograd.drawing", "nn", "nn.utils"),
    *("nn.utils.averaging", "nn.utils.parametrize", "nn.utils.prune", "nn.utils.rnn", "optim"),
    *("optim.lr_scheduler", "optim.swa_utils", "autograd.profiler", "autograd.array_api"),
    *("autograd.integrate", "autograd.optimize", "autograd.implicit", "autograd.interpolate"),
    "nn.sklearn",
]
# What functions give.
GIVEN = {
    "compile": lambda: autograd.compile(np.sin),
    "a compiled function that has run": lambda: called(autograd.compile(np.sin), np.ones(2)),
    "a compiled module": lambda: autograd.compile(layer()),
    "coverage": autograd.coverage,
    "detect_anomaly": autograd.detect_anomaly,
    "explain": lambda: autograd.explain(lambda x: x * x, 2.0),
    "no_grad": autograd.no_grad,
    "odeint": lambda: autograd.integrate.odeint(lambda y, t: -y, np.ones(1), np.arange(2.0)),
    "primitive": lambda: autograd.exp.primitive,
    "profile": autograd.profile,
    "random_split": lambda: nn.random_split(data(), [3, 1]),
    "record_values": autograd.record_values,
    "solve_ivp": lambda: autograd.integrate.solve_ivp(
        lambda t, y: -y, (0, 1), np.ones(1), dense_output=True
    ),
    "vectorize": lambda: autograd.vectorize(abs),
    "vspace": lambda: autograd.extend.vspace(np.ones(2)),
    "a hook of a module": lambda: layer().register_forward_hook(print),
    "a hook of an optimizer": lambda: optimizer().register_step_post_hook(print),
}
SVG = "{http://www.w3.org/2000/svg}"


def leaf():
    return Variable([1.0, 2.0], requires_grad=True)


def layer():
    return nn.Linear(2, 2)


def optimizer():
    return optim.Adam(layer().parameters())


def data():
    return nn.ArrayDataset(np.ones((4, 2)), np.ones(4))


def called(function, *arguments):
    function(*arguments)
    return function


class Letters(nn.Dataset):
    def __len__(self):
        return 3

    def __getitem__(self, index):
        return "abc"[index]


class Stream(nn.IterableDataset):
    def __iter__(self):
        return iter([1, 2])


def schedule(*arguments, **options):
    return lambda cls: cls(optimizer(), *arguments, **options)


def combined(*arguments):
    def make(cls):
        own = optimizer()
        parts = [lr_scheduler.LinearLR(own), lr_scheduler.LambdaLR(own, lambda _: 0.5)]
        return cls(own, parts, [5]) if cls is lr_scheduler.SequentialLR else cls(parts)

    return make


def block(kind):
    return lambda cls: cls(kind(4, 2, 4), 1)


# Arguments of classes that have their own idea of them.
ARGUMENTS = {
    "AdaptiveLogSoftmaxWithLoss": lambda cls: cls(4, 8, [2]),
    "ArrayDataset": lambda cls: cls(np.ones(3)),
    "BlockSampler": lambda cls: cls(data()),
    "CSVLogger": lambda cls: cls("log.csv"),
    "ChainedScheduler": combined(),
    "Checkpoint": lambda cls: cls("run.npz"),
    "CosineAnnealingLR": schedule(10),
    "CosineAnnealingWarmRestarts": schedule(10, 2),
    "CyclicLR": schedule(1e-3, 1e-2, 10, cycle_momentum=False),
    "Dataset": lambda _: Letters(),
    "Drawing": lambda _: (leaf() * 2).draw(),
    "ExponentialLR": schedule(0.9),
    "finfo_object": None,  # a record, as the next one
    "iinfo_object": None,
    "FitState": lambda cls: cls(**dict.fromkeys(inspect.signature(cls).parameters) | {"loss": 1.0}),
    "Function": None,  # has no instances
    "HookHandle": lambda _: leaf().register_hook(print),
    "IterableDataset": lambda _: Stream(),
    "LRScheduler": lambda _: lr_scheduler.StepLR(optimizer(), 5),
    "LambdaLR": schedule(lambda step: 0.9**step),
    "MultiStepLR": schedule([3, 6]),
    "MultiplicativeLR": schedule(lambda _: 0.9),
    "Muon": lambda cls: cls([Variable(np.eye(2), requires_grad=True)]),
    "NpyDataset": None,  # of a file
    "OneCycleLR": schedule(0.1, total_steps=20),
    "Optimizer": lambda _: optimizer(),
    "ParametrizationList": lambda _: (
        nn.utils.parametrizations.weight_norm(layer()).parametrizations.weight
    ),
    "RNNBase": lambda _: nn.LSTM(2, 2),
    "RNNCellBase": lambda _: nn.GRUCell(2, 2),
    "RandomSampler": lambda cls: cls(data()),
    "Sampler": lambda _: nn.SequentialSampler(data()),
    "SequentialLR": combined(),
    "SequentialSampler": lambda cls: cls(data()),
    "StepLR": schedule(5),
    "set_grad_enabled": lambda cls: cls(True).__enter__().__exit__() or cls.__new__(cls),
    "Subset": lambda cls: cls(data(), [0, 2]),
    "Summary": lambda _: nn.summary(layer(), np.ones((1, 2), np.float32)),
    "Run": lambda cls: cls(
        autograd.exp.primitive, types.SimpleNamespace(size=3), [True], on_arrays=True
    ),
    "SWALR": schedule(0.01),
    "TensorBoardLogger": None,  # needs a package
    "Transformer": lambda cls: cls(4, 2, 1, 1, 4),
    "TransformerDecoder": block(nn.TransformerDecoderLayer),
    "TransformerEncoder": block(nn.TransformerEncoderLayer),
    "Unflatten": lambda cls: cls(1, (2, 2)),
    "WorkerInfo": lambda cls: cls(*range(len(inspect.signature(cls).parameters))),
    "use_kernels": lambda cls: cls("numpy"),
}


def made(cls):
    """An instance of a class, made of its own arguments, or of the first that it takes."""
    name = cls.__name__
    if name in ARGUMENTS:
        return ARGUMENTS[name](cls)
    trials = [
        (),
        (2,),
        (2, 2),
        (2, 2, 2),
        (optimizer(),),
        (layer(),),
        (leaf(),),
        ([leaf()],),
        (data(),),
    ]
    for arguments in trials:
        try:
            return cls(*arguments)
        except (TypeError, ValueError, AttributeError, KeyError):
            continue
    raise AssertionError(f"{name}: state its arguments in ARGUMENTS")


@functools.cache
def public_classes():
    found = {}
    for address in PUBLIC:
        module = importlib.import_module(address)
        for name in module.__all__:
            value = getattr(module, name)
            ours = getattr(value, "__module__", "").partition(".")[0] in ("autograd", "nn", "optim")
            if inspect.isclass(value) and ours and not issubclass(value, BaseException):
                found[value] = f"{address}.{name}"
    return found


@pytest.mark.parametrize("address", PUBLIC)
def test_no_instance_of_a_public_class_shows_its_address(address):
    for cls, name in public_classes().items():
        if name.rpartition(".")[0] == address and ARGUMENTS.get(cls.__name__, True):
            if getattr(cls, "_is_protocol", False):
                continue
            instance = made(cls)
            shown = [repr(instance), str(instance)]
            shown += [
                getattr(instance, m)()
                for m in ("_repr_html_", "_repr_svg_")
                if hasattr(instance, m)
            ]
            for text in filter(None, shown):
                assert not re.search(r" at 0x[0-9a-f]+", text), (name, text)


@pytest.mark.parametrize("name", GIVEN)
def test_nothing_that_a_function_gives_shows_its_address(name):
    value = GIVEN[name]()
    for text in (repr(value), str(value), getattr(value, "_repr_html_", str)()):
        assert not re.search(r" at 0x[0-9a-f]+", text), text


# -- notebooks -------------------------------------------------------------------------------------


def svgs(page):
    return [ET.fromstring(text) for text in re.findall(r"<svg.*?</svg>", page, flags=re.DOTALL)]


def points(svg):
    """The points of the curves of a chart, the last named first."""
    curves = [p.get("d") for p in svg.iter(f"{SVG}path") if p.get("class") == "curve"]
    return [
        np.array([[float(n) for n in pair.split()] for pair in re.findall(r"[\d.]+ [\d.]+", curve)])
        for curve in curves
    ]


def test_a_variable_shows_value_gradient_operation_and_graph():
    x = Variable([1.0, 2.0], requires_grad=True)
    with autograd.record_values():
        y = (x * x).sum()
    y.backward()
    page = y._repr_html_()
    assert "Variable(5., from sum, graph freed)" in page
    assert "array(1.)" in page
    (svg,) = svgs(page)
    texts = [text.text for text in svg.iter(f"{SVG}text")]
    assert texts.count("multiply") == 1
    assert "array([2., 4.])" in x._repr_html_()
    assert svgs(x._repr_html_()) == []
    for _ in range(100):
        x = x * 1.0
    assert "<code>.draw()</code>" in x._repr_html_()


def test_a_module_is_a_tree_with_shapes_and_counts():
    model = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4))
    model[0].bias.requires_grad = False
    tree = ET.fromstring(model._repr_html_().replace("<details open>", "<details>"))
    heads = ["".join(s.itertext()) for s in tree.iter("summary")]
    assert heads[0] == "Sequential() 24 parameters"
    assert heads[1].startswith("0 Linear(in_features=3, out_features=4")
    assert heads[1].endswith("16 parameters")
    items = ["".join(li.itertext()) for li in tree.iter("li") if li.find("details") is None]
    assert items[:2] == ["weight (4, 3) float32", "bias (4,) float32, frozen"]
    assert "running_mean (4,) float32, buffer" in items


def test_an_optimizer_is_a_table_of_its_groups():
    a, b = layer(), layer()
    table = ET.fromstring(
        re.search(
            "<table.*",
            optim.SGD(
                [{"params": a.parameters()}, {"params": [b.bias], "lr": 0.5}], lr=0.1
            )._repr_html_(),
        )[0]
    )
    rows = [[cell.text for cell in row] for row in table.iter("tr")]
    assert rows[0][:4] == ["group", "parameters", "elements", "lr"]
    assert [row[:4] for row in rows[1:]] == [["0", "2", "6", "0.1"], ["1", "1", "2", "0.5"]]


@pytest.mark.parametrize(
    "make, count",
    [
        (schedule(5, gamma=0.1), 51),
        (schedule(0.1, total_steps=80), 81),
        (schedule(lambda step: 0.9**step), 51),
        (combined(), 51),
    ],
    ids=["StepLR", "OneCycleLR", "LambdaLR", "SequentialLR"],
)
def test_a_schedule_draws_the_rates_that_it_will_set(make, count, request):
    cls = getattr(lr_scheduler, request.node.callspec.id)
    scheduler = make(cls)
    (curve,) = points(svgs(scheduler._repr_html_())[0])
    rates = [scheduler.optimizer.param_groups[0]["lr"]]
    state = repr(scheduler)
    scheduler.optimizer.steps_taken = 1
    for _ in range(count - 1):
        try:
            scheduler.step()
        except ValueError:
            break
        rates.append(scheduler.optimizer.param_groups[0]["lr"])
    assert state == repr(make(cls)), "looking has changed nothing"
    assert len(curve) == len(rates)
    # Downwards in a picture is down.
    assert np.corrcoef(curve[:, 1], rates)[0, 1] == pytest.approx(-1.0, abs=1e-3)


def test_a_schedule_that_follows_the_loss_shows_no_curve():
    assert svgs(lr_scheduler.ReduceLROnPlateau(optimizer())._repr_html_()) == []


def test_a_history_shows_curves_with_the_best_epoch_and_small_numbers():
    losses = [10.0**-i for i in range(8)]
    history = nn.History(
        {"loss": v, "validation_loss": 2 * v, "accuracy": 0.9 - v / 50} for v in losses
    )
    history.best_epoch = 5
    loss, accuracy = svgs(history._repr_html_())
    validation, training = points(loss)
    assert len(training) == len(validation) == 8
    np.testing.assert_allclose(np.diff(training[:, 1]), np.diff(training[:, 1])[0], atol=0.2)
    texts = [text.text for text in loss.iter(f"{SVG}text")]
    assert {"loss", "training", "validation", "best: 5"} <= set(texts)
    mark = next(p for p in loss.iter(f"{SVG}path") if "mark" in p.get("class"))
    assert float(re.match(r"M([\d.]+)", mark.get("d"))[1]) == pytest.approx(training[4, 0], abs=0.1)
    assert "accuracy" in [text.text for text in accuracy.iter(f"{SVG}text")]
    assert svgs(nn.History()._repr_html_()) == []


def test_treescope_unfolds_models_and_variables_by_their_own_names():
    treescope = pytest.importorskip("treescope")
    model = nn.Sequential(nn.Linear(3, 4, generator=0), nn.BatchNorm1d(4))
    shown = treescope.render_to_text(model)
    assert shown.startswith("Sequential({\n  0: Linear(\n    training=True,\n    in_features=3")
    assert "weight=Parameter(\n      data=<np.ndarray float32(4, 3)" in shown
    assert "running_mean=np.array([0., 0., 0., 0.], dtype=float32)" in shown
    x = Variable([1.0, 2.0], requires_grad=True, name="x")
    (x * x).sum().backward()
    told = " ".join(treescope.render_to_text(x).split())
    assert told.startswith(
        "Variable( data=np.array([1., 2.]), requires_grad=True, grad=np.array([2., 4.]), name='x',"
    )
    told = " ".join(treescope.render_to_text([optim.SGD(model.parameters(), lr=0.1)]).split())
    assert told.startswith("[ SGD( steps_taken=0, param_groups=[ {'lr': 0.1")
