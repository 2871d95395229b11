"""The estimators are what scikit-learn wants, and come to what its own linear models come to."""

import functools
import pickle
import sys

import numpy as np
import pytest

import autograd
import nn
import optim

pytest.importorskip("sklearn")

from sklearn import datasets, linear_model
from sklearn.base import clone
from sklearn.compose import TransformedTargetRegressor
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import check_estimator

from nn.sklearn import Classifier, Regressor

X, y = datasets.make_moons(200, noise=0.1, random_state=0)


def parameters(model):
    return np.concatenate([p.data.ravel() for p in model.module_.parameters()])


@pytest.mark.slow
@pytest.mark.parametrize("estimator", [Classifier(), Regressor()], ids=["Classifier", "Regressor"])
def test_scikit_learns_own_checks_pass(estimator):
    check_estimator(estimator, on_skip=None)


@pytest.mark.parametrize("weighing", ["plain", "weighted"])
def test_without_hidden_layers_it_is_logistic_regression(weighing):
    points, side = X, np.where(y, "up", "down")
    weight = None if weighing == "plain" else np.arange(200) % 3
    of_class = None if weighing == "plain" else {"up": 3.0, "down": 1.0}
    ours = Classifier((), learning_rate=0.3, epochs=300, batch_size=200, class_weight=of_class)
    theirs = linear_model.LogisticRegression(C=np.inf, tol=1e-8, class_weight=of_class)
    expected = theirs.fit(points, side, weight).predict_proba(points)
    np.testing.assert_allclose(
        ours.fit(points, side, weight).predict_proba(points), expected, atol=1e-3
    )
    np.testing.assert_array_equal(ours.predict(points), theirs.predict(points))


def test_without_hidden_layers_it_is_linear_regression():
    rng = np.random.default_rng(0)
    points = rng.normal(size=(60, 3))
    targets = points @ rng.normal(size=(3, 2)) + 0.1 * rng.normal(size=(60, 2))
    weight = rng.uniform(0, 2, 60)
    model = Regressor((), learning_rate=0.1, epochs=300).fit(points, targets, weight)
    theirs = linear_model.LinearRegression().fit(points, targets, weight)
    np.testing.assert_allclose(model.predict(points), theirs.predict(points), atol=1e-4)
    assert model.fit(points, targets[:, 0]).predict(points).shape == (60,)


def test_only_the_ratios_of_weights_count():
    weight = np.arange(200.0)
    by_scale = [
        Classifier((4,), optimizer=optim.SGD, epochs=2, batch_size=64, random_state=0)
        .fit(X, y, scale * weight)
        .predict_proba(X)
        for scale in (1, 1000)
    ]
    np.testing.assert_allclose(*by_scale, rtol=1e-10)


def test_the_weights_of_parts_count_against_those_of_other_parts():
    heavy, light = (
        Regressor(nn.Linear(2, 1, dtype=np.float64, generator=0), optimizer=optim.SGD)
        .partial_fit(X, y, np.full(200, weight))
        .module_
        for weight in (2.0, 1.0)
    )
    assert not np.allclose(heavy.weight.data, light.weight.data)


def test_pipelines_searches_and_validation_work():
    search = GridSearchCV(
        make_pipeline(StandardScaler(), Classifier(random_state=0)),
        {"classifier__module": [(), (16,)], "classifier__learning_rate": [0.03]},
        cv=2,
    ).fit(X, y)
    assert search.best_params_["classifier__module"] == (16,)
    assert search.best_score_ > 0.97
    far = 1000 + 50 * X[:, 0]
    model = TransformedTargetRegressor(Regressor(random_state=0), transformer=StandardScaler())
    guessed = cross_val_predict(model, X, far, cv=2)
    assert np.corrcoef(guessed, far)[0, 1] > 0.99


def test_the_same_random_state_gives_the_same_bits_and_leaves_the_global_stream():
    before = autograd.random_state()
    first, second, other = (
        Classifier((8,), epochs=2, batch_size=32, random_state=seed).fit(X, y) for seed in (0, 0, 1)
    )
    assert autograd.random_state() == before
    np.testing.assert_array_equal(parameters(first), parameters(second))
    assert not np.array_equal(parameters(first), parameters(other))
    assert len(first.history_) == 2


def test_partial_fit_and_warm_start_continue_what_fit_would_have_done():
    settings = {"module": (8,), "batch_size": 64, "random_state": 0}
    whole = Classifier(epochs=3, **settings).fit(X, y)
    by_parts = Classifier(**settings)
    for _ in range(2):
        by_parts.partial_fit(X, y, classes=[0, 1])
    by_parts = pickle.loads(pickle.dumps(by_parts)).partial_fit(X, y)
    np.testing.assert_array_equal(parameters(by_parts), parameters(whole))
    warm = Classifier(epochs=1, warm_start=True, **settings).fit(X, y)
    warm.set_params(epochs=2).fit(X, y)
    np.testing.assert_array_equal(parameters(warm), parameters(whole))
    assert whole.fit(X, y).score(X, y) == by_parts.score(X, y)  # begins again


def test_partial_fit_knows_classes_that_come_later():
    model = Classifier((8,), random_state=0).partial_fit(X[:5], ["a"] * 5, classes=["b", "a", "c"])
    assert model.partial_fit(X[:2], ["b", "c"]).predict_proba(X).shape == (200, 3)
    lines = Regressor((8,), random_state=0).partial_fit(X, y)
    assert lines.partial_fit(X, y).predict(X).shape == (200,)


class Conv(nn.Module):
    """Reads rows of 64 pixels as images."""

    def __init__(self, features, classes, width=4):
        super().__init__()
        self.layers = nn.Sequential(
            nn.Unflatten(1, (1, 8, 8)),
            nn.Conv2d(1, width, 3, stride=2),
            nn.ReLU(),
            nn.Dropout(0.1),
            nn.Flatten(),
            nn.Linear(9 * width, classes),
        )

    def forward(self, x):
        return self.layers(x)


def test_a_module_of_ones_own_is_made_for_the_data():
    images, classes = datasets.load_digits(return_X_y=True)
    images, classes = (images[:400] / 16).astype(np.float32), classes[:400]
    model = Classifier(
        functools.partial(Conv, width=8),
        optimizer=functools.partial(optim.SGD, momentum=0.9),
        learning_rate=0.1,
        epochs=15,
        batch_size=32,
        random_state=0,
    ).fit(images[:300], classes[:300])
    assert model.score(images[300:], classes[300:]) > 0.85
    shares = model.predict_proba(images)
    assert shares.dtype == np.float32  # the precision of the samples
    np.testing.assert_array_equal(shares, model.predict_proba(images))  # without dropout
    assert model.predict_proba(images.astype(float)).dtype == np.float32


def test_a_module_is_copied_and_trained_from_where_it_is():
    start = nn.Linear(2, 1, dtype=np.float64)
    before = start.weight.data.copy()
    model = Regressor(
        start, loss=nn.functional.huber_loss, optimizer=optim.SGD, learning_rate=1e-9, epochs=1
    )
    model.fit(X, y)
    np.testing.assert_array_equal(start.weight.data, before)
    np.testing.assert_allclose(model.module_.weight.data, before, atol=1e-8)
    assert clone(model).module is not start


@pytest.mark.parametrize(
    "wrong, error, match",
    [
        (lambda: Classifier().predict(X), NotFittedError, "is not fitted yet"),
        (lambda: Classifier(epochs=0).fit(X, y), ValueError, "epochs == 0, must be >= 1"),
        (
            lambda: Classifier((8, "4")).fit(X, y),
            TypeError,
            "a width in module must be an instance",
        ),
        (lambda: Classifier("mlp").fit(X, y), TypeError, "wanted as module .* got 'mlp'"),
        (lambda: Classifier(nn.Linear).fit(X, X), ValueError, "y should be a 1d array"),
        (
            lambda: Classifier(nn.Linear(2, 3)).fit(X, y),
            ValueError,
            r"outputs of shape \(128, 2\), got \(128, 3\)",
        ),
        (
            lambda: Regressor(loss=lambda p, t, reduction: ((p - t) ** 2).mean()).fit(X, y),
            ValueError,
            "one number per sample for reduction='none'",
        ),
        (lambda: Classifier().partial_fit(X, y), ValueError, "classes must be passed on the first"),
        (
            lambda: Classifier().partial_fit(X, y, [0, 1]).partial_fit(X, y, [1, 2]),
            ValueError,
            "is not the same as on last call",
        ),
        (
            lambda: Classifier(class_weight="balanced").partial_fit(X, y, [0, 1]),
            ValueError,
            "'balanced' is not supported for partial_fit",
        ),
        (
            lambda: Classifier(epochs=1, warm_start=True).fit(X, y).fit(X, y + 1),
            ValueError,
            r"previously unseen labels: \[2\]",
        ),
        (lambda: Regressor().partial_fit(X, y).partial_fit(X, X), ValueError, "y has 2 outputs"),
        (lambda: Regressor().fit(X, y, -X[:, 0]), ValueError, "Negative values"),
        (lambda: Regressor().fit(X, y, X**2), ValueError, r"sample_weight.shape == \(200, 2\)"),
        (lambda: Regressor().fit(X, y, 0 * y), ValueError, "at least one non-zero number"),
    ],
)
def test_what_does_not_fit_is_refused(wrong, error, match):
    with pytest.raises(error, match=match):
        wrong()


def test_the_estimators_are_imported_when_they_are_first_asked_for(monkeypatch):
    module = sys.modules["nn.sklearn"]
    monkeypatch.delattr(nn, "sklearn")
    assert nn.sklearn is module
    monkeypatch.delitem(sys.modules, "nn.sklearn")
    monkeypatch.setitem(sys.modules, "sklearn.base", None)
    with pytest.raises(ImportError, match=r"pip install 'gradloom\[sklearn\]'"):
        _ = nn.sklearn
    with pytest.raises(AttributeError, match="'nn' has no attribute 'keras'"):
        _ = nn.keras
