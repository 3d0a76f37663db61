"""Side-by-side speed of sampling points from a small network: fokker and PyTorch on the same weights, in one run, on this machine.

    python bench/sample/run.py              the full comparison
    python bench/sample/run.py --quick      one round of few points: does everything run?

Fokker trains its runs first (their speed is not measured). Every measurement is a process of its own; `fokker sample`
runs just before and just after each peer, and a ratio compares a peer with the two fokker runs beside it, so that the slow
drifts of a shared machine cancel.
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

import numpy

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
sys.path.insert(0, str(HERE.parent / "common"))

import machine  # noqa: E402
from driver import begin, child, failures_section, our_program, progress, write  # noqa: E402

# A recipe, and what is sampled from it, in full and with --quick. Few steps of training will do: speed does not depend on
# the weights, and both sides have the same.
WORKS = {
    "eight": (ROOT / "configs" / "8-gaussians.toml", "perceptron 18 → 3 × 256 → 2, SiLU", 1_000_000, 20_000),
    "ring": (HERE.parent / "train" / "ring.toml", "perceptron 3 → 4 × 64 → 2, SiLU", 1_000_000, 60_000),
}
TRAINING = ["--set", "train.steps=400"]
VARIANTS = ["eager", "compiled"]
STEPS, THREADS = 100, 2
# One chunk of fokker's: what a process costs that hardly samples.
LEAST = 1024
LIMIT_SECONDS = 3600


def main():
    arguments = parse()
    started, before = time.time(), begin(arguments.out)
    fokker = our_program(arguments.fokker, "fokker-cli", advice="Give its path with --fokker.")
    rounds = 1 if arguments.quick else arguments.rounds
    samples, failures = {}, []
    with tempfile.TemporaryDirectory(prefix="fokker-bench-") as folder:
        environment = os.environ | {"TORCHINDUCTOR_CACHE_DIR": f"{folder}/inductor"}
        for work in arguments.works:
            recipe, _, full, few = WORKS[work]
            count = arguments.count or (few if arguments.quick else full)
            run = Path(folder) / work
            progress(f"{work}: training")
            child([str(fokker), "train", str(recipe), "--out", str(run), *TRAINING], os.environ, LIMIT_SECONDS)
            samples[work] = []
            for turn in range(rounds):
                own = run_fokker(fokker, run, count, folder)
                for variant in arguments.peers:
                    progress(f"{work}, round {turn + 1} of {rounds}: {variant}")
                    try:
                        peer = run_peer(variant, run, count, environment)
                    except RuntimeError as error:
                        failures.append(f"{work}, {variant}, round {turn + 1}: {error}")
                        peer = None
                    after = run_fokker(fokker, run, count, folder)
                    samples[work].append({"peer": peer, "before": own, "after": after})
                    if peer:
                        failures += disagreement(f"{work}, {variant}", peer, after)
                    own = after
    rows = {work: table(group) for work, group in samples.items()}
    facts = before | {"rounds": rounds, "quick": arguments.quick, "seconds": time.time() - started}
    text = markdown(rows, facts, failures)
    write(arguments.out / "sample.json", json.dumps({"machine": facts, "rows": rows, "samples": samples, "failures": failures}, indent=1))
    write(arguments.out / "sample.md", text)
    print(text)
    return 1 if failures else 0


def parse():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--fokker", type=Path, help="path of the program fokker; default: build it with cargo")
    parser.add_argument("--quick", action="store_true", help="one round of few points")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--count", type=int, help="points; default: a million")
    parser.add_argument("--works", nargs="+", choices=list(WORKS), default=list(WORKS))
    parser.add_argument("--peers", nargs="+", choices=VARIANTS, default=VARIANTS)
    parser.add_argument("--out", type=Path, default=HERE / "results")
    arguments = parser.parse_args()
    if arguments.rounds < 1:
        parser.error("--rounds must be at least 1")
    if arguments.count is not None and arguments.count < 8 * LEAST:
        parser.error(f"--count must be at least {8 * LEAST}")
    return arguments


def run_fokker(program, run, count, folder):
    """One sampling, as a user's command with all it does, and beside it one chunk, whose time is start and file."""
    out = Path(folder) / "points.npy"
    sample = [str(program), "--threads", str(THREADS), "sample", str(run), "--sampler", "euler", "--steps", str(STEPS), "--out", str(out)]
    seconds = []
    for points in (LEAST, count):
        start = time.perf_counter()
        child([*sample, "--count", str(points)], os.environ, LIMIT_SECONDS)
        seconds.append(time.perf_counter() - start)
    radii = numpy.linalg.norm(numpy.load(out).astype(float), axis=1)
    if len(radii) != count:
        raise RuntimeError(f"fokker wrote {len(radii)} points, asked for {count}")
    version = json.loads((run / "run.json").read_text())["fokker"]
    return {
        "peer": "fokker",
        "version": version,
        # Without start and file: whole chunks beyond the first.
        "rate": (math.ceil(count / LEAST) - 1) * LEAST / (seconds[1] - seconds[0]),
        "seconds": seconds[1],
        "batch": LEAST,
        "first_seconds": seconds[0],
        "count": count,
        "radius": [radii.mean(), radii.std(ddof=1)],
    }


def run_peer(variant, run, count, environment):
    script = [sys.executable, str(HERE / "peers" / "torch_.py")]
    options = ["--variant", variant, "--run", str(run), "--count", str(count), "--steps", str(STEPS), "--threads", str(THREADS)]
    line = json.loads(child([*script, *options], environment, LIMIT_SECONDS).splitlines()[-1])
    return line | {"count": count}


def disagreement(name, peer, own):
    """The same weights and the same law: the mean radius of both sides within five standard errors."""
    error = math.hypot(peer["radius"][1], own["radius"][1]) / math.sqrt(own["count"])
    if abs(peer["radius"][0] - own["radius"][0]) <= 5 * error:
        return []
    return [f"{name}: mean radius {peer['radius'][0]:.5f}, fokker's is {own['radius'][0]:.5f} (standard error {error:.1e})"]


def table(samples):
    """A row per program: the median over its processes, and the ratio of each to the two fokker runs beside it."""
    runs, ratios = {}, {}
    own = {id(run): run for s in samples for run in (s["before"], s["after"])}
    runs["fokker"] = list(own.values())
    for sample in samples:
        peer = sample["peer"]
        if peer:
            beside = statistics.harmonic_mean([sample[side]["rate"] for side in ("before", "after")])
            runs.setdefault(peer["peer"], []).append(peer)
            ratios.setdefault(peer["peer"], []).append(beside / peer["rate"])
    rows = []
    for name, group in runs.items():
        rates, ratio = [run["rate"] for run in group], ratios.get(name)
        rows.append(
            {
                "name": name,
                "version": group[0]["version"],
                "count": group[0]["count"],
                "rate": statistics.median(rates),
                "rate_range": [min(rates), max(rates)],
                "ratio": statistics.median(ratio) if ratio else None,
                "ratio_range": [min(ratio), max(ratio)] if ratio else None,
                "seconds": statistics.median(run["seconds"] for run in group),
                "first_seconds": statistics.median(run["first_seconds"] for run in group),
                "batch": group[0]["batch"],
                "radius": statistics.mean(run["radius"][0] for run in group),
            }
        )
    return rows


def markdown(rows, facts, failures):
    out = [
        f"{machine.sentence(facts)}; {facts['rounds']} rounds, {facts['seconds'] / 60:.1f} minutes"
        + (", **quick: figures are rough**" if facts["quick"] else "")
        + ".",
        "",
    ]
    if machine.is_busy(facts):
        out += [f"**The machine was busy before the run (load {facts['load_average']:.1f}): ratios only.**", ""]
    for work, group in rows.items():
        out += [
            f"### {WORKS[work][1]}: {group[0]['count']:,} points, {STEPS} Euler steps, {THREADS} threads",
            "",
            "| | points/s | spread | fokker is faster by | spread | whole run | start | rows a batch | mean radius |",
            "|---|--:|--:|--:|--:|--:|--:|--:|--:|",
        ]
        for r in group:
            ratio = f"{r['ratio']:.2f} ×" if r["ratio"] else ""
            spread = "{:.2f}–{:.2f}".format(*r["ratio_range"]) if r["ratio"] else ""
            low, high = r["rate_range"]
            out.append(
                f"| {r['name']} {r['version']} | {r['rate'] / 1e3:.1f} k | {low / 1e3:.1f} k–{high / 1e3:.1f} k | {ratio} | {spread} "
                f"| {r['seconds']:.1f} s | {r['first_seconds']:.1f} s | {r['batch']:,} | {r['radius']:.4f} |"
            )
        out.append("")
    out = out[:-1] + failures_section(failures)
    return "\n".join(out).rstrip() + "\n"


if __name__ == "__main__":
    sys.exit(main())
