"""Breaks Estafette in every way that we know, many times, and checks what it promised. Run by scripts/faults.

A round: a store or a daemon lives for a moment and says what it promises when it promises it; something happens to it;
the next process says what is there. A kind's rounds are numbered, and each draws its chances from the seed, its kind and
its number, so that `--seed S --append FILE` goes on where an earlier run with this seed stopped.

The controls break the promise on purpose: the harness must find them out, or it proves nothing.
"""

import argparse
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Callable, NamedTuple

PROJECT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(PROJECT / "tests"), str(PROJECT / "tests/e2e")]

import calls                                             # noqa: E402
import daemons                                           # noqa: E402
from places import DiskCache, PlainFolder, PowerCut                 # noqa: E402
from said import Result                                  # noqa: E402
from stores import BIN, FullDisk, UnderLoad                        # noqa: E402


class Kind(NamedTuple):
    """How its rounds are made: make(connections) has round(number, chance, result) and close()."""

    make: Callable
    short: int = 5              # rounds in scripts/test; a control ends when it is found out
    is_control: bool = False
    needs: tuple = ()           # programs, or "root"


def on_power(filesystem, *extra):
    return lambda connections: UnderLoad(PowerCut(filesystem), connections, extra)


def on_cache(*extra):
    return lambda connections: UnderLoad(DiskCache("ext4", BIN / DiskCache.PLUGIN, 1), connections, extra)


CACHE = ("root", "mkfs.ext4", "nbdkit", "nbdfuse", str(BIN / DiskCache.PLUGIN))
EXT4, XFS = ("root", "mkfs.ext4"), ("root", "mkfs.xfs")
KINDS = {
    "kill": Kind(lambda c: UnderLoad(PlainFolder(), c), short=12),
    "kill-control": Kind(lambda c: UnderLoad(PlainFolder(), c, ["--early"]), 60, True),
    "power-ext4": Kind(on_power("ext4"), 8, needs=EXT4),
    "power-ext4-control": Kind(on_power("ext4", "--no-sync"), 20, True, EXT4),
    "power-xfs": Kind(on_power("xfs"), 8, needs=XFS),
    "power-xfs-control": Kind(on_power("xfs", "--no-sync"), 20, True, XFS),
    "disk-cache": Kind(on_cache(), 6, needs=CACHE),
    "disk-cache-control": Kind(on_cache("--no-sync"), 20, True, CACHE),
    "syscall-kill": Kind(lambda c: calls.KilledBeforeCall(PlainFolder()), 12, needs=("strace",)),
    "syscall-kill-control": Kind(lambda c: calls.KilledBeforeCall(PlainFolder(), ["--early"]), 200, True, ("strace",)),
    "eio": Kind(lambda c: calls.FailingCall(PlainFolder()), 12, needs=("strace",)),
    "eio-control": Kind(lambda c: calls.FailingCall(PlainFolder(), ["--early"]), 200, True, ("strace",)),
    "enospc": Kind(lambda c: FullDisk(), 20, needs=("root",)),
    "enospc-control": Kind(lambda c: FullDisk(reserve=0), 20, True, ("root",)),
    "ledger-move": Kind(lambda c: calls.PowerCutBeforeCall(PowerCut("ext4")), 8, needs=(*EXT4, "strace")),
    "ledger-move-control": Kind(lambda c: calls.PowerCutAfterEarlyDeletion(PowerCut("ext4")), 20, True,
                                (*EXT4, "strace")),
    "daemon-kill": Kind(daemons.Killed),
    "daemon-kill-control": Kind(daemons.KilledWithoutSlate, 30, True),
    "sigterm": Kind(daemons.Terminated),
    "sigterm-control": Kind(daemons.TerminatedHard, 30, True),
    "storms": Kind(daemons.Storm, 2),
    "fds": Kind(daemons.OutOfDescriptors),
    "memory": Kind(daemons.OutOfMemory),
    "clock": Kind(daemons.ClockJumps, needs=(daemons.ClockJumps.LIBRARY,)),
}


def lacks(kind):
    """None where the kind can run here, else what is missing."""
    for need in KINDS[kind].needs:
        if need == "root" and os.geteuid() != 0:
            return f"{kind} takes root"
        if need.startswith("/") and not Path(need).exists() or not need.startswith("/") and need != "root" \
                and not shutil.which(need):
            return f"{kind} takes {need} (scripts/setup installs it)"
    return None


class Interrupted(Exception):
    """SIGINT or SIGTERM: what was done so far counts."""


def run(kind, rounds, seed, connections=50, first=0, result=None):
    """Rounds FIRST to ROUNDS - 1; fewer where the kind has covered everything, or a control is found out."""
    what = KINDS[kind]
    result = Result() if result is None else result
    result.is_control = what.is_control
    place = what.make(connections)
    try:
        for number in range(first, min(rounds, getattr(place, "points", rounds))):
            result.label = f"{kind} round {number} seed {seed}"
            place.round(number, random.Random(f"{seed} {kind} {number}"), result)
            result["rounds"] += 1
            if what.is_control and result.broken:
                break
        if hasattr(place, "finish"):
            place.finish(result)
        return result
    finally:
        place.close()


def is_right(kind, result):
    """A control that is not found out is as wrong as a broken promise."""
    return bool(result.broken) == KINDS[kind].is_control


COLUMNS = ("date", "commit", "seed", "kind", "rounds", "mails/s", "accepted", "lost", "twice", "in doubt at most",
           "unlisted", "unopened", "wrong", "")
HEADER = "| " + " | ".join(COLUMNS) + " |\n" + "|---" * len(COLUMNS) + "|"


def commit_tested():
    """The commit that was built; "+" where files that are built differ from it."""
    def git(*words):
        return subprocess.run(["git", *words], cwd=PROJECT, capture_output=True, text=True).stdout.strip()
    changed = git("status", "--porcelain", "--untracked-files=no", "--", ".", ":!docs")
    return (git("describe", "--always", "--exclude=*") or "?") + ("+" if changed else "")


def line_of(kind, result, seed, commit):
    verdict = "**WRONG**" if not is_right(kind, result) else "found out" if KINDS[kind].is_control else "ok"
    fields = (time.strftime("%Y-%m-%d", time.gmtime()), commit, seed, kind, result["rounds"], result.rate or "",
              result["accepted"], result["lost"], result["twice"], result.most_in_doubt, result["unlisted"],
              result["unopened"], result["wrong"], verdict)
    return "| " + " | ".join(map(str, fields)) + " |"


def rounds_done(file, kind, seed):
    """How many rounds of the kind and seed the table in FILE has."""
    if not file or not Path(file).exists():
        return 0
    rows = (line.strip(" |\n").split(" | ") for line in open(file) if line.startswith("| "))
    return sum(int(row[4]) for row in rows if len(row) > 4 and row[2:4] == [str(seed), kind] and row[4].isdigit())


def append(file, line):
    """Behind the last row of a table of ours; a file without one gets one."""
    path = Path(file)
    text = path.read_text() if path.exists() else ""
    row = re.compile(r"^\|(?: [^|]*\|){%d}$" % len(COLUMNS))
    lines = text.splitlines()
    places = [n for n, known in enumerate(lines) if known == HEADER.splitlines()[1] or row.match(known)]
    if HEADER not in text:
        lines += ([""] if lines else []) + HEADER.splitlines() + [line]
    else:
        lines.insert(places[-1] + 1, line)
    path.write_text("\n".join(lines) + "\n")


def main():
    parser = argparse.ArgumentParser(prog="scripts/faults", description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=100, help="of each kind (controls end when found out)")
    parser.add_argument("--only", choices=sorted(KINDS), action="append", metavar="KIND",
                        help="this kind; may be repeated: " + ", ".join(KINDS))
    parser.add_argument("--seed", type=int, default=None, help="default: a random one, which is printed")
    parser.add_argument("--connections", type=int, default=50)
    parser.add_argument("--append", metavar="FILE", help="append the rows to the table in this file; with --seed, "
                                                         "go on behind its rows of this seed")
    options = parser.parse_args()
    seed = options.seed if options.seed is not None else random.SystemRandom().randrange(1 << 32)
    kinds = options.only or list(KINDS)
    for lacking in filter(None, map(lacks, kinds)):
        sys.exit(f"faults: {lacking}")

    def interrupt(number, _):
        raise Interrupted(signal.Signals(number).name)

    signal.signal(signal.SIGTERM, interrupt)
    signal.signal(signal.SIGINT, interrupt)
    commit, right = commit_tested(), True
    print(f"seed {seed}\n{HEADER}", flush=True)
    for kind in kinds:
        first = rounds_done(options.append, kind, seed) if options.seed is not None else 0
        if first >= options.rounds:
            continue
        result, interrupted = Result(), None
        try:
            run(kind, options.rounds, seed, options.connections, first, result)
        except Interrupted as why:
            interrupted = why
        if result["rounds"] and not (interrupted and KINDS[kind].is_control):
            line = line_of(kind, result, seed, commit)
            print(line, flush=True)
            if options.append:
                append(options.append, line)
        if interrupted:
            sys.exit(f"faults: interrupted by {interrupted}")
        right = right and is_right(kind, result)
    sys.exit(0 if right else 1)


if __name__ == "__main__":
    main()
