"""The bench that every contestant stands on: the sink, the programs, the cores, what processes cost."""

import json
import os
import shutil
import socket
import struct
import subprocess
import tempfile
import threading
import time
from pathlib import Path

from peers import Authority, free_port, needs, wait_until
from peers.processes import die_with_parent

PROJECT = Path(__file__).resolve().parents[2]
BIN = PROJECT / "build/release/bin"
TICKS = os.sysconf("SC_CLK_TCK")
PEER_CORE, LOAD_CORE = 0, (os.cpu_count() or 1) - 1


class Bench:
    """One folder, one authority; programs are started through it, and end with it."""

    def __init__(self, quick):
        self.quick = quick
        lacking = needs()
        if lacking:
            raise SystemExit(f"compare: {lacking}")
        for name in ("estafetted", "bench_sink", "bench_limit", "bench_load"):
            if not (BIN / name).exists():
                raise SystemExit(f"compare: {BIN / name} is not built: cmake --build build/release")
        self.folder = Path(tempfile.mkdtemp(prefix="est-bench-"))
        self.folder.chmod(0o755)
        self.authority = Authority(self.folder / "ca")
        self.certificate = self.authority.issue("sink.example")
        self._numbers = 0

    def __enter__(self):
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.folder, ignore_errors=True)

    def new_folder(self, name):
        self._numbers += 1
        made = self.folder / f"{name}{self._numbers}"
        made.mkdir(mode=0o755)
        return made

    def sink(self, delay_ms=0):
        return Sink(self, delay_ms)

    def program(self, name, *arguments, core=LOAD_CORE):
        """Runs one of our bench programs to its end and returns what it printed, from JSON."""
        done = subprocess.run(pinned(core, BIN / name, *arguments), capture_output=True, text=True)
        if not done.stdout.strip():
            raise RuntimeError(f"{name} {' '.join(map(str, arguments))}: {done.stderr}")
        return json.loads(done.stdout.splitlines()[-1])


def pinned(core, *command):
    return ["taskset", "-c", str(core), *map(str, command)]


class Sink:
    """bench_sink on the load's core, and the counters that it shares."""

    HEAD = struct.Struct("<7Q")

    def __init__(self, bench, delay_ms):
        self.port = free_port()
        self._status = bench.new_folder("sink") / "status"
        self._process = subprocess.Popen(
            pinned(LOAD_CORE, BIN / "bench_sink", "--port", self.port, "--cert", bench.certificate.certificate,
                   "--key", bench.certificate.key, "--status", self._status, "--delay-ms", delay_ms),
            preexec_fn=die_with_parent)
        wait_until(self._answers, 10, what="the sink answers")
        self.forget()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._process.kill()
        self._process.wait()

    @property
    def pid(self):
        return self._process.pid

    def _answers(self):
        with socket.socket() as probe:
            return self._status.exists() and self._status.stat().st_size > self.HEAD.size and probe.connect_ex(("127.0.0.1", self.port)) == 0

    def counters(self):
        with open(self._status, "rb") as file:
            return self.HEAD.unpack(file.read(self.HEAD.size))

    def forget(self):
        """What comes from now on is counted against what was there before."""
        self._before = self.counters()

    @property
    def distinct(self):
        return self.counters()[1] - self._before[1]

    @property
    def accepted(self):
        return self.counters()[0] - self._before[0]

    def wait_for(self, count, seconds):
        """Waits for COUNT recipients; False where they did not all come in time."""
        try:
            wait_until(lambda: self.distinct >= count, seconds, every=0.01)
            return True
        except AssertionError:
            return False

    def rate(self, since_ns):
        """Mails per second from SINCE to the last one."""
        accepted, _, _, last = self.counters()[:4]
        return (accepted - self._before[0]) / max((last - since_ns) / 1e9, 1e-6)

    def latencies_ms(self):
        """p50 and p99 from the stamp in the mail to its 250."""
        skip, count = self._before[4], self.counters()[4]
        with open(self._status, "rb") as file:
            file.seek(self.HEAD.size + 4 * skip)
            found = sorted(value for value, in struct.iter_unpack("<I", file.read(4 * (count - skip))))
        if not found:
            return None, None
        return tuple(found[min(len(found) - 1, int(len(found) * part))] / 1000 for part in (0.5, 0.99))


class Cost:
    """CPU and peak memory of a set of processes while it is open, ended children included; and which share
    of the machine processes took meanwhile that are neither these, nor the sink, nor ours."""

    def __init__(self, pids, sink):
        self._pids = pids
        self._beside = [sink.pid, os.getpid()]
        self._stop = threading.Event()
        self.peak_mb = 0.0
        self.cpu = 0.0
        self.foreign = 0.0

    def __enter__(self):
        self._start = cpu_seconds(self._pids())
        self._machine = self._others()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._stop.set()
        self._thread.join()
        self.cpu = cpu_seconds(self._pids()) - self._start
        busy, everything = (now - before for now, before in zip(self._others(), self._machine))
        self.foreign = max(0.0, busy - self.cpu) / max(everything, 0.01)

    def _others(self):
        """Seconds that the machine was busy without the sink and ourselves, and all seconds of its cores."""
        times = list(map(int, Path("/proc/stat").read_text().splitlines()[0].split()[1:9]))
        idle = times[3] + times[4]
        return (sum(times) - idle) / TICKS - cpu_seconds(self._beside), sum(times) / TICKS

    def _watch(self):
        while not self._stop.wait(0.5):
            self.peak_mb = max(self.peak_mb, sum(map(pss_mb, self._pids())))


def undisturbed(measure):
    """Measures again, up to twice, where others took more than a twentieth of the machine meanwhile."""
    runs = []
    while len(runs) < 3:
        runs.append(measure())
        if runs[-1]["foreign"] <= 0.05:
            break
    return min(runs, key=lambda run: run["foreign"])


def cpu_seconds(pids):
    """Of these processes and of the children they have reaped."""
    total = 0
    for pid in pids:
        try:
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            total += sum(map(int, fields[11:15]))
        except (OSError, ValueError):
            continue
    return total / TICKS


def pss_mb(pid):
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1024
    except (OSError, StopIteration):
        return 0.0


def in_namespace_of(pid):
    """Every process in the pid namespace of the child of PID (an `unshare` that the peers started)."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    if not children:
        return []
    wanted = os.readlink(f"/proc/{children[0]}/ns/pid")
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                if os.readlink(entry / "ns/pid") == wanted:
                    found.append(int(entry.name))
            except OSError:
                continue
    return found


def now_ns():
    """The clock of the sink's counters (CLOCK_MONOTONIC)."""
    return time.monotonic_ns()
