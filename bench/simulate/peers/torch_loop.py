"""Plain PyTorch: the loop over tensors that courses teach, all paths in one tensor, no gradients.

a: Tsit5 written out over a [3, N] tensor (contiguous coordinates, fused multiply-add by `torch.add(alpha=)`).
b: the course's Euler–Maruyama loop, `x + u·h + σ·√h·randn_like(x)`.
d: `normal_()` into a buffer that stays in cache, which is PyTorch's fastest way to make normals.
"""

from harness import LORENZ_H, LORENZ_STEPS, OU_H, OU_SIGMA, OU_STEPS, THETA, BETA, RHO, SIGMA
from harness import Case, measure, options, spread

if __name__ == "__main__":
    chosen = options("abd")

import torch

import tsit5

BUFFER = 65536


def field(state):
    x, y, z = state
    return torch.stack((SIGMA * (y - x), x * (RHO - z) - y, x * y - BETA * z))


def add(y, stage, weight):
    return torch.add(y, stage, alpha=weight)


def lorenz_start(count):
    state = torch.ones(3, count)
    state[0] += torch.from_numpy(spread(count)).float()
    return state


def lorenz(count):
    state = lorenz_start(count)
    for _ in range(LORENZ_STEPS):
        state = tsit5.step(field, add, state, LORENZ_H)
    return state


class OrnsteinUhlenbeck:
    def drift_coefficient(self, x, t):
        return -THETA * x

    def diffusion_coefficient(self, x, t):
        return OU_SIGMA


def ornstein_uhlenbeck(count):
    sde, x, h = OrnsteinUhlenbeck(), torch.zeros(count, 1), torch.tensor(OU_H)
    t = torch.tensor(0.0)
    for _ in range(OU_STEPS):
        x = x + sde.drift_coefficient(x, t) * h + sde.diffusion_coefficient(x, t) * torch.sqrt(h) * torch.randn_like(x)
        t = t + h
    return x


def normals(count, dtype):
    buffer = torch.empty(BUFFER, dtype=dtype)
    for _ in range(count // BUFFER):
        buffer.normal_()
    return buffer


def cases(work, count):
    version = torch.__version__
    if work == "a":
        yield Case("PyTorch loop", version, "f32", count, LORENZ_STEPS, lambda: lorenz(count), lambda s: s[2].double().mean())
    elif work == "b":
        run = lambda: ornstein_uhlenbeck(count)
        yield Case("PyTorch loop", version, "f32", count, OU_STEPS, run, lambda x: x.double().var())
    else:
        count = max(1, count // BUFFER) * BUFFER
        for name, dtype in (("f32", torch.float32), ("f64", torch.float64)):
            run = lambda dtype=dtype: normals(count, dtype)
            yield Case("PyTorch normal_", version, name, count, 1, run, lambda x: x.double().var())


if __name__ == "__main__":
    torch.set_num_threads(chosen.threads)
    torch.set_grad_enabled(False)
    torch.manual_seed(0)
    measure(chosen, cases(chosen.work, chosen.count))
