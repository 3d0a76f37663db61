"""The course's U-Net: batch normalisation after SiLU, time and class added by small perceptrons, skips added after down-sampling,
bilinear up-sampling; 1,233,325 parameters with one channel and ten classes."""

import torch.nn.functional as F
from torch import nn

from .fourier import FourierTime


class Adapter(nn.Module):
    def __init__(self, embedding, channels):
        super().__init__()
        self.fc1 = nn.Linear(embedding, embedding)
        self.fc2 = nn.Linear(embedding, channels)

    def forward(self, e):
        return self.fc2(F.silu(self.fc1(e)))


class Residual(nn.Module):
    def __init__(self, channels, embedding):
        super().__init__()
        self.norm_in = nn.BatchNorm2d(channels)
        self.conv_in = nn.Conv2d(channels, channels, 3, padding=1)
        self.time = Adapter(embedding, channels)
        self.classes = Adapter(embedding, channels)
        self.norm_out = nn.BatchNorm2d(channels)
        self.conv_out = nn.Conv2d(channels, channels, 3, padding=1)

    def forward(self, x, time, classes):
        h = self.conv_in(self.norm_in(F.silu(x)))
        h = h + (self.time(time) + self.classes(classes))[:, :, None, None]
        return x + self.conv_out(self.norm_out(F.silu(h)))


class Down(nn.Module):
    def __init__(self, fine, coarse, blocks, embedding):
        super().__init__()
        self.blocks = nn.ModuleList(Residual(fine, embedding) for _ in range(blocks))
        self.resample = nn.Conv2d(fine, coarse, 3, stride=2, padding=1)


class Up(nn.Module):
    def __init__(self, fine, coarse, blocks, embedding):
        super().__init__()
        self.blocks = nn.ModuleList(Residual(fine, embedding) for _ in range(blocks))
        self.resample = nn.Conv2d(coarse, fine, 3, padding=1)


class CourseUNet(nn.Module):
    def __init__(self, image, classes, channels=(32, 64, 128), blocks=2, embedding=40):
        super().__init__()
        self.image = image
        self.stem = nn.Conv2d(image[0], channels[0], 3, padding=1)
        self.stem_norm = nn.BatchNorm2d(channels[0])
        self.time = FourierTime(embedding)
        self.classes = nn.Embedding(classes + 1, embedding)
        pairs = list(zip(channels, channels[1:]))
        self.down = nn.ModuleList(Down(fine, coarse, blocks, embedding) for fine, coarse in pairs)
        self.middle = nn.ModuleList(Residual(channels[-1], embedding) for _ in range(blocks))
        self.up = nn.ModuleList(Up(fine, coarse, blocks, embedding) for fine, coarse in pairs[::-1])
        self.head = nn.Conv2d(channels[0], image[0], 3, padding=1)

    def forward(self, x, t, y):
        told = self.time(t), self.classes(y)
        h = F.silu(self.stem_norm(self.stem(x.view(-1, *self.image))))
        skips = []
        for stage in self.down:
            for block in stage.blocks:
                h = block(h, *told)
            h = stage.resample(h)
            skips.append(h)
        for block in self.middle:
            h = block(h, *told)
        for stage in self.up:
            h = F.interpolate(h + skips.pop(), scale_factor=2.0, mode="bilinear", align_corners=False)
            h = stage.resample(h)
            for block in stage.blocks:
                h = block(h, *told)
        return self.head(h).flatten(1)
