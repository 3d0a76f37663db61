"""Side-by-side speed of training a small network: fokker and PyTorch on the same work, in one run, on this machine.

    python bench/train/run.py              the full comparison
    python bench/train/run.py --quick      one round of short windows: does everything run?

Every measurement is a process of its own that trains from the start: one window of steps that is not counted, then the
timed ones. Fokker (the program `fokker train`, timed by its own log) runs just before and just after each peer, and a
ratio compares a peer with the two fokker runs beside it, so that the slow drifts of a shared machine cancel.
"""

import argparse
import json
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "common"))

import machine  # noqa: E402
from driver import begin, child, failures_section, our_program, progress, write  # noqa: E402

RECIPE = HERE / "ring.toml"
VARIANTS = ["eager", "eager-fused", "compiled", "compiled-batch"]
BATCH, WINDOW, WINDOWS = 1000, 500, 4
# No network can do better than this (see ring.toml), and 2,000 steps bring everybody this close; the mean of a window
# of half a million points is known to a third of a per cent.
FLOOR, CEILING = 18.196 / 2 * 0.99, 18.196 / 2 * 1.04
LIMIT_SECONDS = 600


def main():
    arguments = parse()
    started, before = time.time(), begin(arguments.out)
    fokker = our_program(arguments.fokker, "fokker-cli", advice="Give its path with --fokker.")
    rounds, window = (1, 100) if arguments.quick else (arguments.rounds, WINDOW)
    samples, failures = [], []
    with tempfile.TemporaryDirectory(prefix="fokker-bench-") as folder:
        environment = os.environ | {"TORCHINDUCTOR_CACHE_DIR": f"{folder}/inductor"}
        for turn in range(rounds):
            own = run_fokker(fokker, window, folder)
            for variant in arguments.peers:
                progress(f"round {turn + 1} of {rounds}: {variant}")
                try:
                    peer = run_peer(variant, window, environment)
                except RuntimeError as error:
                    failures.append(f"{variant}, round {turn + 1}: {error}")
                    peer = None
                after = run_fokker(fokker, window, folder)
                samples.append({"peer": peer, "before": own, "after": after})
                own = after
    rows = table(samples)
    if not arguments.quick:
        failures += [f"{r['name']}: loss {r['loss']:.4g}, should be in {FLOOR:.4g} to {CEILING:.4g}" for r in rows if not FLOOR <= r["loss"] <= CEILING]
    facts = before | {"rounds": rounds, "window": window, "quick": arguments.quick, "seconds": time.time() - started}
    text = markdown(rows, facts, failures)
    write(arguments.out / "train.json", json.dumps({"machine": facts, "rows": rows, "samples": samples, "failures": failures}, indent=1))
    write(arguments.out / "train.md", text)
    print(text)
    return 1 if failures else 0


def parse():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--fokker", type=Path, help="path of the program fokker; default: build it with cargo")
    parser.add_argument("--quick", action="store_true", help="one round of short windows")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--peers", nargs="+", choices=VARIANTS, default=VARIANTS)
    parser.add_argument("--out", type=Path, default=HERE / "results")
    arguments = parser.parse_args()
    if arguments.rounds < 1:
        parser.error("--rounds must be at least 1")
    return arguments


def run_fokker(program, window, folder):
    """One training; the first line of its log is the warm-up."""
    out = Path(tempfile.mkdtemp(dir=folder)) / "run"
    sets = [f"train.steps={window * (WINDOWS + 1)}", f"train.log_every={window}", f"train.batch={BATCH}"]
    options = [word for each in sets for word in ("--set", each)]
    child([str(program), "--threads", "2", "train", str(RECIPE), "--out", str(out), *options], os.environ, LIMIT_SECONDS)
    lines = [json.loads(line) for line in (out / "metrics.jsonl").read_text().splitlines()]
    version = json.loads((out / "run.json").read_text())["fokker"]
    seconds = [line["seconds"] for line in lines[1:]]
    return {"peer": "fokker", "version": version, "steps": window, "seconds": seconds, "first_seconds": lines[0]["seconds"], "loss": lines[-1]["loss"]}


def run_peer(variant, window, environment):
    script = [sys.executable, str(HERE / "peers" / "torch_.py")]
    options = ["--variant", variant, "--steps", str(window), "--windows", str(WINDOWS), "--batch", str(BATCH)]
    return json.loads(child([*script, *options], environment, LIMIT_SECONDS).splitlines()[-1])


def step_ms(run):
    """Median over the windows of one process."""
    return statistics.median(run["seconds"]) / run["steps"] * 1e3


def table(samples):
    """A row per program: the median over its processes, and the ratio of each to the two fokker runs beside it."""
    runs, ratios = {}, {}
    own = {id(run): run for s in samples for run in (s["before"], s["after"])}
    runs["fokker"] = list(own.values())
    for sample in samples:
        peer = sample["peer"]
        if peer:
            beside = statistics.mean(step_ms(sample[side]) for side in ("before", "after"))
            runs.setdefault(peer["peer"], []).append(peer)
            ratios.setdefault(peer["peer"], []).append(step_ms(peer) / beside)
    rows = []
    for name, group in runs.items():
        times, ratio = [step_ms(run) for run in group], ratios.get(name)
        rows.append(
            {
                "name": name,
                "version": group[0]["version"],
                "ms": statistics.median(times),
                "ms_range": [min(times), max(times)],
                "ratio": statistics.median(ratio) if ratio else None,
                "ratio_range": [min(ratio), max(ratio)] if ratio else None,
                "first_seconds": group[0]["first_seconds"],
                "loss": statistics.median(run["loss"] for run in group),
            }
        )
    return rows


def markdown(rows, facts, failures):
    out = [
        f"{machine.sentence(facts)}; {facts['rounds']} rounds, "
        f"{WINDOWS} windows of {facts['window']} steps a process, {facts['seconds'] / 60:.1f} minutes"
        + (", **quick: figures are rough**" if facts["quick"] else "")
        + ".",
        "",
    ]
    if machine.is_busy(facts):
        out += [f"**The machine was busy before the run (load {facts['load_average']:.1f}): ratios only.**", ""]
    out += ["| | ms a step | spread | steps/s | fokker is faster by | spread | first window | loss |", "|---|--:|--:|--:|--:|--:|--:|--:|"]
    for r in rows:
        ratio = f"{r['ratio']:.2f} ×" if r["ratio"] else ""
        spread = "{:.2f}–{:.2f}".format(*r["ratio_range"]) if r["ratio"] else ""
        out.append(
            f"| {r['name']} {r['version']} | {r['ms']:.2f} | {r['ms_range'][0]:.2f}–{r['ms_range'][1]:.2f} | {1e3 / r['ms']:.0f} "
            f"| {ratio} | {spread} | {r['first_seconds']:.1f} s | {r['loss']:.3f} |"
        )
    out += failures_section(failures)
    return "\n".join(out) + "\n"


if __name__ == "__main__":
    sys.exit(main())
