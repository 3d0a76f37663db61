"""diffrax, jitted, one XLA host device per thread with the ensemble sharded over them (faster than one device with two threads).

a: Tsit5, ConstantStepSize. The ensemble is one batched state: with a common step that is the same work as `vmap`
   and it measured faster, since `vmap` turns the loop's scalar conditions into selects over the batch.
b: Euler (Euler–Maruyama) on UnsafeBrownianPath: legal for fixed steps without gradients,
   and one normal per step, where VirtualBrownianTree descends a tree at every step.
c: Tsit5, PIDController, vmapped, so that each trajectory has its own steps. f64, and f32 which is diffrax's default.
"""

from harness import ADAPTIVE_T, BETA, LORENZ_H, LORENZ_STEPS, OU_H, OU_SIGMA, OU_STEPS, RHO, SIGMA, THETA, TOLERANCE
from harness import Case, measure, options, spread

chosen = options("abc")

import os

os.environ["XLA_FLAGS"] = f"--xla_force_host_platform_device_count={chosen.threads}"
os.environ["JAX_PLATFORMS"] = "cpu"

import diffrax
import jax
import jax.numpy as jnp
import lineax
import numpy as np
from jax.sharding import PartitionSpec

MESH = jax.make_mesh((chosen.threads,), ("batch",))
SAVE = diffrax.SaveAt(t1=True)


def lorenz_field(t, state, args):
    x, y, z = state
    return SIGMA * (y - x), x * (RHO - z) - y, x * y - BETA * z


def fixed(x):
    ones = jnp.ones_like(x)
    return diffrax.diffeqsolve(
        diffrax.ODETerm(lorenz_field), diffrax.Tsit5(), 0.0, LORENZ_STEPS * LORENZ_H, LORENZ_H, (x, ones, ones),
        stepsize_controller=diffrax.ConstantStepSize(), saveat=SAVE, adjoint=diffrax.ForwardMode(), max_steps=LORENZ_STEPS + 1,
    ).ys


def adaptive(x):
    ones = jnp.ones_like(x)
    return diffrax.diffeqsolve(
        diffrax.ODETerm(lorenz_field), diffrax.Tsit5(), 0.0, ADAPTIVE_T, None, (x, ones, ones),
        stepsize_controller=diffrax.PIDController(rtol=TOLERANCE, atol=TOLERANCE), saveat=SAVE, adjoint=diffrax.ForwardMode(), max_steps=100_000,
    ).ys


def ornstein_uhlenbeck(x, key):
    noise = diffrax.UnsafeBrownianPath(shape=x.shape, key=key[0])
    drift = diffrax.ODETerm(lambda t, y, args: -THETA * y)
    diffusion = diffrax.ControlTerm(lambda t, y, args: lineax.DiagonalLinearOperator(jnp.full_like(y, OU_SIGMA)), noise)
    return diffrax.diffeqsolve(
        diffrax.MultiTerm(drift, diffusion), diffrax.Euler(), 0.0, OU_STEPS * OU_H, OU_H, x,
        stepsize_controller=diffrax.ConstantStepSize(), saveat=SAVE, adjoint=diffrax.ForwardMode(), max_steps=OU_STEPS + 1,
    ).ys


def sharded(solve, *inputs):
    """The jitted solver over all host devices, and a call that waits for its result."""
    shards = PartitionSpec("batch")
    inputs = [jax.device_put(a, jax.NamedSharding(MESH, shards)) for a in inputs]
    compiled = jax.jit(jax.shard_map(solve, mesh=MESH, in_specs=(shards,) * len(inputs), out_specs=shards, check_vma=False))
    return lambda: jax.block_until_ready(compiled(*inputs))


def cases(work, count):
    version = diffrax.__version__
    count -= count % chosen.threads
    if work == "b":
        keys = jax.random.split(jax.random.key(0), chosen.threads)
        run = sharded(ornstein_uhlenbeck, jnp.zeros(count, jnp.float32), keys)
        yield Case("diffrax", version, "f32", count, OU_STEPS, run, lambda x: np.asarray(x, np.float64).var())
    elif work == "a":
        run = sharded(fixed, jnp.asarray(1.0 + spread(count), jnp.float32))
        yield Case("diffrax", version, "f32", count, LORENZ_STEPS, run, lambda ys: np.asarray(ys[2], np.float64).mean())
    else:
        for name, dtype in (("f64", jnp.float64), ("f32", jnp.float32)):
            with jax.enable_x64(name == "f64"):
                run = sharded(jax.vmap(adaptive), jnp.asarray(1.0 + spread(count), dtype))
                yield Case("diffrax", version, name, count, 0, run, lambda ys: np.asarray(ys[0])[0, 0])


measure(chosen, cases(chosen.work, chosen.count))
