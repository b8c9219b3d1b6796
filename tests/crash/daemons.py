"""Kinds in which the real estafetted lives, between callers at its API and a server that takes its mail (crash_peer).

The peer outlives the daemon, and what it saw is the truth: which mails were answered with 202, and how often each
was taken. After a few rounds the callers stop, the daemon delivers what it has, and that is compared: lost are mails
answered with 202 that the server never took or that the daemon does not call relayed; unlisted are mails taken twice
that `estafette list --uncertain` does not name.
"""

import json
import os
import resource
import subprocess
import threading
import time

from estafetted import Daemon
from peers.processes import die_with_parent, wait_until
from places import new_folder
from said import Said, some
from stores import BIN

ROUNDS_PER_STORE = 10
SOON = {"delays": ["1s"], "jitter": 0}


class Peer:
    """crash_peer, and what it said."""

    def __init__(self, socket, callers, **options):
        flags = [part for name, value in options.items() for part in (f"--{name.replace('_', '-')}", str(value))]
        self._process = subprocess.Popen([str(BIN / "crash_peer"), "--socket", str(socket), "--callers", str(callers), *flags],
                                         stdin=subprocess.PIPE, stdout=subprocess.PIPE, preexec_fn=die_with_parent)
        self._pieces = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        self.port = int(wait_until(lambda: self.text().partition("\n")[0], 10, every=0.002, what="the peer's port").split()[1])

    def _read(self):
        self._pieces.extend(iter(lambda: os.read(self._process.stdout.fileno(), 1 << 20), b""))

    def text(self):
        return b"".join(self._pieces).decode()

    def said(self):
        said = Said()
        said.add(self.text().partition("\n")[2])
        return said

    def count(self, word):
        return sum(piece.count(word.encode() + b" ") for piece in list(self._pieces))

    def order(self, word):
        self._process.stdin.write(word.encode() + b"\n")
        self._process.stdin.flush()

    def close(self):
        self._process.kill()
        self._process.wait()
        self._reader.join()
        self._process.stdin.close()
        self._process.stdout.close()


class UnderFire:
    """A daemon under load; a round does something to it. Derived classes say what: harm(), and what may follow."""

    rounds_per_store = ROUNDS_PER_STORE
    peer_options = {"rate": 5000, "delay_ms": 3, "defer_every": 10}
    environment = {}
    seconds_to_drain = 90
    may_repeat = True           # whether mail in doubt, and thus sent twice, is right

    def __init__(self, connections):
        self.connections = connections
        self.base = None

    def close(self):
        if self.base:
            self.daemon.close()
            self.peer.close()
            self.daemon.delete()
            self.base = None

    def round(self, number, chance, result):
        if self.base is None:
            self._begin()
        broken, before = result.broken, self.peer.count("A")
        try:
            began = time.monotonic()
            time.sleep(chance.uniform(0.05, 0.5))
            result.rates.append((self.peer.count("A") - before) / (time.monotonic() - began))
            self.harm(chance, result)
            self.listed = self._list_uncertain(result)
            self.rounds += 1
            if self.rounds >= self.rounds_per_store:
                self._settle(result)
        except (AssertionError, OSError, ValueError, subprocess.SubprocessError) as problem:
            result.say("wrong" if self.daemon.process.poll() is None else "unopened", 1, f"{problem}\n{self.daemon.log()[-2000:]}")
        if result.broken != broken:
            self.close()

    def finish(self, result):
        """What is under way when the rounds are over."""
        if self.base and self.rounds:
            self._settle(result)

    def restart(self):
        self.daemon.start(environment=self.environment)

    def _begin(self):
        self.base = new_folder()
        self.base.chmod(0o755)
        self.daemon = Daemon(self.base, {})
        self.peer = Peer(self.daemon.socket, self.connections, **self.peer_options)
        self.daemon.config.update({
            "hostname": "mail.example.org",
            "relay": {"servers": [f"127.0.0.1:{self.peer.port}"], "tls": {"mode": "none", "policy": "none"},
                      "connections": self.connections, "allow_private": True, "pause": "1s"},
            "tenants": {"default": {"retry": {"default": SOON, "greylisted": SOON, "uncertain": SOON}}},
            "log": {"level": "warning", "target": "stderr"}, "shutdown": {"grace": "10s"},
        })
        self.daemon.write_config()
        self.rounds, self.listed = 0, set()
        self.restart()

    def _list_uncertain(self, result):
        """The mails that the daemon names; after one death no more new ones than connections."""
        done = subprocess.run([str(BIN / "estafette"), "list", "--uncertain", "--all", "--json"], capture_output=True, text=True,
                              env={**os.environ, "ESTAFETTE_SOCKET": str(self.daemon.socket)}, timeout=60)
        if done.returncode != 0:
            raise ValueError(f"estafette list: {done.stderr or done.stdout}")
        listed = {number_of(json.loads(line)["address"]) for line in done.stdout.splitlines()}
        result.doubt(len(listed - self.listed), self.most_in_doubt())
        return listed

    def most_in_doubt(self):
        return self.connections if self.may_repeat else 0

    def _settle(self, result):
        """The callers stop; what was accepted is delivered; then all is compared."""
        self.stop_calls()
        try:
            wait_until(self._is_drained, self.seconds_to_drain, every=0.05,
                       what=lambda: f"all mail is delivered: {self.daemon.get('/v1/queue').body}")
        except AssertionError as problem:
            result.say("wrong", 1, f"{problem}\n{self.daemon.log()[-2000:]}")
        self.listed = self._list_uncertain(result) | self.listed
        said = self.peer.said()
        states = {number_of(line["address"]): line["state"] for line in self.daemon.recipients(limit=500)}
        untaken = said.accepted - set(said.sent)
        result.say("lost", len(untaken), f"accepted and never sent: {some(untaken)}")
        unsaid = {n for n in said.accepted if states.get(n) != "relayed"} - untaken
        result.say("lost", len(unsaid), f"accepted, and not shown as sent: {some(unsaid)}")
        result.say("unlisted", len(said.twice - self.listed), f"sent twice, not listed: {some(said.twice - self.listed)}")
        if not self.may_repeat:
            result.say("wrong", len(said.twice), f"sent twice: {some(said.twice)}")
        result["accepted"] += len(said.accepted)
        result["twice"] += len(said.twice)
        self.close()

    def stop_calls(self):
        self.peer.order("stop")

    def _is_drained(self):
        states = self.daemon.states()
        return not any(states.get(name) for name in ("scheduled", "queued", "deferred", "held"))


class Killed(UnderFire):
    """kill -9, and a new start."""

    def harm(self, chance, result):
        self.daemon.kill()
        self.restart()


class KilledWithoutSlate(Killed):
    """Control: nobody remembers what was in doubt."""

    rounds_per_store = 3

    def harm(self, chance, result):
        self.daemon.kill()
        (self.daemon.store / "slate").unlink()
        self.restart()


class Terminated(UnderFire):
    """SIGTERM under load: it finishes what it does, and nothing is in doubt."""

    may_repeat = False

    def harm(self, chance, result):
        code = self.daemon.terminate()
        result.say("wrong", int(code != 0), f"it ended with {code}")
        self.restart()


class TerminatedHard(Terminated):
    """Control: kill -9 where SIGTERM was promised."""

    rounds_per_store = 3

    def harm(self, chance, result):
        self.daemon.kill()
        self.restart()


class Storm(UnderFire):
    """Killed again and again, mostly before it is ready."""

    deaths = 8

    def harm(self, chance, result):
        for _ in range(self.deaths):
            self.daemon.kill()
            self.daemon.start(environment=self.environment, ready=False)
            time.sleep(chance.uniform(0, 0.06))
        self.daemon.kill()
        self.restart()

    def most_in_doubt(self):
        return self.connections * (self.deaths + 1)


class OutOfDescriptors(UnderFire):
    """It may open fewer files and connections than it would: it goes on with those it has."""

    may_repeat = False
    peer_options = {**UnderFire.peer_options, "size": 20000}      # the journal rolls often

    def harm(self, chance, result):
        code = self.daemon.terminate()
        result.say("wrong", int(code != 0), f"it ended with {code}")
        limit, (_, hard) = chance.randrange(48, 140), resource.getrlimit(resource.RLIMIT_NOFILE)
        self.daemon.start(["prlimit", f"--nofile={limit}:{hard}", *self.daemon.command])
        for _ in range(3):
            time.sleep(chance.uniform(0.1, 0.4))
            self._goes_on("A", f"with {limit} descriptors, it takes mail")
        resource.prlimit(self.daemon.process.pid, resource.RLIMIT_NOFILE, (hard, hard))
        self._goes_on("S", f"after {limit} descriptors, it sends mail")

    def _goes_on(self, word, what):
        before = self.peer.count(word)
        wait_until(lambda: self.peer.count(word) > before, 20, every=0.01, what=what)


class OutOfMemory(UnderFire):
    """It gets no more memory than it has, and a little. It may die of that, and nothing more."""

    peer_options = {**UnderFire.peer_options, "size": 20000}

    def harm(self, chance, result):
        pid = self.daemon.process.pid
        used = int(open(f"/proc/{pid}/statm").read().split()[0]) * resource.getpagesize()
        resource.prlimit(pid, resource.RLIMIT_AS, (used + chance.randrange(0, 4 << 20), resource.RLIM_INFINITY))
        end = time.monotonic() + chance.uniform(0.05, 0.5)
        while self.daemon.process.poll() is None and time.monotonic() < end:
            time.sleep(0.01)
        self.daemon.kill()
        self.restart()


class ClockJumps(UnderFire):
    """The wall clock jumps to and fro by up to a day (libfaketime): nothing twice, nothing forgotten."""

    LIBRARY = "/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1"
    may_repeat = False
    rounds_per_store = 5
    seconds_to_drain = 20       # a clock that was set is noticed soon
    peer_options = {**UnderFire.peer_options, "rate": 300, "defer_every": 3}

    def restart(self):
        self.clock = self.base / "clock"
        self._jump(0)
        self.environment = {"LD_PRELOAD": self.LIBRARY, "FAKETIME_TIMESTAMP_FILE": str(self.clock), "FAKETIME_NO_CACHE": "1",
                            "FAKETIME_DONT_FAKE_MONOTONIC": "1", "DONT_FAKE_MONOTONIC": "1"}
        super().restart()

    def harm(self, chance, result):
        self._jump(chance.choice([-86400, -3600, -60, -2, 0, 2, 60, 3600, 86400]))
        time.sleep(0.2)

    def stop_calls(self):
        """What was put off looks a day away when the clock is set back; whoever sleeps till then oversleeps."""
        self._jump(86400)
        time.sleep(0.5)
        super().stop_calls()
        self._jump(-86400)
        time.sleep(2)
        self._jump(2 * 86400)      # everything is due, nothing expires

    def _jump(self, seconds):
        written = self.base / "clock.new"
        written.write_text(f"{seconds:+d}\n")
        written.rename(self.clock)


def number_of(address):
    """17 of u17@example.org."""
    return int(address.partition("@")[0][1:])

