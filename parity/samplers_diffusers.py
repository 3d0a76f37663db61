"""Cases from diffusers."""

import logging

import torch

from denoiser import prediction
from diffusers_f64 import advance, coefficients, orders_of, scheduler
from samplers_case import Case, call

logging.getLogger("diffusers").setLevel(logging.ERROR)

LINEAR = {"beta_schedule": "linear"}
SCALED = {"beta_schedule": "scaled_linear", "beta_start": 0.00085, "beta_end": 0.012}
# α is nearly 0 where this schedule starts, hence a prediction that keeps its digits there.
COSINE = {"beta_schedule": "squaredcos_cap_v2", "prediction_type": "v_prediction"}
SCHEDULES = [LINEAR, SCALED, COSINE]
KARRAS = {"use_karras_sigmas": True}
TO_MINIMUM = {"final_sigmas_type": "sigma_min"}
FLOW = {"use_flow_sigmas": True, "prediction_type": "flow_prediction"}


def described(config, steps):
    flow = f"flow, shift {config.get('shift') or config.get('flow_shift', 1.0)}"
    names = [config.get("beta_schedule") or config.get("sigma_schedule") or flow]
    if spacing := config.get("timestep_spacing"):
        names.append(spacing)
    names += [key.removeprefix("use_") for key in ("use_karras_sigmas", "use_lu_lambdas") if config.get(key)]
    if final := config.get("final_sigmas_type"):
        names.append(f"ends at {final}")
    return ", ".join([*names, f"{steps} steps"])


def discrete(sampler, parameter, name, config, steps, options=None, **arguments):
    """DDIM and DDPM: the state at a training step of the discrete chain."""
    case = Case()
    peer = scheduler(name, {**config, "clip_sample": False}, case.draw)
    peer.set_timesteps(steps)
    final = getattr(peer, "final_alpha_cumprod", torch.tensor(1.0))
    bars = [*(peer.alphas_cumprod[t] for t in peer.timesteps), final]
    alpha, beta = [bar**0.5 for bar in bars], [(1 - bar) ** 0.5 for bar in bars]
    if name == "DDIMScheduler":
        stride = peer.config.num_train_timesteps // steps
        assert all(a - stride == b for a, b in zip(peer.timesteps, peer.timesteps[1:])), "steps leave the peer's own grid"
        assert peer.timesteps[-1] < stride
    start = x = case.normal()
    states = []
    for i, t in enumerate(peer.timesteps):
        case.step = i
        output = prediction(peer.config.prediction_type, x, alpha[i], beta[i])
        x = peer.step(output, t, x, return_dict=False, **arguments)[0]
        states.append(x)
    peer_name = call(f"diffusers.{name}", {**config, **arguments})
    return case.entry(
        sampler, parameter, peer_name, described(config, steps), "vp", alpha, beta, start, states, options
    )


def indexed(sampler, parameter, name, config, steps, kind="vp", options=None, **arguments):
    """Schedulers that keep a grid of σ and the index of the step on it."""
    case = Case()
    peer = scheduler(name, config, case.draw)
    peer.set_timesteps(steps)
    orders = orders_of(peer)
    sigmas = peer.sigmas
    predicts = getattr(peer.config, "prediction_type", "flow_prediction")
    start = case.normal()
    if kind == "ve":
        start = start * sigmas[0]
    states, corrected = [], []

    def before(i, x):
        case.step = i
        return x

    for x in advance(peer, kind, predicts, start, before, **arguments):
        states.append(x)
        if name == "UniPCMultistepScheduler":
            corrected.append(peer.last_sample)
            orders.append(peer.this_order)
    if peer.order == 2:
        # Two calls a step, the last step to σ = 0 excepted; the states between are intermediate.
        states = [*states[1:-1:2], states[-1]]
        sigmas = torch.cat([sigmas[: 2 * steps : 2], torch.zeros(1)])
    if orders:
        options = {**(options or {}), "orders": orders}
    more = {"corrected": corrected} if corrected else {}
    alpha, beta = coefficients(kind, sigmas)
    return case.entry(
        sampler,
        parameter,
        call(f"diffusers.{name}", {**config, **arguments}),
        described(config, steps),
        kind,
        alpha,
        beta,
        start,
        states,
        options,
        **more,
    )


def ddim():
    for config, steps, eta in [
        (LINEAR | {"timestep_spacing": "leading"}, 8, 0.0),
        (SCALED | {"timestep_spacing": "leading", "steps_offset": 1, "set_alpha_to_one": False}, 10, 0.0),
        (COSINE | {"timestep_spacing": "trailing"}, 5, 0.0),
        (SCALED | {"timestep_spacing": "trailing", "set_alpha_to_one": False}, 8, 0.5),
        (COSINE | {"timestep_spacing": "leading"}, 10, 0.5),
        (LINEAR | {"timestep_spacing": "trailing"}, 8, 1.0),
        (COSINE | {"timestep_spacing": "leading", "steps_offset": 1, "set_alpha_to_one": False}, 5, 1.0),
    ]:
        yield discrete("ddim", eta, "DDIMScheduler", config, steps, eta=eta)


def ddpm():
    small = {"variance_type": "fixed_small"}
    for config, steps in [
        (LINEAR | small | {"timestep_spacing": "leading"}, 8),
        (SCALED | small | {"timestep_spacing": "linspace"}, 7),
        (COSINE | small | {"timestep_spacing": "leading"}, 9),
    ]:
        yield discrete("ddpm", None, "DDPMScheduler", config, steps)


def euler():
    for config, steps in [
        (LINEAR | {"timestep_spacing": "linspace"}, 6),
        (SCALED | {"timestep_spacing": "leading", "steps_offset": 1}, 8),
        (COSINE | {"timestep_spacing": "leading"}, 7),
        (SCALED | KARRAS | TO_MINIMUM, 6),
    ]:
        yield indexed("euler", None, "EulerDiscreteScheduler", config, steps, "ve")
    for shift, steps in [(1.0, 6), (3.0, 8)]:
        yield indexed("euler", None, "FlowMatchEulerDiscreteScheduler", {"shift": shift}, steps, "flow")
    for sigmas, steps in [("karras", 6), ("exponential", 5)]:
        yield indexed("euler", None, "EDMEulerScheduler", {"sigma_schedule": sigmas}, steps, "ve")
    for config, steps in [
        (LINEAR | {"timestep_spacing": "linspace"}, 6),
        (SCALED | {"timestep_spacing": "trailing"}, 8),
        (COSINE | {"timestep_spacing": "leading"}, 5),
    ]:
        yield indexed("euler-ancestral", 1.0, "EulerAncestralDiscreteScheduler", config, steps, "ve")


def heun():
    for config, steps in [
        (LINEAR | {"beta_start": 0.0001, "beta_end": 0.02}, 6),
        (SCALED | KARRAS, 8),
        (COSINE | {"timestep_spacing": "leading"}, 5),
    ]:
        yield indexed("heun", None, "HeunDiscreteScheduler", config, steps, "ve")
        yield indexed("dpm2", None, "KDPM2DiscreteScheduler", config, steps, "ve")


def single():
    name = "DPMSolverSinglestepScheduler"
    for order, config, steps in [
        (1, LINEAR | {"lower_order_final": True}, 6),
        (1, COSINE | KARRAS | {"lower_order_final": True}, 7),
        (2, LINEAR | TO_MINIMUM, 8),
        (2, SCALED | {"lower_order_final": True}, 8),
        (2, COSINE | {"lower_order_final": True}, 7),
        (2, SCALED | KARRAS | TO_MINIMUM | {"solver_type": "heun"}, 6),
    ]:
        options = {"solver_type": config.get("solver_type", "midpoint")}
        case = indexed(f"dpm++{order}s", None, name, {"solver_order": order, **config}, steps, options=options)
        # A step of order 2 starts from the state before the one before it and takes that one as its intermediate.
        case["options"]["order_list"] = case["options"].pop("orders")
        yield case


def multi(sampler, parameter, order, config, steps, options=None, kind="vp", name="DPMSolverMultistepScheduler"):
    config = {"solver_order": order, **config}
    options = {
        "solver_type": config.get("solver_type", "midpoint"),
        "lower_order_final": config.get("lower_order_final", True),
        **(options or {}),
    }
    if order == 3:
        # See "Where a peer is wrong" in README.md.
        options["third_order"] = "sign" if "sde" in config.get("algorithm_type", "") else "half"
    return indexed(sampler, parameter, name, config, steps, kind, options)


def multistep():
    heun, full = {"solver_type": "heun"}, {"lower_order_final": False} | TO_MINIMUM
    for config, steps in [
        (LINEAR, 6),
        (SCALED | KARRAS, 8),
        (COSINE | {"use_lu_lambdas": True}, 7),
        (LINEAR | {"timestep_spacing": "trailing"} | full, 9),
        (FLOW | {"flow_shift": 3.0}, 6),
    ]:
        kind = "flow" if "use_flow_sigmas" in config else "vp"
        yield multi("dpm++2m", None, 2, config, steps, kind=kind)
        if kind == "vp":
            yield multi("exp-ab", 2, 2, config | heun, steps)
    for config, steps in [
        (LINEAR, 8),
        (SCALED | KARRAS | {"lower_order_final": False}, 7),
        (COSINE | full, 9),
    ]:
        yield multi("dpm++3m", None, 3, config, steps)
    edm = {"kind": "ve", "name": "EDMDPMSolverMultistepScheduler"}
    yield multi("dpm++2m", None, 2, {"sigma_schedule": "karras"}, 6, **edm)
    yield multi("dpm++3m", None, 3, {"sigma_schedule": "exponential", "lower_order_final": False}, 7, **edm)
    yield multi("dpm++2m-sde", 1.0, 2, {"sigma_schedule": "karras", "algorithm_type": "sde-dpmsolver++"}, 6, **edm)


def stochastic():
    sde, full = {"algorithm_type": "sde-dpmsolver++"}, {"lower_order_final": False} | TO_MINIMUM
    heun = {"solver_type": "heun"}
    for order, cases in [
        (1, [(LINEAR, 6), (SCALED | KARRAS, 5)]),
        (2, [(LINEAR, 7), (SCALED | KARRAS, 6), (COSINE | full, 6), (SCALED | {"use_lu_lambdas": True} | heun, 6)]),
        (3, [(LINEAR, 7), (SCALED | KARRAS | {"lower_order_final": False}, 7), (COSINE | full, 8)]),
    ]:
        sampler = "dpm++1-sde" if order == 1 else f"dpm++{order}m-sde"
        for config, steps in cases:
            yield multi(sampler, 1.0, order, sde | config, steps)


def unipc():
    full = {"lower_order_final": False} | TO_MINIMUM
    for order, config, steps in [
        (1, LINEAR, 6),
        # With bh1 the peer divides by zero where the grid ends without noise.
        (1, SCALED | {"solver_type": "bh1"} | TO_MINIMUM, 6),
        (2, LINEAR, 7),
        (2, SCALED | {"solver_type": "bh1"} | TO_MINIMUM, 6),
        (2, SCALED | KARRAS, 6),
        (2, COSINE | full, 6),
        (2, FLOW | {"flow_shift": 3.0}, 6),
        (3, LINEAR, 8),
        (3, SCALED | KARRAS, 7),
        (3, COSINE | {"solver_type": "bh1"} | full, 7),
    ]:
        config = {"solver_order": order, **config}
        options = {
            "solver_type": config.get("solver_type", "bh2"),
            "lower_order_final": config.get("lower_order_final", True),
        }
        kind = "flow" if "use_flow_sigmas" in config else "vp"
        yield indexed("unipc", order, "UniPCMultistepScheduler", config, steps, kind, options)


def deis():
    for order, config, steps in [
        (1, LINEAR, 6),
        (1, COSINE, 5),
        (2, LINEAR | {"lower_order_final": False}, 7),
        (2, COSINE, 6),
        (3, SCALED, 8),
        (3, LINEAR | {"lower_order_final": False}, 7),
        (3, COSINE | {"lower_order_final": False}, 7),
    ]:
        options = {"lower_order_final": config.get("lower_order_final", True)}
        config = {"solver_order": order, **config}
        yield indexed("deis", order, "DEISMultistepScheduler", config, steps, options=options)


def lms():
    for order, config, steps in [
        (1, LINEAR, 6),
        (2, SCALED | KARRAS, 7),
        (3, COSINE | {"timestep_spacing": "leading"}, 6),
        (4, LINEAR | {"timestep_spacing": "trailing"}, 8),
    ]:
        yield indexed("lms", order, "LMSDiscreteScheduler", config, steps, "ve", order=order)


def cases():
    for family in (ddim, ddpm, euler, heun, single, multistep, stochastic, unipc, deis, lms):
        yield from family()
