"""torchsde: `sdeint` with its Euler method on a diagonal-noise Itô SDE, without gradients.

The noise is a BrownianInterval, torchsde's default, told the step (`dt`) as its documentation advises.
"""

from harness import OU_H, OU_SIGMA, OU_STEPS, THETA, Case, measure, options

chosen = options("b")

import torch
import torchsde

END = OU_STEPS * OU_H


class OrnsteinUhlenbeck(torch.nn.Module):
    noise_type = "diagonal"
    sde_type = "ito"

    def f(self, t, y):
        return -THETA * y

    def g(self, t, y):
        return torch.full_like(y, OU_SIGMA)


def solve(count):
    start = torch.zeros(count, 1)
    noise = torchsde.BrownianInterval(t0=0.0, t1=END, size=(count, 1), dt=OU_H)
    return torchsde.sdeint(OrnsteinUhlenbeck(), start, torch.tensor([0.0, END]), bm=noise, method="euler", dt=OU_H)[-1]


torch.set_num_threads(chosen.threads)
torch.set_grad_enabled(False)
torch.manual_seed(0)
measure(
    chosen,
    [Case("torchsde", torchsde.__version__, "f32", chosen.count, OU_STEPS, lambda: solve(chosen.count), lambda x: x.double().var())],
)
