"""Logistic regression with confidence intervals: what the second derivative of a loss is good for.

Tumours that were measured under a microscope are benign or malignant (569 of them come with
scikit-learn). Three measurements predict the probability of the latter:

    p = 1 / (1 + exp(-(w0 + w1 radius + w2 texture + w3 smoothness)))

The most likely w is where the gradient of the negative log-likelihood is 0. How sure of it one can
be is told by the curvature there: where the likelihood falls off steeply, w is known well. The
inverse of the Hessian is the covariance matrix of w, the roots of its diagonal are the standard
errors, and w plus or minus 1.96 of them is an interval that in 95 of 100 such studies holds the
truth. Here `grad` and `hessian` do the calculus; the standard errors are compared with the formula
of the textbooks, and the 95 with 400 made-up studies of which the truth is known.

    python logistic_regression.py     # needs pip install 'gradloom[data,plot]'

The exit status is 0 when the formula agrees and 93 to 97 % of the intervals hold the truth.
"""

import argparse
import sys
from pathlib import Path

import numpy as np

import nn
from autograd import grad, hessian

MEASURED = ["mean radius", "mean texture", "mean smoothness"]
NAMES = ["constant", *MEASURED]
Z = 1.959964  # 95 % of a normal distribution lie within so many standard deviations


def load_tumours():
    """Return measurements (569, 4), the first column being 1, and whether each is malignant."""
    from sklearn import datasets

    data = datasets.load_breast_cancer()
    columns = [list(data.feature_names).index(name) for name in MEASURED]
    x = data.data[:, columns]
    x = (x - x.mean(axis=0)) / x.std(axis=0)
    return np.column_stack([np.ones(len(x)), x]), 1.0 - data.target


def surprise(w, x, y):
    """Return the negative logarithm of the probability of all y, given w."""
    scores = x @ w
    return (np.logaddexp(0, scores) - y * scores).sum()


slope, curvature = grad(surprise), hessian(surprise)


def fit(x, y, report=None):
    """Return the most likely w, and its covariance matrix, by Newton's method."""
    w = np.zeros(x.shape[1])
    for step in range(1, 26):
        change = np.linalg.solve(curvature(w, x, y), slope(w, x, y))
        w = w - change
        if report:
            report(f"step {step}: surprise {surprise(w, x, y):.6f}, w {np.round(w, 4)}")
        if np.abs(change).max() < 1e-10:
            return w, np.linalg.inv(curvature(w, x, y))
    raise RuntimeError("no w is most likely: a plane separates the two kinds without an error")


def probability(w, x):
    return 1 / (1 + np.exp(-(x @ w)))


def textbook_covariance(w, x):
    """Return the inverse of X' diag(p (1 - p)) X, which is the Hessian worked out on paper."""
    p = probability(w, x)
    return np.linalg.inv((x.T * (p * (1 - p))) @ x)


def coverage(w, x, studies=400, seed=0):
    """Repeat the study where w is the truth; return the share of intervals that hold each entry."""
    rng = np.random.default_rng(seed)
    held = np.zeros((studies, len(w)), bool)
    for k in range(studies):
        found, covariance = fit(x, (rng.random(len(x)) < probability(w, x)).astype(float))
        held[k] = np.abs(found - w) <= Z * np.sqrt(np.diag(covariance))
    return held.mean(axis=0)


def draw(w, covariance, path):
    """Draw the intervals, and the probability over the radius with a band of 95 %."""
    from matplotlib.figure import Figure

    errors = np.sqrt(np.diag(covariance))
    left, right = Figure(figsize=(10, 4), layout="constrained").subplots(1, 2)
    left.errorbar(w, NAMES, xerr=Z * errors, fmt="o", capsize=4)
    left.axvline(0, color="gray", linestyle=":")
    left.invert_yaxis()
    left.set(xlabel="change of the log odds per standard deviation", title="95 % intervals")

    radius = np.linspace(-2, 3, 200)
    x = np.column_stack([np.ones(200), radius, np.zeros((200, 2))])
    # A straight line in w, and so is its error: the variance of x w is x C x'.
    scores, error = x @ w, np.sqrt(((x @ covariance) * x).sum(axis=1))
    low, middle, high = (1 / (1 + np.exp(-(scores + k * Z * error))) for k in (-1, 0, 1))
    right.plot(radius, middle)
    right.fill_between(radius, low, high, alpha=0.3)
    x, y = load_tumours()
    jitter = np.random.default_rng(0).uniform(-0.02, 0.02, len(y))
    right.scatter(x[:, 1], y + jitter, s=6, c=np.where(y, "tab:red", "tab:green"), alpha=0.5)
    right.set(xlabel="mean radius, standardised", xlim=(-2, 3))
    right.set_title("probability of a malignant tumour")
    left.figure.savefig(path, dpi=120)


def main(arguments=None):
    parser = argparse.ArgumentParser(description="Logistic regression with confidence intervals.")
    parser.add_argument("--studies", type=int, default=400, help="how often coverage is tried")
    parser.add_argument("--output", type=Path, default=Path(), help="folder to write into")
    options = parser.parse_args(arguments)

    x, y = load_tumours()
    path = options.output / "logistic_regression.npz"
    w, covariance = fit(x, y, report=print)
    nn.save(path, {"w": w, "covariance": covariance})
    print(f"saved {path}")

    found = nn.load(path)
    w, covariance = found["w"], found["covariance"]
    errors = np.sqrt(np.diag(covariance))
    shares = coverage(w, x, options.studies)
    print(f"\n{'':<16}{'w':>9}{'error':>9}{'95 % interval':>20}{'coverage':>12}")
    for name, value, error, share in zip(NAMES, w, errors, shares, strict=True):
        interval = f"{value - Z * error:.3f} to {value + Z * error:.3f}"
        print(f"{name:<16}{value:>9.4f}{error:>9.4f}{interval:>20}{share:>12.1%}")
    textbook = np.sqrt(np.diag(textbook_covariance(w, x)))
    difference = np.abs(errors / textbook - 1).max()
    print(f"{shares.mean():.1%} of all intervals hold the truth")
    print(f"the textbook's errors differ by {difference:.0e} at most")
    try:
        draw(w, covariance, options.output / "logistic_regression.png")
        print(f"drew {options.output / 'logistic_regression.png'}")
    except ImportError:
        print("no picture: pip install 'gradloom[plot]'")
    return 0 if difference < 1e-8 and 0.93 <= shares.mean() <= 0.97 else 1


if __name__ == "__main__":
    sys.exit(main())
