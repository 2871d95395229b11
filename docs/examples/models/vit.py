"""A vision transformer: an image as a sentence of patches.

A. Dosovitskiy and others, An image is worth 16x16 words, ICLR 2021,
https://arxiv.org/abs/2010.11929.
"""

import numpy as np

import nn


class ViT(nn.Module):
    """Images (N, 3, size, size) to scores (N, classes)."""

    def __init__(
        self, size=224, patch=16, classes=1000, width=768, heads=12, layers=12, dropout=0.1
    ):
        super().__init__()
        self.patches = nn.Conv2d(3, width, kernel_size=patch, stride=patch)
        self.class_token = nn.Parameter(np.zeros((1, 1, width), dtype=np.float32))
        places = (size // patch) ** 2 + 1
        self.places = nn.Parameter(np.zeros((1, places, width), dtype=np.float32))
        nn.init.trunc_normal_(self.places, std=0.02)
        layer = nn.TransformerEncoderLayer(
            width,
            heads,
            dim_feedforward=4 * width,
            dropout=dropout,
            activation="gelu",
            batch_first=True,
            norm_first=True,
        )
        self.encoder = nn.TransformerEncoder(layer, layers, enable_nested_tensor=False)
        self.norm = nn.LayerNorm(width)
        self.head = nn.Linear(width, classes)

    def forward(self, images):
        x = self.patches(images)  # (N, width, rows, columns)
        n, width = x.shape[:2]
        x = x.reshape(n, width, -1).swapaxes(1, 2)
        token = np.broadcast_to(self.class_token, (n, 1, width))
        x = np.concatenate([token, x], axis=1) + self.places
        return self.head(self.norm(self.encoder(x))[:, 0])
