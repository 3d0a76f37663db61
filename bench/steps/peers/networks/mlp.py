"""The perceptron 3 → 4 × hidden → 2 with SiLU on (x, t)."""

import torch
from torch import nn


class Mlp(nn.Module):
    def __init__(self, hidden):
        super().__init__()
        widths = [3] + [hidden] * 4 + [2]
        parts = []
        for k, n in zip(widths, widths[1:]):
            parts += [nn.Linear(k, n), nn.SiLU()]
        self.layers = nn.Sequential(*parts[:-1])

    def forward(self, x, t, y):
        return self.layers(torch.cat([x, t[:, None]], dim=1))
