"""Mistakes of newcomers, and the one sentence with which each is answered.

The last line of every snippet is the one at fault: it stands in the traceback (or in the warning), and
the sentence has an operation, what was wanted, what was given and what to write instead.
"""

import re
import traceback
import warnings

import numpy as np
import pytest

import autograd
import nn
import optim

NET = "model = nn.Linear(2, 1)\n"
DATA = "x, y = np.ones((8, 2), np.float32), np.ones((8, 1), np.float32)\n"
LOADER = DATA + "loader = nn.DataLoader(nn.ArrayDataset(x, y), batch_size=4)\n"
V = "v = Variable([3.0, 1.0, 2.0], requires_grad=True)\n"
W = "w = Variable(np.ones((2, 2)), requires_grad=True)\n"

# name: (snippet, exception or warning, patterns that must all be found)
MISTAKES = {
    # -- of NumPy's users --------------------------------------------------------------------------
    "shuffles in place": (
        V + "np.random.default_rng(0).shuffle(v)",
        TypeError,
        ["shuffle|assign", r"permutation|v\[|index"],
    ),
    "a ufunc's where=": (
        V + "y = np.sqrt(v, where=np.array([True, False, True]))",
        TypeError,
        ["sqrt", "where=", r"where\("],
    ),
    "sorts in place": (
        V + "v.sort()\nassert v.tolist() == [1.0, 2.0, 3.0]",
        AttributeError,
        ["sort", "np.sort"],
    ),
    "an objective that returns a Variable": (
        "from scipy.optimize import minimize\n"
        "def loss(p):\n"
        "    p = Variable(p, requires_grad=True)\n"
        "    return (p * p).sum()\n"
        "minimize(loss, np.ones(2))",
        TypeError,
        ["gradient", r"value_and_grad|\.item\(\)|\.detach\(\)"],
    ),
    "an index of floats": (
        V + "order = np.sort(v)\nv[order]",
        IndexError,
        ["getitem|index", "integer", "float64", r"astype\(|argsort"],
    ),
    "counts with astype(int)": (
        "grad(lambda t: (t * 3).astype(int).sum() * 1.0)(1.5)",
        TypeError,
        ["astype", "int", "float|detach"],
    ),
    # -- of HIPS's, JAX's and micrograd's ----------------------------------------------------------
    "grad of a vector": (
        "grad(lambda x: np.sin(x))(np.ones(3))",
        TypeError,
        ["grad", "scalar", r"\(3,\)", "elementwise_grad|jacobian|sum"],
    ),
    "has_aux": (
        "grad(lambda x: (x * x, x), has_aux=True)(1.0)",
        TypeError,
        ["grad", "has_aux", "argnum|return"],
    ),
    "vmap": (
        "autograd.vmap(lambda x: x * x)(np.ones(3))",
        AttributeError,
        ["vmap", "axis|jacobian|broadcast|stack"],
    ),
    "a Jacobian of a list": (
        "autograd.jacobian(lambda p: [p[0] * p[1], p[0] + p[1]])(np.ones(2))",
        TypeError,
        ["jacobian", "list", "array|stack"],
    ),
    "x.at[0].set": (
        V + "v.at[0].set(5.0)",
        AttributeError,
        ["at", "set_at"],
    ),
    "x._value": (
        "grad(lambda x: print(x._value) or x * x)(2.0)",
        AttributeError,
        ["_value", r"\.data"],
    ),
    "p.grad = 0": (
        V + "(v * v).sum().backward()\nv.grad = 0",
        TypeError,
        ["grad", "array", "int|0", "None|zero_grad"],
    ),
    "label=": (
        "Variable(2.0, label='a')",
        TypeError,
        ["Variable", "label", "name="],
    ),
    # -- of PyTorch's ------------------------------------------------------------------------------
    "backward without parentheses": (
        NET + DATA + "optimizer = optim.SGD(model.parameters(), lr=0.1)\n"
        "loss = nn.MSELoss()(model(x), y)\n"
        "loss.backward\n"
        "optimizer.step()",
        RuntimeError,
        ["step", "gradient", r"backward\(\)"],
    ),
    "parameters without parentheses": (
        NET + "optim.SGD(model.parameters, lr=0.1)",
        TypeError,
        ["SGD", "method|function", r"parameters\(\)"],
    ),
    "one Variable for a list": (
        W + "optim.SGD(w, lr=0.1)",
        TypeError,
        ["SGD", r"\[w\]|list|\["],
    ),
    "optimizes a result": (
        "w = Variable(np.ones(2), requires_grad=True) * 0.01\noptim.SGD([w], lr=0.1)",
        ValueError,
        ["SGD", "leaf|multiply|result", "requires_grad|detach"],
    ),
    "a learning rate from YAML": (
        NET + "optim.Adam(model.parameters(), lr='1e-3')",
        TypeError,
        ["Adam|lr", "number", "'1e-3'|str", "float|1e-3"],
    ),
    "a schedule of a model": (
        NET + "optim.lr_scheduler.StepLR(model, step_size=5)",
        TypeError,
        ["StepLR", "optimizer", "Linear"],
    ),
    "no_grad without parentheses": (
        "with autograd.no_grad:\n    pass",
        TypeError,
        ["no_grad", r"no_grad\(\)"],
    ),
    "a loss class called with data": (
        NET + DATA + "loss = nn.MSELoss(model(x), y)",
        TypeError,
        ["MSELoss", r"MSELoss\(\)\("],
    ),
    "labels that begin at 1": (
        "nn.CrossEntropyLoss()(np.zeros((3, 3)), np.array([1, 2, 3]))",
        IndexError,
        ["cross_entropy|CrossEntropy", "3", "0", "below|to 2|< 3|- 1|subtract"],
    ),
    "w.grad.zero_()": (
        W + "(w * w).sum().backward()\nw.grad.zero_()",
        AttributeError,
        ["zero_", "None|zero_grad"],
    ),
    "optimizer.lr = 0.01": (
        NET + "optimizer = optim.SGD(model.parameters(), lr=0.1)\noptimizer.lr = 0.01",
        AttributeError,
        ["lr", "param_groups"],
    ),
    "model.requires_grad = False": (
        NET + "model.requires_grad = False",
        AttributeError,
        ["requires_grad", r"requires_grad_\(False\)"],
    ),
    # -- layers ------------------------------------------------------------------------------------
    "a class in Sequential": (
        "nn.Sequential(nn.Linear(2, 4), nn.ReLU, nn.Linear(4, 1))",
        TypeError,
        ["Sequential", "ReLU", r"ReLU\(\)"],
    ),
    "channels last": (
        "nn.Conv2d(3, 8, 3)(np.ones((2, 16, 16, 3), np.float32))",
        ValueError,
        ["conv2d", "3 channels|channels", r"\(2, 16, 16, 3\)", "transpose|moveaxis"],
    ),
    "a recurrent layer in Sequential": (
        "model = nn.Sequential(nn.LSTM(3, 5), nn.Linear(5, 1))\nmodel(np.ones((4, 2, 3), np.float32))",
        TypeError,
        ["linear", "array|Variable", "tuple", r"\[0\]|first|output"],
    ),
    "an LSTM's state without c": (
        "h = np.zeros((1, 2, 5), np.float32)\nnn.LSTM(3, 5)(np.ones((4, 2, 3), np.float32), h)",
        TypeError,
        ["LSTM|lstm", r"\(h_0, c_0\)|h.*c", "ndarray|array|shape"],
    ),
    "a mask of integers": (
        "x = np.ones((2, 4, 8), np.float32)\n"
        "mask = np.tril(np.ones((4, 4), int))\n"
        "nn.MultiheadAttention(8, 2, batch_first=True)(x, x, x, attn_mask=mask)",
        TypeError,
        ["mask", "bool", "int64", r"astype\(bool\)|== 0|bool"],
    ),
    "batch normalization of one": (
        "nn.BatchNorm1d(3)(np.ones((1, 3), np.float32))",
        ValueError,
        ["batch_norm|BatchNorm1d", "more than one|two", r"\(1, 3\)", r"eval\(\)|drop_last|larger"],
    ),
    # -- data, training, checkpoints ---------------------------------------------------------------
    "DataLoader(x, y)": (
        DATA + "nn.DataLoader(x, y)",
        TypeError,
        ["DataLoader", "batch_size", "ArrayDataset"],
    ),
    "a Dataset without a length": (
        "class Squares(nn.Dataset):\n"
        "    def __getitem__(self, i):\n"
        "        return float(i * i)\n"
        "nn.DataLoader(Squares(), batch_size=2)",
        TypeError,
        ["Squares", "__len__"],
    ),
    "validation data as in Keras": (
        NET + LOADER + "optimizer = optim.SGD(model.parameters(), lr=0.1)\n"
        "nn.fit(model, loader, nn.MSELoss(), optimizer, epochs=1, validation_data=(x, y), progress=False)",
        TypeError,
        ["fit", "validation_data", "tuple", r"DataLoader\(.*ArrayDataset\("],
    ),
    "an optimizer class": (
        NET + LOADER + "nn.fit(model, loader, nn.MSELoss(), optim.Adam, epochs=1, progress=False)",
        TypeError,
        ["fit", "optimizer", "Adam", r"Adam\(model.parameters\(\)"],
    ),
    "loads into a model by position": (
        NET + "nn.save('m.npz', model=model)\nnn.load('m.npz', model)",
        TypeError,
        ["load", "Linear", "model=model"],
    ),
    "loads a part under another name": (
        NET + "nn.save('m.npz', model=model)\nnn.load('m.npz', net=model)",
        (KeyError, ValueError),
        ["load|m.npz", "net", "model"],
    ),
    # -- functions of one's own, the checker -------------------------------------------------------
    "an instance of a Function": (
        "class Cube(autograd.Function):\n"
        "    @staticmethod\n"
        "    def forward(ctx, x):\n"
        "        ctx.save_for_backward(x)\n"
        "        return x**3\n"
        "    @staticmethod\n"
        "    def backward(ctx, g):\n"
        "        return g * 3 * ctx.saved_tensors[0] ** 2\n"
        "Cube()(Variable(2.0, requires_grad=True))",
        TypeError,
        ["Cube", r"Cube\.apply"],
    ),
    "a check of random numbers": (
        "from autograd.testing import check_gradients\n"
        "drop = nn.Dropout(0.5)\n"
        "check_gradients(lambda x: drop(x) * x, np.ones(4))",
        AssertionError,
        ["different|same|random|determin", "seed|random|generator"],
    ),
}


def run(snippet):
    """Run a snippet, and return what was raised or warned of first, its text and its line."""
    names = {"np": np, "autograd": autograd, "nn": nn, "optim": optim}
    names |= {"Variable": autograd.Variable, "grad": autograd.grad}
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            exec(compile(snippet, "<newcomer>", "exec"), names)  # noqa: S102
        except Exception as error:  # noqa: BLE001
            frames = traceback.extract_tb(error.__traceback__)
            lines = [frame.lineno for frame in frames if frame.filename == "<newcomer>"]
            return type(error), str(error), lines
    if caught:
        first = caught[0]
        lines = [first.lineno] if first.filename == "<newcomer>" else []
        return first.category, str(first.message), lines
    return None, "", []
