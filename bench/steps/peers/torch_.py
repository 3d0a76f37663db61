"""PyTorch's side of `bench/steps/run.py`: steps of a training, forward passes or guided samples of one network, as one JSON line.

eager      as everybody writes it
tuned      on an allocator that keeps its pages (the driver preloads it); convolutional networks in the faster of both memory layouts
compiled   torch.compile with fixed shapes, on that allocator
bf16       autocast to bfloat16, on that allocator; convolutional networks in the faster of both memory layouts

AdamW is the fused one, the moving average one `_foreach_lerp_`: the fastest forms there are. The loss is read every step, as
fokker's trainer does.
"""

import argparse
import contextlib
import json
import math
import os
import resource
import subprocess
import sys
import time
from pathlib import Path

parser = argparse.ArgumentParser()
parser.add_argument("--variant", required=True, choices=["eager", "tuned", "compiled", "bf16"])
parser.add_argument("--work", required=True)
parser.add_argument("--mode", required=True, choices=["train", "forward", "sample"])
parser.add_argument("--batch", type=int, required=True)
parser.add_argument("--repeat", type=int, default=5)
parser.add_argument("--warmup", type=int, default=2)
parser.add_argument("--steps", type=int, default=50)
parser.add_argument("--threads", type=int, default=2)
parser.add_argument("--layout", choices=["contiguous", "channels_last"], help="memory of images [default: the faster one where the variant may choose]")
parser.add_argument("--flop", action="store_true", help="print the operations of a step instead of timing it")
chosen = parser.parse_args()
os.environ["OMP_NUM_THREADS"] = os.environ["MKL_NUM_THREADS"] = str(chosen.threads)

# Networks with convolutions of images.
CONVOLUTIONAL = {"unet", "course-unet", "vae"}


def faster_layout():
    """Found by short runs of their own, so that this process holds one network only."""
    if chosen.variant not in ("tuned", "bf16") or chosen.work not in CONVOLUTIONAL:
        return "contiguous"
    trial = ["--warmup", "1", "--repeat", "1" if chosen.mode == "sample" else "2"]

    def seconds(layout):
        command = [sys.executable, *sys.argv, *trial, "--layout", layout]
        line = subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()[-1]
        return min(json.loads(line)["seconds"])

    return min(("contiguous", "channels_last"), key=seconds)


if not chosen.flop and chosen.layout is None:
    chosen.layout = faster_layout()
begun = time.time()

import torch
from torch.utils.flop_counter import FlopCounterMode

import formula
from networks import WORKS

torch.set_num_threads(chosen.threads)
torch.manual_seed(0)
GUIDANCE, DECAY = 3.0, 0.999
make, image, classes = WORKS[chosen.work]
dim = image[0] * image[1] * image[2] if image else 2


def autocast():
    return torch.autocast("cpu", torch.bfloat16) if chosen.variant == "bf16" else contextlib.nullcontext()


def trainer(net, batch):
    """A function that takes a step and gives its loss."""
    x, t, y, target = batch
    parameters = list(net.parameters())
    average = [p.detach().clone() for p in parameters]
    adamw = torch.optim.AdamW(parameters, lr=1e-4, weight_decay=0.01, fused=x.device.type == "cpu")

    def loss_of(x, t, y, target):
        with autocast():
            out = net(x, t, y)
        return (out.float() - target).square().mean()

    if hasattr(net, "loss"):  # an autoencoder's own; its noise is ready, too
        count = chosen.batch * math.prod(net.code)
        noise = formula.formula(formula.NOISE, 1, count).reshape(chosen.batch, -1).to(x.device)

        def loss_of(x, t, y, target):
            with autocast():
                return net.loss(x, noise)

    if chosen.variant == "compiled":
        loss_of = torch.compile(loss_of, dynamic=False)

    def step():
        loss = loss_of(x, t, y, target)
        adamw.zero_grad()
        loss.backward()
        adamw.step()
        with torch.no_grad():
            torch._foreach_lerp_(average, parameters, 1 - DECAY)
        return loss if x.is_meta else loss.item()

    return step


def evaluator(net, batch):
    x, t, y, target = batch
    net.eval()
    run = torch.compile(net, dynamic=False) if chosen.variant == "compiled" else net

    @torch.inference_mode()
    def step():
        with autocast():
            out = run(x, t, y)
        return lambda: (out.float() - target).square().mean().item()

    return step


def sampler(net, batch):
    """`batch` images by guided Euler steps, with both halves of the guidance in one batch."""
    rows = chosen.batch
    net.eval()
    run = torch.compile(net, dynamic=False) if chosen.variant == "compiled" else net
    null = torch.full([rows], classes)
    y = torch.cat([torch.arange(rows) % classes, null])

    @torch.inference_mode()
    def step():
        x, h = torch.randn(rows, dim), 1 / chosen.steps
        for k in range(chosen.steps):
            t = torch.full([2 * rows], k * h)
            with autocast():
                told, untold = run(torch.cat([x, x]), t, y).float().chunk(2)
            x = x + h * (GUIDANCE * told + (1 - GUIDANCE) * untold)
        return lambda: x.double().square().mean().item()

    return step


MAKERS = {"train": trainer, "forward": evaluator, "sample": sampler}


def prepared(layout, device="cpu"):
    """A step with the common weights, its network in a memory layout."""
    net = make()
    formula.fill(net)
    net = net.to(memory_format=layout).to(device)
    batch = [part if part is None else part.to(device) for part in formula.batch(chosen.batch, dim, classes)]
    return MAKERS[chosen.mode](net, batch)


def timed(step):
    start = time.perf_counter()
    value = step()
    seconds = time.perf_counter() - start
    return seconds, value() if callable(value) else value


def numbers():
    """Parameters and running statistics."""
    return sum(tensor.numel() for tensor, _ in formula.tensors(make()))


def print_flop():
    """Operations of a step: products and convolutions only, forward and backward, a multiply-add being two."""
    chosen.variant = "eager"
    with FlopCounterMode(display=False) as counter:
        if chosen.mode == "sample":
            chosen.mode = "forward"
            factor = 2 * chosen.steps
        else:
            factor = 1
        prepared(torch.contiguous_format)()
    parameters = sum(p.numel() for p in make().parameters())
    print(json.dumps({"flop": factor * counter.get_total_flops(), "params": parameters, "numbers": numbers()}))


def main():
    step = prepared({"contiguous": torch.contiguous_format, "channels_last": torch.channels_last}[chosen.layout])
    seconds, values, first_done = [], [], None
    for k in range(chosen.warmup + chosen.repeat):
        spent, value = timed(step)
        first_done = first_done or time.time()
        values.append(value)
        if k >= chosen.warmup:
            seconds.append(spent)
    line = {
        "peer": f"PyTorch {chosen.variant}",
        "version": torch.__version__,
        "work": chosen.work,
        "mode": chosen.mode,
        "batch": chosen.batch,
        "seconds": seconds,
        "begun": begun,
        "first_done": first_done,
        "numbers": numbers(),
        "loss": values[0],
        "last_loss": values[-1],
        "layout": chosen.layout,
        "allocator": Path(os.environ.get("LD_PRELOAD", "system")).name,
        "peak_rss_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }
    print(json.dumps(line), flush=True)


print_flop() if chosen.flop else main()
