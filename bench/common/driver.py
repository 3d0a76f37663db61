"""What every driver here does: build fokker's side, run children, say how far it is, write whole files."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import machine

ROOT = Path(__file__).resolve().parent.parent.parent


def begin(out):
    """Makes the folder of results, before minutes of work, and gives the facts and the load of the machine before our own adds to it."""
    out.mkdir(parents=True, exist_ok=True)
    facts = machine.facts()
    if machine.is_busy(facts):
        progress(f"the machine is busy (load {facts['load_average']:.1f}): the table will say so")
    return facts


def our_program(given, package, example=None, advice="", folder=ROOT):
    """The path of a program of ours, built if none is given. Ends the driver with a clear message if there is none."""
    if given:
        if not os.access(given, os.X_OK) or given.is_dir():
            sys.exit(f"run.py: {given} is not a program. {advice}".rstrip())
        return given.resolve()
    build = ["cargo", "build", "--release", "-p", package]
    build += ["--example", example] if example else []
    name = f"example `{example}`" if example else package
    try:
        done = subprocess.run([*build, "--message-format=json-render-diagnostics"], cwd=folder, stdout=subprocess.PIPE, text=True)
    except FileNotFoundError:
        sys.exit(f"run.py: cargo was not found, so {name} cannot be built. {advice}".rstrip())
    if done.returncode:
        sys.exit(f"run.py: `{' '.join(build)}` failed. {advice}".rstrip())
    messages = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    paths = [m["executable"] for m in messages if m.get("executable") and example in (None, m.get("target", {}).get("name"))]
    if not paths:
        sys.exit(f"run.py: cargo built no program of {name}. {advice}".rstrip())
    return Path(paths[-1])


def child(command, environment, limit_seconds):
    """What a child printed. A child that fails or takes too long is a RuntimeError with its last words."""
    try:
        done = subprocess.run([str(word) for word in command], env=environment, capture_output=True, text=True, timeout=limit_seconds)
    except subprocess.TimeoutExpired:
        raise RuntimeError(f"ran longer than {limit_seconds} s") from None
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["no message"])[-1]
        raise RuntimeError(f"{Path(command[0]).name}: exit status {done.returncode}: {last}")
    return done.stdout


def json_lines(text):
    """The JSON lines of a child's output."""
    lines = [json.loads(line) for line in text.splitlines() if line.startswith("{")]
    if not lines:
        raise RuntimeError("printed no JSON line")
    return lines


def failures_section(failures):
    return ["", "**Failures**", ""] + [f"- {message}" for message in failures] if failures else []


def progress(text):
    print(f"[{time.strftime('%H:%M:%S')}] {text}", file=sys.stderr, flush=True)


def write(path, text):
    """Whole file or none."""
    temporary = path.with_suffix(path.suffix + ".tmp")
    temporary.write_text(text, encoding="utf-8")
    temporary.replace(path)
