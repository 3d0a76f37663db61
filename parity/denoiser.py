"""A denoiser in closed form, what a network of any kind would predict where it is exact, and f64 forced on peers."""

import torch

torch.set_default_dtype(torch.float64)


def denoise(x, alpha, beta):
    """D(x) = 0.6 tanh(1.7 y) + 0.3 α/√(α²+β²) y + 0.1 mean(y) with y = x/√(α²+β²), for x [rows, dim]."""
    r = (alpha**2 + beta**2) ** 0.5
    y = x / r
    return 0.6 * torch.tanh(1.7 * y) + 0.3 * (alpha / r) * y + 0.1 * y.mean(dim=1, keepdim=True)


def gaussian(x, alpha, beta, mean=1.5, std=0.4):
    """E[z | x] where z ~ N(mean, std²): the flow's solution is `gaussian_flow`."""
    return mean + alpha * std**2 * (x - alpha * mean) / (alpha**2 * std**2 + beta**2)


def gaussian_flow(c, alpha, beta, mean=1.5, std=0.4):
    return alpha * mean + (alpha**2 * std**2 + beta**2) ** 0.5 * c


def prediction(kind, x, alpha, beta, denoiser=denoise):
    """What a network of this kind of prediction would answer at x = αz + βε."""
    d = denoiser(x, alpha, beta)
    eps = (x - alpha * d) / beta
    if kind == "epsilon":
        return eps
    if kind == "sample":
        return d
    if kind == "v_prediction":
        # Of the variance-preserving state x/√(α²+β²).
        r = (alpha**2 + beta**2) ** 0.5
        return (alpha * eps - beta * d) / r
    if kind == "flow_prediction":
        return eps - d
    raise ValueError(kind)


class Double:
    """A module in whose name `float32` means f64, so that a peer that insists on f32 steps in f64."""

    def __init__(self, module, **replaced):
        self._module = module
        self._replaced = {"float32": module.float64, **replaced}

    def __getattr__(self, name):
        return self._replaced[name] if name in self._replaced else getattr(self._module, name)
