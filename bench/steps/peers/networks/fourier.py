"""The course's features of time: √2·(sin, cos)(2πωt) with learned ω."""

import math

import torch
from torch import nn


class FourierTime(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.omega = nn.Parameter(torch.randn(size // 2))

    def forward(self, t):
        angle = t[:, None] * (2 * math.pi * self.omega)
        return math.sqrt(2) * torch.cat([angle.sin(), angle.cos()], dim=1)
