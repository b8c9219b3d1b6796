"""Adds up the results in a directory: how many tests of each kind, what was skipped and why, the ten slowest.

KIND.xml is what pytest wrote, unit.xml what ctest did; unit/NAME.xml is GoogleTest's for the program unit.NAME.
"""

import sys
import xml.etree.ElementTree
from pathlib import Path
from typing import NamedTuple


class Case(NamedTuple):
    name: str
    seconds: float
    outcome: str
    why: str = ""


def cases(path):
    """Every test in one file."""
    for case in xml.etree.ElementTree.parse(path).iter("testcase"):
        bad = [part for part in case if part.tag in ("failure", "error")]
        skipped = case.find("skipped")
        outcome, why = "passed", ""
        if bad or case.get("status") == "fail":
            outcome = "failed"
        elif skipped is not None or case.get("status") in ("notrun", "disabled"):
            outcome = "skipped"
            why = " ".join((skipped.get("message") or "").split()) if skipped is not None else ""
        group, name = case.get("classname"), case.get("name")
        yield Case(name if group == name else f"{group}.{name}", float(case.get("time") or 0), outcome, why or "not run")


def of_programs(directory):
    """What ctest ran: the tests of each program; and a program itself where they do not show how it ended."""
    tests = {f"unit.{path.stem}": [one._replace(name=f"{path.stem}.{one.name}") for one in cases(path)]
             for path in sorted((directory / "unit").glob("*.xml"))}
    for entry in cases(directory / "unit.xml"):
        shown = tests.get(entry.name)
        ended = "failed" if shown and any(test.outcome == "failed" for test in shown) else "passed"
        if not shown or entry.outcome != ended:
            yield entry
    for program in tests.values():
        yield from program


def main(directory):
    every, totals = [], {"passed": 0, "failed": 0, "skipped": 0}
    for path in sorted(directory.glob("*.xml")):
        found = list(of_programs(directory) if path.stem == "unit" else cases(path))
        every += found
        counts = {kind: sum(1 for case in found if case.outcome == kind) for kind in totals}
        print(f"{path.stem:8} {counts['passed']:6} passed {counts['failed']:4} failed {counts['skipped']:4} skipped"
              f" {sum(case.seconds for case in found):8.1f} s")
        for kind, count in counts.items():
            totals[kind] += count
    for case in every:
        if case.outcome == "failed":
            print(f"failed: {case.name}")
        if case.outcome == "skipped":
            print(f"skipped: {case.name}: {case.why}")
    print("slowest:")
    for case in sorted(every, key=lambda case: -case.seconds)[:10]:
        print(f"  {case.seconds:7.2f} s  {case.name}")
    print(", ".join(f"{count} {kind}" for kind, count in totals.items()))
    return 1 if totals["failed"] or not every else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
