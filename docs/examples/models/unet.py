"""U-Net: a label for each pixel, from what is seen at every scale.

Images get smaller and channels more on the way down; on the way up transposed convolutions enlarge
them, beside what was seen at that size before. O. Ronneberger and others, U-Net, MICCAI 2015,
https://arxiv.org/abs/1505.04597.
"""

from itertools import pairwise

import numpy as np

import nn


def double_convolution(channels_in, channels_out):
    """Return two convolutions that keep the size."""
    return nn.Sequential(
        nn.Conv2d(channels_in, channels_out, kernel_size=3, padding="same"),
        nn.BatchNorm2d(channels_out),
        nn.ReLU(),
        nn.Conv2d(channels_out, channels_out, kernel_size=3, padding="same"),
        nn.BatchNorm2d(channels_out),
        nn.ReLU(),
    )


class UNet(nn.Module):
    """Images (N, channels, H, W) to scores (N, classes, H, W); 2^depth divides H and W."""

    def __init__(self, channels=1, classes=2, width=64, depth=4):
        super().__init__()
        widths = [width * 2**level for level in range(depth + 1)]
        self.entry = double_convolution(channels, width)
        self.down = nn.ModuleList(
            double_convolution(narrow, wide) for narrow, wide in pairwise(widths)
        )
        self.enlarge = nn.ModuleList(
            nn.ConvTranspose2d(2 * width, width, kernel_size=2, stride=2)
            for width in reversed(widths[:-1])
        )
        self.up = nn.ModuleList(
            double_convolution(2 * width, width) for width in reversed(widths[:-1])
        )
        self.pool = nn.MaxPool2d(2)
        self.exit = nn.Conv2d(width, classes, kernel_size=1)

    def forward(self, x):
        x = self.entry(x)
        seen = []
        for convolve in self.down:
            seen.append(x)
            x = convolve(self.pool(x))
        for enlarge, convolve in zip(self.enlarge, self.up, strict=True):
            x = convolve(np.concatenate([seen.pop(), enlarge(x)], axis=1))
        return self.exit(x)
