"""A word-level language model of LSTM layers.

W. Zaremba and others, Recurrent neural network regularization, 2014,
https://arxiv.org/abs/1409.2329.
"""

import nn


class LanguageModel(nn.Module):
    """Words (N, T) as integers to scores (N, T, words) of the next ones, and the state after."""

    def __init__(self, words=10_000, width=650, layers=2, dropout=0.5):
        super().__init__()
        self.dropout = nn.Dropout(dropout)
        self.embedding = nn.Embedding(words, width)
        self.lstm = nn.LSTM(width, width, layers, dropout=dropout, batch_first=True)
        self.scores = nn.Linear(width, words)
        nn.init.uniform_(self.embedding.weight, -0.1, 0.1)

    def forward(self, words, state=None):
        """Go on from `state`, which an earlier call has returned, or from zeros."""
        x, state = self.lstm(self.dropout(self.embedding(words)), state)
        return self.scores(self.dropout(x)), state
