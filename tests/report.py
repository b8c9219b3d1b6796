"""Adds up JUnit files: how many tests of each kind, what was skipped and why, the ten slowest."""

import sys
import xml.etree.ElementTree
from pathlib import Path


def cases(path):
    """(name, seconds, outcome, why) of every test in one file."""
    for case in xml.etree.ElementTree.parse(path).iter("testcase"):
        bad = [part for part in case if part.tag in ("failure", "error")]
        skipped = case.find("skipped")
        outcome, why = "passed", ""
        if bad or case.get("status") == "fail":
            outcome = "failed"
        elif skipped is not None or case.get("status") in ("notrun", "disabled"):
            outcome, why = "skipped", skipped.get("message", "") if skipped is not None else "not run"
            if not why or why == "SKIP_REGULAR_EXPRESSION_MATCHED":
                why = _words(case) or why
        name = case.get("name") if path.stem == "unit" else f"{case.get('classname')}.{case.get('name')}"
        yield name, float(case.get("time") or 0), outcome, why


def _words(case):
    """GoogleTest prints the reason of a skip before its verdict."""
    lines = [line for line in (case.findtext("system-out") or "").splitlines() if "Skipped" not in line]
    return next((line for line in reversed(lines) if line.strip() and not line.startswith("[")), "")


def main(paths):
    every, totals = [], {"passed": 0, "failed": 0, "skipped": 0}
    for path in map(Path, paths):
        found = list(cases(path))
        every += found
        counts = {kind: sum(1 for case in found if case[2] == kind) for kind in totals}
        print(f"{path.stem:8} {counts['passed']:6} passed {counts['failed']:4} failed {counts['skipped']:4} skipped"
              f" {sum(case[1] for case in found):8.1f} s")
        for kind, count in counts.items():
            totals[kind] += count
    for name, _, outcome, why in every:
        if outcome == "failed":
            print(f"failed: {name}")
        if outcome == "skipped":
            print(f"skipped: {name}: {why}")
    print("slowest:")
    for name, seconds, _, _ in sorted(every, key=lambda case: -case[1])[:10]:
        print(f"  {seconds:7.2f} s  {name}")
    print(", ".join(f"{count} {kind}" for kind, count in totals.items()))
    return 1 if totals["failed"] or not every else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
