"""Diffusers' schedulers in f64, stepped on a denoiser in closed form."""

import importlib

import numpy
import torch

from denoiser import Double, denoise, prediction

MODULES = {
    "DDIMScheduler": "ddim",
    "DDPMScheduler": "ddpm",
    "EulerDiscreteScheduler": "euler_discrete",
    "EulerAncestralDiscreteScheduler": "euler_ancestral_discrete",
    "HeunDiscreteScheduler": "heun_discrete",
    "KDPM2DiscreteScheduler": "k_dpm_2_discrete",
    "EDMEulerScheduler": "edm_euler",
    "EDMDPMSolverMultistepScheduler": "edm_dpmsolver_multistep",
    "FlowMatchEulerDiscreteScheduler": "flow_match_euler_discrete",
    "DPMSolverMultistepScheduler": "dpmsolver_multistep",
    "DPMSolverSinglestepScheduler": "dpmsolver_singlestep",
    "UniPCMultistepScheduler": "unipc_multistep",
    "DEISMultistepScheduler": "deis_multistep",
    "LMSDiscreteScheduler": "lms_discrete",
}


def scheduler(name, config, draw=None):
    """The scheduler in f64; `draw` takes the place of its normal noise."""
    module = importlib.import_module(f"diffusers.schedulers.scheduling_{MODULES[name]}")
    module.torch, module.np = Double(torch), Double(numpy)
    if hasattr(module, "randn_tensor"):
        module.randn_tensor = draw
    return getattr(module, name)(**config)


def coefficients(kind, sigma):
    """α, β where the scheduler's grid has σ: β/α, or for a flow β itself."""
    if kind == "ve":
        return torch.ones_like(sigma), sigma
    if kind == "flow":
        return 1 - sigma, sigma
    alpha = 1 / (sigma**2 + 1) ** 0.5
    return alpha, sigma * alpha


def orders_of(peer):
    """A list that receives the order of every step that the peer takes with a `…_first_order_update` and the like."""
    orders = []
    for name in dir(type(peer)):
        for order, word in enumerate(("first", "second", "third"), start=1):
            if name.endswith(f"_{word}_order_update"):
                update = getattr(peer, name)

                def recorded(*args, update=update, order=order, **kwargs):
                    orders.append(order)
                    return update(*args, **kwargs)

                setattr(peer, name, recorded)
    return orders


def network(peer, kind, predicts, x, t, i, denoiser):
    """What the network answers at the peer's call i: at the state and σ that the peer means, not at a rounded time."""
    first = getattr(peer, "state_in_first_order", True)
    sigma = (peer.sigmas if first else getattr(peer, "sigmas_interpol", peer.sigmas))[i]
    alpha, beta = coefficients(kind, sigma)
    data = getattr(peer.config, "sigma_data", 1.0)
    if hasattr(peer, "scale_model_input"):
        # The peer's scaling of a variance-exploding state, undone.
        x = peer.scale_model_input(x, t) * ((sigma**2 + data**2) ** 0.5 if kind == "ve" else 1)
    if hasattr(peer, "precondition_outputs"):
        # D = c_skip x + c_out F, solved for F.
        total = sigma**2 + data**2
        return (denoiser(x, alpha, beta) - data**2 / total * x) / (sigma * data / total**0.5)
    return prediction(predicts, x, alpha, beta, denoiser)


def advance(peer, kind, predicts, x, before=lambda i, x: x, denoiser=denoise, **arguments):
    """Yields the state after each of the peer's calls; `before(i, x)` sees and may replace the one call i starts from."""
    peer.set_begin_index(0)
    for i, t in enumerate(peer.timesteps):
        x = before(i, x)
        output = network(peer, kind, predicts, x, t, i, denoiser)
        x = peer.step(output, t, x, return_dict=False, **arguments)[0]
        yield x
