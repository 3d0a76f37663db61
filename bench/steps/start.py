"""From the start of a process to its samples: `fokker sample` beside a PyTorch script with the same weights, timed from outside."""

import os
import statistics
import sys
import time
from pathlib import Path

from driver import child, progress

HERE = Path(__file__).resolve().parent
RECIPE = HERE.parent / "train" / "ring.toml"
COUNT, STEPS = 16, 50
LIMIT_SECONDS = 300


def measure(fokker, folder, arguments, failures):
    """A row per program: median seconds of a process that takes one step, and of one that takes fifty."""
    run, state = folder / "ring", folder / "ring.pt"
    progress("start: training")
    child([fokker, "train", RECIPE, "--out", run, "--set", f"train.steps={20 if arguments.quick else 400}"], os.environ, LIMIT_SECONDS)
    script = HERE / "peers" / "torch_start.py"
    version = child([sys.executable, script, "--make", run, "--state", state], os.environ, LIMIT_SECONDS).strip()
    environment = os.environ | {"OMP_NUM_THREADS": str(arguments.threads), "RAYON_NUM_THREADS": str(arguments.threads)}
    own = [fokker, "sample", run, "--sampler", "euler", "--count", COUNT, "--out", folder / "points.npy", "--steps"]
    peer = [sys.executable, script, "--state", state, "--count", COUNT, "--out", folder / "peer.npy", "--steps"]
    seconds = {}
    for turn in range(3 if arguments.quick else 15):
        progress(f"start: round {turn + 1}")
        for name, command in (("fokker", own), ("PyTorch", peer)):
            for steps in (1, STEPS):
                begun = time.perf_counter()
                child([*command, steps], environment, LIMIT_SECONDS)
                seconds.setdefault((name, steps), []).append(time.perf_counter() - begun)
    ratio = [theirs / ours for ours, theirs in zip(seconds["fokker", STEPS], seconds["PyTorch", STEPS])]
    row = lambda name, version, ratio: {
        "name": name,
        "version": version,
        "one": statistics.median(seconds[name, 1]),
        "fifty": statistics.median(seconds[name, STEPS]),
        "range": [min(seconds[name, STEPS]), max(seconds[name, STEPS])],
        "ratio": ratio,
    }
    own_version = child([fokker, "--version"], os.environ, LIMIT_SECONDS).split()[-1]
    return [row("fokker", own_version, None), row("PyTorch", version, statistics.median(ratio))]
