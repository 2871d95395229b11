from collections import OrderedDict

import numpy as np
import pytest

import nn


def layers(count):
    return [nn.Linear(2, 2) for _ in range(count)]


def test_sequential_applies_its_modules_in_order():
    first, second = layers(2)
    x = np.ones((3, 2), np.float32)
    np.testing.assert_array_equal(nn.Sequential(first, second)(x).data, second(first(x)).data)
    assert nn.Sequential()(x) is x


def test_a_module_may_stand_in_a_sequential_twice():
    layer = nn.Linear(2, 2)
    twice = nn.Sequential(layer, nn.Tanh(), layer)
    x = np.ones((3, 2), np.float32)
    np.testing.assert_array_equal(twice(x).data, layer(np.tanh(layer(x))).data)
    assert len(twice) == 3
    assert len(list(twice.parameters())) == 2


def test_names_may_be_given():
    net = nn.Sequential(OrderedDict(fc=nn.Linear(2, 3), act=nn.ReLU()))
    assert list(net.state_dict()) == ["fc.weight", "fc.bias"]
    assert net.fc is net[0]
    assert [n for n, _ in net[1:].named_children()] == ["act"]


@pytest.mark.parametrize("kind", [lambda modules: nn.Sequential(*modules), nn.ModuleList])
class TestLists:
    def test_indices_and_slices_share_the_modules(self, kind):
        modules = layers(5)
        container = kind(modules)
        assert len(container) == 5
        assert list(container) == modules
        assert container[1] is modules[1]
        assert container[-1] is modules[4]
        part = container[1:5:2]
        assert type(part) is type(container)
        assert list(part) == [modules[1], modules[3]]
        assert [n for n, _ in part.named_children()] == ["0", "1"]
        assert modules[2] in container
        assert nn.ReLU() not in container

    def test_entries_are_added_replaced_and_removed(self, kind):
        a, b, c, d = layers(4)
        container = kind([a])
        assert container.append(b) is container
        container.extend([c])
        container.insert(1, d)
        assert list(container) == [a, d, b, c]
        container[1] = a
        assert list(container) == [a, a, b, c]
        del container[0]
        assert list(container) == [a, b, c]
        del container[1:]
        assert list(container) == [a]
        container.append(b)
        assert [n for n, _ in container.named_children()] == ["0", "1"]

    def test_lists_are_joined_and_the_last_entry_comes_off(self, kind):
        a, b, c = layers(3)
        container = kind([a])
        joined = container + [b, c]  # noqa: RUF005 - this is what is tested
        assert type(joined) is type(container)
        assert (list(container), list(joined)) == ([a], [a, b, c])
        joined += kind([a])
        assert joined.pop() is a
        assert joined.pop(0) is a
        assert list(joined) == [b, c]
        with pytest.raises(IndexError, match="wanted an index within its 0 modules, got -1"):
            kind([]).pop()

    def test_an_empty_container_is_true(self, kind):
        assert kind([])
        assert len(kind([])) == 0

    def test_wrong_entries_are_explained(self, kind):
        container = kind(layers(2))
        with pytest.raises(IndexError, match="wanted an index within its 2 modules, got 2"):
            container[2]
        with pytest.raises(IndexError, match="got -3"):
            container[-3] = nn.ReLU()
        with pytest.raises(TypeError, match=": wanted a Module for '2', got int"):
            container.append(3)


def test_a_list_handed_to_sequential_is_explained():
    with pytest.raises(
        TypeError, match=r"got a list of them; unpack it, as in Sequential\(\*layers\)"
    ):
        nn.Sequential([nn.ReLU()])


def test_lists_add_up():
    a, b, c = layers(3)
    total = nn.ModuleList([a]) + [b]  # noqa: RUF005 - the operator is what is tested
    total += [c]
    assert list(total) == [a, b, c]


def test_a_list_has_no_forward():
    with pytest.raises(NotImplementedError, match="ModuleList: wanted a method forward"):
        nn.ModuleList()(1)


def test_equal_neighbours_fold_in_the_text_of_a_list():
    container = nn.ModuleList([nn.ReLU(), *layers(3), nn.ReLU()])
    assert repr(container) == (
        "ModuleList(\n"
        "  (0): ReLU()\n"
        "  (1-3): 3 x Linear(in_features=2, out_features=2, bias=True)\n"
        "  (4): ReLU()\n"
        ")"
    )


def test_a_dict_of_modules_acts_like_a_dict():
    a, b, c = layers(3)
    heads = nn.ModuleDict({"a": a})
    heads["b"] = b
    heads.update([("c", c)])
    assert list(heads) == list(heads.keys()) == ["a", "b", "c"]
    assert list(heads.values()) == [a, b, c]
    assert dict(heads.items()) == {"a": a, "b": b, "c": c}
    assert "a" in heads
    assert "training" not in heads
    assert heads.pop("a") is a
    del heads["b"]
    assert len(heads) == 1
    assert list(heads.state_dict()) == ["c.weight", "c.bias"]
    assert nn.ModuleDict()
    with pytest.raises(KeyError):
        heads["a"]
    with pytest.raises(KeyError):
        del heads["training"]
    with pytest.raises(ValueError, match="got 'keys', which ModuleDict already uses"):
        heads["keys"] = a


def test_a_list_of_parameters_is_found():
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.weights = nn.ParameterList([np.ones(2), nn.Parameter([3.0])])

    net = Net()
    net.weights.append(np.zeros((2, 2)))
    net.weights[0] = np.full(2, 5.0)
    assert list(net.state_dict()) == ["weights.0", "weights.1", "weights.2"]
    assert len(net.weights) == 3
    assert net.weights[-1].shape == (2, 2)
    np.testing.assert_array_equal(net.weights[0].data, [5.0, 5.0])
    assert repr(net.weights).splitlines()[1] == "  (0): Parameter of shape (2,), float64"
    assert nn.ParameterList()


def test_a_parameter_dict_holds_parameters_by_name():
    table = nn.ParameterDict({"a": [1.0, 2.0], "b": nn.Parameter(np.ones((2, 2)))})
    table["c"] = np.zeros(1)
    assert list(table) == list(table.keys()) == ["a", "b", "c"]
    assert [name for name, _ in table.named_parameters()] == ["a", "b", "c"]
    assert "a" in table
    assert table.pop("a").shape == (2,)
    assert len(table) == 2
    table.update({"b": [3.0]})
    assert [p.shape for p in table.values()] == [(1,), (1,)]
    assert "(b): Parameter of shape (1,), float32" in repr(table)
    with pytest.raises(KeyError):
        del table["a"]
    with pytest.raises(ValueError, match="wanted a name without dots"):
        table["a.b"] = [1.0]
