"""PyTorch under `torch.compile`: several steps per compiled call, so that Inductor can fuse them, on blocks that stay in cache.

`fallback_random` keeps eager's vectorised normal generator; Inductor's own CPU generator is several times slower.
Needs a C++ compiler.
"""

from harness import LORENZ_H, LORENZ_STEPS, OU_H, OU_SIGMA, OU_STEPS, THETA, BETA, RHO, SIGMA
from harness import Case, measure, options

chosen = options("ab")

import math

import torch
import torch._inductor.config

import tsit5
from torch_loop import lorenz_start

BLOCK = {"a": 65536, "b": 65536}
UNROLL = {"a": 4, "b": 10}


def lorenz_steps(x, y, z):
    def field(state):
        x, y, z = state
        return SIGMA * (y - x), x * (RHO - z) - y, x * y - BETA * z

    def add(state, stage, weight):
        return tuple(c + weight * k for c, k in zip(state, stage))

    for _ in range(UNROLL["a"]):
        x, y, z = tsit5.step(field, add, (x, y, z), LORENZ_H)
    return x, y, z


def ou_steps(x):
    for _ in range(UNROLL["b"]):
        x = x - THETA * x * OU_H + OU_SIGMA * math.sqrt(OU_H) * torch.randn_like(x)
    return x


def lorenz(compiled, blocks):
    ends = []
    for state in blocks:
        for _ in range(LORENZ_STEPS // UNROLL["a"]):
            state = compiled(*state)
        ends.append(state[2])
    return torch.cat(ends)


def ornstein_uhlenbeck(compiled, blocks):
    ends = []
    for _ in range(blocks):
        x = torch.zeros(BLOCK["b"])
        for _ in range(OU_STEPS // UNROLL["b"]):
            x = compiled(x)
        ends.append(x)
    return torch.cat(ends)


torch.set_num_threads(chosen.threads)
torch.set_grad_enabled(False)
torch.manual_seed(0)
torch._inductor.config.fallback_random = True

blocks = max(1, chosen.count // BLOCK[chosen.work])  # whole blocks only: another shape would compile again
count = blocks * BLOCK[chosen.work]
if chosen.work == "a":
    starts = [block.contiguous().unbind() for block in lorenz_start(count).split(BLOCK["a"], dim=1)]
    compiled = torch.compile(lorenz_steps, dynamic=False)
    steps, run, check = LORENZ_STEPS, lambda: lorenz(compiled, starts), lambda z: z.double().mean()
else:
    compiled = torch.compile(ou_steps, dynamic=False)
    steps, run, check = OU_STEPS, lambda: ornstein_uhlenbeck(compiled, blocks), lambda x: x.double().var()
measure(chosen, [Case("PyTorch compiled", torch.__version__, "f32", count, steps, run, check)])
