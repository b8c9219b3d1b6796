"""The table: medians of the repetitions, and ratios taken inside each of them."""

import os
import platform
import statistics

ROWS = [
    ("drain 4 KiB, msgs/s", "drain_4"), ("drain 20 KiB, msgs/s", "drain_20"),
    ("drain 4 KiB, 20 ms a flight, msgs/s", "drain_delay"), ("CPU s per 1,000 drained", "cpu"),
    ("peak memory, MB", "memory"), ("accept, 16 callers, msgs/s", "accept"),
    ("accept in batches, msgs/s", "accept_batch"), ("one idle enqueue, p99 ms", "enqueue_p99"),
    ("one mail at 100/s, p50 ms", "latency_p50"), ("one mail at 100/s, p99 ms", "latency_p99"),
    ("CPU that others took meanwhile, % (worst drain)", "foreign"),
    ("connections of the drain, where the best was looked for", "connections"),
]


def machine():
    return {"cores": os.cpu_count(), "kernel": platform.release(), "machine": platform.machine()}


def markdown(repetitions):
    names = list(repetitions[0])
    lines = ["| | " + " | ".join(names) + " |", "|---|" + "---|" * len(names)]
    for title, key in ROWS:
        cells = [_median([figures[name].get(key) for figures in repetitions]) for name in names]
        if any(cell is not None for cell in cells):
            lines.append(f"| {title} | " + " | ".join(map(_shown, cells)) + " |")
    lines += ["", *_ratios(repetitions, names)]
    return "\n".join(lines)


def syscalls(calls):
    lines = ["| system call of the loop | a message |", "|---|---|"]
    lines += [f"| {name} | {count:.2f} |" for name, count in calls.items() if count >= 0.005]
    return "\n".join([*lines, f"| all | {sum(calls.values()):.2f} |"])


def _ratios(repetitions, names):
    """Estafette's figure over each other one's, in each repetition; the median of those."""
    others = [name for name in names if name != "estafette"]
    if "estafette" not in names or not others:
        return []
    lines = ["Estafette over …, median of the ratios (above 1: more mails, or more seconds)", "",
             "| | " + " | ".join(others) + " |", "|---|" + "---|" * len(others)]
    for title, key in ROWS[:-2]:
        cells = []
        for other in others:
            pairs = [(figures["estafette"].get(key), figures[other].get(key)) for figures in repetitions]
            cells.append(_median([ours / theirs for ours, theirs in pairs if ours is not None and theirs]))
        if any(cell is not None for cell in cells):
            lines.append(f"| {title.split(',')[0] if title.endswith('msgs/s') else title} | "
                         + " | ".join(map(_shown, cells)) + " |")
    return lines


def _median(values):
    there = [value for value in values if value is not None]
    return statistics.median(there) if there else None


def _shown(value):
    if value is None:
        return "–"
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.3f}" if value < 1 else f"{value:.2f}"
