"""The course's autoencoder: residual blocks and one-headed attention at four resolutions, latent 128 × 4 × 4; 1,425,985 parameters with
one channel (crates/nn/src/vae.rs)."""

import torch.nn.functional as F
from torch import nn

S, BETA = 1.0, 10.0


class Residual(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.norm = nn.GroupNorm(1, channels)
        self.conv_in = nn.Conv2d(channels, channels, 3, padding=1)
        self.conv_out = nn.Conv2d(channels, channels, 1)

    def forward(self, x):
        return x + self.conv_out(F.silu(self.conv_in(self.norm(x))))


class Attention(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.norm = nn.GroupNorm(1, channels)
        self.qkv = nn.Linear(channels, 3 * channels)
        self.proj = nn.Linear(channels, channels)

    def forward(self, x):
        tokens = self.norm(x).flatten(2).transpose(1, 2)
        q, k, v = self.qkv(tokens).unsqueeze(1).chunk(3, dim=-1)
        told = self.proj(F.scaled_dot_product_attention(q, k, v).squeeze(1))
        return x + told.transpose(1, 2).reshape(x.shape)


class Level(nn.Module):
    def __init__(self, channels, blocks, resample):
        super().__init__()
        self.blocks = nn.Sequential(*(Residual(channels) for _ in range(blocks)))
        self.attention = Attention(channels)
        self.resample = resample

    def forward(self, x):
        return self.attention(self.blocks(x))


class Vae(nn.Module):
    def __init__(self, image, channels=(16, 32, 64, 128), blocks=2):
        super().__init__()
        ch, self.image = list(channels), image
        conv = lambda c, n, stride: n and nn.Conv2d(c, n, 3, stride=stride, padding=1)
        self.stem = conv(image[0], ch[0], 1)
        self.down = nn.ModuleList(Level(c, blocks, conv(c, n, 2)) for c, n in zip(ch, ch[1:] + [None]))
        self.moments = nn.Conv2d(ch[-1], 2 * ch[-1], 1)
        self.latent = conv(ch[-1], ch[-1], 1)
        self.up = nn.ModuleList(Level(c, blocks, conv(c, n, 1)) for c, n in zip(ch[::-1], ch[-2::-1] + [None]))
        self.head = conv(ch[0], image[0], 1)
        self.code = [ch[-1], *(side >> (len(ch) - 1) for side in image[1:])]

    def encode(self, x):
        h = self.stem(x.view(-1, *self.image))
        for level in self.down:
            h = level(h)
            h = h if level.resample is None else level.resample(h)
        return self.moments(h).flatten(1).chunk(2, dim=1)

    def decode(self, z):
        h = self.latent(z.view(-1, *self.code))
        for level in self.up:
            h = level(h)
            h = h if level.resample is None else level.resample(F.interpolate(h, scale_factor=2.0, mode="nearest"))
        return self.head(h).flatten(1)

    def forward(self, x, t, y):
        return self.decode(self.encode(x)[0])

    def loss(self, x, noise):
        """‖x − x̂‖²/2s² + β KL, per image, up to a constant that is zero for s = 1."""
        mean, log_variance = self.encode(x)
        out = self.decode(mean + (0.5 * log_variance).exp() * noise).float()
        divergence = 0.5 * (log_variance.exp() - log_variance - 1 + mean.square()).sum()
        return ((x - out).square().sum() / (2 * S**2) + BETA * divergence) / x.shape[0]
