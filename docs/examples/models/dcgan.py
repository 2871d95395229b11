"""A DCGAN: one network draws images, another one tells them from real ones.

A. Radford and others, Unsupervised representation learning with deep convolutional generative
adversarial networks, ICLR 2016, https://arxiv.org/abs/1511.06434.
"""

import nn


class Generator(nn.Module):
    """Noise (N, noise, 1, 1) to images (N, channels, 64, 64) with values from -1 to 1."""

    def __init__(self, noise=100, channels=3, width=64):
        super().__init__()
        layers = [
            nn.ConvTranspose2d(noise, 8 * width, 4, stride=1, padding=0, bias=False),
            nn.BatchNorm2d(8 * width),
            nn.ReLU(True),
        ]
        for wide in (8 * width, 4 * width, 2 * width):
            layers += [
                nn.ConvTranspose2d(wide, wide // 2, 4, stride=2, padding=1, bias=False),
                nn.BatchNorm2d(wide // 2),
                nn.ReLU(True),
            ]
        layers += [nn.ConvTranspose2d(width, channels, 4, 2, 1, bias=False), nn.Tanh()]
        self.main = nn.Sequential(*layers)
        self.apply(initialise)

    def forward(self, noise):
        return self.main(noise)


class Discriminator(nn.Module):
    """Images (N, channels, 64, 64) to one score (N,) each: above 0 for those that look real."""

    def __init__(self, channels=3, width=64):
        super().__init__()
        layers = [nn.Conv2d(channels, width, 4, stride=2, padding=1), nn.LeakyReLU(0.2)]
        for narrow in (width, 2 * width, 4 * width):
            layers += [
                nn.Conv2d(narrow, 2 * narrow, 4, stride=2, padding=1, bias=False),
                nn.BatchNorm2d(2 * narrow),
                nn.LeakyReLU(0.2),
            ]
        layers += [nn.Conv2d(8 * width, 1, 4, stride=1, padding=0, bias=False)]
        self.main = nn.Sequential(*layers)
        self.apply(initialise)

    def forward(self, images):
        return self.main(images).reshape(-1)


def initialise(module):
    """Draw the kernels from N(0, 0.02) and the scales of the norms from N(1, 0.02)."""
    if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
        nn.init.normal_(module.weight, 0.0, 0.02)
    elif isinstance(module, nn.BatchNorm2d):
        nn.init.normal_(module.weight, 1.0, 0.02)
        nn.init.zeros_(module.bias)
