"""SciPy's `solve_ivp`, f64 (it has no f32), one process per thread because the solver is Python code.

a: RK45 (Dormand–Prince 5(4), SciPy's fifth-order method; it has no Tsit5) held at a fixed step by `first_step = max_step = h`
   with error control switched off, on one big vectorised system per block: the fastest way to run many trajectories.
c: per trajectory, as `solve_ivp` is meant to be used, with RK45 and DOP853; and RK45 on blocks as one big system, where
   all trajectories of a block share their steps (the error norm is over the block, so single trajectories may be less exact).
"""

from harness import ADAPTIVE_T, BETA, LORENZ_H, LORENZ_STEPS, RHO, SIGMA, TOLERANCE, Case, measure, options, spread

import multiprocessing

import numpy as np
import scipy
from scipy.integrate import solve_ivp

BLOCK = 2048


def one(t, state):
    x, y, z = state
    return SIGMA * (y - x), x * (RHO - z) - y, x * y - BETA * z


def many(t, state):
    x, y, z = state.reshape(3, -1)
    return np.concatenate((SIGMA * (y - x), x * (RHO - z) - y, x * y - BETA * z))


def fixed(starts):
    """End states [3, n] after LORENZ_STEPS equal steps."""
    end = LORENZ_STEPS * LORENZ_H
    loose = dict(first_step=LORENZ_H, max_step=LORENZ_H, rtol=1e3, atol=1e3)
    return solve_ivp(many, (0.0, end), state(starts), method="RK45", t_eval=[end], **loose).y.reshape(3, -1)


def adaptive_block(starts):
    return _adaptive(many, state(starts), "RK45").reshape(3, -1)


def adaptive_rk45(starts):
    return _each(starts, "RK45")


def adaptive_dop853(starts):
    return _each(starts, "DOP853")


def state(starts):
    return np.concatenate((starts, np.ones(2 * len(starts))))


def _each(starts, method):
    return np.stack([_adaptive(one, state(starts[i : i + 1]), method) for i in range(len(starts))], axis=1)


def _adaptive(field, start, method):
    span = (0.0, ADAPTIVE_T)
    return solve_ivp(field, span, start, method=method, t_eval=[ADAPTIVE_T], rtol=TOLERANCE, atol=TOLERANCE).y[:, -1]


def cases(work, count, threads, pool):
    def blocks(count, size):
        starts = 1.0 + spread(count)
        return [starts[i : i + size] for i in range(0, count, size)]

    def run(solve, parts):
        return lambda: np.concatenate(pool.map(solve, parts, chunksize=1), axis=1)

    version = scipy.__version__
    if work == "a":
        size = min(BLOCK, -(-count // threads))
        yield Case("SciPy RK45, big system", version, "f64", count, LORENZ_STEPS, run(fixed, blocks(count, size)), lambda y: y[2].mean(), True)
        return
    # A call of `solve_ivp` per trajectory costs some 10 ms: a sixteenth of the count is enough to time it.
    few = max(2 * threads, count // 16)
    parts = blocks(few, -(-few // (4 * threads)))
    yield Case("SciPy RK45", version, "f64", few, 0, run(adaptive_rk45, parts), lambda y: y[0, 0], True)
    yield Case("SciPy DOP853", version, "f64", few, 0, run(adaptive_dop853, parts), lambda y: y[0, 0], True)
    parts = blocks(count, min(BLOCK, -(-count // threads)))
    yield Case("SciPy RK45, big system", version, "f64", count, 0, run(adaptive_block, parts), lambda y: y[0, 0], True)


if __name__ == "__main__":
    chosen = options("ac")
    with multiprocessing.Pool(chosen.threads) as pool:
        measure(chosen, cases(chosen.work, chosen.count, chosen.threads, pool))
