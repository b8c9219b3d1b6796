"""What every end-to-end test stands on: real servers for the session, a daemon per test, and a check
that no process is left behind."""

import ctypes
import itertools
import os
import shutil
import tempfile
from pathlib import Path

import pytest

from estafetted import BIN, Daemon
from peers import Authority, Exim, Greylist, OpenSMTPD, Postfix, needs, wait_until
from sink import Sink

PR_SET_CHILD_SUBREAPER = 36
GREYLISTED_FOR = 2
USER, PASSWORD = "vendor", "correct horse"
_numbers = itertools.count(1)


def pytest_configure(config):
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    """A failed test shows the daemon's log."""
    outcome = yield
    report = outcome.get_result()
    if report.when == "call" and report.failed:
        for daemon in item.funcargs.get("daemons", []):
            report.sections.append((f"log of {daemon.folder.name}", daemon.log()))


@pytest.fixture(scope="session", autouse=True)
def programs():
    for name in ("estafetted", "estafette"):
        if not (BIN / name).exists():
            pytest.exit(f"{BIN / name} is not built: cmake --preset release && cmake --build build/release", 2)
    lacking = needs()
    if lacking:
        pytest.exit(lacking, 2)


@pytest.fixture(scope="session")
def session_folder():
    folder = Path(tempfile.mkdtemp(prefix="estafette-peers-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def authority(session_folder):
    return Authority(session_folder / "ca")


@pytest.fixture
def sink(authority):
    """The scripted server: it counts what it takes, and can be slow."""
    with Sink(authority.issue("sink.example"), users={USER: PASSWORD}) as running:
        yield running


@pytest.fixture(scope="session")
def relay(session_folder, authority):
    """Postfix, the vendor's relay. Recipients that begin with "grey" are greylisted."""
    with Postfix(session_folder / "relay", authority, users={USER: PASSWORD},
                 greylist=Greylist(GREYLISTED_FOR)) as server:
        yield server


@pytest.fixture(scope="session")
def customer(session_folder, authority):
    """Exim, a customer's own server."""
    with Exim(session_folder / "customer", authority, users={USER: PASSWORD}) as server:
        yield server


@pytest.fixture(scope="session")
def initech(session_folder, authority):
    """OpenSMTPD, another customer's own server."""
    with OpenSMTPD(session_folder / "initech", authority) as server:
        yield server


@pytest.fixture
def folder():
    """A short path that other users may enter: sockets live in it."""
    made = Path(tempfile.mkdtemp(prefix="est-"))
    made.chmod(0o755)
    yield made
    shutil.rmtree(made, ignore_errors=True)


@pytest.fixture
def secret(folder):
    """Writes a password file and returns its path."""
    def write(password=PASSWORD):
        path = folder / f"password-{next(_numbers)}"
        path.write_text(password + "\n")
        path.chmod(0o600)
        return str(path)
    return write


@pytest.fixture
def route_to(secret):
    """The configuration of a route to one of the peers or to the sink."""
    def make(server, user=USER, password=PASSWORD, **changes):
        route = {
            "servers": [f"127.0.0.1:{server.port}"],
            "tls": {"mode": "starttls", "ca_file": str(server.ca_file), "name": server.hostname},
            "connections": 4, "allow_private": True, "pause": "1s",
        }
        if user and server.users:
            route["auth"] = {"username": user, "password_file": secret(password)}
        for name, value in changes.items():
            route[name] = {**route[name], **value} if isinstance(value, dict) and name in route else value
        return route
    return make


QUICK = {reason: {"delays": ["1s"], "jitter": 0} for reason in ("default", "greylisted", "uncertain", "mailbox_full")}


@pytest.fixture
def config():
    """A configuration with everything but a route."""
    return {
        "hostname": "mail.vendor.example", "default_domain": "vendor.example",
        "aliases": {"root": "ops@vendor.example"},
        "tenants": {"default": {"retry": QUICK}},
        "log": {"level": "debug", "target": "stderr"}, "shutdown": {"grace": "10s"},
    }


@pytest.fixture
def daemons():
    started = []
    yield started
    for daemon in started:
        daemon.close()


@pytest.fixture
def start(folder, daemons):
    """Starts a daemon with the given configuration in a folder of its own."""
    def begin(config, ready=True, **options):
        daemon = Daemon(folder / f"d{len(daemons)}", config)
        daemons.append(daemon)
        return daemon.start(ready=ready, **options)
    return begin


@pytest.fixture
def daemon(config, relay, route_to, start):
    """A daemon whose mail goes to the relay."""
    config["relay"] = route_to(relay)
    return start(config)


@pytest.fixture
def address():
    """Addresses that no other test uses: address("grey") is grey.17@customer.example."""
    def make(name="ann", domain="customer.example"):
        return f"{name}.{next(_numbers)}.{os.getpid()}@{domain}"
    return make


@pytest.fixture(autouse=True)
def no_process_left(request):
    before = _children()
    yield
    # Orphans of the test are our children too (subreaper): reap those that have ended.
    def only_known():
        _reap(before)
        return _children() <= before
    wait_until(only_known, 5, what=lambda: "no process is left: " + ", ".join(
        _name(pid) for pid in _children() - before))


# Fixtures that the session starts late must be up before the check above looks for the first time.
@pytest.fixture(autouse=True, scope="session")
def peers_first(relay, customer, initech):
    return None


def _children():
    found = set()
    for task in Path("/proc/self/task").iterdir():
        try:
            found |= {int(pid) for pid in (task / "children").read_text().split()}
        except OSError:
            continue
    return found


def _reap(known):
    for pid in _children() - known:
        try:
            if _state(pid) == "Z":
                os.waitpid(pid, os.WNOHANG)
        except ChildProcessError:
            pass


def _state(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return ""


def _name(pid):
    try:
        return Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ")
    except OSError:
        return str(pid)
