"""What to write instead: of attributes that other libraries have, and of conversions that would
lose a gradient. Only error messages come here.

Imports `typed`, which finds the words of the user, and looks at what is imported already.
"""

from __future__ import annotations

import ast
import functools
import importlib
import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np

from autograd.typed import Place, library_call

# fmt: off
__all__ = ["CHANGES", "instead_of_attribute", "instead_of_conversion", "instead_of_member",
           "instead_of_name", "note_on_writing", "with_axis", "wrong_arguments", "wrong_shapes"]
# fmt: on

# Methods that change an array in place.
CHANGES = {
    "byteswap": "x.astype(dtype)",
    "fill": "x = autograd.full_like(x, value)",
    "partition": "x = autograd.partition(x, kth)",
    "put": "x = autograd.set_at(x, index, value)",
    "resize": "x = autograd.resize(x, shape)",
    "setfield": "x = autograd.set_at(x, index, value)",
    "sort": "x = autograd.sort(x)",
}
# Methods and attributes of PyTorch, JAX, HIPS autograd, MyGrad, Chainer, tinygrad and micrograd
# that have another name here; functions of the same name are found below.
_SPELLINGS = {
    "_backward": "autograd.primitive with a rule, or an autograd.Function",
    "_op": "print(x), which names the operation",
    "_prev": "x.draw(), which shows what it was computed from",
    "add": "x + y",
    "amax": "x.max(axis)",
    "amin": "x.min(axis)",
    "array": "x.data",
    "assign": "x.data = array",
    "at": "autograd.set_at(x, index, value), or autograd.add_at to add",
    "bmm": "x @ y",
    "bool": "x.astype(bool)",
    "byte": "x.astype(np.uint8)",
    "chunk": "np.array_split(x, count, axis)",
    "clamp": "x.clip(low, high)",
    "cleargrad": "x.zero_grad()",
    "clone": "x.copy()",
    "constant": "not x.requires_grad",
    "contiguous": "x, or np.ascontiguousarray(x)",
    "cpu": "x; all data are in the memory of the CPU",
    "creator": "print(x), which names the operation",
    "cuda": "x; all data are in the memory of the CPU",
    "detach_": "x = x.detach()",
    "dim": "x.ndim",
    "div": "x / y",
    "divide": "x / y",
    "double": "x.astype(np.float64)",
    "eq": "x == y",
    "expand": "np.broadcast_to(x, shape)",
    "expand_as": "np.broadcast_to(x, y.shape)",
    "float": "x.astype(np.float32)",
    "gather": "np.take_along_axis(x, indices, axis)",
    "ge": "x >= y",
    "grad_fn": "print(x), which names the operation",
    "gt": "x > y",
    "half": "x.astype(np.float16)",
    "index_add": "autograd.add_at(x, index, value)",
    "index_select": "np.take(x, indices, axis)",
    "int": "x.astype(np.int32)",
    "inverse": "np.linalg.inv(x)",
    "is_cuda": "x; all data are in the memory of the CPU",
    "label": "x.name",
    "le": "x <= y",
    "lerp": "x + weight * (y - x)",
    "long": "x.astype(np.int64)",
    "lt": "x < y",
    "masked_fill": "np.where(mask, value, x)",
    "masked_select": "x[mask]",
    "matmul": "x @ y",
    "mm": "x @ y",
    "mul": "x * y",
    "multiply": "x * y",
    "mv": "x @ y",
    "narrow": "x[start : start + length]",
    "ne": "x != y",
    "neg": "-x",
    "new_ones": "np.ones(shape)",
    "new_zeros": "np.zeros(shape)",
    "null_grad": "x.zero_grad()",
    "numel": "x.size",
    "permute": "x.transpose(axes)",
    "pow": "x ** y",
    "realize": "x, which is computed already",
    "register_post_accumulate_grad_hook": "x.register_hook(f)",
    "rsqrt": "1 / np.sqrt(x)",
    "scatter": "autograd.set_at(x, index, value)",
    "scatter_add": "autograd.add_at(x, index, value)",
    "select": "x[index]",
    "sparse_categorical_crossentropy": "nn.functional.cross_entropy(x, target)",
    "split": "np.split(x, places, axis), where places is a count of equal parts, or where to cut",
    "stack": "np.stack([x, y])",
    "sub": "x - y",
    "subtract": "x - y",
    "t": "x.T",
    "to": "x.astype(dtype); all data are in the memory of the CPU",
    "topk": "np.sort(x)[-k:]",
    "tril": "np.tril(x)",
    "triu": "np.triu(x)",
    "type": "x.astype(dtype)",
    "type_as": "x.astype(y.dtype)",
    "unbind": "autograd.unstack(x)",
    "unchain": "x = x.detach()",
    "unchain_backward": "x = x.detach()",
    "unflatten": "x.reshape(shape)",
    "unsqueeze": "np.expand_dims(x, axis)",
    "value": "x.data",
    "values": "x.data",
    "view": "x.reshape(shape)",
    "view_as": "x.reshape(y.shape)",
    "where": "np.where(condition, x, y)",
}
# fmt: off
_OF_NN = frozenset(
    {"avg_pool2d", "batch_norm", "binary_cross_entropy", "celu", "conv1d", "conv2d",
     "cross_entropy", "dropout", "elu", "gelu", "hardtanh", "layer_norm", "leaky_relu",
     "linear", "logsigmoid", "max_pool2d", "mish", "normalize", "one_hot", "relu", "relu6",
     "scaled_dot_product_attention", "selu", "sigmoid", "silu", "softplus", "softsign"}
)
# fmt: on
# Names that other libraries have in their modules, by the module they are looked for in here.
_NAMES = {
    "autograd": {
        "Tensor": "autograd.Variable",
        "Value": "autograd.Variable",
        "backward": "loss.backward()",
        "cat": "np.concatenate",
        "clamp": "np.clip",
        "functional": "autograd.jacobian, hessian, hvp, vjp and jvp",
        "from_numpy": "autograd.Variable(array, copy=False)",
        "gradcheck": "autograd.testing.check_gradients",
        "inference_mode": "autograd.no_grad()",
        "jacfwd": "autograd.jacobian",
        "jacrev": "autograd.jacobian",
        "jit": "autograd.compile(f)",
        "multigrad": "autograd.grad(f, argnum=(0, 1))",
        "nn": "import nn",
        "no_grad_": "autograd.no_grad()",
        "optim": "import optim",
        "rand": "np.random.default_rng().random(shape)",
        "randn": "np.random.default_rng().normal(size=shape)",
        "tensor": "autograd.Variable",
    },
    "nn": {
        "Buffer": "self.register_buffer(name, array)",
        "DataParallel": "nn.parallel.DataParallel",
        "Dense": "nn.Linear",
        "F": "nn.functional",
        "Swish": "nn.SiLU",
        "SyncBatchNorm": "nn.parallel.SyncBatchNorm",
        "Tensor": "autograd.Variable",
        "TensorDataset": "nn.ArrayDataset",
    },
    "nn.functional": {
        "logit": "autograd.special.logit",
        "softmax_cross_entropy": "nn.functional.cross_entropy",
        "upsample": "nn.functional.interpolate",
    },
}
# Where else a name may be.
_ROOMS = (
    *("nn", "nn.functional", "nn.utils", "nn.utils.rnn", "nn.init"),
    *("optim", "optim.lr_scheduler", "autograd", "autograd.special", "autograd.linalg"),
)
# Methods of other libraries' models.
_OF_MODELS = {
    "add": "model.append(layer)",
    "bfloat16": "model.float(); NumPy has no bfloat16",
    "cleargrads": "model.zero_grad()",
    "compile": "autograd.compile(model)",
    "cpu": "model; all data are in the memory of the CPU",
    "cuda": "model; all data are in the memory of the CPU",
    "device": "model; all data are in the memory of the CPU",
    "load": "nn.load(path, model=model)",
    "predict": "model(x)",
    "save": "nn.save(path, model=model)",
    "save_weights": "nn.save(path, model=model)",
    "to": "model.astype(dtype); all data are in the memory of the CPU",
    "trainable_variables": "model.parameters()",
    "weights": "model.parameters()",
}


def instead_of_attribute(name: str, array: type) -> str | None:
    """Return the sentence for an attribute that Variables have not, where it is known from arrays
    or from other libraries.
    """
    if name.startswith("_") and name not in _SPELLINGS:
        return None
    if name in CHANGES:
        return (
            f"{name}: wanted a new Variable instead of a change in place, which the recorded graph "
            f"cannot follow; write {CHANGES[name]}, or change x.data and call x.mark_changed()"
        )
    if name.endswith("_") and name not in _SPELLINGS:
        return (
            f"{name}: wanted a new Variable instead of a change in place; write x = x + y and the "
            "like, or for a leaf x.data = array, or x += y inside autograd.no_grad()"
        )
    spelled = _SPELLINGS.get(name) or _function_of_that_name(name)
    if spelled:
        return f"{name}: wanted an attribute of NumPy's arrays, got one of others; write {spelled}"
    if hasattr(array, name):
        return (
            f"{name}: wanted a method that is recorded, got one of arrays only; write "
            f"x.detach().data.{name}"
        )
    return None


def _function_of_that_name(name: str) -> str | None:
    """Spell the function that does what a method of another library does."""
    if name in _OF_NN:
        return f"nn.functional.{name}(x)"
    places = (
        *(("np", "numpy"), ("autograd", "autograd"), ("np.linalg", "numpy.linalg")),
        ("autograd.special", "autograd.special"),
    )
    for spelled, module in places:
        recorded = module.replace("numpy", "autograd")
        if hasattr(sys.modules[module], name) and _is_recorded(recorded, name):
            return f"{spelled}.{name}({_operands(getattr(sys.modules[recorded], name))})"
    return None


def _operands(function: Any) -> str:
    """Return what must be given to a function, the first called x."""
    import inspect  # only for messages

    try:
        known = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return "x"
    given = [p.name for p in known if p.default is p.empty and p.kind in (0, 1)]
    return ", ".join(["x", *given[1:]]).replace("x2", "y")  # NumPy's x1 and x2


def _room(name: str) -> ModuleType | None:
    """Return a room of this package, any other module only where it is imported already."""
    if name.startswith("autograd"):
        return importlib.import_module(name)
    return sys.modules.get(name)


def _is_recorded(module: str, name: str) -> bool:
    found = _room(module)
    return name in getattr(found, "__all__", ()) and callable(getattr(found, name))


def instead_of_name(module: ModuleType, name: str) -> AttributeError:
    """Return the error for a name that a module has not: where it is, or what it is called here."""
    package, contents = module.__name__, list(getattr(module, "__all__", ()))
    said = f"module {package!r} has no attribute {name!r}"
    if name.startswith("_"):
        return AttributeError(said, name=name, obj=module)
    spelled = _NAMES.get(package, {}).get(name)
    if spelled is None and package == "autograd" and name in _SPELLINGS:
        spelled = _SPELLINGS[name]
    if spelled is None:
        spelled = next(
            (f"{room}.{name}" for room in _ROOMS if name in getattr(_room(room), "__all__", ())),
            None,
        )
    if spelled is None and package == "autograd" and hasattr(np, name):
        spelled = f"np.{name}"
    if spelled is None:
        spelled = _like(name, contents, f"{package}.")
    return AttributeError(f"{said}; write {spelled}" if spelled else said, name=name, obj=module)


def instead_of_member(model: Any, name: str) -> AttributeError:
    """Return the error for an attribute that a model has not."""
    kind = type(model).__name__
    said = f"{kind!r} object has no attribute {name!r}"
    spelled = _OF_MODELS.get(name)
    if spelled is None and name in getattr(sys.modules.get("nn"), "__all__", ()):
        spelled = f"nn.{name}(model, ...)"
    if spelled is None:
        spelled = _like(name, [n for n in dir(model) if not n.startswith("_")], f"{kind}.")
    return AttributeError(f"{said}; write {spelled}" if spelled else said, name=name, obj=model)


def _like(name: str, known: list[str], before: str) -> str | None:
    """Spell the known name that is most like one that was typed."""
    folded = {k.lower(): k for k in reversed(known)}
    if name.lower() in folded:
        return before + folded[name.lower()]
    begin = [k for k in known if len(name) > 3 and k.lower().startswith(name.lower())]
    import difflib  # only for messages: importing the library must stay quick

    near = begin[:1] or difflib.get_close_matches(name, known, n=1, cutoff=0.7)
    return before + near[0] if near else None


# -- calls -----------------------------------------------------------------------------------------

# What users of other libraries write for NumPy's keywords.
# fmt: off
_KEYWORDS = {"dim": "axis", "dims": "axis", "keepdim": "keepdims", "unbiased": "ddof",
             "argnums": "argnum"}
# fmt: on


def wrong_arguments(
    name: str, parameters: tuple[str, ...], kwargs: dict[str, Any], error: TypeError
) -> TypeError:
    """Return the error for arguments that do not fit a signature."""
    names = ", ".join(parameters)
    for key in set(kwargs).difference(parameters):
        hint = f"; write {_KEYWORDS[key]}=" if _KEYWORDS.get(key) in parameters else ""
        return TypeError(f"{name}: wanted keywords among {names}, got {key!r}{hint}")
    said = str(error).partition("() ")[2]
    return TypeError(f"{name}: wanted arguments for ({names}), got others ({said})")


def wrong_shapes(name: str, x: Any, y: Any, error: ValueError) -> ValueError:
    """Return a better error where the shapes of two elementwise operands are what is wrong."""
    shapes = np.shape(x), np.shape(y)
    try:
        np.broadcast_shapes(*shapes)
    except ValueError:
        if not str(error).startswith(name):
            return ValueError(
                f"{name}: wanted operands whose shapes broadcast, got {shapes[0]} and {shapes[1]}; "
                "reshape one so that their last axes are equal or 1"
            )
    return error


def with_axis(method: Callable[..., Any]) -> Callable[..., Any]:
    """Return a method of arrays that tells users of `dim=` and `keepdim=` what NumPy calls it.

    A plain function cannot: Python itself refuses keywords. Costs 60 ns a call.
    """

    @functools.wraps(method)
    def call(*args: Any, **kwargs: Any) -> Any:
        try:
            return method(*args, **kwargs)
        except TypeError as error:
            for key in kwargs.keys() & _KEYWORDS:
                if "keyword" in str(error):
                    raise TypeError(
                        f"{method.__name__}: wanted NumPy's keywords, got {key!r}; write "
                        f"{_KEYWORDS[key]}="
                    ) from None
            raise

    return call


def note_on_writing(error: ValueError, what: str) -> None:
    """Say what is wanted of a function that has written into a read-only array it was given."""
    if "read-only" in str(error):
        error.add_note(f"{what}: wanted a new array as result, got a change of one that was given")


# Functions of SciPy that find roots, and what finds them here.
_ROOTS = dict.fromkeys(("bisect", "brenth", "ridder", "toms748"), "brentq") | {
    "fsolve": "root",
    "newton": "root_scalar",
}

# -- conversions -----------------------------------------------------------------------------------


def instead_of_conversion(what: str) -> str:
    """Return the sentence for a conversion that would lose a gradient; `what` is its name where the
    user's own words cannot be found.
    """
    library, frame = library_call(sys._getframe(2))
    text = Place.of(frame).expression
    try:
        typed: ast.expr | None = ast.parse(text, mode="eval").body
    except SyntaxError:
        typed = None
    name = _dotted(typed.func) if isinstance(typed, ast.Call) else ""
    fix = _fix(name, typed, library)
    if isinstance(typed, ast.Subscript):
        what = f"{text} = ..."
    return (
        f"{name or what}: wanted a Variable without a gradient, got one that requires it, which a "
        f"plain number or array would lose; {fix}, or .detach() / .item() to give the gradient up"
    )


def _dotted(node: ast.expr) -> str:
    """Return the name of a function as it was typed, np.array; "" where it is no plain name."""
    if isinstance(node, ast.Name):
        return node.id
    base = _dotted(node.value) if isinstance(node, ast.Attribute) else ""
    return f"{base}.{node.attr}" if isinstance(node, ast.Attribute) and base else ""


def _fix(name: str, typed: ast.expr | None, library: str) -> str:
    package, _, last = name.rpartition(".")
    if isinstance(typed, ast.Subscript):
        array, place = ast.unparse(typed.value), ast.unparse(typed.slice)
        return (
            f"make {array} by autograd.zeros(shape), which records {array}[{place}] = v, or "
            "collect the values in a list for autograd.array"
        )
    if isinstance(typed, ast.BinOp) and isinstance(typed.op, ast.Mod):
        return 'write an f-string, as in f"{x:.4f}"'
    if library.startswith(("matplotlib", "pandas", "sklearn")):
        return f"write {name or 'it'}(x.data)"
    if library.startswith("scipy.sparse"):
        return "write matrix @ x, or autograd.linalg.spsolve(matrix, x)"
    if library.startswith("scipy.optimize"):
        ours = _ROOTS.get(last, last)
        if ours in ("brentq", "least_squares", "minimize", "root", "root_scalar"):
            return f"write autograd.optimize.{ours}, which takes it as it is"
        return (
            "give it a function f of arrays, not of Variables, and jac=autograd.grad(f) where it "
            "takes one"
        )
    if library.startswith("scipy."):
        return _scipy(library.split(".")[1], name)
    if package and hasattr(sys.modules["numpy"].random.Generator, last):
        return "draw without it and compute with it, as in x + scale * rng.normal(size=x.shape)"
    if package == "math" and hasattr(sys.modules["numpy"], last):
        return f"write np.{last}(x)"
    if last in ("put", "fill", "itemset"):
        return f"make {package} by autograd.zeros(shape) and write {package}[i] = v"
    first = typed.args[0] if isinstance(typed, ast.Call) and typed.args else None
    if (
        package in ("np", "numpy")
        and _is_recorded("autograd", last)
        and not isinstance(first, ast.Name)
    ):
        return f"write autograd.{last}(...), which is recorded"
    return (
        "use autograd or np functions on the Variable itself (autograd.array([v, w]) for "
        "np.array([v, w]), an autograd.zeros(shape) for a[i] = v)"
    )


def _scipy(package: str, name: str) -> str:
    """Name the function of `autograd` that does what one of SciPy does."""
    path = name.split(".")
    if package.startswith("_"):  # scipy._lib wraps the functions of the others
        rooms = ("linalg", "special", "stats", "signal", "integrate", "fft")
        named = [room for room in rooms if room in path]
        holds = [room for room in rooms if _is_recorded(f"autograd.{room}", path[-1])]
        package = (named + holds + ["linalg"])[0]
    try:
        module = importlib.import_module(f"autograd.{package}")
        for count in (2, 1):  # stats.norm.logpdf, or linalg.cholesky
            found: Any = module
            spelled = ".".join(path[-count:])
            for part in path[-count:]:
                found = getattr(found, part, None)
            if found is not None:
                return f"write autograd.{package}.{spelled}(...), which is recorded"
    except ImportError:
        return f"autograd has no counterpart of scipy.{package}"
    return f"the functions of autograd.{package} are recorded"
