"""Steps of torch.optim.Muon and torch.optim.AdamW side by side, for crates/train/tests/muon.rs.

The peer orthogonalises in bfloat16; that name means float64 here, so that its formula is compared and not its rounding.
"""

import math

import torch

import fixture

LR, DECAY, MOMENTUM, STEPS = 0.02, 0.1, 0.95, 6
# The first and the last touch the data: AdamW. A kernel is the matrix [out, in · height · width].
SHAPES = {"first": [5, 12], "wide": [12, 20], "tall": [20, 12], "kernel": [8, 12], "last": [12, 3]}


def formula(number: int, shape: list[int]) -> torch.Tensor:
    """u(i) = frac(43758.5453 |sin(12.9898 i + 78.233 number)|), as 2u - 1."""
    count = math.prod(shape)
    values = [math.modf(43758.5453 * abs(math.sin(12.9898 * i + 78.233 * number)))[0] for i in range(count)]
    return torch.tensor([2 * u - 1 for u in values], dtype=torch.float64).reshape(shape)


def main() -> None:
    torch.bfloat16 = torch.float64
    names = list(SHAPES)
    params = {name: formula(k, SHAPES[name]) for k, name in enumerate(names)}
    hidden = [params[n] for n in ("wide", "tall", "kernel")]
    muon = torch.optim.Muon(hidden, lr=LR, weight_decay=DECAY, momentum=MOMENTUM, adjust_lr_fn="match_rms_adamw")
    rest = [params[n] for n in ("first", "last")]
    adamw = torch.optim.AdamW(rest, lr=LR, betas=(0.9, 0.999), eps=1e-8, weight_decay=DECAY)
    after = []
    for step in range(STEPS):
        for k, name in enumerate(names):
            params[name].grad = formula(100 + 10 * step + k, SHAPES[name])
        muon.step()
        adamw.step()
        after.append({name: params[name].flatten().tolist() for name in names})
    fixture.write("muon.json", [{"name": n, "first": after[0][n], "last": after[-1][n]} for n in names], crate="train")


if __name__ == "__main__":
    main()
