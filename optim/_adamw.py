r"""AdamW: Adam with weight decay that bypasses the running means.

    p <- p - lr * weight_decay * p, then as Adam without weight decay.

References:
    Loshchilov and Hutter, Decoupled weight decay regularization, ICLR 2019, algorithm 2.
"""

from typing import ClassVar

from optim._adam import Adam
from optim._options import option

__all__ = ["AdamW"]


class AdamW(Adam):
    """Adam with decoupled weight decay.

    Raises:
        ValueError: an option outside its interval.

    Example:
        >>> from autograd import Variable
        >>> x = Variable([4.0], requires_grad=True)
        >>> optimizer = AdamW([x], lr=0.5, weight_decay=0.1)
        >>> (x * x).sum().backward()
        >>> optimizer.step()
        >>> x.data
        array([3.3])
    """

    weight_decay: float = option(
        "each step multiplies the weights by (1 - lr * weight_decay)", default=1e-2
    )

    fixed: ClassVar = {"decoupled_weight_decay": True}
