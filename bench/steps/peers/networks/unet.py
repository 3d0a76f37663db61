"""fokker's U-Net: group normalisation, scale and shift by time and class, added skips, nearest up-sampling (crates/nn/src/unet.rs)."""

import torch
import torch.nn.functional as F
from torch import nn

GROUPS = 8


def time_features(t, count):
    omega = torch.logspace(0, 3, count // 2, device=t.device)
    angle = t[:, None] * omega
    return torch.cat([angle.cos(), angle.sin()], dim=1)


def norm(channels):
    return nn.GroupNorm(min(GROUPS, channels // 4), channels)


class ResBlock(nn.Module):
    def __init__(self, channels, embedding):
        super().__init__()
        self.norm_in = norm(channels)
        self.conv_in = nn.Conv2d(channels, channels, 3, padding=1)
        self.modulation = nn.Linear(embedding, 2 * channels)
        self.norm_out = norm(channels)
        self.conv_out = nn.Conv2d(channels, channels, 3, padding=1)

    def forward(self, x, e):
        h = self.conv_in(F.silu(self.norm_in(x)))
        scale, shift = self.modulation(e)[:, :, None, None].chunk(2, dim=1)
        return x + self.conv_out(F.silu(torch.addcmul(shift, self.norm_out(h), 1 + scale)))


class Level(nn.Module):
    def __init__(self, channels, blocks, embedding, resample):
        super().__init__()
        self.blocks = nn.ModuleList(ResBlock(channels, embedding) for _ in range(blocks))
        self.resample = resample


class UNet(nn.Module):
    def __init__(self, channels, image, classes, blocks=2, embedding=128):
        super().__init__()
        self.image = image
        self.time_in = nn.Linear(embedding, embedding)
        self.time_out = nn.Linear(embedding, embedding)
        self.classes = nn.Embedding(classes + 1, embedding)
        self.stem = nn.Conv2d(image[0], channels[0], 3, padding=1)
        finer = [None] + channels[:-1]
        coarser = channels[1:] + [None]
        level = lambda c, resample: Level(c, blocks, embedding, resample)
        self.down = nn.ModuleList(
            level(c, n and nn.Conv2d(c, n, 3, stride=2, padding=1)) for c, n in zip(channels, coarser)
        )
        self.middle = ResBlock(channels[-1], embedding)
        self.up = nn.ModuleList(
            level(c, n and nn.Conv2d(c, n, 3, padding=1)) for c, n in zip(channels[::-1], finer[::-1])
        )
        self.norm = norm(channels[0])
        self.head = nn.Conv2d(channels[0], image[0], 3, padding=1)

    def forward(self, x, t, y):
        e = time_features(t, self.time_in.in_features)
        e = F.silu(self.time_out(F.silu(self.time_in(e))) + self.classes(y))
        h = self.stem(x.view(-1, *self.image))
        skips = []
        for level in self.down:
            for block in level.blocks:
                h = block(h, e)
            skips.append(h)
            if level.resample is not None:
                h = level.resample(h)
        h = self.middle(h, e)
        for level in self.up:
            h = h + skips.pop()
            for block in level.blocks:
                h = block(h, e)
            if level.resample is not None:
                h = level.resample(F.interpolate(h, scale_factor=2.0, mode="nearest"))
        return self.head(F.silu(self.norm(h))).flatten(1)
