"""PyTorch on the work of `ring.toml`: the loop that everybody writes, and what is known to make it faster.

eager           Adam as it comes
eager-fused     Adam(fused=True): one kernel for all parameters
compiled        the loss under torch.compile, Adam(fused=True)
compiled-batch  the batch is made inside the compiled function, too; eager's normal generator is kept, which is the
                faster one (`fallback_random`)
"""

import argparse
import json
import math
import os
import time

parser = argparse.ArgumentParser()
parser.add_argument("--variant", required=True, choices=["eager", "eager-fused", "compiled", "compiled-batch"])
parser.add_argument("--threads", type=int, default=2)
parser.add_argument("--steps", type=int, default=500, help="steps of a window")
parser.add_argument("--windows", type=int, default=4, help="timed windows, after one that is not counted")
parser.add_argument("--batch", type=int, default=1000)
chosen = parser.parse_args()
os.environ["OMP_NUM_THREADS"] = os.environ["MKL_NUM_THREADS"] = str(chosen.threads)

import torch
import torch._inductor.config
from torch import nn

torch._inductor.config.fallback_random = True
torch.set_num_threads(chosen.threads)
torch.manual_seed(0)

widths = [3, 64, 64, 64, 64, 2]
parts = []
for k, n in zip(widths, widths[1:]):
    parts += [nn.Linear(k, n), nn.SiLU()]
net = nn.Sequential(*parts[:-1])
adam = torch.optim.Adam(net.parameters(), lr=1e-3, betas=(0.9, 0.999), eps=1e-8, fused=chosen.variant != "eager")
angles = 2 * math.pi * torch.arange(5) / 5
modes = 10 * torch.stack([angles.cos(), angles.sin()], dim=1)


def batch():
    z = modes[torch.randint(5, (chosen.batch,))] + torch.randn(chosen.batch, 2)
    return z, torch.randn(chosen.batch, 2), torch.rand(chosen.batch, 1)


def loss_of(z, eps, t):
    x = t * z + (1 - t) * eps
    return (net(torch.cat([x, t], dim=1)) - (z - eps)).square().mean()


def loss_of_a_batch():
    return loss_of(*batch())


if chosen.variant == "compiled":
    compiled = torch.compile(loss_of)
    loss = lambda: compiled(*batch())
elif chosen.variant == "compiled-batch":
    loss = torch.compile(loss_of_a_batch)
else:
    loss = loss_of_a_batch


def window():
    total = 0.0
    for _ in range(chosen.steps):
        value = loss()
        adam.zero_grad()
        value.backward()
        adam.step()
        total += value.item()  # fokker's loop checks and sums its loss, too
    return total / chosen.steps


start = time.perf_counter()
window()
first = time.perf_counter() - start
seconds, losses = [], []
for _ in range(chosen.windows):
    start = time.perf_counter()
    losses.append(window())
    seconds.append(time.perf_counter() - start)
line = {
    "peer": f"PyTorch {chosen.variant}",
    "version": torch.__version__,
    "steps": chosen.steps,
    "seconds": seconds,
    "first_seconds": first,
    "loss": losses[-1],
}
print(json.dumps(line), flush=True)
