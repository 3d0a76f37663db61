"""Side-by-side speed of training steps and network calls: fokker and its peers on the same networks, weights and inputs, in one run.

    python bench/steps/run.py                       everything, into bench/steps/results and the tables of bench/README.md
    python bench/steps/run.py --quick               tiny batches, one round: does every cell run?
    python bench/steps/run.py --works unet dit      some works; the tables keep what was measured of the others

Every measurement is a process. Fokker runs just before and just after each peer, and a ratio compares a peer with the two fokker
runs beside it, so that the slow drifts of a shared machine cancel.
"""

import argparse
import json
import os
import re
import statistics
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "common"))

import allocator  # noqa: E402
import report  # noqa: E402
import start  # noqa: E402
import sweeps  # noqa: E402
from driver import begin, child, json_lines, our_program, progress, write  # noqa: E402

LIMIT_SECONDS = 1800
THREADS = 2

# A cell is (work, mode, batch, counted steps of a process). The first two steps of a process are not counted.
CELLS = {
    "mlp": [("mlp", mode, batch, 40) for batch in (256, 1000, 2048) for mode in ("train", "forward")],
    "ring": [("ring", mode, 1000, 100) for mode in ("train", "forward")],
    "unet": [("unet", mode, 64, 5) for mode in ("train", "forward")],
    "course-unet": [("course-unet", mode, batch, 8) for batch in (64, 250) for mode in ("train", "forward")],
    "dit": [("dit", mode, 16, 5) for mode in ("train", "forward")],
    "course-dit": [("course-dit", mode, 64, 5) for mode in ("train", "forward")],
    "vae": [("vae", mode, 64, 5) for mode in ("train", "forward")],
    "sample": [("unet", "sample", 64, 1)],
}
# What is measured in a way of its own.
OTHERS = ["start", "scaling", "memory"]
TORCH = ["eager", "tuned", "compiled", "bf16"]
CANDLE_WORKS = {"mlp", "ring", "unet"}
PEERS = [*TORCH, "burn", "candle"]


def main():
    arguments = parse()
    out = arguments.out / "quick" if arguments.quick else arguments.out
    started, facts = time.time(), begin(out)
    programs = find_programs(arguments)
    failures = []
    with tempfile.TemporaryDirectory(prefix="fokker-bench-") as folder:
        bench = Bench(arguments, programs, Path(folder), failures)
        facts |= {"quick": arguments.quick, "rounds": bench.rounds, "threads": arguments.threads, "date": time.strftime("%Y-%m-%d")}
        facts |= {"allocator": bench.allocator_name, "peak_gflops": bench.peak()}
        for work in arguments.works:
            if work == "start":
                result = {"start": start.measure(programs["fokker"], Path(folder), arguments, failures)}
            elif work in OTHERS:
                result = {work: getattr(sweeps, work)(bench, arguments.quick)}
            else:
                result = {"cells": [bench.cell(*cell) for cell in CELLS[work]]}
            facts["peak_gflops"] = max(facts["peak_gflops"], bench.peak())
            write(out / f"{work}.json", json.dumps({"machine": facts, **result}, indent=1))
    results = {p.stem: json.loads(p.read_text()) for p in sorted(out.glob("*.json"))}
    text = report.markdown(results, failures)
    write(out / "steps.md", text)
    print(text)
    if "scaling" in arguments.works:
        write((out if arguments.quick else HERE) / "scaling.svg", sweeps.picture(results["scaling"]["scaling"], programs["line_chart"]))
    if not arguments.quick and not failures:
        report.publish(HERE.parent / "README.md", text)
    print(f"written: {out}; {(time.time() - started) / 60:.1f} minutes", file=sys.stderr)
    return 1 if failures else 0


def parse():
    works = [*CELLS, *OTHERS]
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="tiny batches, one round, one counted step")
    parser.add_argument("--works", nargs="+", choices=works, default=works)
    parser.add_argument("--peers", nargs="+", choices=PEERS, default=PEERS)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=THREADS)
    parser.add_argument("--steps", type=int, help="Euler steps of the work sample; default: 50, with --quick 2")
    parser.add_argument("--built", type=Path, help="folder of a cargo build with fokker and its examples; default: build them")
    parser.add_argument("--candle", type=Path, help="path of candle's program; default: build it")
    parser.add_argument("--out", type=Path, default=HERE / "results")
    arguments = parser.parse_args()
    if arguments.rounds < 1 or arguments.threads < 1:
        parser.error("--rounds and --threads must be at least 1")
    arguments.steps = arguments.steps or (2 if arguments.quick else 50)
    return arguments


def find_programs(arguments):
    built = arguments.built
    examples = [("fokker-train", "bench_step"), ("fokker-kernels", "throughput"), ("fokker-eval", "line_chart")]
    programs = {name: our_program(built and built / "examples" / name, package, name) for package, name in examples}
    programs["fokker"] = our_program(built and built / "fokker", "fokker-cli")
    if "candle" in arguments.peers:
        programs["candle"] = our_program(arguments.candle, "candle-steps", folder=HERE / "candle")
    return programs


class Bench:
    """How a cell is run: programs, environments and rounds."""

    def __init__(self, arguments, programs, folder, failures):
        self.programs, self.failures, self.folder = programs, failures, folder
        self.peers, self.quick, self.steps = arguments.peers, arguments.quick, arguments.steps
        self.rounds = 1 if arguments.quick else arguments.rounds
        self.threads = arguments.threads
        threads = {name: str(self.threads) for name in ("RAYON_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")}
        self.plain = os.environ | threads | {"TORCHINDUCTOR_CACHE_DIR": str(folder / "inductor")}
        self.keeping, self.allocator_name = allocator.environment(folder)
        # Fokker's allocator is built in; this is what its program sets, too.
        self.own = self.plain | {"MIMALLOC_PURGE_DELAY": "-1"}

    def peak(self):
        """The measured FMA peak of all threads, GFLOP/s."""
        text = child([self.programs["throughput"], "peak"], self.own, LIMIT_SECONDS)
        return float(re.search(r"^peak .* ([0-9.]+) GFLOP/s", text, re.M)[1])

    def run(self, peer, work, mode, batch, repeat, warmup=2):
        """One process; adds the median and the cold start, from the start of the process to the end of its first step."""
        options = ["--work", work, "--mode", mode, "--batch", batch, "--repeat", repeat, "--warmup", warmup, "--steps", self.steps]
        environment = self.own
        if peer in TORCH:
            command = [sys.executable, HERE / "peers" / "torch_.py", "--variant", peer, "--threads", self.threads]
            environment = self.plain if peer == "eager" else self.plain | self.keeping
        elif peer == "candle":
            command = [self.programs["candle"]]
        else:
            command = [self.programs["bench_step"], *(["--reference"] if peer == "burn" else [])]
        begun = time.time()
        line = json_lines(child([*command, *options], environment, LIMIT_SECONDS))[-1]
        # A peer that first chooses between memory layouts says when its own work began.
        line["cold_seconds"] = line["first_done"] - line.get("begun", begun)
        line["ms"] = 1e3 * statistics.median(line["seconds"])
        return line

    def flop(self, work, mode, batch):
        script = [sys.executable, HERE / "peers" / "torch_.py", "--variant", "eager", "--flop"]
        options = ["--work", work, "--mode", mode, "--batch", batch, "--steps", self.steps]
        return json_lines(child([*script, *options], self.plain, LIMIT_SECONDS))[-1]

    def cell(self, work, mode, batch, repeat):
        warmup = 1 if mode == "sample" else 2
        if self.quick:
            batch, repeat, warmup = min(batch, 4 if work not in ("mlp", "ring") else 64), 1, 1
        counted = self.flop(work, mode, batch)
        samples = []
        for turn in range(self.rounds):
            before = self.run("fokker", work, mode, batch, repeat, warmup)
            for peer in self.peers:
                if peer == "candle" and (work not in CANDLE_WORKS or mode == "sample"):
                    continue
                progress(f"{work}, {mode}, batch {batch}, round {turn + 1} of {self.rounds}: {peer}")
                try:
                    line = self.run(peer, work, mode, batch, repeat, warmup)
                    after = self.run("fokker", work, mode, batch, repeat, warmup)
                except RuntimeError as error:
                    self.failures.append(f"{peer}, {work}, {mode}, batch {batch}: {error}")
                    continue
                samples.append({"peer": line, "before": before, "after": after})
                before = after
            if not samples:
                samples.append({"peer": None, "before": before, "after": before})
        self.failures += report.disagreements(work, mode, batch, counted["numbers"], samples)
        cell = {"work": work, "mode": mode, "batch": batch, "repeat": repeat, "steps": self.steps, **counted}
        return cell | {"rows": report.rows(samples), "samples": samples}


if __name__ == "__main__":
    sys.exit(main())
