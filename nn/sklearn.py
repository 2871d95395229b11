"""Networks as estimators of scikit-learn: in its pipelines, searches and scores.

The only module of `nn` that uses `optim`, and the only one that needs a package (the `sklearn`
extra). It is imported when it is first asked for.
"""

from __future__ import annotations

import copy
import numbers
from collections.abc import Callable
from typing import Any, Self

import numpy as np

import optim
from autograd import manual_seed, no_grad, random_state, set_random_state
from autograd._optional import require
from autograd.engine.graph import unwrap
from nn import functional
from nn._activation import ReLU
from nn._containers import Sequential
from nn._data import ArrayDataset, DataLoader
from nn._fit import fit
from nn._linear import Linear
from nn._module import Module

__all__ = ["Classifier", "Regressor"]

_base = require("sklearn.base", extra="sklearn")
_weights = require("sklearn.utils.class_weight", extra="sklearn")
_targets = require("sklearn.utils.multiclass", extra="sklearn")
_validation = require("sklearn.utils.validation", extra="sklearn")

_CHUNK = 4096  # rows that are predicted at once
_FLOATS = [np.float64, np.float32]


class _Estimator(_base.BaseEstimator):  # type: ignore[misc, name-defined]
    """What both estimators share: `fit`, `partial_fit`, and the outputs of the network."""

    # Set by the subclasses' __init__, as scikit-learn wants it.
    module: Any
    loss: Callable[..., Any]
    optimizer: Callable[..., Any]
    learning_rate: float
    epochs: int
    batch_size: int
    warm_start: bool
    random_state: Any
    verbose: bool

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Train a new network, or with `warm_start` the present one.

        Args:
            X: samples (n, features).
            y: targets (n,); for a `Regressor` also (n, outputs).
            sample_weight: how much each sample counts (n,); a weight of 2 is the sample twice.

        Raises:
            ValueError, TypeError: data or parameters are not what they should be.
            FloatingPointError: the loss has become nan or infinite.
        """
        return self._train(X, y, sample_weight, partial=False)

    def _train(
        self, X: Any, y: Any, sample_weight: Any, *, partial: bool, classes: Any = None
    ) -> Self:
        begins = not (hasattr(self, "module_") and (partial or self.warm_start))
        check = _validation.check_scalar
        check(self.epochs, "epochs", numbers.Integral, min_val=1)
        check(self.batch_size, "batch_size", numbers.Integral, min_val=1)
        check(self.learning_rate, "learning_rate", numbers.Real, min_val=0)
        X, targets, weights = self._read(X, y, begins, classes)
        weights = weights * self._read_weights(sample_weight, X)
        if not weights.any():
            raise ValueError("Sample weights must contain at least one non-zero number.")
        # Samples that do not count leave, so that batches hold samples that do.
        kept = weights > 0
        X, targets, weights = X[kept], targets[kept], weights[kept]
        if not partial:  # a part does not know what the others weigh
            weights = weights / weights.mean()
        if begins:
            self._begin(X)
        self.history_ = fit(
            self.module_,
            DataLoader(
                ArrayDataset(X.astype(self._dtype, copy=False), targets, weights),
                batch_size=int(self.batch_size),
                shuffle=True,
                generator=self._generator,
            ),
            step=self._step,
            optimizer=self.optimizer_,
            epochs=1 if partial else int(self.epochs),
            progress=bool(self.verbose),
        )
        return self

    def _begin(self, X: Any) -> None:
        """Make network, optimizer and the order of the samples, all from `random_state`."""
        seeds = _validation.check_random_state(self.random_state)
        seed = int(seeds.randint(np.iinfo(np.int32).max))
        before = random_state()
        manual_seed(seed)
        try:
            module = self._build(X.shape[1], self._outputs)
        finally:
            set_random_state(before)
        self._dtype = X.dtype
        # Evaluation is the mode between trainings, so that predictions change nothing.
        self.module_ = module.astype(X.dtype).eval()
        self.optimizer_ = self.optimizer(self.module_.parameters(), lr=self.learning_rate)
        self._generator = np.random.default_rng(seed)

    def _build(self, features: int, outputs: int) -> Module:
        module = self.module
        if isinstance(module, Module):
            return copy.deepcopy(module)
        if isinstance(module, tuple | list):
            layers: list[Module] = []
            for width in module:
                _validation.check_scalar(width, "a width in module", numbers.Integral, min_val=1)
                layers += [Linear(features, int(width)), ReLU()]
                features = int(width)
            return Sequential(*layers, Linear(features, outputs))
        made = module(features, outputs) if callable(module) else module
        if not isinstance(made, Module):
            raise TypeError(
                f"{type(self).__name__}: wanted as module the widths of hidden layers, a Module, "
                f"or a function (features, outputs) that returns one, got {made!r:.60}"
            )
        return made

    def _step(self, module: Module, batch: Any) -> Any:
        """Return the weighted mean loss of a batch."""
        X, targets, weights = batch
        losses = self.loss(self._forward(module, X), targets, reduction="none")
        if losses.ndim == 0:
            raise ValueError(
                f"{type(self).__name__}: wanted a loss with one number per sample for "
                "reduction='none', got a scalar"
            )
        return (losses.reshape(len(X), -1).mean(axis=1) * weights).mean()

    def _forward(self, module: Module, X: Any) -> Any:
        """Return the outputs (n, outputs) of a module."""
        out = module(X)
        if out.shape == (len(X),):
            out = out.reshape(-1, 1)
        if out.shape != (len(X), self._outputs):
            raise ValueError(
                f"{type(self).__name__}: wanted a module with outputs of shape "
                f"({len(X)}, {self._outputs}), got {out.shape}"
            )
        return out

    def _predict(self, X: Any) -> Any:
        """Return the outputs (n, outputs) as an array."""
        _validation.check_is_fitted(self)
        X = _validation.validate_data(self, X, dtype=_FLOATS, reset=False)
        X = X.astype(self._dtype, copy=False)
        with no_grad():
            parts = [
                unwrap(self._forward(self.module_, X[i : i + _CHUNK]))
                for i in range(0, len(X), _CHUNK)
            ]
        return np.concatenate(parts)

    def _read(self, X: Any, y: Any, begins: bool, classes: Any) -> tuple[Any, Any, Any]:
        """Check samples and targets; return them as arrays of numbers, and the classes' weights."""
        raise NotImplementedError

    @property
    def _outputs(self) -> int:
        raise NotImplementedError

    @staticmethod
    def _read_weights(sample_weight: Any, X: Any) -> Any:
        if sample_weight is None:
            return np.ones(len(X), X.dtype)
        weights = _validation.check_array(
            sample_weight,
            ensure_2d=False,
            dtype=X.dtype,
            ensure_non_negative=True,
            input_name="sample_weight",
        )
        if weights.shape != (len(X),):
            raise ValueError(f"sample_weight.shape == {weights.shape}, expected {(len(X),)}!")
        return weights


class Classifier(_base.ClassifierMixin, _Estimator):  # type: ignore[misc, name-defined]
    """A classifier for scikit-learn around a network that gives each class a score.

    Args:
        module: the network: the widths of hidden ReLU layers; or a function (features, classes)
            that returns a `Module`; or a Module, which is copied, and trained from the parameters
            that it has. It maps samples (n, features) to scores (n, classes).
        loss: called as `loss(scores, classes, reduction="none")`.
        optimizer: called as `optimizer(parameters, lr=learning_rate)`.
        learning_rate: of the optimizer.
        epochs: how often `fit` goes through the samples.
        batch_size: samples per step.
        class_weight: how much each class counts, as a dict, or "balanced" for equal shares.
        warm_start: whether `fit` continues with the network of the last one.
        random_state: decides on initial parameters and on the order of samples.
        verbose: whether progress is shown.

    Attributes:
        classes_: the classes (classes,), sorted.
        module_: the trained network, in the precision of the samples.
        optimizer_: its optimizer.
        history_: the `History` of the last training.

    Example:
        >>> import numpy as np
        >>> X = np.array([[-2.0], [-1.0], [1.0], [2.0]])
        >>> model = Classifier((8,), random_state=0).fit(X, ["cold", "cold", "warm", "warm"])
        >>> model.predict([[-3.0], [3.0]])
        array(['cold', 'warm'], dtype='<U4')
    """

    def __init__(
        self,
        module: Any = (64,),
        *,
        loss: Callable[..., Any] = functional.cross_entropy,
        optimizer: Callable[..., Any] = optim.Adam,
        learning_rate: float = 0.01,
        epochs: int = 100,
        batch_size: int = 128,
        class_weight: Any = None,
        warm_start: bool = False,
        random_state: Any = None,
        verbose: bool = False,
    ) -> None:
        self.module = module
        self.loss = loss
        self.optimizer = optimizer
        self.learning_rate = learning_rate
        self.epochs = epochs
        self.batch_size = batch_size
        self.class_weight = class_weight
        self.warm_start = warm_start
        self.random_state = random_state
        self.verbose = verbose

    def partial_fit(self, X: Any, y: Any, classes: Any = None, sample_weight: Any = None) -> Self:
        """Go through the samples once, with the present network if there is one.

        Args:
            X: samples (n, features).
            y: classes (n,).
            classes: all classes that there will be; needed in the first call.
            sample_weight: how much each sample counts (n,).
        """
        begins = not hasattr(self, "module_")
        if begins and classes is None:
            raise ValueError("classes must be passed on the first call to partial_fit.")
        if (
            not begins
            and classes is not None
            and not np.array_equal(np.unique(classes), self.classes_)
        ):
            raise ValueError(
                f"`classes={classes!r}` is not the same as on last call to partial_fit, was: "
                f"{self.classes_!r}"
            )
        if self.class_weight == "balanced":
            raise ValueError(
                "class_weight 'balanced' is not supported for partial_fit, which does not see all "
                "samples; pass the weights as a dict"
            )
        return self._train(X, y, sample_weight, partial=True, classes=classes)

    def predict_proba(self, X: Any) -> Any:
        """Return the probability of each class (n, classes), in the order of `classes_`."""
        return functional.softmax(self._predict(X), axis=1)

    def predict(self, X: Any) -> Any:
        """Return the most probable class of each sample (n,)."""
        scores = self._predict(X)
        return self.classes_[scores.argmax(axis=1)]

    @property
    def _outputs(self) -> int:
        return len(self.classes_)

    def _read(self, X: Any, y: Any, begins: bool, classes: Any) -> tuple[Any, Any, Any]:
        X, y = _validation.validate_data(self, X, y, dtype=_FLOATS, reset=begins)
        y = _validation.column_or_1d(y, warn=True)
        _targets.check_classification_targets(y)
        if begins:
            self.classes_ = np.unique(y if classes is None else classes)
        unseen = np.setdiff1d(y, self.classes_)
        if unseen.size:
            raise ValueError(f"y contains previously unseen labels: {unseen.tolist()}")
        weights = _weights.compute_sample_weight(self.class_weight, y).astype(X.dtype)
        return X, np.searchsorted(self.classes_, y), weights


class Regressor(_base.RegressorMixin, _Estimator):  # type: ignore[misc, name-defined]
    """A regressor for scikit-learn around a network.

    Networks learn best where inputs and targets have a mean of 0 and a width of 1: put a
    `StandardScaler` before it, and a `TransformedTargetRegressor` around it.

    Args:
        module: the network: the widths of hidden ReLU layers; or a function (features, outputs)
            that returns a `Module`; or a Module, which is copied, and trained from the parameters
            that it has. It maps samples (n, features) to (n, outputs).
        loss: called as `loss(prediction, target, reduction="none")`.
        optimizer: called as `optimizer(parameters, lr=learning_rate)`.
        learning_rate: of the optimizer.
        epochs: how often `fit` goes through the samples.
        batch_size: samples per step.
        warm_start: whether `fit` continues with the network of the last one.
        random_state: decides on initial parameters and on the order of samples.
        verbose: whether progress is shown.

    Attributes:
        n_outputs_: how many numbers are predicted for a sample.
        module_: the trained network, in the precision of the samples.
        optimizer_: its optimizer.
        history_: the `History` of the last training.

    Example:
        >>> import numpy as np
        >>> X = np.linspace(-1, 1, 50).reshape(-1, 1)
        >>> model = Regressor(random_state=0).fit(X, np.abs(X[:, 0]))
        >>> model.score(X, np.abs(X[:, 0])) > 0.99
        True
    """

    def __init__(
        self,
        module: Any = (64,),
        *,
        loss: Callable[..., Any] = functional.mse_loss,
        optimizer: Callable[..., Any] = optim.Adam,
        learning_rate: float = 0.01,
        epochs: int = 100,
        batch_size: int = 128,
        warm_start: bool = False,
        random_state: Any = None,
        verbose: bool = False,
    ) -> None:
        self.module = module
        self.loss = loss
        self.optimizer = optimizer
        self.learning_rate = learning_rate
        self.epochs = epochs
        self.batch_size = batch_size
        self.warm_start = warm_start
        self.random_state = random_state
        self.verbose = verbose

    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Go through the samples once, with the present network if there is one.

        Args:
            X: samples (n, features).
            y: targets (n,) or (n, outputs).
            sample_weight: how much each sample counts (n,).
        """
        return self._train(X, y, sample_weight, partial=True)

    def predict(self, X: Any) -> Any:
        """Return the prediction for each sample: (n,) or (n, outputs), as the targets were."""
        outputs = self._predict(X)
        return outputs[:, 0] if self._flat else outputs

    @property
    def _outputs(self) -> int:
        return int(self.n_outputs_)

    def _read(self, X: Any, y: Any, begins: bool, classes: Any) -> tuple[Any, Any, Any]:  # noqa: ARG002
        X, y = _validation.validate_data(
            self, X, y, dtype=_FLOATS, multi_output=True, y_numeric=True, reset=begins
        )
        self._flat = y.ndim == 1
        y = y.reshape(len(y), -1).astype(X.dtype, copy=False)
        if begins:
            self.n_outputs_ = y.shape[1]
        elif y.shape[1] != self.n_outputs_:
            raise ValueError(
                f"y has {y.shape[1]} outputs, but {type(self).__name__} is expecting "
                f"{self.n_outputs_} outputs as the last time"
            )
        return X, y, np.ones(len(X), X.dtype)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags
