"""SyncBatchNorm: batch normalisation by the statistics of all ranks. Imports `_group`."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from autograd.engine.graph import unwrap
from autograd.extend import primitive
from nn._module import Module
from nn._normalization import BatchNorm
from nn.parallel._group import Group, group_of

__all__ = ["SyncBatchNorm"]


# The transpose of a sum over the ranks, whose result all of them have, is that sum itself.
@primitive(x=lambda g, group: _sum_over_ranks(g, group))  # type: ignore[has-type]  # noqa: PLW0108
def _sum_over_ranks(x: Any, group: Group) -> Any:
    """Return the sum of `x` over the ranks, which all of them have to call."""
    return group.sum(np.array(x), "statistics of SyncBatchNorm")


class SyncBatchNorm(BatchNorm):
    """Batch normalisation whose mean and variance, in training, are those of the samples of all
    ranks, so that a small share on each rank does not make them noisy.

    ``SyncBatchNorm.convert(model)`` replaces the batch normalisations of a model, before it is
    wrapped in ``DataParallel``. Each call in training is two sums over the ranks forward, and two
    backward.

    Args:
        num_features: C.
        eps: Added to the variance.
        momentum: How far one batch moves the running statistics, from 0 to 1; None averages over
            all batches evenly.
        affine: Whether there are a scale and a shift.
        track_running_stats: Whether there are running statistics.
        comm: An MPI communicator; all processes that mpiexec has started by default.
        dtype: Of the parameters and statistics; float32 by default.

    Shape:
        (N, C) or (N, C, ...) -> the same

    References:
        Peng et al., MegDet: A large mini-batch object detector, CVPR 2018, section 3.2,
        https://arxiv.org/abs/1711.07240.

    Example:
        >>> import numpy as np, nn
        >>> layer = nn.parallel.SyncBatchNorm(2, dtype=np.float64)
        >>> layer(np.array([[1.0, 0.0], [3.0, 0.0]])).data.round(3)
        array([[-1.,  0.],
               [ 1.,  0.]])
    """

    _ndims: ClassVar[tuple[int, ...]] = (2, 3, 4, 5)
    _shapes: ClassVar[str] = "(N, C) or (N, C, ...)"

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = True,
        track_running_stats: bool = True,
        *,
        comm: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(num_features, eps, momentum, affine, track_running_stats, dtype=dtype)
        self._group = group_of("SyncBatchNorm", comm)

    def forward(self, input: Any) -> Any:
        """Normalise `input` by the statistics of all ranks in training, by the running ones in
        evaluation.

        Raises:
            ValueError: for another number of axes or channels, and in training for one value per
                channel on all ranks together.
        """
        alone = self._group.size == 1
        if alone or not (self.training or self.running_mean is None):
            return super().forward(input)
        if input.ndim not in self._ndims or input.shape[1] != self.num_features:
            raise self._refuse(input)
        axis = (0, *range(2, input.ndim))
        shape = (1, -1) + (1,) * (input.ndim - 2)
        own = np.array([input.size // self.num_features], np.float64)
        count = float(self._group.sum(own, "statistics of SyncBatchNorm")[0])
        if count <= 1:
            raise ValueError(
                "SyncBatchNorm: wanted more than one value per channel in training, got one on all "
                "ranks together; use a larger batch or eval()"
            )
        mean = _sum_over_ranks(input.sum(axis=axis), self._group) / count
        centred = input - mean.reshape(shape)
        variance = _sum_over_ranks((centred * centred).sum(axis=axis), self._group) / count
        if self.training and self.running_mean is not None:
            self._move_statistics(mean, variance, count)
        out = centred / np.sqrt(variance + self.eps).reshape(shape)
        if self.weight is not None:
            out = out * self.weight.reshape(shape)
        return out if self.bias is None else out + self.bias.reshape(shape)

    def _move_statistics(self, mean: Any, variance: Any, count: float) -> None:
        self.num_batches_tracked = self.num_batches_tracked + 1
        momentum = self.momentum
        if momentum is None:
            momentum = 1.0 / float(self.num_batches_tracked)
        unbiased = variance * (count / (count - 1))
        for buffer, value in ((self.running_mean, mean), (self.running_var, unbiased)):
            buffer += momentum * (unwrap(value) - buffer)

    @classmethod
    def convert(cls, module: Module, comm: Any = None) -> Module:
        """Replace the batch normalisations inside a model, with their parameters and statistics;
        return the model, or the new layer where it is one itself.
        """
        if isinstance(module, BatchNorm):
            made = cls(
                module.num_features,
                module.eps,
                module.momentum,
                module.affine,
                module.track_running_stats,
                comm=comm,
            )
            made.weight, made.bias = module.weight, module.bias
            for name, buffer in list(module.named_buffers()):
                made.register_buffer(name, buffer)
            return made.train(module.training)
        for name, child in list(module.named_children()):
            converted = cls.convert(child, comm)
            if converted is not child:
                module.set_submodule(name, converted)
        return module
