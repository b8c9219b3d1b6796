"""Kinds that count system calls (strace): a scripted life ends before its n-th call, or that call fails.

The script of crash_store makes the same calls each time, so that every point of it can be visited: a round is a
point, and all points are the rounds.
"""

import os
import re
import subprocess
from pathlib import Path

from peers.processes import die_with_parent
from said import Said
from stores import PROGRAM, judge, verify

CALL = re.compile(r"^\d+\s+(\w+)\(")
MARK = re.compile(r'write\(1[^"]*"([A-Z]) (\d+)')
WRITES = ("pwrite64", "write", "fdatasync", "fsync", "openat", "unlink", "unlinkat", "ftruncate", "fallocate", "mkdir", "rename")


def script(folder, first, extra=(), inject=None, log=None):
    """One scripted life; what it said, and its exit code (None: killed)."""
    command = [str(PROGRAM), str(folder), "--script", "--first", str(first), *extra]
    if log:
        name = inject.partition(":")[0] if inject else None
        how = ["-e", f"trace={name if inject and 'KILL' in inject else 'all'}"]
        command = ["strace", "-f", "-y", "-qq", "-o", str(log), *how, *(["-e", f"inject={inject}"] if inject else []), *command]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, preexec_fn=die_with_parent, timeout=120)
    text = done.stdout.decode()
    return text[:text.rfind("\n") + 1], done.returncode, done.stderr.decode()


def calls_of(log):
    """(call, which of its name, line) in order."""
    counts = {}
    for line in Path(log).read_text(errors="replace").splitlines():
        found = CALL.match(line)
        if found and found.group(1) != "execve":
            name = found.group(1)
            counts[name] = counts.get(name, 0) + 1
            yield name, counts[name], line


class ScriptedLife:
    """Shared: the points of the life, found by one life without faults."""

    def __init__(self, place, extra=()):
        self.place = place
        self.extra = extra
        try:
            self.place.reset()
            script(self.place.folder, 1, extra, log=self._log)
            self._all = [point for point in self._wanted(calls_of(self._log))]
        except BaseException:
            self.close()
            raise

    def close(self):
        self.place.close()

    @property
    def _log(self):
        return self.place.base / "calls"

    @property
    def points(self):
        return len(self._all)

    def _point(self, number, chance):
        """The rounds of all seeds visit the points in one mixed order, so that few rounds see something of everything."""
        return self._all[(number * self._step()) % len(self._all)]

    def _step(self):
        """A step that visits every point once: coprime to their number, and about the golden section of it."""
        count, step = len(self._all), max(1, round(len(self._all) * 0.618))
        while any(count % d == 0 and step % d == 0 for d in range(2, step + 1)):
            step += 1
        return step

    def _judge(self, said, open_ones, result, slate_counts):
        found, problem = verify(self.place.folder)
        if found is None:
            result.say("unopened", 1, problem)
            return
        judge(said, open_ones, 1, found, slate_counts, result)


class KilledBeforeCall(ScriptedLife):
    """kill -9 before the n-th call; then another life from there, to its end."""

    def _wanted(self, calls):
        return [(name, n) for name, n, _ in calls]

    def round(self, number, chance, result):
        name, n = self._point(number, chance)
        result.label += f", before {name} {n}"
        self.place.reset()
        said = Said()
        text, _, _ = script(self.place.folder, 1, self.extra, f"{name}:signal=KILL:when={n}", self._log)
        self._die(said.add(text), said, result)
        if not result.is_control:
            text, code, problem = script(self.place.folder, said.highest + 2, self.extra)
            result.say("unopened", int(code != 0), f"the next life ended with {code}: {problem}")
            self._judge(said, said.add(text), result, True)
        result["accepted"] += len(said.accepted)
        result["twice"] += len(said.twice)

    def _die(self, open_ones, said, result):
        self._judge(said, open_ones, result, True)


class PowerCutBeforeCall(KilledBeforeCall):
    """The power goes while content moves to the ledger, while that is checkpointed, and while the segment goes."""

    begins = "M"

    def _wanted(self, calls):
        inside, points = False, []
        for name, n, line in calls:
            mark = MARK.search(line)
            if mark:
                inside = {self.begins: True, "N": False}.get(mark.group(1), inside)
            elif inside and name in WRITES:
                points.append((name, n))
        return points

    def _die(self, open_ones, said, result):
        self.place.after_death()
        self._judge(said, open_ones, result, False)
        # Without the slate nobody knows of mail in doubt; it may go twice, and the next life is judged alone.
        said.sent.clear()


class PowerCutAfterEarlyDeletion(PowerCutBeforeCall):
    """Control: the segment went when its content had moved, before the checkpoint."""

    begins = "D"

    def __init__(self, place):
        super().__init__(place, ["--delete-early"])


class FailingCall(ScriptedLife):
    """EIO from the n-th write, sync, open, … on a file of the store: nothing is acknowledged after a change failed,
    nothing is lost, and what failed to reach the disk is not tried again as if nothing had been."""

    def _wanted(self, calls):
        folder = str(self.place.folder)
        return [(name, n) for name, n, line in calls if name in WRITES and folder in line]

    def round(self, number, chance, result):
        name, n = self._point(number, chance)
        result.label += f", EIO from {name} {n}"
        self.place.reset()
        said = Said()
        text, _, _ = script(self.place.folder, 1, self.extra, f"{name}:error=EIO:when={n}", self._log)
        open_ones = said.add(text)
        failed = False
        for line in text.splitlines():
            failed = failed or line.startswith("E ")
            result.say("wrong", int(failed and line[0] in "AR"), f"acknowledged after a failure: {line}")
        for problem in self._tried_again(name) if said.accepted else ():    # a store that was not made promised nothing
            result.say("wrong", 1, problem)
        self._judge(said, open_ones, result, True)
        result["accepted"] += len(said.accepted)

    def _tried_again(self, name):
        """After a sync that failed a second one may lie: the file must not be synced again. Nor is a segment of the
        journal written again after a write failed. Folders do not count: SQLite opens and syncs its own anew each
        time, and forgives."""
        failed_on = None
        for line in self._log.read_text(errors="replace").splitlines():
            call, path = CALL.match(line), re.search(r"<([^>]*)>", line)
            if not call or not path:
                continue
            if "(INJECTED)" in line:
                failed_on = path.group(1)
            elif failed_on == path.group(1) and not Path(failed_on).is_dir() and (
                    name in ("fsync", "fdatasync") and call.group(1) in ("fsync", "fdatasync") or
                    name == "pwrite64" and call.group(1) == name and failed_on.endswith(".segment")):
                yield f"{call.group(1)} again on {os.path.basename(failed_on)} after {name} failed there"
                return
