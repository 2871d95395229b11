"""Weight averaging: `AveragedModel` and what goes with it, and the schedule `SWALR`.

PyTorch's address of two things: the averages are modules and stand in `nn.utils.averaging`, the
schedule needs an optimizer. So this is the one file of `optim` that imports `nn`; `import optim`
does not import it, the first use of `optim.swa_utils` does.
"""

from nn.utils.averaging import (
    AveragedModel,
    get_ema_avg_fn,
    get_ema_multi_avg_fn,
    get_swa_avg_fn,
    get_swa_multi_avg_fn,
    update_bn,
)
from optim.lr_scheduler._swa import SWALR

__all__ = [
    "SWALR",
    "AveragedModel",
    "get_ema_avg_fn",
    "get_ema_multi_avg_fn",
    "get_swa_avg_fn",
    "get_swa_multi_avg_fn",
    "update_bn",
]
