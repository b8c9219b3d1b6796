"""What surrounds the programs: the unit files, the manual, the names of the metrics."""

import re
import shutil
import subprocess

import pytest

from estafetted import BIN, PROJECT

SERVICE = PROJECT / "systemd/estafetted.service"
SOCKET = PROJECT / "systemd/estafetted.socket"
GOLDEN = PROJECT / "tests/e2e/metrics.golden"


def test_the_service_is_hardened():
    done = subprocess.run(["systemd-analyze", "security", "--offline=true", "--threshold=12", "--no-pager",
                           str(SERVICE)], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr


def test_systemd_understands_every_line_of_the_units(folder):
    """Verified in a folder of their own, with the program where the build has put it."""
    text = SERVICE.read_text()
    program = re.search(r"^ExecStart=(\S+)", text, re.M).group(1)
    (folder / SERVICE.name).write_text(text.replace(program, str(BIN / "estafetted")))
    shutil.copy(SOCKET, folder / SOCKET.name)
    done = subprocess.run(["systemd-analyze", "verify", "--man=no", "--recursive-errors=no",
                           str(folder / SERVICE.name), str(folder / SOCKET.name)], capture_output=True, text=True)
    ours = [line for line in (done.stdout + done.stderr).splitlines() if "estafetted." in line]
    assert ours == []


def test_the_grace_of_the_daemon_ends_before_systemds_patience():
    text = SERVICE.read_text()
    assert "Type=notify" in text and re.search(r"^RestartPreventExitStatus=.*\b78\b", text, re.M)
    assert int(re.search(r"^TimeoutStopSec=(\d+)", text, re.M).group(1)) > 60
    assert not re.search("^PrivateUsers=", text, re.M), "it would hide the callers' uids"
    assert not re.search("^RuntimeDirectory=", text, re.M), "the socket unit owns /run/estafette"


@pytest.mark.parametrize("page", ["estafette.1", "estafetted.8", "estafette.yaml.5"])
def test_the_manual_page_renders(page, folder):
    source = next((PROJECT / "docs").rglob(f"{page}.scd"), None)
    assert source, f"docs/**/{page}.scd"
    made = subprocess.run(["scdoc"], stdin=open(source), capture_output=True)
    assert made.returncode == 0, made.stderr
    (folder / page).write_bytes(made.stdout)
    shown = subprocess.run(["man", "--warnings", "-E", "UTF-8", "-l", str(folder / page)], capture_output=True,
                           text=True, env={"PATH": "/usr/bin:/bin", "MANWIDTH": "100", "LANG": "C.UTF-8"})
    assert shown.returncode == 0 and shown.stderr == ""
    assert "NAME" in shown.stdout


def test_the_names_of_the_metrics_are_the_known_ones(daemon, address):
    """A new or changed metric is a change that its readers notice: write it into metrics.golden too."""
    daemon.recipient(daemon.enqueue(address()), state="relayed")
    text = daemon.get("/metrics").body
    helped = dict(re.findall(r"^# HELP (\S+) (.+)$", text, re.M))
    typed = dict(re.findall(r"^# TYPE (\S+) (\S+)$", text, re.M))
    assert helped.keys() == typed.keys()
    assert all(name.startswith(("estafette_", "process_")) for name in typed)
    found = "".join(f"{name} {kind}\n" for name, kind in sorted(typed.items()))
    assert found == GOLDEN.read_text()
    for line in text.splitlines():
        if not line.startswith("#"):
            assert re.fullmatch(r"[a-z_]+(\{[^{}]*\})? [-+0-9.eInfNa]+", line), line


def test_addresses_never_become_labels(daemon, address):
    to = address()
    daemon.recipient(daemon.enqueue(to), state="relayed")
    assert "customer.example" not in daemon.get("/metrics").body
