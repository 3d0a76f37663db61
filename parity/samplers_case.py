"""One case of `samplers.json`: its random shape, start and noise, and the form in which it is written."""

import torch

SEED = 6


class Case:
    """Draws are fixed by the case's number; `draw` hands them out and notes at which step."""

    count = 0

    def __init__(self):
        Case.count += 1
        self.generator = torch.Generator().manual_seed(1000 * SEED + Case.count)
        rows, dim = (int(torch.randint(1, top, (), generator=self.generator)) for top in (5, 8))
        self.shape = (rows, dim)
        self.step = 0
        self.draws = []

    def normal(self):
        return torch.randn(self.shape, generator=self.generator)

    def draw(self, *_, **__):
        noise = self.normal()
        self.draws.append((self.step, noise))
        return noise

    def entry(self, sampler, parameter, peer, schedule, kind, alpha, beta, x, states, options=None, used=None, **more):
        """`used(step)`: whether that step's draws have any weight; by default unless the step ends without noise."""
        alpha, beta = ([float(value) for value in values] for values in (alpha, beta))
        used = used or (lambda step: beta[step + 1] > 0)
        draws = [(step, noise) for step, noise in self.draws if used(step)]
        assert len(states) == len(beta) - 1, (peer, len(states), len(beta))
        assert all(torch.isfinite(state).all() and state.dtype == torch.float64 for state in states), peer
        flat = lambda tensors: [tensor.flatten().tolist() for tensor in tensors]
        return {
            "sampler": sampler,
            "parameter": parameter,
            "peer": peer,
            "schedule": schedule,
            "kind": kind,
            "options": options or {},
            "rows": self.shape[0],
            "dim": self.shape[1],
            "alpha": alpha,
            "beta": beta,
            "x": x.flatten().tolist(),
            "noise": flat(noise for _, noise in draws),
            "noise_at": [step for step, _ in draws],
            "states": flat(states),
            **{key: flat(value) for key, value in more.items()},
        }


def call(name, config):
    """How a peer was called: `name(key=value, ...)`."""
    return f"{name}({', '.join(f'{key}={value!r}' for key, value in config.items())})"
