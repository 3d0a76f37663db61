"""From samples to tables: medians, ratios round by round, and the check that everybody computed the same thing."""

import math
import statistics

import machine
from driver import failures_section

TITLES = {
    "mlp": "perceptron 3 → 4 × 256 → 2, SiLU",
    "ring": "perceptron 3 → 4 × 64 → 2, SiLU",
    "unet": "U-Net [64, 128, 256], 32 × 32 × 3",
    "course-unet": "the course's U-Net [32, 64, 128], 32 × 32 × 1",
    "dit": "DiT 6 × 384, 256 tokens",
    "vae": "the course's autoencoder [16, 32, 64, 128], 32 × 32 × 1",
    "course-dit": "the course's DiT 8 × 256, 64 tokens",
}
MODES = {"train": "training step", "forward": "forward pass"}
# The first loss of the same weights and inputs: sums in another order move it little, eight bits of mantissa more.
TOLERANCE, TOLERANCE_BF16 = 1e-3, 5e-2


def rows(samples):
    """A row per program, fokker first: medians over processes, and the ratio of each to the two fokker runs beside it."""
    own = {id(line): line for s in samples for line in (s["before"], s["after"])}
    groups, ratios, memory = {own_name(own): list(own.values())}, {}, {}
    for sample in samples:
        peer = sample["peer"]
        if peer:
            beside = [sample["before"], sample["after"]]
            groups.setdefault(peer["peer"], []).append(peer)
            ratios.setdefault(peer["peer"], []).append(peer["ms"] / statistics.mean(line["ms"] for line in beside))
            memory.setdefault(peer["peer"], []).append(max(line["peak_rss_mb"] for line in beside) / peer["peak_rss_mb"])
    return [row(name, group, ratios.get(name), memory.get(name)) for name, group in groups.items()]


def own_name(own):
    return next(iter(own.values()))["peer"]


def row(name, group, ratio, memory):
    times = [line["ms"] for line in group]
    return {
        "name": name,
        "version": group[0]["version"],
        "layout": group[-1].get("layout"),
        "ms": statistics.median(times),
        "ms_range": [min(times), max(times)],
        "ratio": statistics.median(ratio) if ratio else None,
        "ratio_range": [min(ratio), max(ratio)] if ratio else None,
        "peak_rss_mb": max(line["peak_rss_mb"] for line in group),
        "memory_ratio": statistics.median(memory) if memory else None,
        "cold_seconds": group[0]["cold_seconds"],  # the first round's: a compiler's cache is empty
        "loss": group[0]["loss"],
    }


def disagreements(work, mode, batch, numbers, samples):
    """A message for each program whose size or whose first loss is not that of the others."""
    lines = [line for s in samples for line in (s["before"], s["peer"], s["after"]) if line]
    truth = samples[0]["before"]["loss"]
    messages = {}
    for line in lines:
        where = f"{line['peer']}, {work}, {mode}, batch {batch}"
        if line["numbers"] != numbers:
            messages[where] = f"{where}: {line['numbers']:,} parameters and running statistics, should be {numbers:,}"
        if not math.isfinite(line["last_loss"]):
            messages[where] = f"{where}: the last loss is {line['last_loss']}"
        near = TOLERANCE_BF16 if "bf16" in line["peer"] else TOLERANCE
        if mode != "sample" and not abs(line["loss"] - truth) <= near * abs(truth):  # a NaN disagrees too
            messages[where] = f"{where}: the first loss is {line['loss']:.6g}, fokker's {truth:.6g}"
    return list(messages.values())


def markdown(results, failures):
    out = []
    for result in results.values():
        for cell in result.get("cells", []):
            out += cell_section(cell, result["machine"])
    for name, section in (("start", start_section), ("scaling", scaling_section), ("memory", memory_section)):
        if name in results:
            out += section(results[name][name])
    for facts in distinct(result["machine"] for result in results.values()):
        out += machine_line(facts)
    return "\n".join(out + failures_section(failures)).strip() + "\n"


def distinct(facts):
    """Machine facts of the same day and load are one line."""
    return {(f["date"], f["load_average"]): f for f in facts}.values()


def machine_line(facts):
    line = (
        f"Measured {facts['date']} on {machine.sentence(facts)}; {facts['threads']} threads, {facts['rounds']} rounds; measured FMA peak "
        f"{facts['peak_gflops']:.0f} GFLOP/s; load {facts['load_average']:.1f} before the run; peers' allocator: {facts['allocator']}."
    )
    if facts["quick"]:
        line += " **Quick: figures are rough.**"
    if machine.is_busy(facts):
        line += " **The machine was busy: do not publish these figures.**"
    return [line, ""]


def cell_section(cell, facts):
    what = MODES.get(cell["mode"]) or f"{cell['batch']} images by {cell['steps']} guided Euler steps"
    out = [
        f"### {TITLES[cell['work']]}: {what}, batch {cell['batch']:,}",
        "",
        f"{cell['params']:,} parameters, {cell['flop'] / 1e9:.4g} GFLOP in products and convolutions.",
        "",
        "| | ms | spread | fokker is faster by | spread | GFLOP/s | of the peak | peak memory | fokker needs | cold start |",
        "|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|",
    ]
    for r in cell["rows"]:
        ratio = f"{r['ratio']:.2f} ×" if r["ratio"] else ""
        spread = "{:.2f}–{:.2f}".format(*r["ratio_range"]) if r["ratio"] else ""
        memory = f"{r['memory_ratio']:.2f} ×" if r["memory_ratio"] else ""
        speed = cell["flop"] / r["ms"] / 1e6
        layout = " (channels last)" if r["layout"] == "channels_last" else ""
        low, high = r["ms_range"]
        out.append(
            f"| {r['name']} {r['version']}{layout} | {r['ms']:.4g} | {low:.4g}–{high:.4g} | {ratio} | {spread} | {speed:.4g} "
            f"| {speed / facts['peak_gflops']:.0%} | {r['peak_rss_mb']:.0f} MiB | {memory} | {r['cold_seconds']:.2f} s |"
        )
    return [*out, ""]


def start_section(rows):
    out = [
        "### Process start to samples: 16 points of a trained perceptron 3 → 4 × 64 → 2",
        "",
        "| | one Euler step | 50 Euler steps | spread | fokker is faster by |",
        "|---|--:|--:|--:|--:|",
    ]
    ms = lambda seconds: f"{1e3 * seconds:.1f} ms"
    for r in rows:
        ratio = f"{r['ratio']:.0f} ×" if r["ratio"] else ""
        out.append(f"| {r['name']} {r['version']} | {ms(r['one'])} | {ms(r['fifty'])} | {ms(r['range'][0])}–{ms(r['range'][1])} | {ratio} |")
    return [*out, ""]


def scaling_section(series):
    out = ["### Cost of a training step over the batch", ""]
    for each in series:
        batches = " | ".join(f"{p['batch']:,}" for p in each["points"])
        costs = " | ".join(f"{1e3 * p['ms'] / p['batch']:.3g}" for p in each["points"])
        out += [f"| {TITLES[each['work']]}, batch | {batches} |", "|---|" + "--:|" * len(each["points"]), f"| µs per item | {costs} |", ""]
        out += [f"The last doubling of the batch costs {each['doubling']:.2f} times as much (2 is linear).", ""]
    return [*out, "![ms per step over the batch](steps/scaling.svg)", ""]


def memory_section(result):
    tenths = ", ".join(f"{value:.1f}" for value in result["rss_mb"])
    return [
        f"### Memory over {result['steps']:,} training steps of the {TITLES['mlp']}, batch {result['batch']:,}",
        "",
        f"Resident memory after every tenth, MiB: {tenths}. Growth from the first tenth to the last: {result['growth_mb']:+.1f} MiB.",
        "",
    ]


def publish(readme, text):
    """Puts the tables between the markers of the README."""
    whole = readme.read_text(encoding="utf-8")
    begin, end = "<!-- steps: begin -->", "<!-- steps: end -->"
    if begin not in whole or end not in whole:
        raise SystemExit(f"run.py: {readme} lacks the markers {begin} and {end}")
    head, tail = whole.split(begin)[0], whole.split(end)[1]
    readme.write_text(f"{head}{begin}\n\n{text}\n{end}{tail}", encoding="utf-8")
