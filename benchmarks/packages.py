"""Do packages that depend on HIPS autograd compute the same with gradloom in its place?

    python -m venv there
    there/bin/pip install autograd lifelines autograd-gamma pymanopt ceviche pennylane mici
    python benchmarks/packages.py [--smoke] [--hips there/bin/python]

Runs the programs below in that environment twice, the second time with this checkout first on the
path, and compares what they print. Neither the packages nor their imports are changed. Without such
an environment, and with --smoke, there is nothing to compare: the programs are only compiled.
"""

import argparse
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]

LIFELINES = """
import warnings; warnings.simplefilter("ignore")
from lifelines import (CoxPHFitter, GeneralizedGammaFitter, LogLogisticFitter, LogNormalAFTFitter,
                       WeibullAFTFitter, WeibullFitter)
from lifelines.datasets import load_rossi, load_waltons
times, prisoners = load_waltons(), load_rossi()
for fitter in (WeibullFitter, LogLogisticFitter, GeneralizedGammaFitter):
    fitted = fitter().fit(times["T"], times["E"])
    print(fitter.__name__, fitted.summary[["coef", "se(coef)"]].values.round(5).tolist())
spline = CoxPHFitter(baseline_estimation_method="spline", n_baseline_knots=3)
for fitter in (WeibullAFTFitter(), LogNormalAFTFitter(), spline):
    fitted = fitter.fit(prisoners, "week", "arrest")
    print(type(fitter).__name__, fitted.summary[["coef", "se(coef)"]].values.round(5).tolist())
"""

GAMMA = """
import autograd, autograd_gamma, numpy as np
a, x, p = np.array([0.5, 1.5, 3.0]), np.array([0.3, 1.2, 4.0]), np.array([0.2, 0.5, 0.7])
cases = {name: (a, x) for name in ("gammainc", "gammaincc", "gammaincln", "gammainccln")}
cases |= {name: (a, p) for name in ("gammaincinv", "gammainccinv")}
cases |= {name: (a, x, p) for name in ("betainc", "betaincln", "betaincinv")}
for name, args in cases.items():
    function = getattr(autograd_gamma, name)
    total = lambda *args: autograd.numpy.sum(function(*args))
    found = autograd.grad(total, tuple(range(len(args))))(*args)
    print(name, [np.array2string(g, precision=9) for g in found])
"""

PYMANOPT = """
import autograd.numpy as anp, numpy as np, pymanopt
from pymanopt.manifolds import Sphere, Stiefel, SymmetricPositiveDefinite
from pymanopt.optimizers import ConjugateGradient, TrustRegions
rng = np.random.default_rng(0)
a = rng.normal(size=(6, 6)); a = a + a.T
s = np.eye(4) + 0.3 * np.ones((4, 4))
weights = np.diag([2.0, 1.0])
problems = [
    (Sphere(6), lambda x: -x @ a @ x, np.ones(6) / np.sqrt(6)),
    (Stiefel(6, 2), lambda x: -anp.trace(x.T @ a @ x @ weights), np.eye(6)[:, :2]),
    (SymmetricPositiveDefinite(4),
     lambda x: anp.sum((x - s) ** 2) - 0.1 * anp.linalg.slogdet(x)[1], np.eye(4)),
]
for optimizer in (ConjugateGradient, TrustRegions):
    for manifold, cost, start in problems:
        problem = pymanopt.Problem(manifold, pymanopt.function.autograd(manifold)(cost))
        found = optimizer(verbosity=0).run(problem, initial_point=start)
        print(optimizer.__name__, manifold, round(float(found.cost), 8))
"""

CEVICHE = """
import warnings; warnings.simplefilter("ignore")
import autograd.numpy as npa, ceviche, numpy as np
from ceviche.constants import C_0
from ceviche.optimizers import adam_optimize
shape, omega, step = (24, 20), 2 * np.pi * C_0 / 1.55e-6, 5e-8
permittivity = 1.0 + 2.0 * np.random.default_rng(0).random(shape)
source, probe = np.zeros((2, *shape)); source[6, 5:15] = probe[17, 5:15] = 1.0
def intensity(solver, scale):
    def of(eps):
        *_, z = solver(omega, step, eps.reshape(shape), [5, 5]).solve(source)
        return scale * npa.sum(npa.square(npa.abs(z * probe)))
    return of
for solver, scale in ((ceviche.fdfd_ez, 1e13), (ceviche.fdfd_hz, 1e13)):
    of = intensity(solver, scale)
    print(solver.__name__, "%.9g" % of(permittivity))
    gradient = ceviche.jacobian(of, mode="reverse")(permittivity)[0]
    print("reverse", ["%.9g" % g for g in (*gradient[200:204], np.abs(gradient).sum())])
    rest = permittivity.flatten()
    part = lambda e: of(npa.concatenate([rest[:201], e, rest[204:]]))
    gradient = ceviche.jacobian(part, mode="forward")(rest[201:204])[0]
    print("forward", ["%.9g" % g for g in gradient])
of = intensity(ceviche.fdfd_ez, 1e13)
_, values = adam_optimize(of, permittivity.flatten(), lambda e: ceviche.jacobian(of)(e).flatten(),
                          Nsteps=4, step_size=0.1, verbose=False)
print("adam", ["%.9g" % value for value in values])
"""

PENNYLANE = """
import warnings; warnings.simplefilter("ignore")
import pennylane as qml
from pennylane import numpy as np
device = qml.device("default.qubit", wires=3)
show = lambda x: np.round(np.asarray(x), 6).tolist()
weights = np.array(np.arange(18.0).reshape(2, 3, 3) / 10, requires_grad=True)
inputs = np.array([0.1, 0.2, 0.3], requires_grad=False)
angles = np.array([0.3, 0.8], requires_grad=True)
for method in ("backprop", "parameter-shift", "adjoint"):
    @qml.qnode(device, interface="autograd", diff_method=method)
    def layers(w, x):
        qml.AngleEmbedding(x, wires=range(3))
        qml.StronglyEntanglingLayers(w, wires=range(3))
        return qml.expval(qml.PauliZ(0) @ qml.PauliX(1)), qml.expval(qml.PauliY(2))
    print(method, layers(weights, inputs), show(qml.grad(
        lambda w: np.sum(np.stack(layers(w, inputs)) ** 2 * inputs[:2]))(weights)))
    print(show(qml.jacobian(lambda w: np.stack(layers(w, inputs)))(weights)))
for method in ("backprop", "parameter-shift"):
    @qml.qnode(device, interface="autograd", diff_method=method, max_diff=2)
    def probabilities(a):
        qml.RX(a[0], 0); qml.CNOT([0, 1]); qml.RY(a[1], 1)
        return qml.probs(wires=[0, 1])
    print(method, show(qml.jacobian(probabilities)(angles)))
    print(show(qml.jacobian(qml.grad(lambda a: probabilities(a)[0] ** 2))(angles)))
for kind in (qml.GradientDescentOptimizer, qml.AdamOptimizer, qml.QNGOptimizer):
    optimizer, found = kind(0.1), angles
    circuit = qml.QNode(lambda a: (qml.RX(a[0], 0), qml.CNOT([0, 1]), qml.RY(a[1], 1),
                                   qml.expval(qml.PauliZ(1)))[-1], device, interface="autograd")
    for _ in range(3):
        found = optimizer.step(circuit, found)
    print(kind.__name__, type(found).__name__, show(found))
"""

MICI = """
import autograd.numpy as anp, mici, numpy as np
energy = lambda q: 0.5 * anp.sum(q**2) + 0.1 * anp.sum(q**4)
system = mici.systems.EuclideanMetricSystem(neg_log_dens=energy, backend="autograd")
circle = mici.systems.DenseConstrainedEuclideanMetricSystem(
    neg_log_dens=energy, constr=lambda q: anp.array([q[0]**2 + q[1]**2 - 1.0]), backend="autograd")
for system, kind in ((system, mici.integrators.LeapfrogIntegrator),
                     (circle, mici.integrators.ConstrainedLeapfrogIntegrator)):
    state = mici.states.ChainState(pos=np.array([0.6, 0.8]), mom=np.array([0.8, -0.6]), dir=1)
    integrator = kind(system, step_size=0.1)
    for _ in range(5):
        state = integrator.step(state)
    print(np.round(state.pos, 8), np.round(state.mom, 8))
"""

PROGRAMS = {
    "lifelines": LIFELINES,
    "autograd-gamma": GAMMA,
    "pymanopt": PYMANOPT,
    "ceviche": CEVICHE,
    "pennylane": PENNYLANE,
    "mici": MICI,
}
WHICH = "import autograd; print(hasattr(autograd, 'Variable'))\n"


def lines(python: str, program: str, path: str) -> list[str]:
    """Run a program and return what it prints, its last error in place of what is missing."""
    environment = {**os.environ, "PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1"}
    run = subprocess.run(
        [python, "-c", WHICH + program],
        capture_output=True, text=True, check=False, env=environment, cwd="/",
    )  # fmt: skip
    ours, *printed = run.stdout.splitlines() or [""]
    assert ours == str(bool(path)), f"{python} has another autograd: {ours}"
    return printed + run.stderr.splitlines()[-1:] * (run.returncode != 0)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--smoke", action="store_true", help="compile the programs only")
    parser.add_argument("--hips", metavar="PYTHON", help="of an environment with the packages")
    given = parser.parse_args()
    if given.smoke or not given.hips:
        for name, program in PROGRAMS.items():
            compile(program, name, "exec")
            print(f"{name}: compared with --hips PYTHON")
        return
    python = str(Path(given.hips).absolute())
    different = 0
    for name, program in PROGRAMS.items():
        theirs, ours = lines(python, program, ""), lines(python, program, str(ROOT))
        same = sum(a == b for a, b in zip(theirs, ours, strict=False))
        print(f"{name}: {same} of {len(theirs)} lines agree")
        different += len(theirs) - same
        for a, b in zip(theirs, ours, strict=False):
            if a != b:
                print(f"  HIPS autograd: {a}\n  gradloom:      {b}")
    sys.exit(different > 0)


if __name__ == "__main__":
    main()
