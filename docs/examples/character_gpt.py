"""A character GPT: a small transformer learns to write like the manual of Python.

The text is the language reference that every Python carries for `help()`, 400,000 characters in
`pydoc_data.topics`. The network sees up to 64 characters and predicts the next one, at all places
at once: a causal mask keeps it from looking ahead. Its loss on text that it has not seen is
compared with that of counting pairs of characters, which needs no network.

    python character_gpt.py                            # trains, saves, draws, writes a sample
    python character_gpt.py --write character_gpt.npz  # only writes, with a network trained before

The exit status is 0 when the loss gets below the target.
"""

import argparse
import string
import subprocess
import sys
from pathlib import Path
from pydoc_data.topics import topics

import numpy as np

import autograd
import nn
import optim

# Letters, digits, punctuation, space and line break; anything else is left out.
CHARACTERS = string.printable[:95] + "\n"
CONTEXT = 64
TARGET = 1.6  # nats per character


def read_text():
    """Return the text as integers, the last tenth apart: two arrays of shape (n,)."""
    text = "\n".join(topics[name] for name in sorted(topics))
    codes = np.array([CHARACTERS.find(c) for c in text])
    codes = codes[codes >= 0]
    border = len(codes) * 9 // 10
    return codes[:border], codes[border:]


class CharacterGPT(nn.Module):
    """Embeddings of characters and places, transformer layers, and scores of the next character."""

    def __init__(self, width=64, heads=4, layers=2):
        super().__init__()
        vocabulary = len(CHARACTERS)
        self.characters = nn.Embedding(vocabulary, width)
        self.places = nn.Embedding(CONTEXT, width)
        layer = nn.TransformerEncoderLayer(
            width, heads, 4 * width, dropout=0.0, batch_first=True, norm_first=True
        )
        self.layers = nn.TransformerEncoder(layer, layers, norm=nn.LayerNorm(width))
        self.scores = nn.Linear(width, vocabulary)
        for table in (self.characters, self.places):  # N(0, 1) would drown what the layers add
            nn.init.normal_(table.weight, std=0.1)

    def forward(self, codes):
        """Return scores (N, T, vocabulary) for characters of shape (N, T)."""
        x = self.characters(codes) + self.places(np.arange(codes.shape[1]))
        return self.scores(self.layers(x, is_causal=True))


class Windows(nn.Dataset):
    """Pieces of a text: CONTEXT characters, and for each the one that follows it."""

    def __init__(self, codes, count=None):
        """Take windows at `count` places spread evenly over the text, by default at every place."""
        places = len(codes) - CONTEXT
        self.codes = codes
        self.starts = np.linspace(0, places - 1, count or places).astype(int)

    def __len__(self):
        return len(self.starts)

    def __getitem__(self, index):
        start = self.starts[index]
        return self.codes[start : start + CONTEXT], self.codes[start + 1 : start + CONTEXT + 1]


def loss_of(scores, following):
    """Return the mean loss in nats per character."""
    return nn.functional.cross_entropy(scores.reshape(-1, scores.shape[-1]), following.reshape(-1))


def evaluate(model, codes, count=64):
    """Return the loss on `count` windows of a text."""
    return nn.evaluate(model, nn.DataLoader(Windows(codes, count), count), loss_of)["loss"]


def loss_of_pairs(training, held_out):
    """Return the loss of a table that says how often each character follows each other one."""
    size = len(CHARACTERS)
    counts = np.bincount(training[:-1] * size + training[1:], minlength=size * size) + 0.1
    table = counts.reshape(size, size)
    table /= table.sum(axis=1, keepdims=True)
    return -np.log(table[held_out[:-1], held_out[1:]]).mean()


def train(model, training, held_out, steps, batch_size=24):
    """Train on random windows; return the losses as a list of (step, training, held out)."""
    every = min(50, steps)  # what is called an epoch here
    windows = Windows(training)
    order = nn.RandomSampler(windows, replacement=True, num_samples=every * batch_size, generator=0)
    optimizer = optim.AdamW(model.parameters(), weight_decay=0.01)
    schedule = optim.lr_scheduler.OneCycleLR(optimizer, 8e-3, total_steps=steps, pct_start=0.1)

    def report(state):
        loss, other = (state.logs[name] for name in ("loss", "validation_loss"))
        print(f"step {state.step:4}/{steps}  loss {loss:.3f}  held out {other:.3f}", flush=True)

    history = nn.fit(
        model,
        nn.DataLoader(windows, batch_size, sampler=order),
        loss_of,
        optimizer,
        steps // every,
        validation_data=nn.DataLoader(Windows(held_out, 64), 64),
        callbacks=[nn.ClipGradNorm(1.0), nn.StepSchedule(schedule), report],
        progress=False,
    )
    ends = range(every, steps + 1, every)
    return list(zip(ends, history["loss"], history["validation_loss"], strict=True))


def write(model, start="The ", length=400, temperature=0.7, seed=0):
    """Return `start` continued by `length` characters, each drawn from what the model says."""
    rng = np.random.default_rng(seed)
    codes = [CHARACTERS.index(c) for c in start]
    with autograd.no_grad():
        for _ in range(length):
            scores = model(np.array([codes[-CONTEXT:]]))
            shares = nn.functional.softmax(scores[0, -1] / temperature, dtype=np.float64)
            codes.append(rng.choice(len(CHARACTERS), p=shares.data))
    return "".join(CHARACTERS[c] for c in codes)


def draw(losses, pairs, path):
    from matplotlib.figure import Figure

    steps, training, held_out = zip(*losses, strict=True)
    axes = Figure(figsize=(7, 4), layout="constrained").subplots()
    axes.plot(steps, training, label="training")
    axes.plot(steps, held_out, label="held out")
    axes.axhline(pairs, linestyle=":", color="gray", label="counting pairs")
    axes.set(xlabel="step", ylabel="nats per character")
    axes.legend()
    axes.figure.savefig(path, dpi=120)


def main(arguments=None):
    parser = argparse.ArgumentParser(description="Teach a transformer to write, by characters.")
    parser.add_argument("--steps", type=int, default=600)
    parser.add_argument("--output", type=Path, default=Path(), help="folder to write into")
    parser.add_argument("--write", type=Path, metavar="FILE", help="load FILE, do not train")
    options = parser.parse_args(arguments)

    autograd.manual_seed(0)
    model = CharacterGPT()
    if options.write:
        model.load_state_dict(nn.load(options.write))
        print(write(model))
        return 0

    training, held_out = read_text()
    pairs = loss_of_pairs(training, held_out)
    print(nn.summary(model, np.zeros((1, CONTEXT), int)))
    print(f"{len(training):,} characters; counting pairs: {pairs:.3f}")
    losses = train(model, training, held_out, options.steps)
    path = options.output / "character_gpt.npz"
    nn.save(path, model.state_dict())
    print(f"saved {path}")
    try:
        draw(losses, pairs, options.output / "character_gpt.png")
        print(f"drew {options.output / 'character_gpt.png'}")
    except ImportError:
        print("no figure: run pip install 'gradloom[plot]'")
    print("a sample, written in a new process:\n", flush=True)
    subprocess.run([sys.executable, __file__, "--write", path], check=True)
    reached = losses[-1][2] <= TARGET
    print(f"held out: {losses[-1][2]:.3f}, target {TARGET}: {'reached' if reached else 'missed'}")
    return 0 if reached else 1


if __name__ == "__main__":
    sys.exit(main())
