"""Teach a network FizzBuzz: train, save, load in a new process, predict.

Fizz buzz is a counting game: say "fizz" instead of a multiple of 3, "buzz" instead of a multiple of
5, "fizzbuzz" instead of a multiple of 15, and otherwise the number. The network sees a number as 10
binary digits and names one of these four classes. It learns from 101 to 1023 and is examined on 1
to 100, none of which it has seen.

    python fizzbuzz.py                          # the fast recipe
    python fizzbuzz.py --recipe tutorial        # 5,000 epochs of plain gradient descent
    python fizzbuzz.py --predict fizzbuzz.npz   # only play, with a network trained before

The exit status is 0 when all hundred answers are right.
"""

import argparse
import subprocess
import sys
from pathlib import Path

import numpy as np

import autograd
import nn
import optim

CLASSES = ("number", "fizz", "buzz", "fizzbuzz")
TRAINING = np.arange(101, 1024)
EXAMINATION = np.arange(1, 101)


def binary_digits(numbers):
    """Return the 10 binary digits of each number, lowest first: shape (N,) to (N, 10)."""
    return (np.asarray(numbers)[:, np.newaxis] >> np.arange(10) & 1).astype(np.float32)


def class_of(numbers):
    """Return the right class of each number: shape (N,) to (N,), integers from 0 to 3."""
    return (numbers % 3 == 0) + 2 * (numbers % 5 == 0)


class FizzBuzz(nn.Module):
    """10 inputs, 50 hidden units with tanh, 4 outputs: one score per class.

    With `centred`, the digits 0 and 1 enter as -1 and 1, so that their mean is 0. The fast recipe
    does so, the tutorial's leaves them as they are.
    """

    def __init__(self, *, centred):
        super().__init__()
        self.register_buffer("centred", np.array(centred))
        self.hidden = nn.Linear(10, 50)
        self.output = nn.Linear(50, 4)

    def forward(self, digits):
        """Return the scores, shape (N, 4), of digits of shape (N, 10)."""
        if self.centred:
            digits = 2 * digits - 1
        return self.output(np.tanh(self.hidden(digits)))


def fast_recipe(epochs=None):
    """Return (model, data, loss, optimizer, schedule, epochs) that get everything right."""
    epochs = epochs or 500
    autograd.manual_seed(9)
    model = FizzBuzz(centred=True)
    optimizer = optim.AdamW(model.parameters(), lr=0.02, weight_decay=0.02)
    schedule = optim.lr_scheduler.CosineAnnealingLR(optimizer, epochs)
    samples = nn.ArrayDataset(binary_digits(TRAINING), class_of(TRAINING))
    data = nn.DataLoader(samples, batch_size=32, shuffle=True, generator=9)
    return model, data, nn.CrossEntropyLoss(), optimizer, schedule, epochs


def tutorial_recipe(epochs=None):
    """Return the same six for summed squared errors and plain gradient descent."""
    epochs = epochs or 5_000
    autograd.manual_seed(0)
    model = FizzBuzz(centred=False)
    one_hot = np.eye(len(CLASSES), dtype=np.float32)[class_of(TRAINING)]
    samples = nn.ArrayDataset(binary_digits(TRAINING), one_hot)
    data = nn.DataLoader(samples, batch_size=32, shuffle=True, generator=0)
    optimizer = optim.SGD(model.parameters(), lr=0.001)
    return model, data, nn.MSELoss(reduction="sum"), optimizer, None, epochs


RECIPES = {"fast": fast_recipe, "tutorial": tutorial_recipe}


def print_loss(state):
    """Print the loss of an epoch: a callback of `nn.fit`."""
    print(f"epoch {state.epoch}: loss {state.logs['loss']:.6g}", flush=True)


def train(recipe, *, epochs=None, print_losses=False):
    """Train by a recipe; return the model and the history, which holds one loss per epoch."""
    model, data, loss, optimizer, schedule, epochs = RECIPES[recipe](epochs)
    history = nn.fit(
        model,
        data,
        loss,
        optimizer,
        epochs,
        scheduler=schedule,
        callbacks=[print_loss] if print_losses else [],
        progress=not print_losses,
    )
    return model, history


def load(path):
    """Return the model that was saved in `path`."""
    state = nn.load(path)
    model = FizzBuzz(centred=False)
    model.load_state_dict(state)  # this restores the buffer `centred`, too
    return model


def play(model):
    """Print number, prediction and truth for 1 to 100; return how many are right."""
    with autograd.no_grad():
        scores = model(binary_digits(EXAMINATION))
    predicted, actual = np.argmax(scores, axis=1), class_of(EXAMINATION)
    print(f"{'number':>6}  {'predicted':<9}  actual")
    for number, guess, truth in zip(EXAMINATION, predicted, actual, strict=True):
        mark = "" if guess == truth else "  wrong"
        print(f"{number:>6}  {say(number, guess):<9}  {say(number, truth)}{mark}")
    right = int((predicted == actual).sum())
    print(f"accuracy: {right} of {len(EXAMINATION)}")
    return right


def say(number, category):
    """Return what a player says: the number itself, or the name of its class."""
    return str(number) if category == 0 else CLASSES[category]


def main(arguments=None):
    parser = argparse.ArgumentParser(description="Teach a network FizzBuzz.")
    parser.add_argument("--recipe", choices=RECIPES, default="fast")
    parser.add_argument("--epochs", type=int, help="default: 500 (fast) or 5000 (tutorial)")
    parser.add_argument("--print-loss", action="store_true", help="print the loss of every epoch")
    parser.add_argument("--output", type=Path, default=Path(), help="folder to write into")
    parser.add_argument("--predict", type=Path, metavar="FILE", help="load FILE, do not train")
    options = parser.parse_args(arguments)

    if options.predict:
        right = play(load(options.predict))
        return 0 if right == len(EXAMINATION) else 1

    model, history = train(options.recipe, epochs=options.epochs, print_losses=options.print_loss)
    path = options.output / "fizzbuzz.npz"
    nn.save(path, model.state_dict())
    print(f"loss: {history['loss'][0]:.4g} after epoch 1, {history['loss'][-1]:.4g} at the end")
    print(f"saved {path}")
    try:
        history.plot(options.output / "fizzbuzz_loss.png")
        print(f"drew {options.output / 'fizzbuzz_loss.png'}")
    except ImportError as error:  # matplotlib is optional
        print(error)

    print("loading it in a new process:", flush=True)
    return subprocess.run([sys.executable, __file__, "--predict", path], check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
