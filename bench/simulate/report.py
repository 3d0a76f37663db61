"""From samples to a table: medians, ratios round by round, and the check that everybody computed the same thing."""

import statistics

import machine
from driver import failures_section


def rows(samples, spec):
    """One row per (peer, precision), fokker first. Speeds are medians over rounds."""
    lines = [line for sample in samples for line in sample["lines"]]
    own = {id(line): line for sample in samples for line in sample["before"] + sample["after"]}  # shared between neighbours
    table = [row(name, group, [], spec) for name, group in grouped(own.values()).items()]
    for name, group in grouped(lines).items():
        table.append(row(name, group, ratios(samples, name), spec))
    return table


def grouped(lines):
    groups = {}
    for line in lines:
        groups.setdefault((line["peer"], line["precision"]), []).append(line)
    return groups


def row(name, lines, ratio, spec):
    speeds = [line["speed"] for line in lines]
    return {
        "peer": name[0],
        "precision": name[1],
        "version": lines[0]["version"],
        "count": lines[0]["count"],
        "scaled": lines[0]["count"] < spec.get("stated", 0),
        "speed": statistics.median(speeds),
        "slowest": min(speeds),
        "fastest": max(speeds),
        "ratio": statistics.median(ratio) if ratio else None,
        "ratio_range": [min(ratio), max(ratio)] if ratio else None,
        "compile_seconds": lines[0]["compile_seconds"],  # the first round's: later rounds find a warm cache
        "peak_rss_mb": max(line["peak_rss_mb"] for line in lines),
        "check": lines[-1]["check"],
        "fma_fraction": lines[-1].get("fma_fraction"),
    }


def ratios(samples, name):
    """Fokker's speed over the peer's in every round, fokker's being the mean of its runs just before and just after.

    Fokker is compared in the peer's precision, or in its only one if it ran in one precision alone.
    """
    found = []
    for sample in samples:
        beside = sample["before"] + sample["after"]
        same = [line for line in beside if line["precision"] == name[1]] or beside
        for line in sample["lines"]:
            if (line["peer"], line["precision"]) == name and same:
                found.append(statistics.mean(own["speed"] for own in same) / line["speed"])
    return found


def disagreements(results, works):
    """A message for each line whose number of the law is not the known answer."""
    messages = {}
    for work, samples in results.items():
        label, truth, tolerance = works[work]["law"]
        for sample in samples:
            for line in sample["before"] + sample["lines"] + sample["after"]:
                if not abs(line["check"] - truth) <= tolerance(line):  # a NaN disagrees too
                    who = f"{line['peer']} {line['precision']}"
                    messages[work, who] = (
                        f"{who}, work {work}: {label} is {line['check']:.6g}, should be {truth:.6g} within {tolerance(line):.2g}"
                    )
    return list(messages.values())


def markdown(rows, works, facts, failures):
    out = [
        f"{machine.sentence(facts)}, Python {facts['python']}; "
        f"{facts['rounds']} rounds of {facts['repeat']} runs, {facts['seconds'] / 60:.1f} minutes"
        + (", **quick: figures are rough**" if facts["quick"] else "")
        + ".",
        "",
    ]
    if machine.is_busy(facts):
        out += [f"**The machine was busy before the run (load {facts['load_average']:.1f}): do not publish these figures.**", ""]
    for work, table in rows.items():
        spec = works[work]
        out += [f"### ({work}) {spec['title']}, {spec['threads']} thread{'s' if spec['threads'] > 1 else ''}", ""]
        out += [f"| | | count | {spec['unit']} | spread | fokker is faster by | spread | peak memory | compile | {spec['law'][0]} |"]
        out += ["|---|---|--:|--:|--:|--:|--:|--:|--:|--:|"]
        out += [markdown_row(entry) for entry in table]
        out += ["", f"Exact {spec['law'][0]}: {spec['law'][1]:.10g}."]
        if any(entry["scaled"] for entry in table):
            out += [f"† ran fewer paths than {spec['stated']:,}; its speed is scaled by the count."]
        out += notes(work, rows) + [""]
    out = out[:-1] + failures_section(failures) + [""]
    return "\n".join(out)


def markdown_row(entry):
    name = f"{entry['peer']} {entry['version']}" + (" †" if entry["scaled"] else "")
    ratio, spread = "", ""
    if entry["ratio"]:
        ratio = f"{entry['ratio']:.3g} ×"
        spread = "{:.3g}–{:.3g}".format(*entry["ratio_range"])
    return (
        f"| {name} | {entry['precision']} | {entry['count']:,} | {quantity(entry['speed'])} "
        f"| {quantity(entry['slowest'])}–{quantity(entry['fastest'])} | {ratio} | {spread} "
        f"| {entry['peak_rss_mb']:.0f} MiB | {entry['compile_seconds']:.1f} s | {entry['check']:.6g} |"
    )


def notes(work, rows):
    """Fokker's speed against the machine: a fraction of the FMA peak, and of its own bare normal generator."""
    own = {(w, entry["precision"]): entry for w, table in rows.items() for entry in table if entry["peer"] == "fokker"}
    out = []
    for (w, precision), entry in own.items():
        if w == work and entry["fma_fraction"] is not None:
            out.append(f"fokker {precision} reaches {entry['fma_fraction']:.0%} of the measured FMA peak.")
    if work == "b" and ("b", "f32") in own and ("d", "f32") in own:
        # b runs on two threads and uses a thousand normals per path; d runs on one thread.
        share = own["b", "f32"]["speed"] * 1000 / (2 * own["d", "f32"]["speed"])
        out.append(f"fokker makes and uses normals at {share:.0%} of the speed of its bare generator.")
    return out


def quantity(value):
    """Three figures and a thousands suffix."""
    for limit, suffix in ((1e9, " G"), (1e6, " M"), (1e3, " k")):
        if value >= limit:
            return f"{value / limit:.3g}{suffix}"
    return f"{value:.3g}"
