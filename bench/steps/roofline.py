"""The kernels under the roof of this machine, as a picture and a table.

    python bench/steps/roofline.py --built target/release -o book/src/roofline.svg

runs the example `roofline` of `fokker-kernels` and draws what it prints with the example `line_chart` of `fokker-eval`.
"""

import argparse
import json
import os
import subprocess
from pathlib import Path


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--built", type=Path, default=Path("target/release"), help="where the built examples lie")
    parser.add_argument("-o", "--out", type=Path, required=True, help="the picture to write")
    parser.add_argument("--title", default="Kernels under the roof of two AVX2 cores")
    chosen = parser.parse_args()
    examples = chosen.built / "examples"
    environment = os.environ | {"MIMALLOC_PURGE_DELAY": "-1"}
    text = subprocess.run([examples / "roofline"], check=True, capture_output=True, text=True, env=environment).stdout
    machine, *kernels = map(json.loads, text.splitlines())
    picture = subprocess.run([examples / "line_chart"], input=spec(chosen.title, machine, kernels), check=True, capture_output=True, text=True)
    chosen.out.write_text(picture.stdout)
    print(table(machine, kernels))


def roof(machine, intensity):
    """GFLOP/s that the machine allows at this many operations a byte."""
    return min(machine["flop_per_second"], machine["bytes_per_second"] * intensity) / 1e9


def spec(title, machine, kernels):
    """The chart in the words of `line_chart`."""
    ridge = machine["flop_per_second"] / machine["bytes_per_second"]
    at = [kernel["flop"] / kernel["bytes"] for kernel in kernels]
    roof_points = [min(at) / 2, ridge, max(at) * 2]
    lines = [
        f"title\t{title}",
        "subtitle\tdashed: the least of the multiply-adds and the memory; above it: fewer multiplications than counted (Winograd)",
        "x\toperations a byte that must move",
        "y\tGFLOP/s",
        "log",
        "dashed\tthe roof\t" + "\t".join(f"{x} {roof(machine, x)}" for x in roof_points),
    ]
    for kernel, x in zip(kernels, at):
        lines.append(f"series\t{kernel['family']} {kernel['name']}\t{x} {kernel['flop'] / kernel['seconds'] / 1e9}")
    return "\n".join(lines) + "\n"


def table(machine, kernels):
    """The same as a Markdown table."""
    rows = [
        f"peak {machine['flop_per_second'] / 1e9:.0f} GFLOP/s, copies {machine['bytes_per_second'] / 1e9:.1f} GB/s, {machine['threads']} threads, {machine['level']}",
        "",
        "| kernel | operations a byte | GFLOP/s | GB/s | share of the roof |",
        "|---|--:|--:|--:|--:|",
    ]
    for kernel in kernels:
        x, rate = kernel["flop"] / kernel["bytes"], kernel["flop"] / kernel["seconds"] / 1e9
        rows.append(f"| {kernel['family']}: {kernel['name']} | {x:.3g} | {rate:.0f} | {rate / x:.1f} | {100 * rate / roof(machine, x):.0f} % |")
    return "\n".join(rows)


if __name__ == "__main__":
    main()
