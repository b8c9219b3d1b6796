"""Kinds in which crash_store lives: the store, its queue and its slate under load, without a daemon around it."""

import os
import subprocess
import threading
import time
from pathlib import Path

from peers.processes import die_with_parent
from places import SmallDisk
from said import Said, some

PROJECT = Path(__file__).resolve().parents[2]
BIN = Path(os.environ.get("ESTAFETTE_BIN", PROJECT / "build/release/bin"))
PROGRAM = BIN / "crash_store"
ROUNDS_PER_STORE = 10


def verify(folder):
    """What the next process finds: states by mail, the mails once in doubt, those on the slate; None: it does not open."""
    done = subprocess.run([str(PROGRAM), str(folder), "--verify"], capture_output=True, text=True, timeout=120,
                          preexec_fn=die_with_parent)
    if done.returncode != 0:
        return None, done.stderr.strip() or f"it ended with {done.returncode}"
    states, doubted, marked = {}, set(), set()
    for line in done.stdout.splitlines():
        word, number, *rest = line.split(" ")
        if word == "V":
            states[int(number)] = rest[0]
        elif word == "Q":
            doubted.add(int(number))
        elif word == "I":
            marked.add(int(number))
    return (states, doubted, marked), ""


def judge(said, open_ones, connections, found, slate_counts, result):
    """Compares what was said with what the next process found."""
    states, doubted, marked = found
    gone = {n for n in said.accepted if states.get(n, "bodyless") == "bodyless"}
    result.say("lost", len(gone), f"accepted and not there: {some(gone)}")
    undone = {n for n in said.recorded if states.get(n) != "relayed"} - gone
    result.say("lost", len(undone), f"recorded as sent and not so: {some(undone)}")
    in_doubt = {n for n in open_ones if states.get(n) != "relayed"}
    result.doubt(len(in_doubt), connections)
    if slate_counts:
        result.say("unlisted", len(in_doubt - marked), f"sent, not on the slate: {some(in_doubt - marked)}")
        unlisted = said.twice - doubted
        result.say("unlisted", len(unlisted), f"sent twice, not listed: {some(unlisted)}")


class UnderLoad:
    """A life of a moment with many connections, ended by the place; then the next process says what is there."""

    def __init__(self, place, connections, extra=()):
        self.place = place
        self.connections = connections
        self.extra = extra
        self.said = None

    def close(self):
        self.place.close()

    def round(self, number, chance, result):
        if self.said is None or number % ROUNDS_PER_STORE == 0:
            self.place.reset()
            self.said = Said()
        before, broken, twice = len(self.said.accepted), result.broken, len(self.said.twice)
        # Counted from its first word; one life in eight ends while it starts and recovers.
        waits = chance.random() > 1 / 8
        open_ones = self._live(chance.uniform(0.05, 0.6), waits, result)
        found, problem = verify(self.place.folder)
        result["accepted"] += len(self.said.accepted) - before
        result["twice"] += len(self.said.twice) - twice
        if found is None:
            result.say("unopened", 1, problem)
        else:
            judge(self.said, open_ones, self.connections, found, self.place.survives_in_cache, result)
        if result.broken != broken:
            self.said = None

    def _live(self, seconds, waits, result):
        # Behind what may have been committed and not been said: each connection enqueues one at a time.
        command = [str(PROGRAM), str(self.place.folder), "--first", str(self.said.highest + self.connections + 1),
                   "--connections", str(self.connections), *self.extra]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, preexec_fn=die_with_parent)
        pieces = []
        reader = threading.Thread(
            target=lambda: pieces.extend(iter(lambda: os.read(process.stdout.fileno(), 1 << 20), b"")))
        reader.start()
        try:
            deadline = time.monotonic() + (20 if waits else 0)
            while not pieces and process.poll() is None and time.monotonic() < deadline:
                time.sleep(0.002)
            began, before = time.monotonic(), len(pieces)
            time.sleep(seconds)
            lived = time.monotonic() - began
            self.place.end(process)
        finally:
            process.kill()
            process.wait()
            reader.join()
            process.stdout.close()
        text = b"".join(pieces).decode()
        if waits:
            result.rates.append(b"".join(pieces[before:]).count(b"A ") / lived)
        return self.said.add(text[:text.rfind("\n") + 1])


class FullDisk:
    """A disk of 40 MiB of which others take more in each round: mail is refused, outcomes still go in, though another
    program takes all that is left, and mail is taken again when there is space."""

    points = 20

    def __init__(self, reserve=8 << 20):
        self.place = SmallDisk()
        self.extra = ["--reserve", str(reserve)]

    def close(self):
        self.place.close()

    def round(self, number, chance, result):
        self.place.reset()
        folder = self.place.folder
        balloon = folder / "balloon"
        balloon.write_bytes(bytes(number % self.points << 20))
        command = [str(PROGRAM), str(folder), "--fill", *self.extra]
        store = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                 preexec_fn=die_with_parent)
        try:
            accepted = sum(1 for _ in iter(lambda: store.stdout.readline()[:1], "F"))
            _take_all(folder / "greedy")
            store.stdin.write("\n")
            store.stdin.flush()
            recorded = sum(1 for _ in range(accepted) if store.stdout.readline().startswith("R "))
            (folder / "greedy").unlink()
            balloon.unlink()
            rest, problem = store.communicate("\n", timeout=60)
        finally:
            store.kill()
            store.wait()
        result["accepted"] += accepted
        result.say("wrong", int(accepted == 0), "no mail went in")
        result.say("wrong", accepted - recorded, f"outcomes not recorded on the full disk: {problem}")
        result.say("wrong", int(store.returncode != 0 or "A " not in rest), f"no mail goes in when there is space: {problem}")
        found, problem = verify(folder)
        if found is None:
            result.say("unopened", 1, problem)
            return
        relayed = sum(1 for state in found[0].values() if state == "relayed")
        result.say("lost", accepted - len([n for n in found[0] if n <= accepted]), "accepted and not there")
        result.say("lost", max(0, recorded - relayed), "recorded as sent and not so")


def _take_all(path):
    with open(path, "wb", buffering=0) as greedy:
        try:
            while greedy.write(bytes(1 << 16)):
                pass
        except OSError:
            pass
