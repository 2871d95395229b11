"""A decoder in the style of GPT-2, written out down to the attention.

A. Radford and others, Language models are unsupervised multitask learners, 2019. The embedding of
the words and the last layer are one matrix.
"""

import numpy as np

import nn
from nn import functional as F


class Attention(nn.Module):
    """Each place takes values from the places up to itself, by how well query and key agree."""

    def __init__(self, width, heads, dropout):
        super().__init__()
        self.heads = heads
        self.c_attn = nn.Linear(width, 3 * width)
        self.c_proj = nn.Linear(width, width)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x):
        n, t, width = x.shape
        joined = self.c_attn(x).reshape(n, t, 3, self.heads, width // self.heads)
        q, k, v = (joined[:, :, i].swapaxes(1, 2) for i in range(3))  # (N, heads, T, width / heads)
        y = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        return self.dropout(self.c_proj(y.swapaxes(1, 2).reshape(n, t, width)))


class Block(nn.Module):
    """Attention between the places, then a small network at each place; both are added."""

    def __init__(self, width, heads, dropout):
        super().__init__()
        self.ln_1 = nn.LayerNorm(width)
        self.attn = Attention(width, heads, dropout)
        self.ln_2 = nn.LayerNorm(width)
        self.mlp = nn.Sequential(
            nn.Linear(width, 4 * width),
            nn.GELU(approximate="tanh"),
            nn.Linear(4 * width, width),
            nn.Dropout(dropout),
        )

    def forward(self, x):
        x = x + self.attn(self.ln_1(x))
        return x + self.mlp(self.ln_2(x))


class GPT(nn.Module):
    """Words (N, T) as integers to scores (N, T, words) of the next ones."""

    def __init__(self, words=50257, context=1024, width=768, heads=12, layers=12, dropout=0.1):
        super().__init__()
        self.wte = nn.Embedding(words, width)
        self.wpe = nn.Embedding(context, width)
        self.drop = nn.Dropout(dropout)
        self.h = nn.ModuleList(Block(width, heads, dropout) for _ in range(layers))
        self.ln_f = nn.LayerNorm(width)
        self.lm_head = nn.Linear(width, words, bias=False)
        self.lm_head.weight = self.wte.weight
        self.apply(initialise)

    def forward(self, words):
        x = self.drop(self.wte(words) + self.wpe(np.arange(words.shape[1])))
        for block in self.h:
            x = block(x)
        return self.lm_head(self.ln_f(x))


def initialise(module):
    """Draw weights from N(0, 0.02)."""
    if isinstance(module, nn.Linear | nn.Embedding):
        nn.init.normal_(module.weight, std=0.02)
    if isinstance(module, nn.Linear) and module.bias is not None:
        nn.init.zeros_(module.bias)
