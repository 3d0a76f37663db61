"""Forward passes, input gradients and weight gradients of the modern networks of `crates/nn`, made of the modules of diffusers
and PyTorch in f64.

Weights are the formula of networks.py, tensors numbered in the order of the fields of our networks. Of every weight's gradient g
the fixture holds its product with a fixed vector and its norm.
Run: python parity/modern.py, with torch and diffusers; it writes crates/nn/tests/fixtures/modern.json.
"""

import json
import math
from pathlib import Path

import diffusers
import torch
from diffusers import UNet2DModel
from diffusers.models.attention_processor import Attention
from diffusers.models.transformers.transformer_flux import FluxTransformerBlock
from torch import nn
from torch.nn import functional as F

from networks import Weights, against, inputs, patches, rounded

OUT = Path(__file__).parent.parent / "crates/nn/tests/fixtures/modern.json"


class Ours(Weights):
    """Puts our tensors into parameters that exist and remembers where they are."""

    def __init__(self):
        super().__init__()
        self.put = []

    def into(self, param, transposed=False, middle=0.0, shape=None):
        shape = list(shape or (param.T if transposed else param).shape)
        value = self.take(*shape, middle=middle)
        with torch.no_grad():
            param.copy_((value.T if transposed else value).reshape(param.shape))
        self.put.append((param, transposed))
        return param

    def lin(self, m):
        self.into(m.weight, transposed=True)
        self.into(m.bias)

    def con(self, m):
        self.into(m.weight)
        self.into(m.bias)

    def nor(self, m):
        self.into(m.weight, middle=1.0)
        self.into(m.bias)

    def new(self, *shape, middle=0.0):
        return self.into(nn.Parameter(torch.zeros(*shape)), middle=middle)

    def new_linear(self, a, b):
        m = nn.Linear(a, b)
        self.lin(m)
        return m

    def gradients(self):
        found = []
        for p, transposed in self.put:
            g = torch.zeros_like(p) if p.grad is None else p.grad
            g = g.T if transposed else g
            found += [against(g).item(), g.norm().item()]
        return found


def passed(w, network, rows=2, dim=64):
    x, t, y = inputs(rows, dim)
    x.requires_grad_()
    out = network(x, t, y)
    against(out).backward()
    return {"output": out.flatten().tolist(), "gradient": x.grad.flatten().tolist(), "weights": w.gradients()}


# The modern U-Net


class TimeProj(nn.Module):
    """diffusers' Timesteps in f64 (there it rounds to f32)."""

    def __init__(self, count, flip, shift):
        super().__init__()
        self.half, self.flip, self.shift = count // 2, flip, shift

    def forward(self, t):
        omega = torch.exp(-math.log(10000) * torch.arange(self.half) / (self.half - self.shift))
        parts = [(t[:, None] * omega).sin(), (t[:, None] * omega).cos()]
        return torch.cat(parts[::-1] if self.flip else parts, 1)


def fill_block(w, m):
    w.nor(m.norm1), w.con(m.conv1), w.lin(m.time_emb_proj), w.nor(m.norm2), w.con(m.conv2)
    if m.conv_shortcut is not None:
        w.con(m.conv_shortcut)


def fill_attention(w, m):
    if m.group_norm is not None:
        w.nor(m.group_norm)
    for linear in (m.to_q, m.to_k, m.to_v, m.to_out[0]):
        w.lin(linear)


def fill_attentions(w, ms):
    ms = list(ms or [])
    for m in ms:
        fill_attention(w, m.own if isinstance(m, Both) else m)
    for m in ms:
        if isinstance(m, Both):
            fill_attention(w, m.cross)


def fill_level(w, level, samplers):
    for m in level.resnets:
        fill_block(w, m)
    fill_attentions(w, getattr(level, "attentions", None))
    for m in samplers or []:
        w.con(m.conv) if hasattr(m, "conv") else fill_block(w, m)


def fill_unet(w, net, text=None):
    w.lin(net.time_embedding.linear_1), w.lin(net.time_embedding.linear_2)
    if isinstance(net.class_embedding, nn.Embedding):
        w.into(net.class_embedding.weight)
    if text is not None:
        text.fill(w)
    w.con(net.conv_in)
    for level in net.down_blocks:
        fill_level(w, level, level.downsamplers)
    fill_block(w, net.mid_block.resnets[0])
    fill_attentions(w, net.mid_block.attentions)
    fill_block(w, net.mid_block.resnets[1])
    for level in net.up_blocks:
        fill_level(w, level, level.upsamplers)
    w.nor(net.conv_norm_out), w.con(net.conv_out)


def unet(attention, flip, shift, **config):
    # Levels without attention do not heed downsample_type: blocks that resample have a name of their own there.
    plain = "ResnetDownsampleBlock2D" if config.get("downsample_type") == "resnet" else "DownBlock2D"
    down = tuple("AttnDownBlock2D" if i in attention else plain for i in range(len(config["block_out_channels"])))
    up = tuple(name.replace("Downsample", "Upsample") if "sample" in name else name.replace("Down", "Up") for name in reversed(down))
    net = UNet2DModel(
        sample_size=8, in_channels=1, out_channels=1, down_block_types=down, up_block_types=up, norm_num_groups=2, **config
    )
    net.time_proj = TimeProj(config["block_out_channels"][0], flip, shift)
    return net.double()


def ddpm(w):
    """As google/ddpm-cifar10-32: shift, one head, padding at the right, time from 1 to 0."""
    net = unet([1], False, 1, block_out_channels=(4, 8), layers_per_block=2, norm_eps=1e-6, downsample_padding=0,
               attention_head_dim=None)
    fill_unet(w, net)
    return lambda x, t, y: net(x.reshape(-1, 1, 8, 8), 9 - 9 * t).sample.flatten(1)


def adm(w):
    """Scale and shift, heads, classes, blocks that resample, no norm in the middle."""
    net = unet([1, 2], True, 0, block_out_channels=(4, 8, 8), layers_per_block=1, resnet_time_scale_shift="scale_shift",
               attention_head_dim=4, num_class_embeds=4, downsample_type="resnet", upsample_type="resnet")
    fill_unet(w, net)
    return lambda x, t, y: net(x.reshape(-1, 1, 8, 8), 7 * t, y).sample.flatten(1)


class Text:
    """Three texts of 1, 3 and 2 tokens of 6 numbers, and what our embedding makes of them."""

    def __init__(self, width):
        def wave(k, first, n):
            return torch.tensor([math.sin(1.3 * i + k) for i in range(first, first + n)]).float().double()

        self.tokens = [wave(k, 0, 6 * n).reshape(n, 6) for k, n in enumerate((1, 3, 2))]
        self.pooled = [wave(k, 100, 6) for k in range(3)]
        self.width = width

    def fill(self, w):
        self.map, self.whole = w.new_linear(6, self.width), w.new_linear(6, self.width)
        self.null_token, self.null_pooled = w.new(self.width), w.new(self.width)

    def __call__(self, y):
        if y == 3:
            return self.null_token[None], self.null_pooled
        plain = nn.RMSNorm(6, eps=1e-6, elementwise_affine=False)
        return self.map(plain(self.tokens[y])), self.whole(plain(self.pooled[y]))


class Both(nn.Module):
    """Attention to the pixels and then to a text."""

    def __init__(self, own, text):
        super().__init__()
        self.own, self.text = own, text
        c = own.to_q.in_features
        self.cross = Attention(
            c, cross_attention_dim=text.width, heads=own.heads, dim_head=c // own.heads, norm_num_groups=2,
            residual_connection=True, bias=True,
        ).double()

    def forward(self, x, temb=None):
        return self.cross(self.own(x, temb=temb), encoder_hidden_states=self.text.now[None])


def text_unet(w):
    """The modern U-Net with texts: sample by sample, each with the tokens of its own text and no others."""
    text = Text(16)
    net = unet([1], True, 0, block_out_channels=(4, 8), layers_per_block=1, resnet_time_scale_shift="scale_shift",
               attention_head_dim=4, class_embed_type="identity", attn_norm_num_groups=2)
    for level in [*net.down_blocks, net.mid_block, *net.up_blocks]:
        if hasattr(level, "attentions"):
            level.attentions = nn.ModuleList([Both(m, text) for m in level.attentions])
    fill_unet(w, net, text)

    def forward(x, t, y):
        rows = []
        for x, t, y in zip(x, t, y):
            text.now, pooled = text(y)
            rows.append(net(x.reshape(1, 1, 8, 8), 7 * t[None], pooled[None]).sample.flatten())
        return torch.stack(rows)

    return forward


# MM-DiT


def rotary(features, rows, columns):
    """cos and sin as FluxPosEmbed makes them of two axes, in f64."""
    def axis(places):
        omega = 1.0 / 10000 ** (torch.arange(0, features // 2, 2) / (features / 2))
        return (places[:, None].double() * omega).repeat_interleave(2, 1)

    r, c = torch.meshgrid(torch.arange(rows), torch.arange(columns), indexing="ij")
    angle = torch.cat([axis(r.flatten()), axis(c.flatten())], 1)
    return angle.cos(), angle.sin()


def time_features(t, scale):
    freq = torch.exp(-math.log(10000) * torch.arange(128) / 128)
    angle = scale * t[:, None] * freq[None]
    return torch.cat([angle.cos(), angle.sin()], 1)


def fill_stream(w, modulation, maps, norms, out, ff):
    w.lin(modulation)
    w.lin(maps[0]), w.into(norms[0].weight, middle=1.0)
    w.lin(maps[1]), w.into(norms[1].weight, middle=1.0)
    w.lin(maps[2]), w.lin(out), w.lin(ff.net[0].proj), w.lin(ff.net[2])


def mm_dit(w, d=16, heads=2, depth=2, p=2):
    text = Text(d)
    proj, fc1, fc2 = w.new_linear(p * p, d), w.new_linear(256, d), w.new_linear(d, d)
    text.fill(w)
    blocks = []
    for i in range(depth):
        m = FluxTransformerBlock(d, heads, d // heads).double()
        a = m.attn
        fill_stream(w, m.norm1.linear, (a.to_q, a.to_k, a.to_v), (a.norm_q, a.norm_k), a.to_out[0], m.ff)
        if i + 1 < depth:
            maps = (a.add_q_proj, a.add_k_proj, a.add_v_proj)
            fill_stream(w, m.norm1_context.linear, maps, (a.norm_added_q, a.norm_added_k), a.to_add_out, m.ff_context)
        else:
            # Only what makes keys and values: shift and scale, the first two of six modulations.
            two = w.new_linear(d, 2 * d)
            w.lin(a.add_k_proj), w.into(a.norm_added_k.weight, middle=1.0), w.lin(a.add_v_proj)
            m.norm1_context.linear = First(two, d)
        blocks.append(m)
    modulation, linear = w.new_linear(d, 2 * d), w.new_linear(d, p * p)
    norm = nn.LayerNorm(d, eps=1e-6, elementwise_affine=False)
    cos, sin = rotary(d // heads, 4, 4)

    def forward(x, t, y):
        rows = []
        for x, t, y in zip(x, t, y):
            tokens, pooled = text(y)
            h = proj(patches(x.reshape(1, 1, 8, 8), p))
            c = fc2(F.silu(fc1(time_features(t[None], 1000.0)))) + pooled
            tokens = tokens[None]
            n = tokens.shape[1]
            places = torch.cat([torch.ones(n, cos.shape[1]), cos]), torch.cat([torch.zeros(n, sin.shape[1]), sin])
            for block in blocks:
                tokens, h = block(h, tokens, c, places)
            shift, scale = modulation(F.silu(c))[:, None].chunk(2, 2)
            h = linear(norm(h) * (1 + scale) + shift).reshape(4, 4, p, p)
            rows.append(torch.einsum("hwpq->hpwq", h).flatten())
        return torch.stack(rows)

    return forward


class First(nn.Module):
    def __init__(self, linear, d):
        super().__init__()
        self.linear, self.rest = linear, 4 * d

    def forward(self, c):
        return F.pad(self.linear(c), (0, self.rest))


# Sequences


class Conv(nn.Conv1d):
    def __init__(self, w, a, b, k, stride=1):
        super().__init__(a, b, k, stride, k // 2)
        w.into(self.weight, shape=(b, a, 1, k)), w.into(self.bias)


class Film(nn.Module):
    def __init__(self, w, a, b, e, k):
        super().__init__()
        self.conv1, self.norm1 = Conv(w, a, b, k), nn.GroupNorm(2, b)
        w.nor(self.norm1)
        self.film, self.conv2, self.norm2 = w.new_linear(e, 2 * b), Conv(w, b, b, k), nn.GroupNorm(2, b)
        w.nor(self.norm2)
        self.shortcut = nn.Identity() if a == b else Conv(w, a, b, 1)

    def forward(self, x, e):
        scale, shift = self.film(e)[:, :, None].chunk(2, 1)
        h = F.silu(self.norm1(self.conv1(x)) * (1 + scale) + shift)
        return self.shortcut(x) + F.silu(self.norm2(self.conv2(h)))


def unet1d(w, channels=(4, 8), e=6, k=5):
    fc1, fc2, table = w.new_linear(e, e), w.new_linear(e, e), w.new(4, e)
    a, b = channels
    down = [Film(w, 2, a, e, k), Film(w, a, a, e, k), Conv(w, a, a, 3, 2), Film(w, a, b, e, k), Film(w, b, b, e, k)]
    middle = [Film(w, b, b, e, k), Film(w, b, b, e, k)]
    # Our fields have the blocks of a level before its convolution.
    up = [Film(w, a + b, a, e, k), Film(w, a, a, e, k), Conv(w, b, b, 3)]
    conv_last, norm_last = Conv(w, a, a, k), nn.GroupNorm(2, a)
    w.nor(norm_last)
    conv_out = Conv(w, a, 2, 1)

    def forward(x, t, y):
        omega = torch.exp(-math.log(10000) * torch.arange(e // 2) / (e // 2))
        angle = 7 * t[:, None] * omega
        c = F.silu(fc2(F.silu(fc1(torch.cat([angle.cos(), angle.sin()], 1)))) + table[y])
        h = skip = down[1](down[0](x.reshape(-1, 2, 32), c), c)
        h = down[4](down[3](down[2](h), c), c)
        h = middle[1](middle[0](h, c), c)
        h = torch.cat([up[2](h.repeat_interleave(2, 2)), skip], 1)
        h = up[1](up[0](h, c), c)
        return conv_out(F.silu(norm_last(conv_last(h)))).flatten(1)

    return forward


def transformer1d(w, d=16, heads=2, p=4, depth=2):
    proj, fc1, fc2, table = w.new_linear(2 * p, d), w.new_linear(256, d), w.new_linear(d, d), w.new(4, d)
    blocks = []
    for _ in range(depth):
        maps = [w.new_linear(d, n) for n in (3 * d, d, 4 * d)]
        blocks.append((*maps, w.new_linear(4 * d, d), w.new_linear(d, 6 * d)))
    modulation, linear = w.new_linear(d, 2 * d), w.new_linear(d, 2 * p)
    norm = nn.LayerNorm(d, eps=1e-6, elementwise_affine=False)
    angle = torch.arange(8)[:, None] / 10000 ** (torch.arange(d // 2) / (d / 2))
    positions = torch.cat([angle.sin(), angle.cos()], 1)

    def forward(x, t, y):
        rows = len(x)
        c = F.silu(fc2(F.silu(fc1(time_features(t, 1000.0)))) + table[y])
        h = proj(x.reshape(rows, 2, 8, p).transpose(1, 2).reshape(rows, 8, 2 * p)) + positions
        for qkv, out, f1, f2, mod in blocks:
            b1, s1, g1, b2, s2, g2 = mod(c)[:, None].chunk(6, 2)
            a = norm(h) * (1 + s1) + b1
            q, k, v = qkv(a).reshape(rows, 8, 3, heads, d // heads).permute(2, 0, 3, 1, 4)
            a = F.scaled_dot_product_attention(q, k, v).transpose(1, 2).reshape(rows, 8, d)
            h = h + g1 * out(a)
            h = h + g2 * f2(F.gelu(f1(norm(h) * (1 + s2) + b2), approximate="tanh"))
        shift, scale = modulation(c)[:, None].chunk(2, 2)
        h = linear(norm(h) * (1 + scale) + shift)
        return h.reshape(rows, 8, 2, p).transpose(1, 2).flatten(1)

    return forward


def main():
    found = {}
    for make in (ddpm, adm, text_unet, mm_dit, unet1d, transformer1d):
        w = Ours()
        # The second sample's text, of 3 tokens, is longer than the first's; the third is ∅ by its label.
        rows = 2
        network = make(w)
        found[make.__name__] = passed(w, network, rows)
    OUT.write_text(json.dumps(rounded(found), separators=(",", ":")) + "\n")
    print(f"{OUT}: {OUT.stat().st_size} bytes, torch {torch.__version__}, diffusers {diffusers.__version__}")


if __name__ == "__main__":
    main()
