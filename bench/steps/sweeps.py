"""What is measured of fokker alone: the cost of a step over the batch, and memory over many steps."""

import subprocess

from driver import progress

BATCHES = [16, 32, 64, 128, 256, 512, 1024]


def scaling(bench, quick):
    """ms of a training step for every batch; `doubling` is what the last doubling of the batch costs."""
    series = []
    for work, repeat in (("mlp", 40), ("course-unet", 3)):
        points = []
        for batch in BATCHES[:2] if quick else BATCHES:
            progress(f"scaling: {work}, batch {batch}")
            lines = [bench.run("fokker", work, "train", batch, 1 if quick else repeat) for _ in range(bench.rounds)]
            points.append({"batch": batch, "ms": min(line["ms"] for line in lines), "peak_rss_mb": max(line["peak_rss_mb"] for line in lines)})
        series.append({"work": work, "points": points, "doubling": points[-1]["ms"] / points[-2]["ms"]})
    return series


def memory(bench, quick):
    """Resident memory after every tenth of many steps."""
    steps, batch = (100, 64) if quick else (5000, 1000)
    progress(f"memory: {steps} steps")
    line = bench.run("fokker", "mlp", "train", batch, steps)
    rss = line["rss_mb"]
    return {"steps": steps, "batch": batch, "rss_mb": rss, "growth_mb": rss[-1] - rss[0], "loss": line["loss"], "last_loss": line["last_loss"]}


def picture(series, line_chart):
    """The scaling as SVG: measured points, and dashed what is linear in the batch from the largest one."""
    lines = ["title\tA training step over the batch", "subtitle\tdashed: linear", "x\tbatch", "y\tms", "log"]
    for each in series:
        points = each["points"]
        last = points[-1]
        lines.append("\t".join(["series", each["work"], *(f"{p['batch']} {p['ms']}" for p in points)]))
        linear = (f"{p['batch']} {last['ms'] * p['batch'] / last['batch']}" for p in (points[0], last))
        lines.append("\t".join(["dashed", f"{each['work']}, linear", *linear]))
    return subprocess.run([str(line_chart)], input="\n".join(lines) + "\n", check=True, capture_output=True, text=True).stdout
