"""The mistakes that newcomers made with the first edition, and what each is answered with today.

A snippet ends with the mistake. The answer names what was typed, what was wanted, what was given
and what to write instead; all patterns of a row must be found in it, in its cause or in its notes.
"""

import linecache
import re
import warnings

import numpy as np
import pytest

import autograd
import nn
import optim

V = "v = Variable([3.0, 1.0, 2.0], requires_grad=True)\n"
DATA = (
    "x, y = np.ones((8, 2), np.float32), np.ones((8, 1), np.float32)\n"
    "loader = nn.DataLoader(nn.ArrayDataset(x, y), batch_size=4)\n"
    "model = nn.Linear(2, 1)\n"
    "optimizer = optim.SGD(model.parameters(), lr=0.1)\n"
)
FIT = DATA + "nn.fit({}, epochs=3, progress=False)"
MODULE = "class Net(nn.Module):\n    def {}\n"

# id: (snippet, error or warning, patterns)
MISTAKES = {
    "M1 backward without requires_grad": (
        "Variable(2.0).backward()",
        RuntimeError,
        ["backward: wanted a Variable computed from one with requires_grad=True"],
    ),
    "M2 integers that require a gradient": (
        "Variable(2, requires_grad=True)",
        TypeError,
        ["wanted floating or complex data, got int64", "dtype=float"],
    ),
    "M3 backward of a vector": (
        V + "v.backward()",
        RuntimeError,
        [r"wanted a scalar output, got shape \(3,\)", r"output\.sum\(\)"],
    ),
    "M4 backward twice": (
        V + "y = (v * v).sum()\ny.backward()\ny.backward()",
        RuntimeError,
        ["freed by an earlier backward pass", "retain_graph=True"],
    ),
    "M5 assignment to a leaf": (V + "v[0] = 3.0", RuntimeError, ["no_grad", r"x = x\.copy\(\)"]),
    "M6 zeros, then fill": (
        V + "out = np.zeros(3)\nout[0] = v[0]",
        ValueError,
        [
            r"make out by autograd\.zeros\(shape\)",
            "collect the values in a list for autograd.array",
        ],
    ),
    "M7 an array of Variables": (
        V + "np.array([v[0], v[1]])",
        TypeError,
        ["np.array: wanted a Variable without a gradient", r"autograd\.array\(...\)"],
    ),
    "M8 a function of math": (
        V + "import math\nmath.sin(v[0])",
        TypeError,
        ["math.sin: wanted a Variable without a gradient", r"np\.sin\(x\)"],
    ),
    "M8 text by %": (V + "'%.3f' % v[0]", TypeError, [r'f"\{x:.4f\}"']),
    "M9 a function of scipy.linalg": (
        "import scipy.linalg\nscipy.linalg.cholesky(Variable(np.eye(2), requires_grad=True))",
        TypeError,
        ["scipy.linalg.cholesky: wanted", r"autograd\.linalg\.cholesky"],
    ),
    "M10 an array that collects": (
        V + "total = np.zeros(3)\ntotal += v",
        TypeError,
        ["np.add: wanted a call without out=", r"a = a \+ v instead of a \+= v"],
    ),
    "M11 polyfit": (V + "np.polyfit(v, np.ones(3), 1)", TypeError, ["np.polyfit", "lstsq"]),
    "M11 copyto": (V + "np.copyto(np.ones(3), v)", TypeError, ["np.copyto", "set_at"]),
    "M11 add.at": (V + "np.add.at(np.ones(3), [0], v)", TypeError, ["np.add.at", "add_at"]),
    "M11 fill_diagonal": (
        V + "np.fill_diagonal(np.ones((3, 3)), v)",
        TypeError,
        ["np.fill_diagonal", r"autograd\.zeros"],
    ),
    "M12 shapes that do not broadcast": (
        V + "v * np.ones(2)",
        ValueError,
        [r"multiply: wanted operands whose shapes broadcast, got \(3,\) and \(2,\)"],
    ),
    "M13 a product of a matrix and a short vector": (
        V + "np.ones((2, 2)) @ v",
        ValueError,
        [r"matmul: wanted shapes .*, got \(2, 2\) and \(3,\)"],
    ),
    "M14 an integer as a point": (
        "grad(lambda x: x * x)(3)",
        TypeError,
        ["got int64", "write 3.0 instead of 3"],
    ),
    "M15 a list as a point": (
        "grad(lambda p: (np.ones((2, 2)) @ p).sum())([0.0, 0.0])",
        TypeError,
        ["list", r"for a vector write np\.array\(list_of_numbers\)"],
    ),
    "M16 a point in the first call": (
        "grad(lambda x: x * x, 3.0)",
        TypeError,
        ["grad: wanted argnum as the number of an argument", r"grad\(f\)\(x\)"],
    ),
    "M17 the gradient of a complex function": (
        "grad(np.sin)(1j)",
        RuntimeError,
        ["wanted a real output, got complex128", r"\.real"],
    ),
    "M18 no super().__init__()": (
        MODULE.format("__init__(self):\n        self.layer = nn.Linear(1, 1)") + "Net()",
        AttributeError,
        [r"super\(\).__init__\(\) the first line of __init__"],
    ),
    "M19 a list of layers": (
        MODULE.format("__init__(self):\n        super().__init__()\n        self.ws = [nn.ReLU()]")
        + "Net()",
        UserWarning,
        ["Net.ws is a plain list", "nn.ModuleList"],
    ),
    "M20 other features": (
        "nn.Linear(3, 2)(np.ones((4, 2)))",
        ValueError,
        [r"wanted an input of shape \(..., 3\)", r"got \(4, 2\)"],
    ),
    "M21 a column against a row": (
        "nn.MSELoss()(np.ones((4, 1)), np.ones(4))",
        ValueError,
        [r"wanted a target of the input's shape \(4, 1\), got \(4,\)", "reshape"],
    ),
    "M22 classes as floats": (
        "nn.CrossEntropyLoss()(np.ones((4, 2)), np.ones(4))",
        TypeError,
        ["wanted integers as class indices, got float64", r"astype\(np.int64\)"],
    ),
    "M23 forward misspelt": (
        MODULE.format("forwrad(self, x):\n        return x") + "Net()(1.0)",
        (NotImplementedError, AttributeError, TypeError),
        ["Net", "forward"],
    ),
    "M24 forward without return": (
        DATA
        + MODULE.format("forward(self, x):\n        x + 1")
        + "nn.fit(Net(), loader, nn.MSELoss(), optimizer, epochs=1, progress=False)",
        TypeError,
        ["wanted a prediction from Net.forward, got None", "return"],
    ),
    "M25 arrays for batches": (
        DATA + "nn.fit(model, x, y)",
        TypeError,
        ["fit: wanted data in batches, got ndarray", r"DataLoader\(ArrayDataset\(x, y\)"],
    ),
    "M26 a tuple for batches": (
        FIT.format("model, (x, y), nn.MSELoss(), optimizer"),
        TypeError,
        ["fit: wanted data in batches, got tuple", r"DataLoader\(ArrayDataset\(x, y\)"],
    ),
    "M27 a class for a loss": (
        FIT.format("model, loader, nn.MSELoss, optimizer"),
        TypeError,
        ["fit: wanted a loss, got the class MSELoss", r"MSELoss\(\)"],
    ),
    "M28 a name for a loss": (
        FIT.format("model, loader, 'mse', optimizer"),
        TypeError,
        ["fit: wanted a loss as a function", "'mse'", r"nn\.MSELoss\(\)"],
    ),
    "M29 a model for its parameters": (
        DATA + "optim.Adam(model)",
        TypeError,
        ["Adam: wanted an iterable of Variables, got Linear", r"model\.parameters\(\)"],
    ),
    "M30 learning_rate=": (
        DATA + "optim.Adam(model.parameters(), learning_rate=0.1)",
        TypeError,
        ["Adam: wanted options among lr", "write lr="],
    ),
    "M33 view(-1)": (V + "v.view(-1)", AttributeError, ["view: wanted", r"x\.reshape\(shape\)"]),
    "M34 transpose(1, 2)": (
        "Variable(np.ones((2, 3, 4)), requires_grad=True).transpose(1, 2)",
        ValueError,
        ["transpose: wanted a permutation of all 3 axes", r"x\.swapaxes\(1, 2\)"],
    ),
    "M35 a path for a state": (
        DATA + "model.load_state_dict('m.npz')",
        TypeError,
        ["load_state_dict: wanted a dict of arrays", r"nn\.load\('m\.npz'\)"],
    ),
    "M36 another suffix": (
        DATA + "nn.save('m.pt', model=model)",
        ValueError,
        [r"nn\.save: wanted a path ending in \.npz or \.safetensors, got 'm\.pt'"],
    ),
    "M37 arguments the other way round": (
        DATA + "nn.save(model.state_dict(), 'a.npz')",
        TypeError,
        ["nn.save: wanted the path first, got dict", r"nn\.save\('a\.npz', state\)"],
    ),
    "M38 a state of another model": (
        DATA + "model.load_state_dict({'w': np.ones(3)})",
        ValueError,
        ["missing keys 'weight', 'bias'; unexpected keys 'w'; nothing was changed"],
    ),
    "M39 a tuple for a dataset": (
        DATA + "nn.DataLoader((x, y))",
        TypeError,
        ["DataLoader: wanted a dataset", r"DataLoader\(ArrayDataset\(x, y\)"],
    ),
    "M40 text as a length": (
        "nn.Linear('3', 2)",
        TypeError,
        ["Linear: wanted in_features as an int, got str '3'"],
    ),
    "M40 a float as a length": (
        "nn.Linear(3.0, 2)",
        TypeError,
        ["Linear: wanted in_features as an int, got float 3.0"],
    ),
    "M41 a Function without backward": (
        (
            "class Double(autograd.Function):\n"
            "    @staticmethod\n"
            "    def forward(ctx, x):\n"
            "        return x * 2\n"
            "Double.apply(Variable(1.0, requires_grad=True)).backward()"
        ),
        NotImplementedError,
        [r"Double: wanted a static method backward\(ctx, g\), got none"],
    ),
    "M43 too high a learning rate": (
        DATA
        + "optimizer = optim.SGD(model.parameters(), lr=1e30)\n"
        + FIT.format("model, loader, nn.MSELoss(), optimizer").removeprefix(DATA),
        FloatingPointError,
        ["the loss became inf in epoch 1", "lower learning rate"],
    ),
}
# M31, M32: `dim` is another word for `axis`, and no mistake any more.
# M42: `x.grad * 2` before the backward pass is Python's error; see docs/conventions.md.


NAME = "<newcomer>"


def answer(snippet):
    """Run a snippet; return the error or the first warning, and everything that it says."""
    linecache.cache[NAME] = len(snippet), None, snippet.splitlines(keepends=True), NAME
    names = {"np": np, "autograd": autograd, "nn": nn, "optim": optim}
    names |= {"Variable": autograd.Variable, "grad": autograd.grad}
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            exec(compile(snippet, NAME, "exec"), names)
        except Exception as error:  # noqa: BLE001 - whatever it is, is judged
            parts = [str(error), str(error.__cause__ or ""), *getattr(error, "__notes__", ())]
            return error, "\n".join(parts)
    return caught[0].message, str(caught[0].message)


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda name: name.replace(" ", "_"))
def test_the_answer_names_what_was_wanted_and_what_to_write(mistake, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    snippet, kind, patterns = MISTAKES[mistake]
    with np.errstate(all="ignore"):
        given, said = answer(snippet)
    assert isinstance(given, kind), repr(given)
    for pattern in patterns:
        assert re.search(pattern, said), said
