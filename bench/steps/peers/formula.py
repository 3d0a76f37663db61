"""Weights and inputs that both sides know: the same as `formula` in crates/train/examples/bench_step.rs."""

import math

import torch
from torch import nn

INPUT, TARGET, NOISE = 10_000, 10_001, 10_002


def formula(k, n, count):
    """u(i) = frac(43758.5453 |sin(12.9898 i + 78.233 k)|), spread over ±√(3/n)."""
    i = torch.arange(count, dtype=torch.float64)
    u = (43_758.545_3 * torch.sin(12.989_8 * i + 78.233 * k).abs()).frac()
    return (math.sqrt(3 / n) * (2 * u - 1)).float()


def tensors(net):
    """Every parameter and running statistic in the order of the fields, and whether fokker has it transposed."""
    for module in net.modules():
        for tensor in [*module.parameters(recurse=False), *module.buffers(recurse=False)]:
            if tensor.is_floating_point():
                yield tensor, isinstance(module, nn.Linear) and tensor.dim() == 2


@torch.no_grad()
def fill(net):
    for k, (tensor, transposed) in enumerate(tensors(net)):
        shape = list(tensor.shape)[:: -1 if transposed else 1]
        if len(shape) == 1:
            values = 0.5 + 0.1 * formula(k, 3, shape[0])
        else:
            inputs = shape[0] if len(shape) == 2 else math.prod(shape[1:])
            values = formula(k, inputs, math.prod(shape)).reshape(shape)
        tensor.copy_(values.T if transposed else values)


def batch(rows, dim, classes):
    """x, t, y and the target."""
    t = ((torch.arange(rows, dtype=torch.float64) + 0.5) / rows).float()
    y = torch.arange(rows) % (classes + 1) if classes else None
    x, target = (formula(k, 1, rows * dim).reshape(rows, dim) for k in (INPUT, TARGET))
    return x, t, y, target
