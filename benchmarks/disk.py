"""An epoch over a file larger than the memory it may take.

    python benchmarks/disk.py            # 4 GiB in the folder for temporary files
    python benchmarks/disk.py --smoke    # 64 MiB

Rows of 16 KiB are read in batches of 64: in the order of the file, in blocks (`BlockSampler`) and
in random order. Peak memory is what the process takes above what it took before the epoch (Linux);
times are over that of the order of the file. The file was just written, so much of it is in the
system's cache: a cold disk makes random orders slower than they are here.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

import _timing
import numpy as np

COLUMNS = 4096
EPOCH = """
import json, sys, time
sys.path.insert(0, sys.argv[3])
import numpy as np
import nn
data = nn.NpyDataset(sys.argv[1])
sampler = {"file": nn.SequentialSampler, "blocks": lambda d: nn.BlockSampler(d, 256, generator=0),
           "random": lambda d: nn.RandomSampler(d, generator=0)}[sys.argv[2]](data)
status = lambda: open("/proc/self/status").read()
peak = lambda: int(status().split("VmHWM:")[1].split()[0]) / 1024
before, begin, total = peak(), time.perf_counter(), 0.0
for (x,) in nn.DataLoader(data, 64, sampler=sampler, num_workers=2):
    total += float(x[:, 0].sum(dtype=np.float64))
assert total == len(data) * (len(data) - 1) / 2, total
print(json.dumps({"seconds": time.perf_counter() - begin, "MiB": peak() - before}))
"""


def main():
    chosen = _timing.arguments(__doc__.partition("\n")[0])
    rows = 4096 if chosen.smoke else 4096 * 64
    results = {}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "x.npy"
        file = np.lib.format.open_memmap(path, "w+", np.float32, (rows, COLUMNS))
        for first in range(0, rows, 4096):
            file[first : first + 4096] = np.arange(first, first + 4096)[:, np.newaxis]
            file.flush()
        del file
        for order in ("file", "blocks", "random"):
            run = subprocess.run(
                [sys.executable, "-c", EPOCH, path, order, str(Path(__file__).parents[1])],
                capture_output=True, text=True, check=True,
            )  # fmt: skip
            results[order] = json.loads(run.stdout)
    print(f"an epoch over {rows * COLUMNS * 4 / 2**30:.2f} GiB in batches of 1 MiB")
    for order, row in results.items():
        share = row["seconds"] / results["file"]["seconds"]
        print(f"{order:>8}: {share:5.2f} of the time in order, peak memory {row['MiB']:.0f} MiB")
    _timing.emit("disk", results, _timing.header(), chosen.json)


if __name__ == "__main__":
    main()
