"""Starting, reloading and stopping: configuration errors, exit codes, readiness, watchdog, activation."""

import re
import subprocess
import time

import pytest

from estafetted import BIN, Daemon
from peers import wait_until


def one_line(done):
    lines = [line for line in done.stderr.splitlines() if line.strip()]
    assert len(lines) == 1, done
    return lines[0]


@pytest.fixture
def written(folder):
    """Runs estafetted on a configuration given as text."""
    def run(text, *arguments):
        file = folder / "given.yaml"
        file.write_text(text)
        return file, subprocess.run([str(BIN / "estafetted"), "--config", str(file), *arguments],
                                    capture_output=True, text=True, timeout=20)
    return run


def test_an_unknown_key_is_named_with_its_line_and_the_nearest_key(written):
    file, done = written("hostname: mail.vendor.example\nstore: {pth: x}\n", "--check-config")
    assert done.returncode == 78
    assert one_line(done) == f"{file}:2: unknown key store.pth; nearest: store.path"


@pytest.mark.parametrize("text, line", [
    ("hostname: [\n", 2), ("a: b: c\n", 1), ("store:\n  path: [x]\n", 2), ("store:\n  retention: soon\n", 2),
    ("relay:\n  servers: [x:99999]\n", 2), ("limits:\n  body: 25\n  body: 26\n", 3), ("listen: 7\n", 1),
    ("tenants:\n  globex:\n    route: elsewhere\n", 3), ("roles:\n  - {user: nobody-has-this-name, role: admin, tenants: \"*\"}\n", 2),
])
def test_a_broken_configuration_ends_with_78_and_the_line(written, text, line):
    file, done = written(text)
    assert done.returncode == 78, done
    assert re.match(re.escape(str(file)) + r":\d+: ", one_line(done))
    assert f"{file}:{line}:" in done.stderr or text.startswith("hostname")


def test_a_configuration_that_is_not_there_ends_with_78(folder):
    done = subprocess.run([str(BIN / "estafetted"), "--config", str(folder / "absent.yaml")],
                          capture_output=True, text=True, timeout=20)
    assert done.returncode == 78 and str(folder / "absent.yaml") in one_line(done)


def test_check_config_accepts_a_good_one_and_starts_nothing(config, relay, route_to, folder):
    config["relay"] = route_to(relay)
    daemon = Daemon(folder / "checked", config)
    done = daemon.run("--check-config")
    assert done.returncode == 0, done
    assert not daemon.socket.exists() and list(daemon.store.iterdir()) == []


def test_files_in_conf_d_are_read_after_the_main_one(config, folder, start):
    daemon = Daemon(folder / "more", config)
    (daemon.folder / "conf.d").mkdir()
    (daemon.folder / "conf.d" / "20-bad.yaml").write_text("limits:\n  bdy: 1MiB\n")
    done = daemon.run("--check-config")
    assert done.returncode == 78
    assert one_line(done) == f"{daemon.folder}/conf.d/20-bad.yaml:2: unknown key limits.bdy; nearest: limits.body"


def test_the_reference_that_is_printed_is_the_one_in_conf():
    done = subprocess.run([str(BIN / "estafetted"), "--print-config-reference"], capture_output=True, text=True)
    assert done.returncode == 0
    assert done.stdout == (BIN.parents[2] / "conf/estafette.yaml").read_text()


@pytest.mark.parametrize("program", ["estafetted", "estafette"])
def test_help_and_version_are_there(program):
    for option, word in (("--help", "--config" if program == "estafetted" else "send"), ("--version", ".")):
        done = subprocess.run([str(BIN / program), option], capture_output=True, text=True)
        assert done.returncode == 0 and word in done.stdout


def test_a_store_below_a_file_cannot_be_made(config, folder):
    (folder / "file").write_text("")
    config["store"] = {"path": str(folder / "file" / "store")}
    done = Daemon(folder / "d", config).run()
    assert done.returncode in (73, 74)
    assert str(folder / "file" / "store") in one_line(done)


def test_a_store_that_may_not_be_written_ends_with_73_or_74(config, folder):
    daemon = Daemon(folder / "d", config)
    done = subprocess.run(["setpriv", "--reuid", "54321", "--regid", "54321", "--clear-groups", *daemon.command],
                          capture_output=True, text=True, timeout=20)
    assert done.returncode in (73, 74), done
    assert str(daemon.store) in one_line(done)


def test_reload_takes_a_good_configuration(config, relay, customer, route_to, start, address):
    config["relay"] = route_to(relay)
    daemon = start(config)
    daemon.recipient(daemon.enqueue(address()), state="relayed")
    daemon.config["tenants"]["globex"] = {"route": "own", "server": route_to(customer)}
    daemon.write_config()
    daemon.reload()
    to = address()
    wait_until(lambda: daemon.post({"from": "a@vendor.example", "to": [to], "text": "x",
                                    "tenant": "globex"}).status == 202, 10)
    assert customer.wait_for(to)


def test_reload_of_a_bad_configuration_changes_nothing_and_says_so(daemon, address):
    good = daemon.config_file.read_text()
    daemon.config_file.write_text(good + "\nstorage: 1\n")
    daemon.reload()
    wait_until(lambda: "unknown key storage" in daemon.log(), 10, what=daemon.log)
    daemon.recipient(daemon.enqueue(address()), state="relayed")
    assert daemon.process.poll() is None


def test_the_watchdog_is_fed_while_all_is_well(config, start):
    daemon = start(config, environment={"WATCHDOG_USEC": "400000"})
    wait_until(lambda: daemon.notifications.count("WATCHDOG=1") >= 4, 5)
    assert any(line.startswith("STATUS=") for line in daemon.notifications.lines)


def test_without_a_watchdog_nothing_is_fed(config, start):
    daemon = start(config)
    time.sleep(1)
    assert daemon.notifications.count("WATCHDOG=1") == 0


def test_systemd_hands_the_socket_over(config, relay, route_to, folder, start, address):
    config["relay"] = route_to(relay)
    path = folder / "activated.sock"
    config["listen"] = [{"unix": str(path)}]
    daemon = Daemon(folder / "activated", config)
    command = ["systemd-socket-activate", "-l", str(path), "--fdname=api", "-E", "NOTIFY_SOCKET",
               *daemon.command]
    daemon.socket = path
    try:
        daemon.start(command, ready=False)
        wait_until(path.exists, 5)
        assert daemon.get("/readyz").status == 200
        daemon.recipient(daemon.enqueue(address()), state="relayed")
        assert daemon.terminate() == 0
        assert path.exists(), "the socket belongs to systemd: it stays"
    finally:
        daemon.close()


def test_a_stale_socket_file_does_not_stop_the_start(config, start):
    daemon = start(config)
    daemon.kill()
    assert daemon.socket.exists()
    daemon.start()
    assert daemon.get("/livez").status == 200


def test_the_socket_has_the_mode_of_the_configuration(config, folder, start):
    path = folder / "mode.sock"
    config["listen"] = [{"unix": str(path), "mode": "0600"}]
    daemon = start(config)
    assert path.stat().st_mode & 0o777 == 0o600
    assert daemon.terminate() == 0
    assert not path.exists()
