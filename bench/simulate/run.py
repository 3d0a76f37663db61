"""Side-by-side speed of simulation: fokker and its peers on the same work, in one run, on this machine.

    python bench/simulate/run.py              the full comparison
    python bench/simulate/run.py --quick      small counts, one round: does everything run?

Every measurement is a child process that prints JSON lines. Fokker runs before and after each peer, and each peer is
compared with the two fokker runs beside it, so that the slow drifts of a shared machine cancel in the ratio.
"""

import argparse
import json
import math
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "common"))

import report  # noqa: E402
from driver import begin, json_lines, our_program, progress, write  # noqa: E402
from driver import child as run_child  # noqa: E402

LIMIT_SECONDS = 300

# What each work is, how its law is checked, and who runs it with how many items.
# A peer's count is one at which it is at its best and runs for about a second or two: speed is per item,
# so a peer that needs a minute for a million paths runs fewer, and the table marks it.
# `quick` divides every count.
WORKS = {
    "a": {
        "title": "Lorenz, fixed step, 1,000 steps of h = 0.001, f32",
        "unit": "trajectories/s",
        "threads": 2,
        "fokker": 1_000_000,
        "peers": {"torch_loop.py": 16_384, "torch_compiled.py": 65_536, "diffrax_.py": 131_072, "scipy_.py": 8_192},
        # Mean of z(1) over the spread: 30th-order Taylor series in 40 digits, Gauss–Legendre over the spread.
        "law": ("mean z(1)", 29.36269950523, lambda line: 1e-3),
    },
    "b": {
        "title": "Ornstein–Uhlenbeck, Euler–Maruyama, 10⁶ paths × 1,000 steps of h = 0.02, f32",
        "unit": "paths/s",
        "stated": 1_000_000,
        "threads": 2,
        "fokker": 1_000_000,
        "peers": {"torch_loop.py": 100_000, "torch_compiled.py": 131_072, "torchsde_.py": 50_000, "diffrax_.py": 131_072},
        # σ²h (1 − a²ⁿ)/(1 − a²), a = 1 − θh: Euler–Maruyama's own variance after n steps; five standard errors.
        "law": ("variance at T = 20", 2.004923758801, lambda line: 5 * 2.005 * math.sqrt(2 / line["count"])),
    },
    "c": {
        "title": "Lorenz, adaptive, rtol = atol = 1e-6, t from 0 to 10",
        "unit": "trajectories/s",
        "threads": 2,
        "fokker": 200_000,
        "peers": {"diffrax_.py": 8_192, "scipy_.py": 4_096},
        # The same Taylor series. Lorenz amplifies an error some e⁹-fold by t = 10, so agreement to 0.01 is what 1e-6 buys.
        "law": ("x(10) of trajectory 0", -4.902687541135, lambda line: 0.01),
    },
    "d": {
        "title": "Standard normals",
        "unit": "normals/s",
        "threads": 1,
        "fokker": 400_000_000,
        "peers": {"numpy_.py": 40_000_000, "torch_loop.py": 40_000_000},
        # The last 65,536 numbers; five standard errors.
        "law": ("variance", 1.0, lambda line: 5 * math.sqrt(2 / 65_536)),
    },
}
QUICK = {"a": 1, "b": 2, "c": 8, "d": 8}


def main():
    arguments = parse()
    started, before = time.time(), begin(arguments.out)
    advice = "Give its path with --fokker, or measure the peers alone with --no-fokker."
    fokker = None if arguments.no_fokker else our_program(arguments.fokker, "fokker-sim", "bench", advice)
    rounds = 1 if arguments.quick else arguments.rounds
    repeat = 2 if arguments.quick else arguments.repeat
    results, failures = {}, []
    with tempfile.TemporaryDirectory(prefix="fokker-bench-") as cache:
        environment = child_environment(cache)
        for work in arguments.works:
            results[work] = run_work(work, fokker, rounds, repeat, arguments.quick, environment, failures)
    facts = before | {"rounds": rounds, "repeat": repeat, "quick": arguments.quick, "seconds": time.time() - started}
    rows = {work: report.rows(samples, WORKS[work]) for work, samples in results.items()}
    failures += report.disagreements(results, WORKS)
    table = report.markdown(rows, WORKS, facts, failures)
    write(arguments.out / "simulate.json", json.dumps({"machine": facts, "rows": rows, "samples": results, "failures": failures}, indent=1))
    write(arguments.out / "simulate.md", table)
    print(table)
    print(f"written: {arguments.out}/simulate.md and simulate.json", file=sys.stderr)
    return 1 if failures else 0


def parse():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--fokker", type=Path, help="path of fokker's bench program; default: build it with cargo")
    parser.add_argument("--no-fokker", action="store_true", help="measure the peers alone")
    parser.add_argument("--quick", action="store_true", help="small counts, one round, two repeats")
    parser.add_argument("--works", default="abcd", help="letters of the works to run (default: abcd)")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--repeat", type=int, default=3, help="timed runs inside each child process")
    parser.add_argument("--out", type=Path, default=HERE / "results")
    arguments = parser.parse_args()
    unknown = [work for work in arguments.works if work not in WORKS]
    if unknown or not arguments.works:
        parser.error(f"--works {arguments.works}: works are letters among {''.join(WORKS)}")
    if arguments.rounds < 1 or arguments.repeat < 1:
        parser.error("--rounds and --repeat must be at least 1")
    return arguments


def child_environment(cache):
    """Compilers cache in a fresh folder: the first round compiles cold (and is reported), later rounds start warm."""
    return os.environ | {
        "TORCHINDUCTOR_CACHE_DIR": f"{cache}/inductor",
        "JAX_COMPILATION_CACHE_DIR": f"{cache}/jax",
        "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
    }


def run_work(work, fokker, rounds, repeat, quick, environment, failures):
    """Samples of one work: a list of {"peer lines", "fokker before", "fokker after"} per peer and round."""
    spec = WORKS[work]
    divide = QUICK[work] if quick else 1
    common = ["--work", work, "--threads", str(spec["threads"]), "--repeat", str(repeat)]
    samples = []
    for turn in range(rounds):
        before = run_fokker(fokker, work, spec, common, environment)
        for script, count in spec["peers"].items():
            progress(f"work {work}, round {turn + 1} of {rounds}: {script}")
            command = [sys.executable, str(HERE / "peers" / script), *common, "--count", str(count // divide)]
            try:
                lines = child(command, environment)
            except RuntimeError as error:
                failures.append(f"{script}, work {work}, round {turn + 1}: {error}")
                lines = []
            after = run_fokker(fokker, work, spec, common, environment)
            samples.append({"round": turn, "script": script, "lines": lines, "before": before, "after": after})
            before = after
    return samples


def run_fokker(fokker, work, spec, common, environment):
    if fokker is None:
        return []
    try:
        return child([str(fokker), *common, "--count", str(spec["fokker"])], environment)
    except RuntimeError as error:
        sys.exit(f"run.py: fokker failed on work {work}: {error}")


def child(command, environment):
    """The JSON lines a child printed."""
    lines = json_lines(run_child(command, environment, LIMIT_SECONDS))
    for line in lines:
        line.setdefault("precision", "f32")
        line["speed"] = line["count"] / statistics.median(line["seconds"])
    return lines


if __name__ == "__main__":
    sys.exit(main())
