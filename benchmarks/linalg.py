"""Products and linear algebra, forward and backward, beside PyTorch on one CPU thread.

    OMP_NUM_THREADS=1 python benchmarks/linalg.py [--smoke]

Times are microseconds for an operation, the sum of its result and the backward pass to all of its
operands. "numpy" is the forward pass alone, without recording.
"""

import _timing
import numpy as np

import autograd
from autograd import Variable, linalg


def shifted(n):
    """Return a function that draws well conditioned matrices (n, n)."""
    return lambda rng: rng.normal(size=(n, n)) + 2 * n**0.5 * np.eye(n)


def normal(*shape):
    return lambda rng: rng.normal(size=shape)


def positive(n):
    """Return a function that draws positive definite matrices (n, n)."""

    def draw(rng):
        a = shifted(n)(rng)
        return a @ a.T

    return draw


def matmul(_, x, y):
    return x @ y


def transposed(_, x, y):
    return x @ y.T


def einsum(text):
    return lambda library, *operands: library.einsum(text, *operands)


def named(name, *, pick=None, **options):
    """Return the function of the linalg namespace; of several results the one at `pick`."""

    def call(library, *operands):
        result = getattr(library.linalg, name)(*operands, **options)
        return result if pick is None else result[pick]

    return call


# case -> function (library, operands), and what draws each operand (float64)
PRODUCTS = {
    "(8) @ (8)": (matmul, normal(8), normal(8)),
    "(8, 8) @ (8, 8)": (matmul, normal(8, 8), normal(8, 8)),
    "(32, 64) @ (64, 64)": (matmul, normal(32, 64), normal(64, 64)),
    "(32, 64) @ (64, 64).T": (transposed, normal(32, 64), normal(64, 64)),
    "(512, 512) @ (512, 512)": (matmul, normal(512, 512), normal(512, 512)),
    "(512, 512) @ (512, 512).T": (transposed, normal(512, 512), normal(512, 512)),
    "(500, 1) @ (1, 500)": (matmul, normal(500, 1), normal(1, 500)),
    "(32, 10, 64) @ (64, 64)": (matmul, normal(32, 10, 64), normal(64, 64)),
    "(16, 64, 64) @ (16, 64, 64)": (matmul, normal(16, 64, 64), normal(16, 64, 64)),
    "einsum ij,jk-> of 4": (einsum("ij,jk->"), normal(4, 4), normal(4, 4)),
    "einsum bij,bjk->bik of 64": (einsum("bij,bjk->bik"), normal(16, 64, 64), normal(16, 64, 64)),
    "tensordot": (
        lambda library, x, y: library.tensordot(x, y, 2),
        normal(4, 5, 6),
        normal(5, 6, 7),
    ),
}
MATRICES = {
    f"{label} of {n}": (call, *(make(n) for make in operands))
    for n in (3, 100)
    for label, (call, *operands) in {
        "inv": (named("inv"), shifted),
        "det": (named("det"), shifted),
        "slogdet": (named("slogdet", pick=1), shifted),
        "solve": (named("solve"), shifted, lambda n: normal(n, 2)),
        "cholesky": (named("cholesky"), positive),
        "qr": (named("qr", pick=0), shifted),
        "eigh": (named("eigh", pick=1), positive),
        "eigvalsh": (named("eigvalsh"), positive),
        "svd": (named("svd", pick=0, full_matrices=False), shifted),
        "svdvals": (named("svdvals"), shifted),
        "pinv": (named("pinv"), shifted),
        "norm": (named("norm"), shifted),
    }.items()
}


class Ours:
    """Our names where PyTorch's are."""

    einsum = staticmethod(autograd.einsum)
    tensordot = staticmethod(autograd.tensordot)
    linalg = linalg


def recorded(call, library, make, arrays):
    """Return one forward and backward pass over leaves that `make` makes of arrays."""
    leaves = [make(a) for a in arrays]

    def once():
        call(library, *leaves).sum().backward()
        for leaf in leaves:
            leaf.grad = None

    return once


def rivals(torch, call, operands):
    rng = np.random.default_rng(0)
    arrays = [make(rng) for make in operands]
    found = {
        "gradloom": recorded(call, Ours, lambda a: Variable(a, requires_grad=True), arrays),
        "numpy": lambda: call(np, *arrays),
    }
    if torch:
        found["torch"] = recorded(
            call, torch, lambda a: torch.tensor(a, requires_grad=True), arrays
        )
    return found


def main():
    chosen = _timing.arguments(__doc__.splitlines()[0])
    about = _timing.header("torch")
    torch = _timing.optional("torch")
    results = {}
    for title, cases in {"products": PRODUCTS, "linear algebra": MATRICES}.items():
        rows = {
            case: _timing.compare(
                rivals(torch, call, operands), chosen.repeats, 1 if chosen.smoke else None
            )
            for case, (call, *operands) in cases.items()
        }
        _timing.table(title, rows, "gradloom")
        results[title] = rows
    _timing.emit("linalg", results, about, chosen.json)


if __name__ == "__main__":
    main()
