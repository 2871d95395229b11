"""Training on several processes, which MPI connects: see `DataParallel`.

Needs the `mpi` extra (mpi4py) where there is more than one. Not imported by `import nn`.
"""

from nn.parallel._data_parallel import DataParallel as DataParallel
from nn.parallel._sampler import DistributedSampler as DistributedSampler
from nn.parallel._sharded import ShardedOptimizer as ShardedOptimizer
from nn.parallel._sync_batch_norm import SyncBatchNorm as SyncBatchNorm

__all__ = ["DataParallel", "DistributedSampler", "ShardedOptimizer", "SyncBatchNorm"]
