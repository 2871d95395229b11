"""What whole derivatives cost: gradients, Jacobians, Hessians and their products, beside the peers.

    OMP_NUM_THREADS=1 python benchmarks/transforms.py [--smoke] [--hips PYTHON] [--jax PYTHON]

Rosenbrock's function in 100 dimensions: its gradient, Hessian and Hessian times a vector. A dense
layer, tanh(W x): its Jacobian of 50 outputs by 20 inputs and of 20 by 50, one product of each kind
with it, and 64 products at once; the gradient with respect to W of each of 64 examples of a loss.
PyTorch runs twice: `torch.func`, which batches passes as we do, and `torch.autograd.functional`,
which runs one after the other, as HIPS autograd does. JAX is measured without and
with `jit`, compilation left out. HIPS autograd and JAX run in the interpreters that `--hips` and
`--jax` name. All values are compared with ours before anything is measured.
"""

import argparse
import json
import subprocess
import sys
import time

import numpy as np

SIZE = 100
X = np.linspace(-1.0, 1.0, SIZE)
V = np.cos(np.arange(SIZE))
TALL = np.sin(np.arange(1000.0)).reshape(50, 20) / 4
WIDE = np.sin(np.arange(1000.0)).reshape(20, 50) / 4
BATCH = np.cos(np.arange(64 * 50.0)).reshape(64, 50)
COTANGENTS = np.cos(np.arange(64 * 20.0)).reshape(64, 20)

CASES = (
    "gradient, Rosenbrock",
    "Hessian, Rosenbrock",
    "Hessian @ v, Rosenbrock",
    "Jacobian 50 x 20",
    "Jacobian 20 x 50",
    "J @ v, 20 x 50",
    "g @ J, 20 x 50",
    "64 g @ J, 20 x 50",
    "gradients of 64 examples",
)


def rosenbrock(x):
    return ((1 - x[:-1]) ** 2 + 100 * (x[1:] - x[:-1] ** 2) ** 2).sum()


def ours():
    import autograd

    gradient, hessian = autograd.grad(rosenbrock), autograd.hessian(rosenbrock)
    product = autograd.hvp(rosenbrock)

    def tall(x):
        return np.tanh(TALL @ x)

    def wide(x):
        return np.tanh(WIDE @ x)

    def loss(w, x):
        return (np.tanh(w @ x) ** 2).sum()

    each = autograd.vmap(autograd.grad(loss), in_axes=(None, 0))
    tall_jacobian, wide_jacobian = autograd.jacobian(tall), autograd.jacobian(wide)
    calls = (
        lambda: gradient(X),
        lambda: hessian(X),
        lambda: product(X, V),
        lambda: tall_jacobian(X[:20]),
        lambda: wide_jacobian(X[:50]),
        lambda: autograd.jvp(wide, (X[:50],), (V[:50],))[1],
        lambda: autograd.vjp(wide, X[:50])[1](V[:20])[0],
        lambda: autograd.vmap(autograd.vjp(wide, X[:50])[1])(COTANGENTS)[0],
        lambda: each(WIDE, BATCH),
    )
    return {"gradloom": dict(zip(CASES, calls, strict=True))}


def hips():
    import autograd
    import autograd.numpy as anp

    gradient, hessian = autograd.grad(rosenbrock), autograd.hessian(rosenbrock)
    product = autograd.hessian_vector_product(rosenbrock)

    def tall(x):
        return anp.tanh(anp.dot(TALL, x))

    def wide(x):
        return anp.tanh(anp.dot(WIDE, x))

    def loss(w, x):
        return (anp.tanh(anp.dot(w, x)) ** 2).sum()

    def pull_all():
        pullback = autograd.make_vjp(wide)(X[:50])[0]
        return np.stack([pullback(g) for g in COTANGENTS])

    slope = autograd.grad(loss)
    tall_jacobian, wide_jacobian = autograd.jacobian(tall), autograd.jacobian(wide)
    calls = (
        lambda: gradient(X),
        lambda: hessian(X),
        lambda: product(X, V),
        lambda: tall_jacobian(X[:20]),
        lambda: wide_jacobian(X[:50]),
        lambda: autograd.make_jvp(wide)(X[:50])(V[:50])[1],
        lambda: autograd.make_vjp(wide)(X[:50])[0](V[:20]),
        pull_all,
        lambda: np.stack([slope(WIDE, x) for x in BATCH]),
    )
    return {"hips": dict(zip(CASES, calls, strict=True))}


def jax():
    import jax as library
    import jax.numpy as jnp

    library.config.update("jax_enable_x64", True)
    x, v, tall_w, wide_w = map(jnp.asarray, (X, V, TALL, WIDE))

    def tall(x):
        return jnp.tanh(tall_w @ x)

    def wide(x):
        return jnp.tanh(wide_w @ x)

    def loss(w, x):
        return (jnp.tanh(w @ x) ** 2).sum()

    functions = (
        (library.grad(rosenbrock), x),
        (library.hessian(rosenbrock), x),
        (lambda x, v: library.jvp(library.grad(rosenbrock), (x,), (v,))[1], x, v),
        (library.jacfwd(tall), x[:20]),
        (library.jacrev(wide), x[:50]),
        (lambda x, v: library.jvp(wide, (x,), (v,))[1], x[:50], v[:50]),
        (lambda x, g: library.vjp(wide, x)[1](g)[0], x[:50], v[:20]),
        (lambda x, g: library.vmap(library.vjp(wide, x)[1])(g)[0], x[:50], jnp.asarray(COTANGENTS)),
        (library.vmap(library.grad(loss), in_axes=(None, 0)), wide_w, jnp.asarray(BATCH)),
    )

    def calls(change):
        def call(function, *arguments):
            changed = change(function)
            return lambda: changed(*arguments).block_until_ready()

        return dict(zip(CASES, [call(*f) for f in functions], strict=True))

    return {"jax eager": calls(lambda f: f), "jax jit": calls(library.jit)}


def torch():
    import torch as library

    library.set_num_threads(1)
    x, v, tall_w, wide_w = map(library.from_numpy, (X, V, TALL, WIDE))
    func, functional = library.func, library.autograd.functional

    def tall(x):
        return library.tanh(tall_w @ x)

    def wide(x):
        return library.tanh(wide_w @ x)

    def loss(w, x):
        return (library.tanh(w @ x) ** 2).sum()

    batch, cotangents = library.from_numpy(BATCH), library.from_numpy(COTANGENTS)
    each = func.vmap(func.grad(loss), in_dims=(None, 0))
    batched = (
        lambda: func.grad(rosenbrock)(x),
        lambda: func.hessian(rosenbrock)(x),
        lambda: func.jvp(func.grad(rosenbrock), (x,), (v,))[1],
        lambda: func.jacfwd(tall)(x[:20]),
        lambda: func.jacrev(wide)(x[:50]),
        lambda: func.jvp(wide, (x[:50],), (v[:50],))[1],
        lambda: func.vjp(wide, x[:50])[1](v[:20])[0],
        lambda: func.vmap(func.vjp(wide, x[:50])[1])(cotangents)[0],
        lambda: each(wide_w, batch),
    )
    one_by_one = (
        lambda: functional.vjp(rosenbrock, x)[1],
        lambda: functional.hessian(rosenbrock, x),
        lambda: functional.hvp(rosenbrock, x, v)[1],
        lambda: functional.jacobian(tall, x[:20]),
        lambda: functional.jacobian(wide, x[:50]),
        lambda: functional.jvp(wide, x[:50], v[:50])[1],
        lambda: functional.vjp(wide, x[:50], v[:20])[1],
        lambda: library.stack([functional.vjp(wide, x[:50], g)[1] for g in cotangents]),
        lambda: library.stack(
            [functional.vjp(lambda w, x=x: loss(w, x), wide_w)[1] for x in batch]
        ),
    )
    return {
        "torch.func": dict(zip(CASES, batched, strict=True)),
        "torch functional": dict(zip(CASES, one_by_one, strict=True)),
    }


def answer():
    """Read "rival, case, number of calls" lines; print seconds, or the value for no calls."""
    rivals = {"hips": hips, "jax": jax}[sys.argv[2]]()
    print(json.dumps(list(rivals)), flush=True)
    for line in sys.stdin:
        rival, case, number = line.rstrip("\n").split("\t")
        call = rivals[rival][case]
        if number == "0":
            print(json.dumps(np.asarray(call()).tolist()), flush=True)
            continue
        begin = time.perf_counter()
        for _ in range(int(number)):
            call()
        print(time.perf_counter() - begin, flush=True)


class Guest:
    """A library in another interpreter, asked call by call so that measurements interleave."""

    def __init__(self, python, library):
        self.process = subprocess.Popen(
            [python, "-W", "ignore", __file__, "--answer", library],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.rivals = json.loads(self.process.stdout.readline())

    def ask(self, rival, case, number):
        """Return seconds for `number` calls, or the value for 0."""
        print(rival, case, number, sep="\t", file=self.process.stdin, flush=True)
        return json.loads(self.process.stdout.readline())

    def close(self):
        """End the other process."""
        self.process.stdin.close()
        self.process.wait()


def timer(call):
    """Return the function that times a number of calls, and gives the value for 0."""

    def time_calls(number):
        if not number:
            return np.asarray(call())
        begin = time.perf_counter()
        for _ in range(number):
            call()
        return time.perf_counter() - begin

    return time_calls


def main():
    import _timing

    parser = argparse.ArgumentParser(add_help=False)
    parser.add_argument("--hips", metavar="PYTHON")
    parser.add_argument("--jax", metavar="PYTHON")
    extra, rest = parser.parse_known_args()
    sys.argv[1:] = rest
    chosen = _timing.arguments(__doc__.splitlines()[0])
    about = _timing.header("torch")
    local = ours() | (torch() if _timing.optional("torch") else {})
    guests = [
        Guest(python, library)
        for library, python in (("hips", extra.hips), ("jax", extra.jax))
        if python
    ]
    rows = {}
    for case in CASES:
        rivals = {name: timer(calls[case]) for name, calls in local.items()}
        for guest in guests:
            for name in guest.rivals:
                rivals[name] = lambda n, guest=guest, name=name, case=case: guest.ask(name, case, n)
        wanted = rivals["gradloom"](0)
        for name, run in rivals.items():
            np.testing.assert_allclose(run(0), wanted, rtol=1e-9, atol=1e-9, err_msg=name)
        best = dict.fromkeys(rivals, float("inf"))
        numbers = {n: 1 if chosen.smoke else max(1, int(0.03 / r(1))) for n, r in rivals.items()}
        for _ in range(chosen.repeats):
            for name, run in rivals.items():
                best[name] = min(best[name], run(numbers[name]) / numbers[name] * 1e6)
        rows[case] = best
    for guest in guests:
        guest.close()
    _timing.table("microseconds per call", rows, "gradloom")
    _timing.emit("transforms", rows, about, chosen.json)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--answer"]:
        answer()
    else:
        main()
