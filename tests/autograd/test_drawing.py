"""Drawings: what stands in the boxes, where they are, and the same as text."""

import functools
import itertools
import re
import xml.etree.ElementTree as ET

import numpy as np
import pytest

import autograd
import nn
from autograd import Variable

SVG = "{http://www.w3.org/2000/svg}"


def leaf(value, **options):
    return Variable(value, requires_grad=True, **options)


def expression():
    """micrograd's picture: L = (a * b + c) * f."""
    a, b, c, f = (leaf(v, name=n) for v, n in ((2.0, "a"), (-3.0, "b"), (10.0, "c"), (-2.0, "f")))
    with autograd.record_values():
        e = a * b
        d = e + c
        return d * f


class Attention(nn.Module):
    """A block with a residual, a module called twice and one inside another."""

    def __init__(self):
        super().__init__()
        self.norm = nn.LayerNorm(4)
        self.inner = nn.Sequential(nn.Linear(4, 8), nn.GELU(), nn.Linear(8, 4))

    def forward(self, x):
        x = x + self.inner(self.norm(x))
        return self.norm(x)


@functools.cache
def pictures():
    def many(x, w):
        q, r = np.linalg.qr(np.sin(x) * w)
        s = np.split(x, 2)
        return (q[0] * s[0]).sum() + np.where(x.data > 0, r, 0.0).max(axis=1).sum() - (x - w).sum()

    x = np.random.default_rng(0).normal(size=(4, 4)).astype(np.float32)
    return {
        "expression": expression().draw(),
        "array functions": autograd.draw(many, x, 2 * x),
        "mlp": autograd.draw(nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 2)), x),
        "open": autograd.draw(Attention(), x),
        "half open": autograd.draw(Attention(), x, depth=1),
        "folded": autograd.draw(Attention(), x, depth=0),
        "transformer": autograd.draw(nn.TransformerEncoderLayer(4, 2, 8), x[None]),
    }


def boxes(drawing):
    """The boxes of an SVG: (title, lines, kind, left, top, right, bottom)."""
    found = []
    for group in ET.fromstring(drawing.svg).iter(f"{SVG}g"):
        rect = group.find(f"{SVG}rect")
        if rect is not None:
            x, y, w, h = (float(rect.get(k)) for k in ("x", "y", "width", "height"))
            title, *lines = (text.text for text in group.findall(f"{SVG}text"))
            found.append((title, lines, rect.get("class"), x, y, x + w, y + h))
    return found


def titles(drawing):
    return [box[0] for box in boxes(drawing)]


def ends(drawing):
    """Where the wires of an SVG begin and end."""
    found = []
    for path in ET.fromstring(drawing.svg).iter(f"{SVG}path"):
        if path.get("class") == "wire":
            numbers = [float(n) for n in re.findall(r"-?[\d.]+", path.get("d"))]
            x = re.findall(r"C[^VC]*|M[^VC]*", path.get("d"))[-1]
            found.append((tuple(numbers[:2]), (float(re.findall(r"-?[\d.]+", x)[-2]), numbers[-1])))
    return found


@pytest.fixture(
    scope="module",
    params=["expression", "array functions", "mlp", "open", "half open", "folded", "transformer"],
)
def picture(request):
    return pictures()[request.param]


def test_boxes_do_not_overlap_unless_one_is_inside_the_other(picture):
    for i, (name, _, kind, left, top, right, bottom) in enumerate(found := boxes(picture)):
        for other, _, _, *(a, b, c, d) in found[i + 1 :]:
            apart = right <= a or c <= left or bottom <= b or d <= top
            inside = kind == "open" and left < a and c < right and top < b and d < bottom
            assert apart or inside, (name, other)


def test_text_has_room_in_its_box(picture):
    for title, lines, _, left, _, right, _ in boxes(picture):
        for line in [title, *lines]:
            assert len(line) * 7.2 <= right - left, line


def test_wires_join_boxes_and_run_down_through_none(picture):
    plain = [box for box in boxes(picture) if box[2] != "open"]
    borders = [box for box in boxes(picture) if box[2] == "open"]
    for (x, y), (u, v) in ends(picture):
        assert v > y
        bottoms = [b for b in plain if b[3] < x < b[5] and abs(y - b[6]) < 1]
        tops = [b for b in plain if b[3] < u < b[5] and abs(v - b[4]) < 1]
        # What does not begin or end at a box does so at the border of a module.
        assert bottoms or any(min(abs(y - b[4]), abs(y - b[6])) < 1 for b in borders)
        assert tops or any(min(abs(v - b[4]), abs(v - b[6])) < 1 for b in borders)
        for name, _, _, left, top, right, bottom in plain:
            for a, b in ((x, y + 1), (u, v - 1)):
                assert not (left < a < right and top < b < bottom), name


def test_the_same_boxes_and_edges_are_in_all_languages(picture):
    count = len(boxes(picture))
    assert picture.dot.count("[label=") - picture.dot.count("] -> ") >= len(
        [box for box in boxes(picture) if box[2] != "open"]
    )
    assert picture.dot.count(" -> ") == picture.mermaid.count(" -->") == len(picture.diagram.edges)
    assert len(str(picture).splitlines()) == count
    assert picture.dot.count("subgraph") == picture.mermaid.count("subgraph")


def test_every_box_has_value_and_gradient_also_after_backward():
    L = expression()
    L.backward()
    found = {box[0]: box[1] for box in boxes(L.draw())}
    assert found == {
        "a": ["data 2", "grad 6"],
        "b": ["data -3", "grad -4"],
        "c": ["data 10", "grad -2"],
        "f": ["data -2", "grad 4"],
        "e = multiply": ["data -6", "grad -2"],
        "d = add": ["data 4", "grad -2"],
        "L = multiply": ["data -8", "grad 1"],
    }


def test_what_still_lives_is_drawn_without_recording_values():
    x = leaf([1.0, 2.0])
    y = np.tanh(x) * 3
    found = {box[0]: box[1] for box in boxes(y.draw())}
    assert found["x"] == ["(2,) float64", "data [1., 2.]"]
    assert found["y = multiply"] == ["(2,) float64", "data [2.2848, 2.8921]"]


def test_a_freed_graph_says_how_to_keep_it():
    y = leaf(2.0) * 3
    y.backward()
    with pytest.raises(RuntimeError, match=r"draw: wanted a graph.*freed.*record_values\(\)"):
        y.draw()


@pytest.mark.parametrize("wrong", [Variable(1.0), 3.0, np.ones(2), "y"])
def test_what_has_no_graph_is_refused(wrong):
    with pytest.raises(TypeError, match="draw: wanted a Variable that was computed"):
        autograd.draw(wrong)


def test_a_function_is_drawn_at_a_point():
    def f(x, w):
        return (x @ w).sum()

    drawing = autograd.draw(f, np.ones((2, 3)), np.ones((3, 4), np.float32))
    assert titles(drawing) == ["x", "w", "matmul", "sum"]
    with pytest.raises(TypeError, match="draw: wanted the inputs"):
        autograd.draw(f)
    with pytest.raises(TypeError, match=r"draw: wanted floating-point .* got 2; write 2\.0"):
        autograd.draw(np.square, 2)


def test_operands_that_cannot_change_places_are_told_apart():
    x, y = leaf(1.0), leaf(2.0)
    assert 'label="x1"' in (x / y).draw().dot
    assert 'label="x1"' not in (x * y).draw().dot


def test_constants_and_options_stand_with_the_operation():
    drawing = autograd.draw(
        lambda x: (x[0] ** 2 * np.ones(3)).sum(axis=0, keepdims=True), np.ones((2, 3))
    )
    assert titles(drawing)[1:] == [
        "getitem(·, 0)",
        "power(·, 2)",
        "multiply(·, [1, 1, 1])",
        "sum(·, axis=0, keepdims=True)",
    ]


def test_text_is_escaped():
    x = leaf(1.0, name='<b a="1">&')
    y = x * 2
    y.name = "]--> \\"
    drawing = y.draw()
    assert titles(drawing) == ['<b a="1">&', "]--> \\ = multiply"]
    assert '\\"1\\"' in drawing.dot
    assert "<b a" not in drawing.mermaid


def test_modules_fold_by_depth():
    x = np.ones((2, 4), np.float32)
    drawing = autograd.draw(Attention(), x)
    assert titles(drawing)[:2] == ["x", "Attention"]
    assert titles(drawing).count("norm LayerNorm") == 2, "a box for each call"
    half = drawing.fold(1)
    assert titles(half) == [
        "x", "Attention", "norm LayerNorm", "inner Sequential", "x = add", "norm LayerNorm"
    ]  # fmt: skip
    folded = {box[0]: box[1] for box in boxes(half)}["inner Sequential"]
    assert folded == ["(2, 4)", "76 parameters", "3 operations"]
    assert titles(drawing.fold(0)) == ["x", "Attention"]


def test_parameters_are_lines_of_the_layer_that_uses_them():
    found = {box[0]: box[1] for box in boxes(autograd.draw(nn.Linear(3, 20), np.ones((5, 3))))}
    assert found["Linear"][:3] == ["linear", "weight (20, 3)", "bias (20,)"]


def test_drawing_a_model_changes_nothing_of_it():
    model = nn.Sequential(nn.BatchNorm1d(3), nn.Dropout(0.5))
    model[1].eval()
    before, random = model.state_dict(), autograd.random_state()
    autograd.draw(model, np.ones((4, 3), np.float32))
    assert [module.training for module in model] == [True, False]
    assert autograd.random_state() == random
    for key, value in model.state_dict().items():
        np.testing.assert_array_equal(value, before[key])


def test_a_large_graph_is_cut_off_and_a_large_model_folded():
    y = leaf(1.0)
    for _ in range(2000):
        y = y * 1.01
    drawing = y.draw()
    assert drawing.diagram.count() == {"operation": 149, "output": 1, "more": 1}
    model = nn.Sequential(*[Attention() for _ in range(12)])
    assert sum(autograd.draw(model, np.ones((2, 4), np.float32)).diagram.count().values()) <= 60


def test_a_drawing_is_saved_by_the_ending_of_its_path(tmp_path):
    drawing = expression().draw()
    for name in ("y.svg", "y.dot", "y.gv", "y.mmd"):
        drawing.save(tmp_path / name)
    assert (tmp_path / "y.svg").read_text(encoding="utf-8") == drawing.svg
    assert (tmp_path / "y.gv").read_text(encoding="utf-8") == drawing.dot
    with pytest.raises(ValueError, match=r"save: wanted a path ending in .svg.*'y.png'"):
        drawing.save("y.png")


def test_a_picture_in_a_page_takes_its_colours_one_in_a_file_brings_them():
    drawing = expression().draw()
    assert "prefers-color-scheme: dark" in drawing._repr_svg_()
    assert "prefers-color-scheme" not in drawing._repr_html_()
    assert "currentColor" in drawing._repr_html_()


def test_recorded_values_are_copies_and_are_dropped_with_the_graph():
    import gc
    import weakref

    x = leaf(np.array([1.0, 2.0]))
    with autograd.record_values():
        y = x * x
    x.data[:] = 7.0
    assert ["(2,) float64", "data [1., 4.]"] in [box[1] for box in boxes(y.draw())]
    watched = weakref.ref(y)
    gc.disable()
    try:
        del y
        assert watched() is None, "no reference cycles"
    finally:
        gc.enable()


def test_gradients_are_the_usual_ones_where_values_are_recorded():
    def run(x):
        y = np.tanh(x) * x + np.linalg.qr(x)[0]
        (y * y).sum().backward()
        return x.grad

    x = np.random.default_rng(1).normal(size=(3, 3))
    expected = run(leaf(x))
    with autograd.record_values():
        np.testing.assert_array_equal(run(leaf(x)), expected)


def test_drawings_are_loaded_when_they_are_used():
    import subprocess
    import sys

    script = "import sys, autograd; print('autograd.drawing' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "False"


def test_parameters_of_a_cell_called_in_a_loop_are_lines_in_its_boxes():
    class Unrolled(nn.Module):
        def __init__(self):
            super().__init__()
            self.cell = nn.LSTMCell(3, 5)
            self.out = nn.Linear(5, 1)

        def forward(self, x):
            h = c = np.zeros((2, 5), np.float32)
            for row in x:
                h, c = self.cell(row, (h, c))
            return self.out(h)

    drawing = autograd.draw(Unrolled(), np.ones((3, 2, 3), np.float32))
    assert drawing.diagram.count()["leaf"] == 1, "x alone"
    scans = [box for box in boxes(drawing) if box[0].startswith("scan")]
    assert len(scans) == 3
    assert all("weight_hh (20, 5)" in box[1] for box in scans)


def test_names_of_operands_have_room_between_the_tips():
    @autograd.primitive
    def blend(first_of_them, second_of_them, third):
        return first_of_them + second_of_them * third

    blend.defvjp(first_of_them=lambda g: g, second_of_them=lambda g, third: g * third)
    blend.defvjp(third=lambda g, second_of_them: g * second_of_them)
    drawing = autograd.draw(lambda a, b, c: blend(a, b, c).sum(), *np.ones((3, 3)))
    texts = ET.fromstring(drawing.svg).iter(f"{SVG}text")
    names = [(float(t.get("x")), t.text) for t in texts if t.get("class") == "operand"]
    assert [name for _, name in sorted(names)] == ["first_of_them", "second_of_them", "third"]
    for (x, name), (after, _) in itertools.pairwise(sorted(names)):
        assert x + 6 * len(name) <= after - 9
