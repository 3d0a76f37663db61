"""Small networks of diffusers and twins of published ones with random weights: files to import, and what they put out.

Every network is rounded to f32, saved as its users save it, and then run in f64. The features of time are computed in f64 as
well: diffusers computes them in f32, which is an error of up to 1e-4 in the fastest of them at step 999.
Run: python parity/foreign.py, with torch and diffusers; it writes crates/train/tests/fixtures/foreign/.

With an argument it checks what `fokker export` wrote: python parity/foreign.py check FAMILY EXPORTED [ORIGINAL].
"""

import argparse
import json
import math
import sys
from pathlib import Path

import diffusers
import torch
from diffusers import AutoencoderKL, DDIMScheduler, DiTTransformer2DModel, UNet2DModel
from diffusers.models import embeddings
from safetensors.torch import load_file, save_file
from torch import nn
from torch.nn import functional as F

OUT = Path(__file__).parent.parent / "crates/train/tests/fixtures/foreign"
STEPS = 10


def features(timesteps, embedding_dim, flip_sin_to_cos=False, downscale_freq_shift=1, scale=1, max_period=10000):
    half = embedding_dim // 2
    omega = torch.exp(-math.log(max_period) * torch.arange(half).double() / (half - downscale_freq_shift))
    angle = scale * timesteps.double()[:, None] * omega
    parts = [angle.cos(), angle.sin()] if flip_sin_to_cos else [angle.sin(), angle.cos()]
    return torch.cat(parts, 1)


# ------------------------------------------------------------------ twins of what no package has


class Attention(nn.Module):
    def __init__(self, d, heads):
        super().__init__()
        self.qkv, self.proj, self.heads = nn.Linear(d, 3 * d), nn.Linear(d, d), heads

    def forward(self, x):
        b, n, d = x.shape
        q, k, v = self.qkv(x).reshape(b, n, 3, self.heads, d // self.heads).permute(2, 0, 3, 1, 4)
        return self.proj(F.scaled_dot_product_attention(q, k, v).transpose(1, 2).reshape(b, n, d))


class Mlp(nn.Module):
    def __init__(self, d):
        super().__init__()
        self.fc1, self.fc2 = nn.Linear(d, 4 * d), nn.Linear(4 * d, d)

    def forward(self, x):
        return self.fc2(F.gelu(self.fc1(x), approximate="tanh"))


class Block(nn.Module):
    def __init__(self, d, heads):
        super().__init__()
        self.attn, self.mlp = Attention(d, heads), Mlp(d)
        self.adaLN_modulation = nn.Sequential(nn.SiLU(), nn.Linear(d, 6 * d))

    def forward(self, x, c):
        norm = lambda h: F.layer_norm(h, h.shape[-1:], eps=1e-6)
        b1, s1, g1, b2, s2, g2 = self.adaLN_modulation(c)[:, None].chunk(6, 2)
        x = x + g1 * self.attn(norm(x) * (1 + s1) + b1)
        return x + g2 * self.mlp(norm(x) * (1 + s2) + b2)


def named(**parts):
    """A module whose parts have these names."""
    m = nn.Module()
    for name, part in parts.items():
        setattr(m, name, part)
    return m


class DiT(nn.Module):
    """DiT and SiT with their published names."""

    def __init__(self, size=8, p=2, channels=4, d=16, depth=2, heads=2, classes=3, outputs=2):
        super().__init__()
        self.p, self.side, self.out = p, size // p, channels * outputs
        self.x_embedder = named(proj=nn.Conv2d(channels, d, p, p))
        self.t_embedder = named(mlp=nn.Sequential(nn.Linear(256, d), nn.SiLU(), nn.Linear(d, d)))
        self.y_embedder = named(embedding_table=nn.Embedding(classes + 1, d))
        grid = embeddings.get_2d_sincos_pos_embed(d, self.side, base_size=self.side, output_type="pt")
        self.pos_embed = nn.Parameter(grid.float().reshape(1, -1, d), requires_grad=False)
        self.blocks = nn.ModuleList(Block(d, heads) for _ in range(depth))
        linear = nn.Linear(d, p * p * self.out)
        self.final_layer = named(linear=linear, adaLN_modulation=nn.Sequential(nn.SiLU(), nn.Linear(d, 2 * d)))

    def forward(self, x, t, y):
        h = self.x_embedder.proj(x).flatten(2).transpose(1, 2) + self.pos_embed
        c = self.t_embedder.mlp(features(t, 256, True, 0)) + self.y_embedder.embedding_table(y)
        for block in self.blocks:
            h = block(h, c)
        shift, scale = self.final_layer.adaLN_modulation(c)[:, None].chunk(2, 2)
        h = self.final_layer.linear(F.layer_norm(h, h.shape[-1:], eps=1e-6) * (1 + scale) + shift)
        h = h.reshape(len(x), self.side, self.side, self.p, self.p, self.out)
        return torch.einsum("nhwpqc->nchpwq", h).reshape(len(x), self.out, *x.shape[2:])


class CourseBlock(nn.Module):
    def __init__(self, c, e):
        super().__init__()
        conv = lambda: nn.Sequential(nn.SiLU(), nn.BatchNorm2d(c), nn.Conv2d(c, c, 3, padding=1))
        adapter = lambda: nn.Sequential(nn.Linear(e, e), nn.SiLU(), nn.Linear(e, c))
        self.block1, self.block2, self.time_adapter, self.y_adapter = conv(), conv(), adapter(), adapter()

    def forward(self, x, t, y):
        told = (self.time_adapter(t) + self.y_adapter(y))[:, :, None, None]
        return x + self.block2(self.block1(x) + told)


class CourseUNet(nn.Module):
    """The course's U-Net with the names of its notebook."""

    def __init__(self, channels=(4, 6), blocks=2, e=6, classes=3):
        super().__init__()
        c = channels[0]
        self.init_conv = nn.Sequential(nn.Conv2d(1, c, 3, padding=1), nn.BatchNorm2d(c), nn.SiLU())
        self.time_embedder = named(weights=nn.Parameter(torch.randn(1, e // 2)))
        self.y_embedder = nn.Embedding(classes + 1, e)
        several = lambda c: nn.ModuleList(CourseBlock(c, e) for _ in range(blocks))
        pairs = list(zip(channels, channels[1:]))
        down = lambda a, b: named(res_blocks=several(a), downsample=nn.Conv2d(a, b, 3, 2, 1))
        self.encoders = nn.ModuleList(down(a, b) for a, b in pairs)
        self.midcoder = named(res_blocks=several(channels[-1]))
        doubled = lambda a, b: nn.Sequential(nn.Upsample(scale_factor=2, mode="bilinear"), nn.Conv2d(b, a, 3, padding=1))
        up = lambda a, b: named(upsample=doubled(a, b), res_blocks=several(a))
        self.decoders = nn.ModuleList(up(a, b) for a, b in reversed(pairs))
        self.final_conv = nn.Conv2d(c, 1, 3, padding=1)

    def forward(self, x, t, y):
        angle = 2 * math.pi * t[:, None] * self.time_embedder.weights
        t, y = math.sqrt(2) * torch.cat([angle.sin(), angle.cos()], 1), self.y_embedder(y)
        h, skips = self.init_conv(x), []
        for part in self.encoders:
            for block in part.res_blocks:
                h = block(h, t, y)
            h = part.downsample(h)
            skips.append(h)
        for block in self.midcoder.res_blocks:
            h = block(h, t, y)
        for part in self.decoders:
            h = part.upsample(h + skips.pop())
            for block in part.res_blocks:
                h = block(h, t, y)
        return self.final_conv(h)


class CourseDiT(nn.Module):
    """The course's DiT with our names."""

    def __init__(self, size=8, p=2, d=16, depth=2, heads=2, classes=3):
        super().__init__()
        self.p, tokens = p, (size // p) ** 2
        self.patches, self.positions = named(proj=nn.Linear(p * p, d)), nn.Parameter(torch.zeros(tokens, d))
        self.time = nn.Module()
        self.time.omega = nn.Parameter(torch.zeros(d // 2))
        setattr(self, "class", nn.Embedding(classes + 1, d))
        mlp = lambda a, b, c: named(fc1=nn.Linear(a, b), fc2=nn.Linear(b, c))
        block = lambda: named(attn=Attention(d, heads), mlp=mlp(d, 4 * d, d), modulation=nn.Linear(d, 6 * d))
        self.blocks = nn.ModuleList(block() for _ in range(depth))
        self.head = named(mlp=mlp(d, 4 * d, 10 * p * p), conv=nn.Conv2d(10, 1, 3, padding=1))

    def forward(self, x, t, y):
        norm = lambda h: F.rms_norm(h, h.shape[-1:], eps=1e-6)
        mlp = lambda m, h: m.fc2(F.silu(m.fc1(h)))
        h = self.patches.proj(F.unfold(x, self.p, stride=self.p).transpose(1, 2)) + self.positions
        angle = 2 * math.pi * t[:, None] * self.time.omega
        c = norm(math.sqrt(2) * torch.cat([angle.sin(), angle.cos()], 1) + getattr(self, "class")(y))
        for block in self.blocks:
            b1, s1, g1, b2, s2, g2 = block.modulation(c)[:, None].chunk(6, 2)
            h = h + g1 * block.attn(norm(h) * (1 + s1) + b1)
            h = h + g2 * mlp(block.mlp, norm(h) * (1 + s2) + b2)
        h = mlp(self.head.mlp, norm(h)).transpose(1, 2)
        return self.head.conv(F.fold(h, x.shape[2:], self.p, stride=self.p))


class CourseVae(nn.Module):
    """The course's autoencoder with our names."""

    def __init__(self, channels=(4, 6)):
        super().__init__()
        norm = lambda c: nn.GroupNorm(1, c)
        conv = lambda a, b, k, s=1: nn.Conv2d(a, b, k, s, k // 2)

        def level(c, other, stride):
            block = lambda: named(norm=norm(c), conv_in=conv(c, c, 3), conv_out=conv(c, c, 1))
            attention = Attention(c, 1)
            attention.norm = norm(c)
            m = named(blocks=nn.ModuleList([block(), block()]), attention=attention)
            if other:
                m.resample = conv(c, other, 3, stride)
            return m

        (a, b) = channels
        self.stem, self.moments, self.latent, self.head = conv(1, a, 3), conv(b, 2 * b, 1), conv(b, b, 3), conv(a, 1, 3)
        self.down = nn.ModuleList([level(a, b, 2), level(b, None, 2)])
        self.up = nn.ModuleList([level(b, a, 1), level(a, None, 1)])

    def stage(self, level, x):
        for block in level.blocks:
            x = x + block.conv_out(F.silu(block.conv_in(block.norm(x))))
        tokens = level.attention.norm(x).flatten(2).transpose(1, 2)
        return x + level.attention(tokens).transpose(1, 2).reshape(x.shape)

    def forward(self, x):
        h = self.stage(self.down[1], self.down[0].resample(self.stage(self.down[0], self.stem(x))))
        mean, log_variance = self.moments(h).chunk(2, 1)
        return torch.cat([mean.flatten(1), log_variance.flatten(1)], 1)

    def decode(self, z):
        h = self.stage(self.up[0], self.latent(z))
        return self.head(self.stage(self.up[1], self.up[0].resample(F.interpolate(h, scale_factor=2))))


# ------------------------------------------------------------------ the networks


def dit():
    return DiT()


def diffusers_dit():
    net = DiTTransformer2DModel(
        num_attention_heads=2, attention_head_dim=8, num_layers=2, sample_size=8, num_embeds_ada_norm=3, out_channels=8
    )
    for block in net.transformer_blocks[1:]:
        # As in every published checkpoint.
        block.norm1.emb = net.transformer_blocks[0].norm1.emb
    return net


def autoencoder_kl():
    kinds = {"down_block_types": ["DownEncoderBlock2D"] * 2, "up_block_types": ["UpDecoderBlock2D"] * 2}
    return AutoencoderKL(block_out_channels=(8, 12), norm_num_groups=4, sample_size=8, scaling_factor=0.3, **kinds)


def unet(**options):
    kinds = {
        "down_block_types": ("DownBlock2D", "AttnDownBlock2D"),
        "up_block_types": ("AttnUpBlock2D", "UpBlock2D"),
    }
    usual = {"block_out_channels": (8, 12), "norm_num_groups": 4, "layers_per_block": 1, "sample_size": 8}
    return UNet2DModel(**{**usual, **kinds, **options})


def ddpm_unet():
    """As google/ddpm-cifar10-32."""
    return unet(attention_head_dim=None, norm_eps=1e-6, downsample_padding=0, flip_sin_to_cos=False, freq_shift=1)


def adm_unet():
    kinds = {"downsample_type": "resnet", "upsample_type": "resnet", "resnet_time_scale_shift": "scale_shift"}
    # Other blocks resample by convolutions whatever the options say.
    kinds["down_block_types"] = ("ResnetDownsampleBlock2D", "AttnDownBlock2D")
    return unet(attention_head_dim=4, num_class_embeds=3, **kinds)


OLD = {"to_q": "query", "to_k": "key", "to_v": "value", "to_out.0": "proj_attn"}


def old_names(state):
    """What attention was called when the first checkpoints were published."""
    for new, old in OLD.items():
        state = {name.replace(f".{new}.", f".{old}."): v for name, v in state.items()}
    return state


def random(net, seed):
    """Weights and statistics of order one, none of them zero."""
    generator = torch.Generator().manual_seed(seed)
    fixed = {"pos_embed"}
    for name, p in list(net.named_parameters()) + list(net.named_buffers()):
        if name in fixed or not p.is_floating_point() or name == "pos_embed.pos_embed":
            continue
        noise = torch.randn(p.shape, generator=generator)
        if p.dim() > 1:
            p.data = noise * 0.8 / math.sqrt(p[0].numel())
        elif "norm" in name and name.endswith("weight") or name.endswith("running_var"):
            p.data = 1 + 0.1 * noise
        else:
            p.data = 0.1 * noise
    return net.eval()


# ------------------------------------------------------------------ what they put out


def wave(*shape):
    n = math.prod(shape)
    return torch.tensor([math.sin(0.3 + 1.7 * i) for i in range(n)]).float().double().reshape(shape)


def against(y):
    return (y.flatten() * torch.tensor([math.cos(0.1 + j) for j in range(y.numel())]).float().double()).sum()


def passed(call, x, **told):
    x.requires_grad_()
    out = call(x)
    (gradient,) = torch.autograd.grad(against(out), x)
    found = {"x": x, "output": out, "gradient": gradient}
    return {**{k: v.flatten().tolist() for k, v in found.items()}, **told}


def ddim(call, x):
    """Ten steps of DDIM with the usual scheduler, from x; the noise is the first half of the output."""
    scheduler = DDIMScheduler(clip_sample=False, timestep_spacing="trailing")
    scheduler.alphas_cumprod = torch.cumprod(1 - torch.linspace(1e-4, 0.02, 1000).double(), 0)
    scheduler.final_alpha_cumprod = torch.tensor(1.0).double()
    scheduler.set_timesteps(STEPS)
    with torch.no_grad():
        for t in scheduler.timesteps:
            noise = call(x, t.expand(len(x)))[:, : x.shape[1]]
            x = scheduler.step(noise, t, x).prev_sample
    return {"end": x.flatten().tolist()}


def euler(call, x):
    """Ten steps of Euler's method along the velocity, t from 0 to 1."""
    with torch.no_grad():
        for k in range(STEPS):
            t = torch.full((len(x),), k / STEPS).double()
            x = x + call(x, t)[:, : x.shape[1]] / STEPS
    return {"end": x.flatten().tolist()}


def diffused(net, channels, classes, get=lambda out: out):
    """Output at two steps, and a run of DDIM."""
    rows = 2
    x, t, y = wave(rows, channels, 8, 8), torch.tensor([999, 250]), torch.tensor([1, 2])
    call = (lambda x, t: get(net(x, t, y))) if classes else (lambda x, t: get(net(x, t)))
    found = passed(lambda x: call(x, t), x.clone(), t=t.tolist(), y=y.tolist() if classes else [])
    return {**found, **ddim(call, x)}


def main():
    embeddings.get_timestep_embedding = features
    OUT.mkdir(parents=True, exist_ok=True)
    sample = lambda out: out.sample
    found = {}

    net = random(dit(), 1)
    state = net.state_dict()
    training = {"model": {k: v + 1 for k, v in state.items()}, "ema": state, "opt": {"step": 3, "lr": 1e-4}}
    torch.save({**training, "args": argparse.Namespace(model="DiT-T/2", cfg=4.0)}, OUT / "dit.pt")
    net.double()
    found["dit"] = diffused(net, 4, True)
    x, t, y = wave(2, 4, 8, 8), torch.tensor([0.3, 0.75]).double(), torch.tensor([1, 2])
    call = lambda x, t: net(x, t, y)
    found["sit"] = {**passed(lambda x: call(x, t), x.clone(), t=t.tolist(), y=y.tolist()), **euler(call, x)}

    for name, make, channels, classes in [
        ("diffusers-dit", diffusers_dit, 4, True),
        ("ddpm-unet", ddpm_unet, 3, False),
        ("adm-unet", adm_unet, 3, True),
    ]:
        net, folder = random(make(), len(found)), OUT / name
        folder.mkdir(exist_ok=True)
        net.save_config(folder)
        if name == "ddpm-unet":
            torch.save(old_names(net.state_dict()), folder / "diffusion_pytorch_model.bin")
        else:
            state = {k: v.contiguous().clone() for k, v in net.state_dict().items()}
            save_file(state, folder / "diffusion_pytorch_model.safetensors", {"format": "pt"})
        net.double()
        if name == "diffusers-dit":
            call = lambda x, t, y: net(x, t, class_labels=y).sample
            found[name] = diffused(call, channels, classes)
        elif classes:
            found[name] = diffused(lambda x, t, y: net(x, t, y).sample, channels, classes)
        else:
            found[name] = diffused(lambda x, t: net(x, t).sample, channels, classes)

    net, folder = random(autoencoder_kl(), 9), OUT / "autoencoder-kl"
    folder.mkdir(exist_ok=True)
    net.save_config(folder)
    save_file(net.state_dict(), folder / "diffusion_pytorch_model.safetensors", {"format": "pt"})
    net.double()
    moments = lambda x: net.encode(x).latent_dist
    x = wave(2, 3, 8, 8)
    found["autoencoder-kl"] = {
        "encode": passed(lambda x: torch.cat([moments(x).mean.flatten(1), moments(x).logvar.flatten(1)], 1), x),
        "decode": passed(lambda z: net.decode(z).sample, wave(2, 4, 4, 4)),
    }

    net = random(CourseUNet(), 5)
    torch.save(net.state_dict(), OUT / "course-unet.pt")
    net.double()
    x, t, y = wave(2, 1, 8, 8), torch.tensor([0.3, 0.75]).float().double(), torch.tensor([1, 2])
    found["course-unet"] = passed(lambda x: net(x, t, y), x, t=t.tolist(), y=y.tolist())

    net = random(CourseDiT(), 6)
    torch.save(net.state_dict(), OUT / "course-dit.pt")
    net.double()
    found["course-dit"] = passed(lambda x: net(x, t, y), wave(2, 1, 8, 8), t=t.tolist(), y=y.tolist())

    net = random(CourseVae(), 7)
    torch.save(net.state_dict(), OUT / "course-vae.pt")
    net.double()
    found["course-vae"] = {"encode": passed(net, wave(2, 1, 8, 8)), "decode": passed(net.decode, wave(2, 6, 4, 4))}

    rounded = lambda v: (
        {k: rounded(v) for k, v in v.items()} if isinstance(v, dict) else [float(f"{v:.9g}") for v in v]
    )
    (OUT / "outputs.json").write_text(json.dumps(rounded(found), separators=(",", ":")) + "\n")
    for file in sorted(OUT.rglob("*.*")):
        print(file.relative_to(OUT), file.stat().st_size)
    print("torch", torch.__version__, "diffusers", diffusers.__version__)


# ------------------------------------------------------------------ exported files, read by others


def check(family, exported, original=None):
    """Loads an exported file strictly into the module of its family, and compares with the original bit by bit."""
    exported = Path(exported)
    nets = {"diffusers-dit": DiTTransformer2DModel, "autoencoder-kl": AutoencoderKL, "diffusers-unet": UNet2DModel}
    if family in nets:
        net = nets[family].from_pretrained(exported, low_cpu_mem_usage=False)
        state = load_file(exported / "diffusion_pytorch_model.safetensors")
    else:
        net = {"dit": DiT, "sit": DiT, "course-unet": CourseUNet, "course-dit": CourseDiT, "course-vae": CourseVae}[family]()
        state = load_file(exported if exported.is_file() else exported / "model.safetensors")
    net.load_state_dict(state, strict=True)
    print(f"{family}: {len(state)} tensors load strictly")
    if original:
        path = Path(original)
        first = load_file(path) if path.suffix == ".safetensors" else torch.load(path, weights_only=False)
        first = first.get("ema", first)
        for old, new in ((o, n) for n, o in OLD.items()):
            first = {name.replace(f".{old}.", f".{new}."): v for name, v in first.items()}
        assert first.keys() == state.keys(), first.keys() ^ state.keys()
        for name, value in first.items():
            assert torch.equal(value, state[name]) and value.dtype == state[name].dtype, name
        print(f"{family}: all equal to the original, bit by bit")


if __name__ == "__main__":
    if sys.argv[1:2] == ["check"]:
        check(*sys.argv[2:])
    else:
        main()
