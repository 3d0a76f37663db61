"""PyTorch on the work of bench/sample: points by Euler steps with the perceptron of a fokker run, weights included.

eager      the loop that everybody writes, under inference_mode
compiled   one Euler step under torch.compile, with fixed shapes

All rows of a batch have one time, so its features are made once a step and expanded. The batch is the fastest of BATCHES
on this machine, found before the timing; the last batch of a run is padded so that shapes stay fixed.
"""

import argparse
import json
import os
import sys
import time
from pathlib import Path

parser = argparse.ArgumentParser()
parser.add_argument("--variant", required=True, choices=["eager", "compiled"])
parser.add_argument("--run", type=Path, required=True, help="fokker's run folder")
parser.add_argument("--count", type=int, required=True)
parser.add_argument("--steps", type=int, default=100)
parser.add_argument("--threads", type=int, default=2)
chosen = parser.parse_args()
os.environ["OMP_NUM_THREADS"] = os.environ["MKL_NUM_THREADS"] = str(chosen.threads)

import torch
from torch import nn

sys.path.insert(0, str(Path(__file__).resolve().parent.parent.parent / "common"))

import weights

torch.set_num_threads(chosen.threads)
torch.manual_seed(0)
BATCHES = [1024, 4096, 16384]
TRIED_STEPS = 10


tensors = weights.newest(chosen.run)
depth = sum(name.endswith(".weight") for name in tensors)
parts = []
for k in range(depth):
    weight = tensors[f"layers.{k}.weight"]  # [in, out]
    layer = nn.Linear(*weight.shape)
    layer.weight.data, layer.bias.data = weight.T.contiguous(), tensors[f"layers.{k}.bias"]
    parts += [layer, nn.SiLU()]
net = nn.Sequential(*parts[:-1]).requires_grad_(False)
features = tensors["layers.0.weight"].shape[0] - 2
omega = torch.logspace(0, 3, features // 2)


def time_features(t):
    if features == 1:
        return t.reshape(1, 1)
    return torch.cat([torch.cos(omega * t), torch.sin(omega * t)]).reshape(1, features)


def step(x, time, h):
    return x + h * net(torch.cat([x, time.expand(x.shape[0], -1)], dim=1))


def walk(step, x, steps):
    h = 1.0 / chosen.steps
    for k in range(steps):
        x = step(x, time_features(torch.tensor(k * h)), h)
    return x


def batch_of(step, longest):
    """The batch with the most steps of a point a second, and what the first call of each took."""
    best, first = (0.0, 0), 0.0
    for rows in [b for b in BATCHES if b <= longest]:
        x = torch.randn(rows, 2)
        start = time.perf_counter()
        walk(step, x, 1)
        first += time.perf_counter() - start
        speeds = []
        for _ in range(3):
            start = time.perf_counter()
            repeat = max(1, 16384 // rows)
            for _ in range(repeat):
                walk(step, x, TRIED_STEPS)
            speeds.append(repeat * rows / (time.perf_counter() - start))
        best = max(best, (max(speeds), rows))
    return best[1], first


with torch.inference_mode():
    if chosen.variant == "compiled":
        step = torch.compile(step, dynamic=False)
    rows, first = batch_of(step, max(chosen.count, BATCHES[0]))
    start = time.perf_counter()
    out = [walk(step, torch.randn(rows, 2), chosen.steps) for _ in range(-(-chosen.count // rows))]
    points = torch.cat(out)[: chosen.count]
    seconds = time.perf_counter() - start
    radii = points.double().square().sum(dim=1).sqrt()
line = {
    "peer": f"PyTorch {chosen.variant}",
    "version": torch.__version__,
    # The padded rows are work, too: the time of a point is that of the rows that were made.
    "rate": len(out) * rows / seconds,
    "seconds": seconds,
    "batch": rows,
    "first_seconds": first,
    "radius": [radii.mean().item(), radii.std().item()],
}
print(json.dumps(line), flush=True)
