"""What the gradient checkers of PyTorch, JAX and HIPS autograd say to the same seven questions.

    python benchmarks/checkers.py [--smoke] [--jax PYTHON] [--hips PYTHON]

Each checker runs in an interpreter of its own: this one for ours and for PyTorch (where it is
installed), others for JAX and for HIPS autograd, whose package has our package's name. Each is
called with its default tolerances, in the mode that all have: first order, reverse mode.
"""

import argparse
import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
# Per question: whether the derivative is right, so whether a checker should accept it.
QUESTIONS = {
    "sin, rule right": True,
    "sin, rule 2 times too large": False,
    "sin, rule 1.0001 times too large": False,
    "relu at 0, rule says 0": True,
    "relu at 0, rule says 2": False,
    "exp in float32, rule right": True,
    "cholesky of a symmetric matrix": True,
}
_SETUP = """
import json, sys, warnings
warnings.simplefilter("ignore")
import numpy as np
spd = np.array([[2.0, 0.5], [0.5, 3.0]])
answers = {}
def ask(question, check):
    try:
        check()
    except Exception as error:
        answers[question] = type(error).__name__
    else:
        answers[question] = "accepts"
def run(sine, relu, exp, cholesky, check):
    ask("sin, rule right", lambda: check(sine(1.0), np.ones(2)))
    ask("sin, rule 2 times too large", lambda: check(sine(2.0), np.ones(2)))
    ask("sin, rule 1.0001 times too large", lambda: check(sine(1.0001), np.ones(2)))
    ask("relu at 0, rule says 0", lambda: check(relu(0.0), np.zeros(1)))
    ask("relu at 0, rule says 2", lambda: check(relu(2.0), np.zeros(1)))
    ask("exp in float32, rule right", lambda: check(exp, np.ones(2, dtype=np.float32)))
    ask("cholesky of a symmetric matrix", lambda: check(cholesky, spd))
    print(json.dumps(answers))
"""
CHECKERS = {
    "gradloom": """
import autograd
from autograd.extend import unary
from autograd.testing import check_gradients
run(
    lambda s: unary(np.sin, x=lambda g, x: s * g * np.cos(x)),
    lambda s: unary(lambda x: np.maximum(x, 0), name="relu",
                    x=lambda g, x: g * np.where(x == 0, s, np.where(x > 0, 1.0, 0.0))),
    np.exp,
    autograd.linalg.cholesky,
    lambda f, x: check_gradients(f, x, order=1, modes=("reverse",), symmetric=x.ndim == 2),
)
""",
    "PyTorch": """
import torch
def function(forward, rule):
    class F(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return forward(x)
        @staticmethod
        def backward(ctx, g):
            return rule(g, *ctx.saved_tensors)
    return F.apply
run(
    lambda s: function(torch.sin, lambda g, x: s * g * x.cos()),
    lambda s: function(torch.relu, lambda g, x: g * torch.where(x == 0, s, (x > 0).to(x.dtype))),
    torch.exp,
    torch.linalg.cholesky,
    lambda f, x: torch.autograd.gradcheck(f, (torch.tensor(x, requires_grad=True),)),
)
""",
    "JAX": """
import jax, jax.numpy as jnp
from jax.test_util import check_grads
jax.config.update("jax_enable_x64", True)
def function(forward, rule):
    f = jax.custom_vjp(forward)
    f.defvjp(lambda x: (forward(x), x), lambda x, g: (rule(g, x),))
    return f
run(
    lambda s: function(jnp.sin, lambda g, x: s * g * jnp.cos(x)),
    lambda s: function(lambda x: jnp.maximum(x, 0),
                       lambda g, x: g * jnp.where(x == 0, s, jnp.where(x > 0, 1.0, 0.0))),
    jnp.exp,
    jnp.linalg.cholesky,
    lambda f, x: check_grads(f, (jnp.asarray(x),), order=1, modes=["rev"]),
)
""",
    "HIPS autograd": """
import autograd.numpy as anp
from autograd.extend import defvjp, primitive
from autograd.test_util import check_grads
def function(forward, rule):
    f = primitive(lambda x: forward(x))
    defvjp(f, lambda ans, x: lambda g: rule(g, x))
    return f
run(
    lambda s: function(np.sin, lambda g, x: s * g * np.cos(x)),
    lambda s: function(lambda x: np.maximum(x, 0),
                       lambda g, x: g * np.where(x == 0, s, np.where(x > 0, 1.0, 0.0))),
    anp.exp,
    anp.linalg.cholesky,
    lambda f, x: check_grads(f, modes=["rev"], order=1)(x),
)
""",
}


def answers_of(checker, python):
    """Return question -> "accepts" or the name of the error; None where the peer is missing."""
    # HIPS autograd must not see this checkout, whose package has its name.
    path = (
        {"cwd": ROOT, "env": {"PYTHONPATH": str(ROOT)}} if checker == "gradloom" else {"cwd": "/"}
    )
    result = subprocess.run(
        [python, "-c", _SETUP + CHECKERS[checker]],
        capture_output=True,
        text=True,
        check=False,
        **path,
    )
    if result.returncode:
        print(f"{checker}: not run ({result.stderr.strip().splitlines()[-1]})")
        return None
    return json.loads(result.stdout.splitlines()[-1])


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--smoke", action="store_true", help="ours only")
    parser.add_argument("--jax", default=sys.executable, help="interpreter that has JAX")
    parser.add_argument("--hips", help="interpreter that has HIPS autograd")
    chosen = parser.parse_args()
    pythons = {"gradloom": sys.executable}
    if not chosen.smoke:
        pythons |= {"PyTorch": sys.executable, "JAX": chosen.jax}
        if chosen.hips:
            pythons["HIPS autograd"] = chosen.hips
    found = {name: answers_of(name, python) for name, python in pythons.items()}
    found = {name: answers for name, answers in found.items() if answers}
    print("\n| question | " + " | ".join(found) + " |\n|---|" + "---|" * len(found))
    for question, accept in QUESTIONS.items():
        cells = []
        for answers in found.values():
            accepts = answers[question] == "accepts"
            cells.append(
                ("accepts" if accepts else "reports") + ("" if accepts == accept else " (wrong)")
            )
        print(f"| {question} | " + " | ".join(cells) + " |")
    ours = found["gradloom"]
    return 0 if all((ours[q] == "accepts") == accept for q, accept in QUESTIONS.items()) else 1


if __name__ == "__main__":
    sys.exit(main())
