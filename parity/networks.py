"""Forward passes and input gradients of the networks of `crates/nn`, built of PyTorch's own modules in f64.

Weights are a formula of (tensor, value), tensors numbered in the order of the fields of our networks, so that the fixture holds
outputs only. Run: python parity/networks.py, with torch; it writes crates/nn/tests/fixtures/networks.json.
"""

import json
import math
from pathlib import Path

import torch
from torch import nn
from torch.nn import functional as F

OUT = Path(__file__).parent.parent / "crates/nn/tests/fixtures/networks.json"
torch.set_default_dtype(torch.float64)


class Weights:
    """Our tensors one after the other, rounded to f32 as ours are."""

    def __init__(self):
        self.k = 0

    def take(self, *shape, middle=0.0):
        count = math.prod(shape)
        fan = {1: None, 2: shape[0]}.get(len(shape), count // shape[0])
        amplitude = 0.1 if fan is None else 0.8 / math.sqrt(fan)
        values = [middle + amplitude * math.sin(1.0 + 2.399963 * i + 0.7 * self.k) for i in range(count)]
        self.k += 1
        return torch.tensor(values).float().double().reshape(shape)

    def linear(self, inputs, outputs):
        m = nn.Linear(inputs, outputs)
        m.weight.data = self.take(inputs, outputs).T.contiguous()
        m.bias.data = self.take(outputs)
        return m

    def conv(self, inputs, outputs, k, stride=1, bias=True):
        m = nn.Conv2d(inputs, outputs, k, stride, k // 2, bias=bias)
        m.weight.data = self.take(outputs, inputs, k, k)
        if bias:
            m.bias.data = self.take(outputs)
        return m

    def embedding(self, count, size):
        return nn.Embedding.from_pretrained(self.take(count, size))

    def batch_norm(self, c):
        m = nn.BatchNorm2d(c)
        m.weight.data, m.bias.data = self.take(c, middle=1.0), self.take(c)
        m.running_mean.data, m.running_var.data = self.take(c), self.take(c, middle=1.0)
        return m

    def group_norm(self, c):
        m = nn.GroupNorm(1, c)
        m.weight.data, m.bias.data = self.take(c, middle=1.0), self.take(c)
        return m


def inputs(rows, dim):
    x = torch.tensor([math.sin(0.3 + 1.7 * i) for i in range(rows * dim)]).float().double()
    t = torch.tensor([0.2 + 0.5 * i / rows for i in range(rows)]).float().double()
    return x.reshape(rows, dim), t, torch.tensor([i % 3 for i in range(rows)])


def against(y):
    """The inner product with a fixed cotangent."""
    return (y.flatten() * torch.tensor([math.cos(0.1 + j) for j in range(y.numel())]).float().double()).sum()


def attention(x, qkv, proj, heads):
    b, n, d = x.shape
    q, k, v = qkv(x).reshape(b, n, 3, heads, d // heads).permute(2, 0, 3, 1, 4)
    return proj(F.scaled_dot_product_attention(q, k, v).transpose(1, 2).reshape(b, n, d))


def sin_cos(width, rows, columns):
    def line(places):
        omega = 1.0 / 10000 ** (torch.arange(width // 4) / (width / 4))
        angle = places[:, None] * omega[None]
        return torch.cat([angle.sin(), angle.cos()], 1)

    r, c = torch.meshgrid(torch.arange(rows), torch.arange(columns), indexing="ij")
    return torch.cat([line(c.flatten()), line(r.flatten())], 1)


def patches(x, p):
    b, c, h, w = x.shape
    return F.unfold(x, p, stride=p).transpose(1, 2)


class Block:
    def __init__(self, w, d, heads, norm, act):
        self.qkv, self.proj = w.linear(d, 3 * d), w.linear(d, d)
        self.fc1, self.fc2 = w.linear(d, 4 * d), w.linear(4 * d, d)
        self.modulation, self.heads, self.norm, self.act = w.linear(d, 6 * d), heads, norm, act

    def __call__(self, x, c):
        b1, s1, g1, b2, s2, g2 = self.modulation(c)[:, None].chunk(6, 2)
        x = x + g1 * attention(self.norm(x) * (1 + s1) + b1, self.qkv, self.proj, self.heads)
        h = self.fc2(self.act(self.fc1(self.norm(x) * (1 + s2) + b2)))
        return x + g2 * h


def dit(w, outputs=2, d=16, p=2, heads=2, depth=2):
    proj = w.linear(p * p, d)
    fc1, fc2 = w.linear(256, d), w.linear(d, d)
    table = w.embedding(4, d)
    norm = nn.LayerNorm(d, eps=1e-6, elementwise_affine=False)
    blocks = [Block(w, d, heads, norm, nn.GELU(approximate="tanh")) for _ in range(depth)]
    modulation, linear = w.linear(d, 2 * d), w.linear(d, p * p * outputs)

    def forward(x, t, y):
        rows = len(x)
        h = proj(patches(x.reshape(rows, 1, 8, 8), p)) + sin_cos(d, 4, 4)
        freq = torch.exp(-math.log(10000) * torch.arange(128) / 128)
        angle = 1000 * t[:, None] * freq[None]
        c = fc2(F.silu(fc1(torch.cat([angle.cos(), angle.sin()], 1)))) + table(y)
        for block in blocks:
            h = block(h, F.silu(c))
        shift, scale = modulation(F.silu(c))[:, None].chunk(2, 2)
        h = linear(norm(h) * (1 + scale) + shift).reshape(rows, 4, 4, p, p, outputs)
        return torch.einsum("nhwpqc->nchpwq", h).reshape(rows, -1)

    return forward


def fourier(t, omega):
    angle = 2 * math.pi * t[:, None] * omega[None]
    return math.sqrt(2) * torch.cat([angle.sin(), angle.cos()], 1)


def course_dit(w, d=16, p=2, heads=2, depth=2):
    proj, omega, table, positions = w.linear(p * p, d), w.take(d // 2), w.embedding(4, d), w.take(16, d)
    norm = nn.RMSNorm(d, eps=1e-6, elementwise_affine=False)
    blocks = [Block(w, d, heads, norm, F.silu) for _ in range(depth)]
    fc1, fc2, conv = w.linear(d, 4 * d), w.linear(4 * d, 10 * p * p), w.conv(10, 1, 3)

    def forward(x, t, y):
        rows = len(x)
        h = proj(patches(x.reshape(rows, 1, 8, 8), p)) + positions
        c = norm(fourier(t, omega) + table(y))
        for block in blocks:
            h = block(h, c)
        h = fc2(F.silu(fc1(norm(h))))
        return conv(F.fold(h.transpose(1, 2), 8, p, stride=p)).reshape(rows, -1)

    return forward


class Residual(nn.Module):
    def __init__(self, w, c, e):
        super().__init__()
        self.norm_in, self.conv_in = w.batch_norm(c), w.conv(c, c, 3)
        self.time = nn.Sequential(w.linear(e, e), nn.SiLU(), w.linear(e, c))
        self.label = nn.Sequential(w.linear(e, e), nn.SiLU(), w.linear(e, c))
        self.norm_out, self.conv_out = w.batch_norm(c), w.conv(c, c, 3)

    def forward(self, x, t, y):
        h = self.conv_in(self.norm_in(F.silu(x)))
        h = h + (self.time(t) + self.label(y))[:, :, None, None]
        return x + self.conv_out(self.norm_out(F.silu(h)))


class CourseUNet(nn.Module):
    def __init__(self, w, channels=(4, 6, 8), e=6):
        super().__init__()
        self.stem, self.stem_norm = w.conv(1, channels[0], 3), w.batch_norm(channels[0])
        self.omega, self.table = w.take(e // 2), w.embedding(4, e)
        pairs = list(zip(channels, channels[1:]))
        self.down = nn.ModuleList()
        for fine, coarse in pairs:
            self.down += [Residual(w, fine, e), w.conv(fine, coarse, 3, 2)]
        self.middle = Residual(w, channels[-1], e)
        self.up = nn.ModuleList()
        for fine, coarse in reversed(pairs):
            block = Residual(w, fine, e)
            self.up += [w.conv(coarse, fine, 3), block]
        self.head = w.conv(channels[0], 1, 3)

    def forward(self, x, t, y):
        rows = len(x)
        t, y = fourier(t, self.omega), self.table(y)
        h = F.silu(self.stem_norm(self.stem(x.reshape(rows, 1, 8, 8))))
        skips = []
        for block, conv in zip(self.down[::2], self.down[1::2]):
            h = conv(block(h, t, y))
            skips.append(h)
        h = self.middle(h, t, y)
        for conv, block in zip(self.up[::2], self.up[1::2]):
            h = F.interpolate(h + skips.pop(), scale_factor=2, mode="bilinear")
            h = block(conv(h), t, y)
        return self.head(h).reshape(rows, -1)


class Stage(nn.Module):
    def __init__(self, w, c, blocks=2):
        super().__init__()
        self.blocks = nn.ModuleList()
        for _ in range(blocks):
            self.blocks.append(nn.Sequential(w.group_norm(c), w.conv(c, c, 3), nn.SiLU(), w.conv(c, c, 1)))
        self.norm, self.qkv, self.proj = w.group_norm(c), w.linear(c, 3 * c), w.linear(c, c)

    def forward(self, x):
        for block in self.blocks:
            x = x + block(x)
        tokens = self.norm(x).flatten(2).transpose(1, 2)
        h = attention(tokens, self.qkv, self.proj, 1)
        return x + h.transpose(1, 2).reshape(x.shape)


class Vae(nn.Module):
    def __init__(self, w, channels=(4, 6, 8)):
        super().__init__()
        n = len(channels)
        self.stem = w.conv(1, channels[0], 3)
        self.down, self.up = nn.ModuleList(), nn.ModuleList()
        for i, c in enumerate(channels):
            self.down.append(Stage(w, c))
            self.down.append(w.conv(c, channels[i + 1], 3, 2) if i + 1 < n else nn.Identity())
        self.moments = w.conv(channels[-1], 2 * channels[-1], 1)
        self.latent = w.conv(channels[-1], channels[-1], 3)
        for i, c in reversed(list(enumerate(channels))):
            self.up.append(Stage(w, c))
            if i:
                self.up += [nn.Upsample(scale_factor=2), w.conv(c, channels[i - 1], 3)]
        self.head = w.conv(channels[0], 1, 3)

    def encode(self, x):
        h = self.stem(x.reshape(-1, 1, 8, 8))
        for m in self.down:
            h = m(h)
        return self.moments(h).flatten(1).chunk(2, 1)

    def decode(self, z):
        h = self.latent(z.reshape(len(z), -1, 2, 2))
        for m in self.up:
            h = m(h)
        return self.head(h).flatten(1)


def vae(w, rows=2, s=0.5, beta=10.0):
    """Posterior, decoded sample, loss of one draw and the loss's gradient at x."""
    net = Vae(w)
    x, _, _ = inputs(rows, 64)
    x.requires_grad_()
    mean, log_variance = net.encode(x)
    noise, _, _ = inputs(rows, mean.shape[1])
    z = mean + (0.5 * log_variance).exp() * noise
    decoded = net.decode(z)
    nll = -torch.distributions.Normal(decoded, s).log_prob(x).sum() - x.numel() / 2 * math.log(2 * math.pi)
    q = torch.distributions.Normal(mean, (0.5 * log_variance).exp())
    kl = torch.distributions.kl_divergence(q, torch.distributions.Normal(0.0, 1.0)).sum()
    loss = (nll + beta * kl) / rows
    (gradient,) = torch.autograd.grad(loss, x)
    found = {"mean": mean, "log_variance": log_variance, "decoded": decoded, "loss": loss, "gradient": gradient}
    return {k: v.flatten().tolist() for k, v in found.items()}


def passed(network, rows=2, dim=64):
    x, t, y = inputs(rows, dim)
    x.requires_grad_()
    out = network(x, t, y)
    (gradient,) = torch.autograd.grad(against(out), x)
    return {"output": out.flatten().tolist(), "gradient": gradient.flatten().tolist()}


def statistics(net):
    """The running statistics in the order of our fields."""
    norms = [m for m in net.modules() if isinstance(m, nn.BatchNorm2d)]
    return [v for m in norms for s in (m.running_mean, m.running_var) for v in s.tolist()]


def rounded(value):
    if isinstance(value, dict):
        return {k: rounded(v) for k, v in value.items()}
    return [float(f"{v:.9g}") for v in value]


def main():
    found = {"dit": passed(dit(Weights())), "course_dit": passed(course_dit(Weights()))}
    found["course_unet"] = passed(CourseUNet(Weights()).eval())
    net = CourseUNet(Weights()).train()
    found["course_unet_train"] = passed(net)
    found["course_unet_train"]["statistics"] = statistics(net)
    found["vae"] = vae(Weights())
    OUT.parent.mkdir(exist_ok=True)
    OUT.write_text(json.dumps(rounded(found), separators=(",", ":")) + "\n")
    print(f"{OUT}: {OUT.stat().st_size} bytes, torch {torch.__version__}")


if __name__ == "__main__":
    main()
