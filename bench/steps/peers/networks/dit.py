"""Diffusion transformers (Peebles and Xie, 2023): the original form and the course's (crates/nn/src/dit.rs)."""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import nn

from .fourier import FourierTime

EPSILON = 1e-6


@dataclass
class Form:
    patch: int
    width: int
    depth: int
    heads: int
    course: bool


ORIGINAL = Form(patch=2, width=384, depth=6, heads=6, course=False)
COURSE = Form(patch=4, width=256, depth=8, heads=8, course=True)


class TimestepEmbedder(nn.Module):
    def __init__(self, width, features=256):
        super().__init__()
        self.fc1 = nn.Linear(features, width)
        self.fc2 = nn.Linear(width, width)
        half = features // 2
        self.frequencies = 1000 * 10_000 ** (-torch.arange(half) / half)

    def forward(self, t):
        angle = t[:, None] * self.frequencies
        return self.fc2(F.silu(self.fc1(torch.cat([angle.cos(), angle.sin()], dim=1))))


def sin_cos(width, side):
    omega = 10_000 ** (-torch.arange(width // 4, dtype=torch.float64) / (width // 4))
    place = torch.arange(side, dtype=torch.float64)
    row, column = torch.meshgrid(place, place, indexing="ij")
    parts = [f(p.reshape(-1, 1) * omega) for p in (column, row) for f in (torch.sin, torch.cos)]
    return torch.cat(parts, dim=1).float()


class LearnedPositions(nn.Module):
    def __init__(self, tokens, width):
        super().__init__()
        self.table = nn.Parameter(torch.randn(tokens, width))


class FeedForward(nn.Module):
    def __init__(self, width, hidden, output, course):
        super().__init__()
        self.fc1 = nn.Linear(width, hidden)
        self.fc2 = nn.Linear(hidden, output)
        self.activation = nn.SiLU() if course else nn.GELU(approximate="tanh")

    def forward(self, x):
        return self.fc2(self.activation(self.fc1(x)))


class Attention(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(width, 3 * width)
        self.proj = nn.Linear(width, width)

    def forward(self, x):
        b, n, width = x.shape
        q, k, v = self.qkv(x).view(b, n, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        x = F.scaled_dot_product_attention(q, k, v)
        return self.proj(x.transpose(1, 2).reshape(b, n, width))


def plain_norm(x, course):
    norm = F.rms_norm if course else F.layer_norm
    return norm(x, x.shape[-1:], eps=EPSILON)


def modulated(x, scale, shift, course):
    return torch.addcmul(shift[:, None], plain_norm(x, course), 1 + scale[:, None])


class Block(nn.Module):
    def __init__(self, form):
        super().__init__()
        self.course = form.course
        self.attn = Attention(form.width, form.heads)
        self.mlp = FeedForward(form.width, 4 * form.width, form.width, form.course)
        self.modulation = nn.Linear(form.width, 6 * form.width)

    def forward(self, x, c):
        b1, s1, g1, b2, s2, g2 = self.modulation(c).chunk(6, dim=1)
        x = torch.addcmul(x, g1[:, None], self.attn(modulated(x, s1, b1, self.course)))
        return torch.addcmul(x, g2[:, None], self.mlp(modulated(x, s2, b2, self.course)))


class AdaLnHead(nn.Module):
    def __init__(self, width, pixels):
        super().__init__()
        self.modulation = nn.Linear(width, 2 * width)
        self.linear = nn.Linear(width, pixels)

    def forward(self, x, c):
        shift, scale = self.modulation(c).chunk(2, dim=1)
        return self.linear(modulated(x, scale, shift, False))


class FoldHead(nn.Module):
    MAPS = 10

    def __init__(self, width, patch, channels):
        super().__init__()
        self.mlp = FeedForward(width, 4 * width, self.MAPS * patch * patch, True)
        self.conv = nn.Conv2d(self.MAPS, channels, 3, padding=1)


class DiT(nn.Module):
    def __init__(self, form, image, classes):
        super().__init__()
        channels, side, _ = image
        self.form, self.image, self.side = form, image, side // form.patch
        self.patches = nn.Linear(channels * form.patch**2, form.width)
        self.time = FourierTime(form.width) if form.course else TimestepEmbedder(form.width)
        self.classes = nn.Embedding(classes + 1, form.width)
        self.positions = LearnedPositions(self.side**2, form.width) if form.course else None
        self.fixed = sin_cos(form.width, self.side)
        self.blocks = nn.ModuleList(Block(form) for _ in range(form.depth))
        head = lambda: AdaLnHead(form.width, channels * form.patch**2)
        self.head = FoldHead(form.width, form.patch, channels) if form.course else head()

    def forward(self, x, t, y):
        (channels, side, _), p, n = self.image, self.form.patch, self.side
        c = self.time(t) + self.classes(y)
        c = plain_norm(c, True) if self.form.course else F.silu(c)
        x = x.view(-1, channels, n, p, n, p).permute(0, 2, 4, 1, 3, 5).reshape(-1, n * n, channels * p * p)
        x = self.patches(x) + (self.positions.table if self.form.course else self.fixed)
        for block in self.blocks:
            x = block(x, c)
        if not self.form.course:
            x = self.head(x, c).view(-1, n, n, p, p, channels)
            return x.permute(0, 5, 1, 3, 2, 4).reshape(-1, channels * side * side)
        x = self.head.mlp(plain_norm(x, True)).view(-1, n, n, FoldHead.MAPS, p, p)
        x = x.permute(0, 3, 1, 4, 2, 5).reshape(-1, FoldHead.MAPS, side, side)
        return self.head.conv(x).flatten(1)
