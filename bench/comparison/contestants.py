"""Each contestant does the same work and returns its figures; what it has no notion of is left out."""

import importlib
import resource
import shutil
import signal
import subprocess
import sys
import time

from peers import Exim, OpenSMTPD, Postfix, wait_until
from peers.processes import die_with_parent
from peers.unpack import root_of

from .bench import LOAD_CORE, PEER_CORE, PROJECT, Cost, in_namespace_of, pinned, undisturbed

CONNECTIONS, CONNECTIONS_DELAY, DELAY_MS = 20, 100, 20


def counts(bench, fast):
    """How many mails: FAST ones for contestants of tens of thousands a second, fewer for the others."""
    total = 50_000 if fast else 5_000
    return total // 5 if bench.quick else total


def figure(sink, cost, count):
    """What a drain measured."""
    _, _, first, last = sink.counters()[:4]
    return {"rate": count / max((last - first) / 1e9, 1e-6), "cpu": cost.cpu / count * 1000, "memory": cost.peak_mb,
            "foreign": cost.foreign}


def merged(plain, large, delayed):
    return {"drain_4": plain["rate"], "cpu": plain["cpu"], "memory": plain["memory"], "drain_20": large["rate"],
            "drain_delay": delayed["rate"], "foreign": max(run["foreign"] for run in (plain, large, delayed)) * 100}


# --- the bare client -----------------------------------------------------------------------------------


def limit(bench):
    def run(kib, delay, connections, count):
        with bench.sink(delay) as sink, Cost(lambda: [], sink) as cost:
            made = bench.program("bench_limit", "--port", sink.port, "--mode", "across", "--connections", connections,
                                 "--messages", count, "--size", kib * 1024, core=PEER_CORE)
        return {"rate": made["per_second"], "cpu": made["cpu_seconds"] / count * 1000, "memory": None,
                "foreign": cost.foreign}

    count = counts(bench, fast=True)
    return merged(undisturbed(lambda: run(4, 0, CONNECTIONS, count)),
                  undisturbed(lambda: run(20, 0, CONNECTIONS, count // 2)),
                  undisturbed(lambda: run(4, DELAY_MS, CONNECTIONS_DELAY, count // 2)))


# --- Estafette -----------------------------------------------------------------------------------------


class Estafette:
    """A daemon on the peer's core whose relay is the sink."""

    def __init__(self, bench, sink, connections):
        sys.path.insert(0, str(PROJECT / "tests/e2e"))
        daemon = importlib.import_module("estafetted").Daemon
        self.bench = bench
        self.daemon = daemon(bench.new_folder("estafette"), {
            "hostname": "bench.example", "log": {"level": "warning", "target": "stderr"},
            "relay": {"servers": [f"127.0.0.1:{sink.port}"], "connections": connections, "allow_private": True,
                      "ready_limit": 20_000, "tls": {"mode": "starttls", "name": "sink.example",
                                                     "ca_file": str(bench.certificate.ca_file)}}})

    def __enter__(self):
        self.daemon.start(pinned(PEER_CORE, *self.daemon.command))
        return self

    def __exit__(self, *_):
        self.daemon.delete()

    def route(self, verb):
        answer = self.daemon.request("POST", f"/v1/routes/relay/{verb}", b'{"reason":"bench"}',
                                     {"Content-Type": "application/json"})
        assert answer.status == 200, answer

    def load(self, count, **options):
        more = [part for name, value in options.items() for part in (f"--{name}", value)]
        return self.bench.program("bench_load", "--socket", self.daemon.socket, "--messages", count, *more)

    def pids(self):
        return [self.daemon.process.pid]


def estafette(bench):
    def drain(kib, delay, connections, count):
        with bench.sink(delay) as sink, Estafette(bench, sink, connections) as ours:
            ours.route("pause")
            loaded = ours.load(count, batch=100, callers=4, size=kib * 1024)
            with Cost(ours.pids, sink) as cost:
                ours.route("resume")
                assert sink.wait_for(count, 300), f"{sink.distinct} of {count}\n{ours.daemon.log()}"
            return {**figure(sink, cost, count), "batch": loaded["per_second"]}

    count = counts(bench, fast=True)
    plain = undisturbed(lambda: drain(4, 0, CONNECTIONS, count))
    figures = merged(plain, undisturbed(lambda: drain(20, 0, CONNECTIONS, count // 2)),
                     undisturbed(lambda: drain(4, DELAY_MS, CONNECTIONS_DELAY, count // 2)))
    with bench.sink() as sink, Estafette(bench, sink, CONNECTIONS) as ours:
        ours.route("pause")
        accepted = ours.load(count // 2, callers=16, size=4096)
        idle = ours.load(300, callers=1, size=4096, rate=50)
    with bench.sink() as sink, Estafette(bench, sink, CONNECTIONS) as ours:
        steady = 500 if bench.quick else 3000
        ours.load(100, callers=1, size=4096, rate=100)           # connections are open before it counts
        sink.wait_for(100, 30)
        sink.forget()
        ours.load(steady, callers=4, size=4096, rate=100, first=1000)
        assert sink.wait_for(steady, 30)
        p50, p99 = sink.latencies_ms()
    return {**figures, "accept": accepted["per_second"], "accept_batch": plain["batch"],
            "enqueue_p99": idle["p99_ms"], "latency_p50": p50, "latency_p99": p99}


def syscalls(bench):
    """Of the loop's thread in the 4 KiB drain: calls per message, by name, from `strace -c`. Counts only: a traced
    daemon is slower."""
    count = counts(bench, fast=True) // 5
    summary = bench.new_folder("strace") / "summary"
    with bench.sink() as sink, Estafette(bench, sink, CONNECTIONS) as ours:
        ours.route("pause")
        ours.load(count, batch=100, callers=4, size=4096)
        # Without -f: the daemon's first thread, which is the loop.
        trace = subprocess.Popen(["strace", "-c", "-o", summary, "-p", str(ours.daemon.process.pid)],
                                 stderr=subprocess.PIPE, text=True, preexec_fn=die_with_parent)
        assert "attached" in trace.stderr.readline()
        ours.route("resume")
        assert sink.wait_for(count, 300), f"{sink.distinct} of {count}\n{ours.daemon.log()}"
        trace.send_signal(signal.SIGINT)
        trace.wait(30)
    calls = {}
    for line in summary.read_text().splitlines()[2:]:
        fields = line.split()
        if len(fields) >= 5 and fields[3].isdigit() and fields[-1] != "total":
            calls[fields[-1]] = int(fields[3]) / count
    return dict(sorted(calls.items(), key=lambda entry: -entry[1]))


# --- Postfix -------------------------------------------------------------------------------------------

POSTFIX_SERVICES = """\
pickup unix n - n 60 1 pickup
showq unix n - n - - showq
flush unix n - n 1000? 0 flush
smtp unix - - n - - smtp
relay unix - - n - - smtp
scache unix - - n - 1 scache
tlsproxy unix - - n - 0 tlsproxy
"""


# Where no connection count is given, the best of these is quoted.
POSTFIX_CONNECTIONS = [5, 10, 20, 50]


def _postfix(bench, sink, connections, **more):
    """Postfix tuned to relay to the sink: TLS connections are used again, as many at a time as asked for."""
    settings = {
        "mynetworks": "127.0.0.0/8", "smtpd_relay_restrictions": "permit_mynetworks, reject",
        "smtpd_recipient_restrictions": "", "smtpd_tls_security_level": "none", "smtpd_tls_loglevel": 0,
        "virtual_mailbox_domains": "", "default_transport": "smtp", "relay_transport": "smtp",
        "relayhost": f"[127.0.0.1]:{sink.port}", "smtp_dns_support_level": "disabled", "default_process_limit": 400,
        "smtp_tls_security_level": "encrypt", "smtp_tls_connection_reuse": "yes", "smtp_tls_loglevel": 0,
        "smtp_connection_cache_destinations": "127.0.0.1",
        "smtp_connection_reuse_count_limit": 0, "smtp_connection_reuse_time_limit": "3600s",
        "smtp_connection_cache_time_limit": "10s", "default_destination_concurrency_limit": connections,
        "initial_destination_concurrency": connections, "default_destination_recipient_limit": 1,
        "qmgr_message_active_limit": 50000, "qmgr_message_recipient_limit": 50000, "maximal_queue_lifetime": "1d",
        "smtpd_client_connection_count_limit": 0, "max_use": 100000, "minimal_backoff_time": "1s", **more}
    peer = Postfix(bench.new_folder("postfix"), bench.authority, settings=settings, services=POSTFIX_SERVICES)
    peer.core = PEER_CORE
    return peer


def _postfix_drain(bench, kib, delay, connections, count):
    """The mail waits in `incoming` while there is no queue manager; it has no history of failures then."""
    with bench.sink(delay) as sink:
        with _postfix(bench, sink, connections, master_service_disable="qmgr.unix") as peer:
            accepted = _smtp_source(peer.port, count, kib)
            with Cost(lambda: in_namespace_of(peer.pid), sink) as cost:
                peer.reload(master_service_disable="")
                assert sink.wait_for(count, 900), f"{sink.distinct} of {count}\n{peer.log()[-2000:]}"
            return {**figure(sink, cost, count), "accept": accepted}


def _postfix_latency(bench):
    """One mail at 100 a second, handed in by SMTP over connections that stay open."""
    steady = 500 if bench.quick else 3000
    with bench.sink() as sink, _postfix(bench, sink, CONNECTIONS) as peer:
        def send(count, first):
            bench.program("bench_load", "--smtp", peer.port, "--messages", count, "--callers", 4, "--size", 4096,
                          "--rate", 100, "--first", first)
            assert sink.wait_for(count, 120), f"{sink.distinct} of {count}\n{peer.log()[-2000:]}"
        send(100, 0)
        sink.forget()
        send(steady, 1000)
        return sink.latencies_ms()


def postfix(bench):
    count = counts(bench, fast=False)
    runs = {n: undisturbed(lambda: _postfix_drain(bench, 4, 0, n, count)) for n in POSTFIX_CONNECTIONS}
    best = max(runs, key=lambda n: runs[n]["rate"])
    large = undisturbed(lambda: _postfix_drain(bench, 20, 0, best, count // 2))
    delayed = undisturbed(lambda: _postfix_drain(bench, 4, DELAY_MS, CONNECTIONS_DELAY, count // 2))
    p50, p99 = _postfix_latency(bench)
    return {**merged(runs[best], large, delayed), "connections": best,
            "accept": max(run["accept"] for run in runs.values()), "latency_p50": p50, "latency_p99": p99}


# --- Exim and OpenSMTPD: as they come, only pointed at the sink ------------------------------------------


class SmartExim(Exim):
    """Takes mail from the loopback into its queue; `drain` sends it to the sink over TLS."""

    def __init__(self, *arguments, sink, **options):
        super().__init__(*arguments, **options)
        self._sink = sink

    def configure(self, root):
        super().configure(root)
        file = self.folder / "etc/exim4/exim4.conf"
        text = file.read_text()
        text = text.replace("acl_smtp_rcpt = rcpt", "acl_smtp_rcpt = accept\nqueue_only\nremote_max_parallel = 1\n"
                            "split_spool_directory\nqueue_run_max = 50")
        text = text.replace("  driver = accept\n  transport = maildir", "  driver = manualroute\n  transport = out\n"
                            "  route_list = * 127.0.0.1::%d byname\n  self = send" % self._sink.port)
        text = text.replace("begin transports", "begin transports\nout:\n  driver = smtp\n  hosts_require_tls = *\n"
                            "  tls_tempfail_tryclear = false\n  connection_max_messages = 500\n"
                            "  tls_verify_certificates =\n  hosts_try_dane =")
        file.write_text(text)

    def drain(self, runners):
        """Returns the CPU seconds of the queue runners, which end before the server does."""
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        self.run("/bin/sh", "-c", f"n=0; while [ $n -lt {runners} ]; do exim4 -qff & n=$((n + 1)); done; wait")
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def exim(bench):
    def drain(kib, delay, connections, count):
        with bench.sink(delay) as sink:
            peer = SmartExim(bench.new_folder("exim"), bench.authority, sink=sink)
            peer.core = PEER_CORE
            with peer:
                accepted = _smtp_source(peer.port, count, kib)
                with Cost(lambda: in_namespace_of(peer.pid), sink) as cost:
                    runners = peer.drain(connections)
                    assert sink.wait_for(count, 600), f"{sink.distinct}\n{peer.log()[-2000:]}"
                cost.cpu += runners
                return {**figure(sink, cost, count), "accept": accepted}

    count = counts(bench, fast=False) // 5
    plain = undisturbed(lambda: drain(4, 0, CONNECTIONS, count))
    return {**merged(plain, undisturbed(lambda: drain(20, 0, CONNECTIONS, count // 2)),
                     undisturbed(lambda: drain(4, DELAY_MS, CONNECTIONS, count // 2))), "accept": plain["accept"]}


class SmartOpenSMTPD(OpenSMTPD):
    """Takes mail from the loopback while its client side is paused."""

    def __init__(self, *arguments, sink, **options):
        super().__init__(*arguments, **options)
        self._sink = sink

    def configure(self, root):
        super().configure(root)
        self.write("etc/smtpd/smtpd.conf", f'listen on 127.0.0.1 port {self.plain_port} hostname "{self.hostname}"\n'
                   f'action "out" relay host smtp+tls://127.0.0.1:{self._sink.port} tls no-verify\n'
                   'match from any for any action "out"\n')


def opensmtpd(bench):
    def drain(kib, delay, count):
        with bench.sink(delay) as sink:
            peer = SmartOpenSMTPD(bench.new_folder("opensmtpd"), bench.authority, sink=sink)
            peer.core = PEER_CORE
            with peer:
                peer.run("smtpctl", "pause", "mta")
                accepted = _smtp_source(peer.plain_port, count, kib)
                with Cost(lambda: in_namespace_of(peer.pid), sink) as cost:
                    peer.run("smtpctl", "resume", "mta")
                    assert sink.wait_for(count, 600), f"{sink.distinct}\n{peer.log()[-2000:]}"
                return {**figure(sink, cost, count), "accept": accepted}

    count = counts(bench, fast=False) // 5
    plain = undisturbed(lambda: drain(4, 0, count))
    return {**merged(plain, undisturbed(lambda: drain(20, 0, count // 2)),
                     undisturbed(lambda: drain(4, DELAY_MS, count // 2))), "accept": plain["accept"]}


def _smtp_source(port, count, kib):
    """Postfix's own load tool, from a root of its own; returns mails per second."""
    began = time.monotonic()
    subprocess.run(pinned(LOAD_CORE, "chroot", root_of("postfix"), "smtp-source", "-s", 16, "-m", count, "-l",
                          kib * 1024, "-N", "-f", "a@vendor.example", "-t", "u@example.org", f"127.0.0.1:{port}"),
                   check=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    return count / (time.monotonic() - began)


# --- Nodemailer ----------------------------------------------------------------------------------------

SCRIPT = """
const [port, connections, count, size] = process.argv.slice(2).map(Number);
const pool = require('nodemailer').createTransport({
  pool: true, host: '127.0.0.1', port, secure: false, requireTLS: true, maxConnections: connections,
  maxMessages: Infinity, tls: {rejectUnauthorized: false}, disableFileAccess: true});
const line = 'The quick brown fox jumps over the lazy dog, and then again, and again.\\n';
const text = line.repeat(Math.ceil(size / line.length)).slice(0, size);
let next = 0, done = 0;
function send() {
  if (next >= count) return;
  const number = next++;
  pool.sendMail({from: 'a@vendor.example', to: `u${number}@example.org`, subject: 'Load', text})
    .then(() => { if (++done === count) { pool.close(); process.exit(0); } send(); })
    .catch(problem => { console.error(problem); process.exit(1); });
}
for (let n = 0; n < connections * 4; ++n) send();
"""


def nodemailer(bench):
    if not (shutil.which("node") and shutil.which("npm")):
        print("nodemailer needs node and npm (apt-get install nodejs npm): left out", file=sys.stderr)
        return {}
    folder = PROJECT / "build/peers/nodemailer"
    if not (folder / "node_modules/nodemailer").exists():
        folder.mkdir(parents=True, exist_ok=True)
        subprocess.run(["npm", "install", "--no-audit", "--no-fund", "--silent", "--prefix", str(folder), "nodemailer"],
                       check=True)
    (folder / "pool.js").write_text(SCRIPT)

    def run(kib, delay, connections, count):
        with bench.sink(delay) as sink:
            process = subprocess.Popen(pinned(PEER_CORE, "node", folder / "pool.js", sink.port, connections, count,
                                              kib * 1024), preexec_fn=die_with_parent)
            with Cost(lambda: [process.pid], sink) as cost:
                assert sink.wait_for(count, 600), sink.distinct
            if process.wait(30) != 0:
                raise RuntimeError("nodemailer")
            return figure(sink, cost, count)

    count = counts(bench, fast=False)
    return merged(undisturbed(lambda: run(4, 0, CONNECTIONS, count)),
                  undisturbed(lambda: run(20, 0, CONNECTIONS, count // 2)),
                  undisturbed(lambda: run(4, DELAY_MS, CONNECTIONS_DELAY, count // 2)))


ALL = {"limit": limit, "estafette": estafette, "postfix": postfix, "exim": exim, "opensmtpd": opensmtpd,
       "nodemailer": nodemailer}
