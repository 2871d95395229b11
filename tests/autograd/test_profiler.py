"""The profiler counts what ran, where, and changes nothing."""

import inspect
import json
import time

import numpy as np
import pytest

import autograd
import nn
from autograd import Variable
from autograd.extend import primitive


def leaf(shape, seed=0):
    return Variable(np.random.default_rng(seed).normal(size=shape), requires_grad=True)


def by_name(p, by="operation"):
    return {row.name: row for row in p.rows(by)}


def test_calls_and_bytes_are_counted_by_operation():
    x = leaf((10, 20))
    with autograd.profile() as p:
        y = np.tanh(x) * 2.0
        z = np.tanh(y).sum()
    rows = by_name(p)
    assert {name: (row.calls, row.bytes) for name, row in rows.items()} == {
        "tanh": (2, 2 * 1600),
        "multiply": (1, 1600),
        "sum": (1, 8),
    }
    assert all(row.backward == 0 for row in rows.values())
    assert z.requires_grad


def test_gradients_are_the_same_and_each_rule_has_its_time():
    x = leaf((10, 20))
    function = lambda x: (np.exp(x) * x).sum() + autograd.concatenate([x, x]).mean()
    function(x).backward()
    expected, x.grad = x.grad, None
    with autograd.profile() as p:
        function(x).backward()
    np.testing.assert_array_equal(x.grad, expected)
    rows = by_name(p)
    for name in ("exp", "multiply", "concatenate"):
        assert rows[name].backward > 0
        assert rows[name].calls == 1


def test_time_is_put_down_to_who_took_it():
    @primitive
    def slow(x):
        time.sleep(0.02)
        return x * 1.0

    def pull(g):
        time.sleep(0.03)
        return g

    slow.defvjp(x=pull)
    x = leaf(3)
    with autograd.profile() as p:
        y = np.exp(slow(x)).sum()
        y.backward()
        time.sleep(0.04)  # an optimizer, a batch
        np.exp(x)
    row, between = by_name(p)["slow"], by_name(p)["(between passes)"]
    assert 0.02 <= row.forward < 0.05
    assert 0.03 <= row.backward < 0.06
    assert between.seconds >= 0.04
    assert by_name(p)["exp"].seconds < 0.01
    assert p.rows()[0].name in {"slow", "(between passes)"}
    assert p.elapsed > 0.09


def test_modules_have_the_names_of_the_model():
    model = nn.Sequential(nn.Linear(4, 5), nn.Sequential(nn.Tanh(), nn.Linear(5, 1)))
    with autograd.profile() as p:
        model(np.ones((2, 4), np.float32)).sum().backward()
    rows = by_name(p, "module")
    assert set(rows) == {"Sequential.0", "Sequential.1.0", "Sequential.1.1", "(elsewhere)"}
    assert rows["Sequential.1.0"].backward > 0
    assert rows["Sequential.0"].bytes == 40


def test_lines_are_the_users():
    x = leaf(3)
    with autograd.profile() as p:
        number = inspect.currentframe().f_lineno + 1
        y = np.exp(x) * x  # the first line
        y.sum().backward()  # the second line
    rows = by_name(p, "line")
    (first,) = (row for name, row in rows.items() if "the first line" in name)
    (second,) = (row for name, row in rows.items() if "the second line" in name)
    assert (first.calls, second.calls) == (2, 1)
    assert f"test_profiler.py:{number}" in first.name
    assert first.backward > 0


def test_operations_inside_of_rules_count_for_the_rule():
    x = leaf(3)
    with autograd.profile() as p:
        y = (np.sin(x) ** 3).sum()
        (g,) = autograd.grad(y, [x], create_graph=True)
        assert set(by_name(p)) <= {"sin", "power", "sum", "(between passes)"}
        g.sum().backward()
    assert by_name(p)["power"].calls == 1
    wanted = 6 * np.sin(x.data) * np.cos(x.data) ** 2 - 3 * np.sin(x.data) ** 3
    np.testing.assert_allclose(x.grad, wanted)


def test_checkpoints_are_followed():
    x = leaf(3)
    with autograd.profile() as p:
        autograd.checkpoint(lambda x: np.exp(np.sin(x)))(x).sum().backward()
    assert by_name(p)["checkpoint"].backward > 0
    np.testing.assert_allclose(x.grad, np.exp(np.sin(x.data)) * np.cos(x.data))


def test_rules_of_operands_nobody_asked_for_do_not_run():
    @primitive
    def pair(x, y):
        return x * y

    def never(g):
        raise AssertionError

    pair.defvjp(x=lambda g, y: g * y, y=never)
    x, y = leaf(3), leaf(3, 1)
    with autograd.profile():
        (g,) = autograd.grad(pair(x, y).sum(), [x])
    np.testing.assert_array_equal(g.data if isinstance(g, Variable) else g, y.data)


def test_the_mode_is_left_after_an_error_and_two_passes_add_up():
    x = leaf(3)
    p = autograd.profile()
    with pytest.raises(ZeroDivisionError), p:
        _ = np.exp(x) / (1 // 0)
    np.exp(x)  # not watched
    with p:
        np.exp(x)
    assert by_name(p)["exp"].calls == 2
    with p, pytest.raises(RuntimeError, match="profile: wanted one `with` at a time"), p:
        pass


def test_tables_pictures_and_traces_show_the_rows(tmp_path):
    model = nn.Linear(4, 5)
    with autograd.profile() as p:
        np.tanh(model(np.ones((2, 4), np.float32))).sum().backward()
    text = p.table("operation", limit=2)
    assert repr(p).splitlines()[0].split() == [
        "operation", "calls", "forward", "ms", "backward", "ms", "share", "MB",
    ]  # fmt: skip
    assert text.endswith("1 rows not shown")
    p.plot(tmp_path / "bars.svg", by="module")
    assert "<rect" in (tmp_path / "bars.svg").read_text()
    assert p._repr_svg_().count("<rect") == 2 * 3
    p.export_chrome_trace(tmp_path / "trace.json")
    events = json.loads((tmp_path / "trace.json").read_text())["traceEvents"]
    assert [e["name"] for e in events] == ["linear", "tanh", "sum", "sum", "tanh", "linear"]
    assert [e["cat"] for e in events] == ["forward"] * 3 + ["backward"] * 3
    assert events[0]["args"]["module"] == "Linear"
    ends = [e["ts"] + e["dur"] for e in events]
    assert all(end <= after["ts"] + 1e-6 for end, after in zip(ends, events[1:], strict=False))
    with pytest.raises(ValueError, match="profile: wanted by= one of operation, module, line"):
        p.rows("file")
