"""An LSTM learns to add: sequences of digits of different lengths, and a memory that carries.

Two decimal numbers come in as pairs of digits, the last digits first, as one adds on paper; out
come the digits of the sum. Which digit is right depends on whether there is something to carry, so
the network needs a memory. It is trained on numbers of 1 to 10 digits, packed without padding, and
examined on numbers of 40.

    python lstm_sequence.py                           # trains, saves, draws, adds in a new process
    python lstm_sequence.py --add lstm_sequence.npz   # only adds, with a network trained before

The exit status is 0 when all hundred sums are right to the last digit.
"""

import argparse
import subprocess
import sys
from pathlib import Path

import numpy as np

import autograd
import nn
import optim
from nn.utils.rnn import PackedSequence, pack_sequence

EXAMINED = 100
LONG = 40


def digits_of(number, length):
    """Return the decimal digits of a number, the last one first: shape (length,)."""
    return np.array([int(d) for d in reversed(str(number).zfill(length))])


def number_of(digits):
    return int("".join(str(d) for d in digits[::-1]))


def exercise(length, rng):
    """Return two numbers of `length` digits as pairs of digits, and their sum's digits.

    Shapes (length + 1, 2) and (length + 1,): a pair of zeros at the end leaves room for the carry.
    """
    pairs = rng.integers(0, 10, (length + 1, 2))
    pairs[-1] = 0
    a, b = (number_of(pairs[:, k]) for k in range(2))
    return pairs, digits_of(a + b, length + 1)


class Adder(nn.Module):
    """Both digits as one-hot vectors, an LSTM, and a score for each digit of the sum."""

    def __init__(self, hidden_size=32):
        super().__init__()
        self.memory = nn.LSTM(20, hidden_size)
        self.scores = nn.Linear(hidden_size, 10)

    def forward(self, pairs):
        """Return scores (rows, 10) for packed pairs of digits (rows, 2)."""
        one_hot = nn.functional.one_hot(pairs.data, 10).reshape(-1, 20).astype(np.float32)
        states, _ = self.memory(pairs._replace(data=one_hot))
        return self.scores(states.data)


def train(model, steps, batch_size=64, report=print):
    """Train on numbers of 1 to 10 digits; return a list of (step, loss, part of right digits)."""
    rng = autograd.new_generator(0)
    optimizer = optim.Adam(model.parameters(), lr=0.02)
    schedule = optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    history, recent = [], []
    for step in range(1, steps + 1):
        exercises = [exercise(length, rng) for length in rng.integers(1, 11, batch_size)]
        pairs, sums = (pack_sequence(x, enforce_sorted=False) for x in zip(*exercises, strict=True))
        scores = model(pairs)
        loss = nn.functional.cross_entropy(scores, sums.data)
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        recent.append((loss.item(), (np.argmax(scores, axis=1) == sums.data).mean()))
        if step % 50 == 0 or step == steps:
            history.append((step, *np.mean(recent, axis=0)))
            recent = []
            report(f"step {step:4}/{steps}  loss {history[-1][1]:.4f}  right {history[-1][2]:.1%}")
    return history


def add(model, pairs):
    """Return the digits of the sum, for pairs (length, 2) of one exercise."""
    with autograd.no_grad():
        return np.argmax(model(PackedSequence(pairs, np.ones(len(pairs), int))), axis=1)


def examine(model):
    """Add a hundred pairs of long numbers; return how many sums are right to the last digit."""
    rng = np.random.default_rng(1)
    right = 0
    for k in range(EXAMINED):
        pairs, _ = exercise(LONG, rng)
        a, b = (number_of(pairs[:, i]) for i in range(2))
        found = number_of(add(model, pairs))
        right += found == a + b
        if k == 0:
            print(f"  {a:>{LONG + 1}}\n+ {b:>{LONG + 1}}\n= {found:>{LONG + 1}}")
    print(f"right: {right} of {EXAMINED} sums of numbers with {LONG} digits")
    return right


def carries_of(pairs):
    """Return what is carried into each place, 0 or 1."""
    carried, found = 0, []
    for a, b in pairs:
        found.append(carried)
        carried = int(a + b + carried >= 10)
    return np.array(found)


def follow(model, pairs):
    """Return the memory (length, hidden_size) after each pair of one exercise."""
    state, memories = None, []
    for row in nn.functional.one_hot(pairs, 10).reshape(len(pairs), 1, 20).astype(np.float32):
        with autograd.no_grad():
            _, state = model.memory(row[np.newaxis], state)
        memories.append(state[1].data[0, 0])
    return np.array(memories)


def draw(model, history, path):
    from matplotlib.figure import Figure

    pairs, _ = exercise(LONG, np.random.default_rng(2))
    carries, memory = carries_of(pairs)[1:], follow(model, pairs)[:-1]
    likeness = [np.corrcoef(carries, memory[:, k])[0, 1] for k in range(memory.shape[1])]
    unit = int(np.argmax(np.abs(likeness)))
    steps, losses, _ = zip(*history, strict=True)
    sign = "-" if likeness[unit] < 0 else ""
    upper, lower = Figure(figsize=(8, 5), layout="constrained").subplots(2)
    upper.semilogy(steps, losses)
    upper.set(xlabel="step", ylabel="loss")
    lower.step(range(LONG), carries, where="mid", color="0.7", linewidth=4, label="carry")
    lower.plot(np.sign(likeness[unit]) * memory[:, unit], label=f"{sign}memory, unit {unit}")
    lower.set(xlabel="digit, the last one first")
    lower.legend(loc="upper left", bbox_to_anchor=(1, 1))
    upper.figure.savefig(path, dpi=120)


def main(arguments=None):
    parser = argparse.ArgumentParser(description="Teach an LSTM to add.")
    parser.add_argument("--steps", type=int, default=400)
    parser.add_argument("--output", type=Path, default=Path(), help="folder to write into")
    parser.add_argument("--add", type=Path, metavar="FILE", help="load FILE, do not train")
    options = parser.parse_args(arguments)

    autograd.manual_seed(0)
    model = Adder()
    if options.add:
        model.load_state_dict(nn.load(options.add))
        return 0 if examine(model) == EXAMINED else 1

    history = train(model, options.steps)
    path = options.output / "lstm_sequence.npz"
    nn.save(path, model.state_dict())
    print(f"saved {path}")
    try:
        draw(model, history, options.output / "lstm_sequence.png")
        print(f"drew {options.output / 'lstm_sequence.png'}")
    except ImportError:
        print("no figure: run pip install 'gradloom[plot]'")
    print("adding in a new process:", flush=True)
    return subprocess.run([sys.executable, __file__, "--add", path], check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
