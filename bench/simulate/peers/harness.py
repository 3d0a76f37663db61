"""What every peer shares: the works, the command line, the clock and the JSON line.

A peer calls `options()` before it imports its heavy library, because thread limits are read at import.
"""

import argparse
import json
import os
import statistics
import time
from dataclasses import dataclass
from typing import Callable

# Works a and c: Lorenz from (1 + s_i, 1, 1), s_i = SPREAD · frac(i·φ⁻¹). Trajectory 0 starts at exactly (1, 1, 1),
# and the spread is the same whatever the number of trajectories.
SIGMA, RHO, BETA = 10.0, 28.0, 8.0 / 3.0
SPREAD, GOLDEN = 0.01, 0.6180339887498949
LORENZ_STEPS, LORENZ_H = 1000, 1e-3
ADAPTIVE_T, TOLERANCE = 10.0, 1e-6

# Work b: dX = −θX dt + σ dW from X₀ = 0.
THETA, OU_SIGMA = 0.25, 1.0
OU_STEPS, OU_H = 1000, 0.02

THREAD_VARIABLES = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMEXPR_NUM_THREADS")


@dataclass
class Case:
    """One thing to time. `run` does the whole work of `count` items and returns what `check` reduces to a number."""

    peer: str
    version: str
    precision: str
    count: int
    steps: int
    run: Callable[[], object]
    check: Callable[[object], float]
    children: bool = False  # the work is done by child processes, whose memory counts too


def options(works):
    parser = argparse.ArgumentParser()
    parser.add_argument("--work", required=True, choices=list(works))
    parser.add_argument("--count", required=True, type=int)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--repeat", type=int, default=3)
    chosen = parser.parse_args()
    for name in THREAD_VARIABLES:
        os.environ[name] = str(chosen.threads)
    if hasattr(os, "sched_setaffinity"):  # XLA sizes its pool by the cores it may run on
        allowed = sorted(os.sched_getaffinity(0))
        os.sched_setaffinity(0, allowed[: chosen.threads])
    return chosen


def spread(count):
    """s_i of every trajectory, f64."""
    import numpy as np

    return SPREAD * np.modf(np.arange(count, dtype=np.float64) * GOLDEN)[0]


def measure(chosen, cases):
    """Times each case and prints its JSON line. The first run (compilation, first touch of memory) is not counted."""
    for case in cases:
        reset_peak()
        start = time.perf_counter()
        result = case.run()
        first = time.perf_counter() - start
        seconds = []
        for _ in range(chosen.repeat):
            start = time.perf_counter()
            result = case.run()
            seconds.append(time.perf_counter() - start)
        line = {
            "peer": case.peer,
            "version": case.version,
            "work": chosen.work,
            "precision": case.precision,
            "count": case.count,
            "steps": case.steps,
            "threads": chosen.threads,
            "seconds": seconds,
            "compile_seconds": max(0.0, first - statistics.median(seconds)),
            "check": float(case.check(result)),
            "peak_rss_mb": peak_rss_mb(case.children),
        }
        print(json.dumps(line), flush=True)


def reset_peak():
    """Forgets the memory peak of an earlier case; without /proc the peak is the whole process's."""
    try:
        with open("/proc/self/clear_refs", "w") as file:
            file.write("5")
    except OSError:
        pass


def peak_rss_mb(children=False):
    """Highest resident memory in MiB: of this process, and of its live children when they did the work."""
    pids = ["self"]
    if children:
        import multiprocessing

        pids += [str(child.pid) for child in multiprocessing.active_children()]
    try:
        return sum(_high_water_kb(pid) for pid in pids) / 1024
    except OSError:
        import resource
        import sys

        unit = 1024 * 1024 if sys.platform == "darwin" else 1024
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit


def _high_water_kb(pid):
    with open(f"/proc/{pid}/status") as file:
        for line in file:
            if line.startswith("VmHWM:"):
                return int(line.split()[1])
    raise OSError("no VmHWM")
