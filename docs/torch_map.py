"""The page on what of PyTorch's `nn` is here, made of the lists that the tests hold against it.

`tests/nn/test_torch_names.py` fails where a public name of PyTorch is neither here nor in one of
its lists, and where a list names what is not so. `page()` is what the site shows.
"""

from __future__ import annotations

import ast
import importlib
from pathlib import Path

LISTS = Path(__file__).parent.parent / "tests" / "nn" / "test_torch_names.py"
ROOMS = ("nn", "nn.functional", "nn.init", "nn.utils", "nn.utils.rnn", "nn.utils.parametrize",
         "nn.utils.parametrizations", "nn.utils.prune", "optim", "optim.lr_scheduler")  # fmt: skip
HEAD = """# PyTorch map

Layers, functions, initialisers, optimizers and schedules have PyTorch's names, parameters and
defaults. The tests compare all of `torch.nn` with `nn`, name by name and parameter by parameter;
what they find to differ is on this page, and nothing else does. How code changes is in
[Porting from PyTorch](porting_from_pytorch.md).

## What is there

"""


def lists() -> dict[str, dict[str, str]]:
    """Return the tables of the tests by their names."""
    body = ast.parse(LISTS.read_text(encoding="utf-8")).body
    return {
        node.targets[0].id: ast.literal_eval(node.value)  # type: ignore[attr-defined]
        for node in body
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Dict)
    }


def table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    """Return a table."""
    lines = [head, ("---",) * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"


def page() -> str:
    """Return the Markdown of the page."""
    told = lists()
    names = {room: sorted(importlib.import_module(room).__all__) for room in ROOMS}
    there = [
        (f"`torch.{room}`", f"[`{room}`](api/{anchor(room)})", str(len(names[room])))
        for room in ROOMS
    ]
    missing = {name: why for name, why in told["MISSING"].items() if why != "internal"}
    return "\n".join(
        [
            HEAD + table(("PyTorch", "here", "public names"), there),
            "## What is not, and what to take instead\n",
            table(
                ("PyTorch", "instead, or why not"),
                [(f"`torch.{name}`", why) for name, why in sorted(missing.items())],
            ),
            "## What is called otherwise\n",
            table(
                ("PyTorch", "here, where both are taken"),
                [(f"`{theirs}`", f"`{ours}`") for theirs, ours in told["RENAMED"].items()],
            ),
            "## Parameters that differ\n",
            table(
                ("parameter", "what is different"),
                [(f"`{name}`", why) for name, why in sorted(told["DIFFERENT"].items())],
            ),
            "Parameters that no function has: "
            + "; ".join(
                f"`{name}` ({why})"
                for name, why in told["ABSENT"].items()
                if name not in {"self", "args", "kwargs", "_stacklevel"}
            )
            + ".\n",
            "## Methods of modules that are not here\n",
            table(
                ("methods", "instead, or why not"),
                [
                    (" ".join(f"`{name}`" for name in names.split()), why)
                    for why, names in told["METHODS_MISSING"].items()
                ],
            ),
        ]
    )


def anchor(room: str) -> str:
    """Return the place of a module in the reference."""
    names = {"nn.functional": "functional", "nn.init": "init", "optim": "optim", "nn": "nn"}
    stem = names.get(room) or ("optim" if room.startswith("optim") else "utils")
    return f"{stem}.md#{room}"


if __name__ == "__main__":
    print(page())
