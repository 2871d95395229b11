"""Writes the pictures of the gallery: `python docs/gallery.py` runs all examples, in 80 s.

Each picture goes to `docs/images/examples/`, smaller and with 128 colours. Run it when an example
draws something else.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from PIL import Image  # comes with matplotlib

HERE = Path(__file__).resolve().parent
PICTURES = HERE / "images" / "examples"
WIDTH = 840


def run(folder: Path) -> None:
    """Run every example in a folder."""
    environment = {
        **os.environ,
        "PYTHONPATH": str(HERE.parent),
        "MPLBACKEND": "Agg",
        "OMP_NUM_THREADS": "1",
    }
    for example in sorted((HERE / "examples").glob("*.py")):
        print(example.name, flush=True)
        subprocess.run([sys.executable, example], cwd=folder, env=environment, check=True,
                       stdout=subprocess.DEVNULL)  # fmt: skip


def shrink(picture: Path) -> None:
    """Write a picture into the gallery."""
    with Image.open(picture) as image:
        size = (WIDTH, round(image.height * WIDTH / image.width))
        small = image.convert("RGB").resize(size) if image.width > WIDTH else image.convert("RGB")
        small.quantize(128).save(PICTURES / picture.name, optimize=True)


if __name__ == "__main__":
    PICTURES.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        run(Path(folder))
        for picture in sorted(Path(folder).glob("*.png")):
            shrink(picture)
