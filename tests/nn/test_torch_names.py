"""Names, parameters and defaults of PyTorch's `nn` beside ours, whole rooms at a time."""

import importlib
import inspect

import pytest
from torch_twin import parameters

import nn

pytestmark = pytest.mark.torch

RENAMED = {"dim": "axis", "start_dim": "start_axis", "end_dim": "end_axis", "keepdim": "keepdims"}
# Parameters that no function here has, and why.
ABSENT = {
    "self": "Python's",
    "device": "all arrays are in main memory",
    "size_average": "deprecated in favour of reduction",
    "reduce": "deprecated in favour of reduction",
    "foreach": "a choice between kernels of PyTorch",
    "out": "results are never written into arrays that exist",
    "_stacklevel": "of a warning about dim=None",
    "args": "in place of names",
    "kwargs": "in place of names",
}
# "room.name" -> why we do not have it.
MISSING = {
    "nn.Container": "deprecated: Module",
    "nn.CrossMapLRN2d": "LocalResponseNorm",
    "nn.DataParallel": "one device",
    "nn.SyncBatchNorm": "one device",
    "nn.NLLLoss2d": "deprecated: NLLLoss",
    "nn.factory_kwargs": "internal",
    "nn.functional.assert_int_or_pair": "internal",
    "nn.functional.boolean_dispatch": "internal",
    "nn.functional.handle_torch_function": "internal",
    "nn.functional.has_torch_function": "internal",
    "nn.functional.has_torch_function_unary": "internal",
    "nn.functional.has_torch_function_variadic": "internal",
    "nn.functional.native_channel_shuffle": "channel_shuffle",
    "nn.functional.conv_tbc": "conv1d of the transposed input",
    "nn.functional.upsample": "deprecated: interpolate",
    "nn.functional.upsample_bilinear": "deprecated: interpolate",
    "nn.functional.upsample_nearest": "deprecated: interpolate",
    "nn.functional.grouped_mm": "a kernel of another device",
    "nn.functional.scaled_mm": "a kernel of another device",
    "nn.functional.scaled_grouped_mm": "a kernel of another device",
    "nn.utils.clip_grad_norm": "deprecated: clip_grad_norm_",
    "nn.utils.convert_conv2d_weight_memory_format": "one memory format",
    "nn.utils.convert_conv3d_weight_memory_format": "one memory format",
    "nn.utils.skip_init": "skips what takes no time here",
    "nn.utils.rnn.bind": "internal",
    "nn.utils.rnn.copy_method_params": "internal",
    "nn.utils.parametrize.contextmanager": "internal",
    "nn.utils.parametrize.deepcopy": "internal",
    "nn.utils.parametrize.get_swap_module_params_on_conversion": "internal",
    "nn.utils.parametrize.is_opaque_reference_type": "internal",
    "nn.utils.parametrize.is_traceable_wrapper_subclass": "internal",
    "nn.utils.parametrize.transfer_parametrizations_and_params": "internal",
    "nn.utils.parametrizations.orthogonal": "not yet",
    "nn.utils.prune.abstractmethod": "internal",
}
# "room.name.parameter" -> why it is missing or has another default.
DIFFERENT = {
    "nn.GLU.axis": "None stands for -1, so that dim can be told from it",
    "nn.functional.softmax.axis": "-1 where PyTorch guesses, with a warning",
    "nn.functional.log_softmax.axis": "-1 where PyTorch guesses, with a warning",
    "nn.functional.softmin.axis": "-1 where PyTorch guesses, with a warning",
    "nn.Hardtanh.min_value": "deprecated: min_val",
    "nn.Hardtanh.max_value": "deprecated: max_val",
    "nn.LinearCrossEntropyLoss.options": "a choice between kernels of PyTorch",
    "nn.functional.linear_cross_entropy.options": "a choice between kernels of PyTorch",
    "nn.RNNCellBase.num_chunks": "internal: it follows from the mode",
    "nn.functional.huber_loss.weight": "multiply the losses of reduction='none'",
    "nn.functional.l1_loss.weight": "multiply the losses of reduction='none'",
    "nn.functional.mse_loss.weight": "multiply the losses of reduction='none'",
    "nn.Transformer.activation": "our relu",
    "nn.TransformerDecoderLayer.activation": "our relu",
    "nn.TransformerEncoderLayer.activation": "our relu",
}
METHODS_MISSING = {
    "one device": "cuda ipu xpu mtia share_memory to_empty",
    "one way to convert, astype": "bfloat16 type",
    "register_full_backward_hook": "register_backward_hook",
    "extra_state and set_extra_state": "register_state_dict_pre_hook register_state_dict_post_hook "
    "register_load_state_dict_pre_hook register_load_state_dict_post_hook",
    "not yet": "compile",
}
ROOMS = [
    "nn",
    "nn.functional",
    "nn.init",
    "nn.utils",
    *(f"nn.utils.{name}" for name in ("rnn", "parametrize", "parametrizations", "prune", "fusion")),
]


def rooms():
    pytest.importorskip("torch")
    for room in ROOMS:
        yield room, importlib.import_module(room), importlib.import_module(f"torch.{room}")


def public(room, module):
    """Yield what PyTorch calls modules, functions and classes in a room of its own."""
    import torch

    for name, value in vars(module).items():
        function = inspect.isroutine(value) or (
            inspect.isclass(value) and issubclass(value, torch.nn.Module)
        )
        if not function or name.startswith("_"):
            continue
        if room == "nn.functional" and (name.endswith(("_", "_with_indices"))):
            continue  # in place, which nothing is; or with an argument less
        if room == "nn.init" and f"{name}_" in vars(module):
            continue  # deprecated
        yield name, value


def test_everything_public_is_here_or_stated_to_be_missing():
    missing = {
        f"{room}.{name}"
        for room, ours, theirs in rooms()
        for name, _ in public(room, theirs)
        if not hasattr(ours, name)
    }
    assert missing == MISSING.keys()


def spelled(room, module, name, function):
    """Return PyTorch's parameters; a few functions hide theirs behind a private twin."""
    if room == "nn.functional" and f"_{name}" in vars(module):
        function = vars(module)[f"_{name}"]
    try:
        return parameters(function)
    except ValueError:  # written in C++, and its text has no signature
        return {}


def test_parameters_and_defaults_are_pytorchs():
    problems = []
    for room, ours, theirs in rooms():
        for name, function in public(room, theirs):
            if not hasattr(ours, name):
                continue
            wanted = {
                RENAMED.get(key, key): value
                for key, value in spelled(room, theirs, name, function).items()
                if key not in ABSENT
            }
            found = parameters(getattr(ours, name))
            for key, default in wanted.items():
                where = f"{room}.{name}.{key}"
                differs = key not in found or found[key] != default
                if differs != (where in DIFFERENT):
                    problems.append((where, found.get(key, "absent"), default))
            by_place = [key for key in wanted if key in found and key not in ("dtype", "bias")]
            if [key for key in found if key in by_place] != by_place:
                problems.append((f"{room}.{name}", "order", by_place))
    assert not problems


def test_dim_is_taken_wherever_pytorch_has_it():
    refused = []
    for room, ours, theirs in rooms():
        for name, function in public(room, theirs):
            mine = getattr(ours, name, None)
            spelling = {key for key in spelled(room, theirs, name, function) if key in RENAMED}
            if mine is None or not spelling:
                continue
            called = mine.__init__ if inspect.isclass(mine) else mine
            renames = called.__code__.co_filename.endswith("_names.py")  # dim_is_axis
            if not renames and not spelling <= parameters(mine).keys():
                refused.append(f"{room}.{name}")
    assert not refused


def test_modules_have_pytorchs_methods():
    torch = pytest.importorskip("torch")
    missing = {name for name in dir(torch.nn.Module) if not name.startswith("_")}
    missing -= set(dir(nn.Module)) | {"T_destination", "call_super_init", "dump_patches"}
    assert missing == {name for names in METHODS_MISSING.values() for name in names.split()}
