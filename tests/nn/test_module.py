import copy
import pickle
import weakref
from pathlib import Path

import numpy as np
import pytest

import autograd
import nn
from autograd import Variable
from nn import functional


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.scale = nn.Parameter([2.0])
        self.fc = nn.Linear(3, 3)

    def forward(self, x):
        return self.fc(x) * self.scale


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.first = nn.Linear(4, 3, bias=False)
        self.block = Block()
        self.offset = nn.Parameter(np.zeros(3, np.float32))
        self.register_buffer("count", np.zeros((), np.int64))
        self.register_buffer("cache", np.zeros(2), persistent=False)
        self.again = self.block  # shared

    def forward(self, x):
        return self.block(functional.relu(self.first(x))) + self.offset


# -- walks
# -------------------------------------------------------------------------------------------


def test_walks_name_everything_once_and_parents_first():
    net = Net()
    assert [n for n, _ in net.named_parameters()] == [
        "offset",
        "first.weight",
        "block.scale",
        "block.fc.weight",
        "block.fc.bias",
    ]
    assert [n for n, _ in net.named_modules()] == ["", "first", "block", "block.fc"]
    assert [n for n, _ in net.named_children()] == ["first", "block"]
    assert [n for n, _ in net.named_buffers()] == ["count", "cache"]
    assert list(net.children()) == [net.first, net.block]
    assert list(net.modules()) == [net, net.first, net.block, net.block.fc]
    assert [n for n, _ in net.named_parameters(recurse=False)] == ["offset"]
    assert [n for n, _ in net.block.named_parameters("x")] == [
        "x.scale",
        "x.fc.weight",
        "x.fc.bias",
    ]


def test_duplicates_are_named_on_request():
    net = Net()
    assert [n for n, _ in net.named_modules(remove_duplicate=False)][-2:] == ["again", "again.fc"]
    names = [n for n, _ in net.named_parameters(remove_duplicate=False)]
    assert names[-3:] == ["again.scale", "again.fc.weight", "again.fc.bias"]


@pytest.mark.parametrize("walk", ["parameters", "buffers", "children", "modules"])
def test_walks_are_generators(walk):
    assert iter(found := getattr(Net(), walk)()) is found


def test_a_shared_parameter_counts_once():
    a, b = nn.Linear(2, 2), nn.Linear(2, 2)
    b.weight = a.weight
    both = nn.Sequential(a, b)
    assert [n for n, _ in both.named_parameters()] == ["0.weight", "0.bias", "1.bias"]
    assert list(both.state_dict()) == ["0.weight", "0.bias", "1.weight", "1.bias"]


@pytest.mark.torch
def test_names_and_order_equal_pytorchs():
    torch = pytest.importorskip("torch")

    class TorchNet(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.first = torch.nn.Linear(4, 3, bias=False)
            self.norm = torch.nn.BatchNorm1d(3)
            self.layers = torch.nn.ModuleList([torch.nn.Linear(3, 3), torch.nn.Sequential()])
            self.offset = torch.nn.Parameter(torch.zeros(3))

    class OurNet(nn.Module):
        def __init__(self):
            super().__init__()
            self.first = nn.Linear(4, 3, bias=False)
            self.norm = nn.BatchNorm1d(3)
            self.layers = nn.ModuleList([nn.Linear(3, 3), nn.Sequential()])
            self.offset = nn.Parameter(np.zeros(3))

    ours, theirs = OurNet(), TorchNet()
    for walk in ("named_parameters", "named_buffers", "named_modules", "named_children"):
        assert [n for n, _ in getattr(ours, walk)()] == [n for n, _ in getattr(theirs, walk)()]
    assert sorted(ours.state_dict()) == sorted(theirs.state_dict())


def test_paths_find_modules():
    net = Net()
    assert net.get_submodule("block.fc") is net.block.fc
    assert net.get_submodule("") is net
    with pytest.raises(
        AttributeError, match="wanted the path of a module in Net, got 'block.fd'; the paths are"
    ):
        net.get_submodule("block.fd")


# -- registration
# ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "value, kind",
    [(nn.Linear(1, 1), "module"), (nn.Parameter([1.0]), "parameter")],
)
def test_assigning_before_super_init_says_what_is_missing(value, kind):
    class Early(nn.Module):
        def __init__(self):
            self.part = value

    with pytest.raises(
        AttributeError, match=rf"Early: wanted super\(\).__init__\(\) .* the {kind} 'part'"
    ):
        Early()


def test_registering_a_buffer_before_super_init_says_what_is_missing():
    class Early(nn.Module):
        def __init__(self):
            self.register_buffer("mean", np.zeros(1))

    with pytest.raises(AttributeError, match="make super.* the first line of __init__"):
        Early()


@pytest.mark.parametrize(
    "name, value, message",
    [
        ("first", 3, "Net.first: wanted a Module or None in place of a Module, got int"),
        ("first", nn.functional.relu, "wanted a Module or None"),
        (
            "offset",
            np.ones(3),
            r"Net.offset: wanted a Parameter .* got ndarray; write `.offset.data = values`",
        ),
        (
            "offset",
            Variable([1.0]),
            "wanted a Parameter or None in place of a Parameter, got Variable",
        ),
        (
            "count",
            nn.Parameter([1.0]) * 2,
            "Net.count: wanted an array as a buffer, got a Variable that requires",
        ),
    ],
)
def test_a_registered_name_keeps_its_kind(name, value, message):
    net = Net()
    before = getattr(net, name)
    with pytest.raises(TypeError, match=message):
        setattr(net, name, value)
    assert getattr(net, name) is before


def test_attributes_can_be_replaced_removed_and_deleted():
    net = Net()
    net.first = nn.Linear(4, 3)
    net.offset = None
    net.count = 5
    del net.cache
    names = list(net.state_dict())
    assert "first.bias" in names
    assert "offset" not in names
    assert net.state_dict()["count"] == 5
    assert [n for n, _ in net.named_buffers()] == ["count"]
    with pytest.raises(AttributeError):
        net.cache  # noqa: B018
    del net.block, net.again
    assert [n for n, _ in net.named_children()] == ["first"]


def test_a_buffer_may_become_a_parameter():
    net = Net()
    net.register_buffer("gate", np.zeros(2))
    net.gate = nn.Parameter([1.0])
    assert "gate" in dict(net.named_parameters())
    assert "gate" not in dict(net.named_buffers())


def test_an_absent_parameter_or_buffer_is_no_state():
    net = nn.Module()
    net.register_parameter("bias", None)
    net.register_buffer("mean", None)
    assert net.bias is None
    assert net.mean is None
    assert net.state_dict() == {}


@pytest.mark.parametrize(
    "call, error, message",
    [
        (
            lambda m: m.add_module("a.b", nn.ReLU()),
            ValueError,
            "add_module: wanted a name without dots, got 'a.b'",
        ),
        (lambda m: m.add_module("", nn.ReLU()), ValueError, "wanted a name without dots, got ''"),
        (
            lambda m: m.add_module("forward", nn.ReLU()),
            ValueError,
            "got 'forward', which Module already uses",
        ),
        (lambda m: m.add_module("x", 1), TypeError, "Module: wanted a Module for 'x', got int"),
        (
            lambda m: m.register_parameter("x", np.ones(1)),
            TypeError,
            "wanted a Parameter for 'x', got ndarray",
        ),
        (lambda m: m.register_parameter("train", nn.Parameter([1.0])), ValueError, "got 'train'"),
        (
            lambda m: m.register_buffer("eval", np.ones(1)),
            ValueError,
            "register_buffer: wanted a new name, got 'eval'",
        ),
        (
            lambda m: m.register_buffer("x", nn.Parameter([1.0])),
            TypeError,
            "x: wanted an array as a buffer",
        ),
        (
            lambda m: m(1),
            NotImplementedError,
            r"Module: wanted a method forward\(self, x\), got none; define it",
        ),
        (lambda m: m.set_extra_state(1), NotImplementedError, "wanted a method set_extra_state"),
    ],
)
def test_wrong_registrations_are_explained(call, error, message):
    with pytest.raises(error, match=message):
        call(nn.Module())


def test_a_module_below_itself_is_refused_with_the_path():
    net = Net()
    with pytest.raises(
        ValueError, match="Net: wanted a tree of modules, got the Net itself as 'myself'"
    ):
        net.myself = net
    with pytest.raises(ValueError, match="got the Linear itself as 'up.block.fc'"):
        net.block.fc.up = net
    layers = nn.ModuleList([net])
    with pytest.raises(ValueError, match="got the Net itself as 'layers.0'"):
        net.layers = layers
    net.parent = weakref.ref(net)
    assert len(list(net.modules())) == 4


@pytest.mark.parametrize(
    "value",
    [[nn.ReLU()], (nn.Parameter([1.0]),), [nn.Parameter([1.0], False)], {"a": nn.ReLU()}],
)
def test_a_plain_container_of_modules_warns_that_nothing_is_found(value):
    net = Net()
    with pytest.warns(
        UserWarning, match=r"Net.layers is a plain \w+, in which Net.parameters\(\) finds nothing"
    ):
        net.layers = value


def test_other_attributes_are_just_attributes():
    net = Net()
    net.sizes, net.names, net.nothing = [1, 2], {}, []
    net.constant = Variable([1.0])
    net.result = Variable([1.0], requires_grad=True) * 2
    assert len(list(net.parameters())) == 5


@pytest.mark.parametrize("wrap", [lambda v: v, lambda v: [v], lambda v: {"a": v}])
def test_a_variable_that_is_no_parameter_warns_that_it_is_not_found(wrap):
    net = Net()
    with pytest.warns(
        UserWarning,
        match=r"Net.w is a .*Net.parameters\(\) (finds nothing|does not find; write nn.P)",
    ) as caught:
        net.w = wrap(Variable([1.0], requires_grad=True))
    assert caught[0].filename == __file__


# -- modes and gradients
# -----------------------------------------------------------------------------


def test_train_and_eval_reach_everything_below():
    net = Net()
    assert net.training
    assert net.eval() is net
    assert not any(m.training for m in net.modules())
    assert all(m.training for m in net.train().modules())


def test_zero_grad_drops_gradients_or_fills_them():
    net = Net()
    x = np.ones((2, 4), np.float32)
    net(x).sum().backward()
    net.zero_grad(set_to_none=False)
    assert all(p.grad is not None and not p.grad.any() for p in net.parameters())
    net.zero_grad()
    assert all(p.grad is None for p in net.parameters())


def test_a_frozen_module_records_nothing():
    net = Net().requires_grad_(False)
    assert not net(np.ones((2, 4), np.float32)).requires_grad
    assert net.requires_grad_()(np.ones((2, 4), np.float32)).requires_grad


def test_apply_visits_children_first_and_returns_the_module():
    net, seen = Net(), []
    assert net.apply(seen.append) is net
    assert seen == [net.first, net.block.fc, net.block, net]


# -- calling and hooks
# -------------------------------------------------------------------------------


def test_hooks_see_and_change_what_goes_in_and_out():
    layer = nn.Identity()
    seen = []
    pre = layer.register_forward_pre_hook(lambda module, args: (args[0] + 1,))
    post = layer.register_forward_hook(lambda module, args, out: seen.append((module, args, out)))
    last = layer.register_forward_hook(lambda module, args, out: out * 10)
    assert layer(1) == 20
    assert seen == [(layer, (2,), 2)]
    pre.remove()
    pre.remove()
    assert layer(1) == 10
    with last:
        assert layer(1) == 10
    assert layer(1) == 1
    post.remove()
    assert layer(1) == 1
    assert len(seen) == 4


def test_a_handle_tells_its_hook_and_removes_it_once():
    layer = nn.Identity()

    def double(module, args, out):
        return 2 * out

    handle = layer.register_forward_hook(double)
    assert repr(handle).endswith("double)")
    assert layer(1) == 2
    handle.remove()
    handle.remove()
    assert layer(1) == 1
    assert repr(handle).endswith("double, removed)")
    with layer.register_forward_hook(double):
        assert layer(1) == 2
    assert layer(1) == 1


def test_a_forward_that_is_misspelt_is_named():
    class Net(nn.Module):
        def foward(self, x):
            return x

    with pytest.raises(NotImplementedError, match="Net: wanted .*got foward; rename it to forward"):
        Net()(1)


MODULES = [
    value
    for name in nn.__all__
    if isinstance(value := getattr(nn, name), type) and issubclass(value, nn.Module)
]


@pytest.mark.parametrize("cls", [cls for cls in MODULES if cls is not nn.Identity])
def test_pythons_own_errors_name_the_class_that_was_called(cls):
    with pytest.raises(TypeError) as caught:
        cls(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, no_such_argument=1)
    text = str(caught.value)
    assert text.startswith(tuple(base.__name__ for base in cls.__mro__)), text
    assert not text.startswith("_")


def test_pythons_own_errors_name_a_class_of_the_user():
    class _Base(nn.Module):
        def __init__(self, width, *, depth=1):
            super().__init__()
            self.width = width

    class Net(_Base):
        pass

    assert Net(3).width == 3
    with pytest.raises(TypeError, match=r"Net.__init__\(\) got an unexpected keyword.*'dim'"):
        Net(3, dim=1)
    assert pickle.loads(pickle.dumps(nn.MSELoss("sum"))).reduction == "sum"


def test_a_pre_hook_may_return_a_single_argument():
    layer = nn.Identity()
    layer.register_forward_pre_hook(lambda module, args: args[0] + 1)
    assert layer(1) == 2


# -- state
# -------------------------------------------------------------------------------------------


def test_state_is_copied_out_and_in():
    net, other = Net(), Net()
    state = net.state_dict()
    assert "cache" not in state
    net.offset.data[...] = 5
    assert not state["offset"].any()
    weight = other.first.weight
    held = weight.data
    result = other.load_state_dict(state)
    assert result == ([], [])
    assert other.first.weight is weight
    assert weight.data is held
    for name, value in other.state_dict().items():
        np.testing.assert_array_equal(value, state[name])
    state["offset"][...] = 7
    assert not other.offset.data.any()


def test_loading_casts_to_the_dtype_of_the_module():
    layer = nn.Linear(2, 1)
    layer.load_state_dict({"weight": [[1.5, 2]], "bias": Variable(np.array([0.1]))})
    assert layer.weight.dtype == np.float32
    np.testing.assert_array_equal(layer.weight.data, [[1.5, 2.0]])
    np.testing.assert_array_equal(layer.bias.data, np.float32([0.1]))


def test_loading_reports_everything_at_once_and_changes_nothing():
    net = Net()
    before = net.state_dict()
    wrong = {
        "offset": np.ones(2),
        "first.weight": np.ones((3, 4)),
        "count": np.array(0.5),
        "block.scale": np.ones(1),
        "block.fc.weigth": np.ones((3, 3)),
        "again.scale": np.ones(1) * 1j,
        "again.fc.bias": np.ones(3),
    }
    with pytest.raises(
        ValueError, match="load_state_dict: wanted the state of this Net, got"
    ) as caught:
        net.load_state_dict(wrong)
    text = str(caught.value)
    # The block is shared: its bias is there, under another path.
    assert (
        "missing keys 'block.fc.weight', 'again.fc.weight'; unexpected keys 'block.fc.weigth'"
        in text
    )
    assert "'offset' of shape (2,) where (3,) is wanted" in text
    assert "'count' of dtype float64 where int64 is wanted" in text
    assert "'again.scale' of dtype complex128 where float32 is wanted" in text
    assert "nothing was changed" in text
    for name, value in net.state_dict().items():
        np.testing.assert_array_equal(value, before[name])


def test_loading_a_part_on_request():
    net = Net()
    result = net.load_state_dict({"offset": np.ones(3), "other": 1}, strict=False)
    assert result.unexpected_keys == ["other"]
    assert "first.weight" in result.missing_keys
    np.testing.assert_array_equal(net.offset.data, 1)
    with pytest.raises(ValueError, match=r"'offset' of shape \(4,\)"):
        net.load_state_dict({"offset": np.ones(4)}, strict=False)


def test_parameters_given_as_the_state_of_each_other_are_exchanged():
    net = nn.Module()
    net.a, net.b = nn.Parameter([1.0, 2.0]), nn.Parameter([3.0, 4.0])
    net.load_state_dict({"a": net.b, "b": net.a.data[::-1]})
    assert (net.a.tolist(), net.b.tolist()) == ([3.0, 4.0], [2.0, 1.0])


def test_read_only_data_are_refused_before_anything_changes():
    net = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2))
    frozen = np.frombuffer(np.ones(4, np.float32).tobytes(), np.float32).reshape(2, 2)
    net[1].weight.data = frozen
    before = net.state_dict()
    with pytest.raises(ValueError, match=r"'1.weight' for a parameter with read-only data \(write"):
        net.load_state_dict({name: value + 1 for name, value in before.items()})
    for name, value in net.state_dict().items():
        np.testing.assert_array_equal(value, before[name])


@pytest.mark.parametrize(
    "build, name, value, match",
    [
        (
            lambda: nn.Linear(1, 1).half(),
            "weight",
            [[1e6]],
            "1000000.0 in it, which float16 cannot",
        ),
        (lambda: nn.Linear(1, 1).half(), "weight", [[70_000]], "with 70000 in it, which float16"),
        (lambda: nn.Linear(1, 1), "weight", [[-1e39]], r"with -1e\+39 in it, which float32 cannot"),
        (
            lambda: nn.BatchNorm1d(1),
            "num_batches_tracked",
            np.uint64(2**63),
            "with 9223372036854775808 in it, which int64 cannot hold",
        ),
    ],
)
def test_values_that_the_dtype_cannot_hold_are_refused(build, name, value, match):
    layer = build()
    before = layer.state_dict()
    with pytest.raises(ValueError, match=match):
        layer.load_state_dict({**before, name: np.array(value)})
    np.testing.assert_array_equal(layer.state_dict()[name], before[name])


def test_infinite_and_missing_values_are_loaded_as_they_are():
    layer = nn.Linear(2, 1, bias=False).half()
    layer.load_state_dict({"weight": np.array([[np.inf, np.nan]])})
    np.testing.assert_array_equal(layer.weight.data, np.array([[np.inf, np.nan]], np.float16))


@pytest.mark.parametrize(
    "state, match",
    [
        ("m.npz", r"got the path 'm.npz'; write model.load_state_dict\(nn.load\('m.npz'\)\)"),
        (Path("m.npz"), r"got the path 'm.npz'; write model.load_state_dict\(nn.load\("),
        (None, "wanted a dict of arrays, got NoneType; pass what state_dict"),
        ([1], "wanted a dict of arrays, got list"),
    ],
)
def test_what_is_no_state_says_what_to_pass(state, match):
    with pytest.raises(TypeError, match=f"load_state_dict: .*{match}"):
        nn.Linear(1, 1).load_state_dict(state)


@pytest.mark.parametrize(
    "value, match",
    [
        (
            np.ma.array([[1.0]], mask=[[True]]),
            "'weight' load_state_dict: wanted an array without a",
        ),
        ([[1.0], [2.0, 3.0]], "'weight' setting an array element with a sequence"),
        ([["x"]], "'weight' of dtype <U1 where float32 is wanted"),
        ([[None]], "'weight' of dtype object where float32 is wanted"),
    ],
)
def test_a_value_that_is_no_array_is_named_by_its_key(value, match):
    with pytest.raises(ValueError, match=match):
        nn.Linear(1, 1, bias=False).load_state_dict({"weight": value})


def test_graphs_from_before_loading_are_out_of_date():
    layer = nn.Linear(2, 1)
    x = Variable(np.ones((1, 2), np.float32), requires_grad=True)
    out = layer(x).sum()
    layer.load_state_dict(nn.Linear(2, 1).state_dict())
    with pytest.raises(RuntimeError, match="was changed"):
        out.backward()


def test_loading_buffers_keeps_shared_ones_shared():
    net = nn.Module()
    net.register_buffer("a", np.zeros(2))
    net.register_buffer("b", net.a)
    net.load_state_dict({"a": [1, 2], "b": [1, 2]})
    assert net.a is net.b
    np.testing.assert_array_equal(net.a, [1.0, 2.0])


@pytest.mark.torch
def test_a_pytorch_model_and_ours_load_each_others_state():
    torch = pytest.importorskip("torch")

    def build(library):
        return library.Sequential(
            library.Linear(4, 5),
            library.BatchNorm1d(5),
            library.PReLU(5),
            library.Dropout(0.5),
            library.Linear(5, 2),
            library.LayerNorm(2),
        )

    ours, theirs = build(nn), build(torch.nn)
    x = np.random.default_rng(0).normal(size=(6, 4)).astype(np.float32)
    theirs[1].train()(torch.randn(8, 5))
    ours.load_state_dict(theirs.state_dict())
    ours.eval()
    theirs.eval()
    wanted = theirs(torch.tensor(x)).detach().numpy()
    np.testing.assert_allclose(ours(x).data, wanted, rtol=1e-4, atol=1e-5)
    fresh = build(torch.nn)
    fresh.load_state_dict({k: torch.tensor(v) for k, v in ours.state_dict().items()})
    np.testing.assert_array_equal(fresh.eval()(torch.tensor(x)).detach().numpy(), wanted)


def test_extra_states_go_by_path():
    class Clock(nn.Module):
        ticks = 0

        def get_extra_state(self):
            return {"ticks": self.ticks}

        def set_extra_state(self, state):
            self.ticks = state["ticks"]

    net = nn.Sequential(nn.ReLU(), nn.Sequential(Clock()))
    net[1][0].ticks = 3
    states = net.extra_state()
    assert states == {"1.0": {"ticks": 3}}
    net[1][0].ticks = 0
    net.load_extra_state(states)
    assert net[1][0].ticks == 3
    with pytest.raises(
        ValueError, match=r"load_extra_state: wanted states for \['1.0'\], got \['2.0'\]"
    ):
        net.load_extra_state({"2.0": {"ticks": 1}})


# -- dtypes, copies, text
# ----------------------------------------------------------------------------


def test_conversion_keeps_the_parameters_objects_and_integer_buffers():
    net = nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3))
    net[0].bias.requires_grad = False
    parameters = list(net.parameters())
    assert net.double() is net
    assert all(a is b for a, b in zip(net.parameters(), parameters, strict=True))
    assert {p.dtype for p in parameters} == {np.dtype(np.float64)}
    assert [b.dtype for b in net.buffers()] == [np.float64, np.float64, np.int64]
    assert [p.requires_grad for p in parameters] == [True, False, True, True]
    net(np.random.default_rng(0).normal(size=(4, 2))).sum().backward()
    assert parameters[0].grad.dtype == np.float64
    assert net.float()[0].weight.dtype == np.float32
    assert parameters[0].grad is None
    assert net.half()[1].running_mean.dtype == np.float16
    with pytest.raises(TypeError, match="astype: wanted a floating-point dtype, got int64"):
        net.astype(np.int64)


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda m: pickle.loads(pickle.dumps(m))])
def test_copies_share_nothing_and_keep_sharing_within(copied):
    net = Net()
    twin = copied(net)
    assert type(twin) is Net
    assert twin.block is twin.again
    for (name, p), (other, q) in zip(net.named_parameters(), twin.named_parameters(), strict=True):
        assert name == other
        assert p is not q
        assert not np.shares_memory(p.data, q.data)
        np.testing.assert_array_equal(p.data, q.data)
    x = np.ones((2, 4), np.float32)
    np.testing.assert_array_equal(net(x).data, twin(x).data)


def test_repr_nests_like_pytorchs():
    assert repr(Net()) == (
        "Net(\n"
        "  (first): Linear(in_features=4, out_features=3, bias=False)\n"
        "  (block): Block(\n"
        "    (fc): Linear(in_features=3, out_features=3, bias=True)\n"
        "  )\n"
        "  (again): Block(\n"
        "    (fc): Linear(in_features=3, out_features=3, bias=True)\n"
        "  )\n"
        ")"
    )


def test_what_a_module_says_of_itself_stands_before_its_children():
    class Named(nn.Sequential):
        def extra_repr(self):
            return "name='x'"

    assert repr(Named(nn.ReLU())) == "Named(\n  name='x'\n  (0): ReLU()\n)"
    assert repr(Named()) == "Named(name='x')"


# -- backward hooks --------------------------------------------------------------------------------


class TwoIn(nn.Module):
    """A module of two inputs, a constant and a keyword argument, with two outputs."""

    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(3, 3, dtype=np.float64)

    def forward(self, x, y, times=2.0):
        return self.fc(x) * y, x * times


def call_hooked(model, tensor, register):
    """Return what a backward hook saw, and the gradients, of a model of ours or PyTorch's."""
    seen = []

    def hook(module, grad_input, grad_output):
        seen.append((grad_input, grad_output))
        return (grad_input[0] * 10, *grad_input[1:])

    getattr(model, register)(hook)
    x, y = tensor(np.arange(6.0).reshape(2, 3)), tensor(np.array([1.0, -2.0, 3.0]))
    first, second = model(x, y, times=3.0)
    (first * first).sum().backward()
    return seen, [x.grad, y.grad, *(p.grad for p in model.parameters())], second


def test_full_backward_hooks_see_and_replace_gradients():
    seen, (gx, gy, gw, _), _ = call_hooked(
        TwoIn(), lambda a: Variable(a, requires_grad=True), "register_full_backward_hook"
    )
    ((grad_input, (g_first, g_second)),) = seen
    np.testing.assert_array_equal(gx, 10 * grad_input[0])
    np.testing.assert_array_equal(gy, grad_input[1])
    assert g_first.shape == (2, 3)
    assert g_second is None
    assert gw.any()


@pytest.mark.torch
def test_full_backward_hooks_are_pytorchs():
    torch = pytest.importorskip("torch")
    ours = TwoIn()

    class Theirs(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.fc = torch.nn.Linear(3, 3, dtype=torch.float64)

        forward = TwoIn.forward

    theirs = Theirs()
    theirs.load_state_dict({k: torch.tensor(v) for k, v in ours.state_dict().items()})
    name = "register_full_backward_hook"
    found = call_hooked(ours, lambda a: Variable(a, requires_grad=True), name)
    wanted = call_hooked(theirs, lambda a: torch.tensor(a, requires_grad=True), name)
    for mine, other in zip(found[0][0], wanted[0][0], strict=True):
        for g, h in zip(mine, other, strict=True):
            assert (g is None) == (h is None)
            if g is not None:
                np.testing.assert_allclose(g, h.numpy(), rtol=1e-12)
    for g, h in zip(found[1], wanted[1], strict=True):
        np.testing.assert_allclose(g, h.numpy(), rtol=1e-12)


def test_backward_hooks_without_an_input_that_requires_a_gradient():
    layer, seen = nn.Linear(2, 1, dtype=np.float64), []
    layer.register_full_backward_pre_hook(lambda module, g: (g[0] * 2,))
    handle = layer.register_full_backward_hook(lambda module, gi, go: seen.append((gi, go)))
    layer(np.ones((3, 2))).sum().backward()
    ((grad_input, (g,)),) = seen
    assert grad_input == (None,)
    np.testing.assert_array_equal(g, np.full((3, 1), 2.0))
    np.testing.assert_array_equal(layer.weight.grad, [[6.0, 6.0]])
    handle.remove()
    layer(np.ones((3, 2))).sum().backward()
    assert len(seen) == 1
    with autograd.no_grad():
        assert not layer(np.ones((3, 2))).requires_grad


def test_backward_hooks_are_part_of_second_derivatives():
    layer = nn.Linear(1, 1, bias=False, dtype=np.float64)
    layer.register_full_backward_hook(lambda module, gi, go: (gi[0] * 3,))
    x = Variable([[2.0]], requires_grad=True)
    (gx,) = autograd.grad((layer(x) ** 2).sum(), [x], create_graph=True)
    (gw,) = autograd.grad(gx.sum(), [layer.weight])
    np.testing.assert_allclose(gw, 3 * 4 * 2.0 * layer.weight.data)  # d/dw 3 * 2 w^2 x


def test_a_backward_hook_that_returns_another_number_of_gradients_is_refused():
    layer = nn.Linear(2, 1)
    layer.register_full_backward_hook(lambda module, gi, go: (gi[0], gi[0]))
    out = layer(Variable(np.ones((1, 2), np.float32), requires_grad=True))
    with pytest.raises(ValueError, match="Linear: wanted 1 gradients from its ba.* got 2"):
        out.sum().backward()


def test_forward_hooks_take_keywords_and_come_first_on_request():
    model, order = TwoIn(), []

    def change(module, args, kwargs):
        order.append("change")
        return args, kwargs | {"times": 5.0}

    model.register_forward_pre_hook(lambda module, args: order.append("later"))
    model.register_forward_pre_hook(change, prepend=True, with_kwargs=True)
    model.register_forward_hook(
        lambda module, args, kwargs, out: order.append(kwargs["times"]), with_kwargs=True
    )
    _, second = model(np.ones((1, 3)), np.ones(3), times=2.0)
    np.testing.assert_array_equal(second, np.full((1, 3), 5.0))
    assert order == ["change", "later", 5.0]


# -- by path, and where it is ----------------------------------------------------------------------


def test_parameters_buffers_and_modules_are_found_and_replaced_by_path():
    model = nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3))
    assert model.get_parameter("0.weight") is model[0].weight
    assert model.get_buffer("1.running_var") is model[1].running_var
    with pytest.raises(AttributeError, match="wanted the path of a parameter in Sequential"):
        model.get_parameter("0.wieght")
    with pytest.raises(AttributeError, match="the paths are '1.running_mean', '1.running_var'"):
        model.get_buffer("0.weight")
    new = nn.Linear(2, 3)
    model.set_submodule("0", new)
    assert model[0] is new
    with pytest.raises(AttributeError, match="wanted the path of a module"):
        model.set_submodule("2", new)


def test_to_converts_and_knows_one_device():
    layer = nn.Linear(2, 3)
    assert layer.to("cpu").to(device="cpu").cpu() is layer
    assert layer.weight.dtype == np.float32
    assert layer.to("cpu", np.float64).weight.dtype == np.float64
    assert layer.to(dtype="float32").weight.dtype == np.float32
    with pytest.raises(ValueError, match=r"to: wanted a dtype or the device 'cpu', got 'cuda:0'"):
        layer.to("cuda:0")
    with pytest.raises(TypeError, match="wanted a floating-point dtype, got int64"):
        layer.to(int)
