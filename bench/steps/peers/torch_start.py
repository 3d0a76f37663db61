"""PyTorch's side of the work `start`: a script that loads a state dict and samples points of the plane by Euler steps.

`--make RUN` writes the state dict of a fokker run first and prints PyTorch's version.
"""

import argparse
import sys
from pathlib import Path

import numpy
import torch
from torch import nn

parser = argparse.ArgumentParser()
parser.add_argument("--make", type=Path)
parser.add_argument("--state", type=Path, required=True)
parser.add_argument("--count", type=int, default=16)
parser.add_argument("--steps", type=int, default=50)
parser.add_argument("--out", type=Path)
chosen = parser.parse_args()

widths = [3, 64, 64, 64, 64, 2]
parts = []
for k, n in zip(widths, widths[1:]):
    parts += [nn.Linear(k, n), nn.SiLU()]
net = nn.Sequential(*parts[:-1])

if chosen.make:
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent.parent / "common"))
    import weights

    found = weights.newest(chosen.make)
    for k, layer in enumerate(net[::2]):
        layer.weight.data = found[f"layers.{k}.weight"].T.contiguous()
        layer.bias.data = found[f"layers.{k}.bias"]
    torch.save(net.state_dict(), chosen.state)
    print(torch.__version__)
    sys.exit()

net.load_state_dict(torch.load(chosen.state))
with torch.inference_mode():
    x, h = torch.randn(chosen.count, 2), 1 / chosen.steps
    for k in range(chosen.steps):
        t = torch.full([chosen.count, 1], k * h)
        x = x + h * net(torch.cat([x, t], dim=1))
numpy.save(chosen.out, x.numpy())
