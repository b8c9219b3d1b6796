"""The queue's disk fails, fills up, or was damaged: what the running daemon and the store tools do then."""

import os
import shutil
import subprocess

import pytest

from peers import wait_until

FAILED = "4c1d2f2e6a0b4a7c9d5e8b7f3a2c1d90"


def events(daemon, name):
    """The log's lines of one event."""
    text = daemon.log_file.read_text(errors="replace")
    return [line for line in text.splitlines() if f" event={name} " in line + " "]


@pytest.fixture
def failing_disk():
    """Makes every sync of a daemon fail, as long as strace is attached."""
    attached = []

    def fail(daemon, calls="fsync,fdatasync"):
        log = daemon.folder / "strace.log"
        attached.append(subprocess.Popen(
            ["strace", "-f", "-p", str(daemon.process.pid), "-o", str(daemon.folder / "calls.log"),
             "-e", f"trace={calls}", "-e", f"inject={calls}:error=EIO:when=1+"],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=open(log, "wb")))
        wait_until(lambda: b"attached" in log.read_bytes(), 20, what=lambda: log.read_text(errors="replace"))
        return attached[-1]

    yield fail
    for tracer in attached:
        if tracer.poll() is None:
            tracer.terminate()
        tracer.wait()


def test_the_first_failed_sync_stops_mail_and_is_said_once_and_a_restart_puts_it_right(
        config, relay, route_to, start, address, failing_disk):
    config["relay"] = route_to(relay)
    daemon = start(config)
    sent = daemon.enqueue(address())
    daemon.recipient(sent, "relayed")
    later = daemon.enqueue(address(), send_at="2099-01-01T00:00:00Z")
    tracer = failing_disk(daemon)
    refused = daemon.post({"from": "badges@vendor.example", "to": [address()], "subject": "x", "text": "x"})
    assert refused.status == 503 and refused.json["code"] == "store_failed", refused
    wait_until(lambda: events(daemon, "store_failed"), 10)
    # The disk is good again, and the daemon does not believe it.
    tracer.terminate()
    tracer.wait()
    for _ in range(3):
        again = daemon.post({"from": "badges@vendor.example", "to": [address()], "subject": "x", "text": "x"})
        assert again.status == 503 and again.json["code"] == "store_failed", again
    ready = daemon.get("/readyz")
    assert ready.status == 503 and ready.json["checks"]["store"] != "ok", ready
    assert daemon.message(sent)["recipients"][0]["state"] == "relayed"
    assert daemon.message(later)["recipients"][0]["state"] == "scheduled"
    assert daemon.get("/v1/queue").json["routes"][0]["state"] == "paused"
    said = events(daemon, "store_failed")
    assert len(said) == 1 and "/journal/" in said[0] and ": sync: " in said[0], said
    daemon.terminate()
    daemon.start()
    assert daemon.get("/readyz").status == 200
    assert daemon.recipient(sent, "relayed") and daemon.recipient(later, "scheduled")
    daemon.recipient(daemon.enqueue(address()), "relayed")


def test_a_failed_write_stops_mail_when_nobody_posts(config, relay, route_to, start, failing_disk, address):
    config["relay"] = route_to(relay)
    daemon = start(config)
    daemon.recipient(daemon.enqueue(address()), "relayed")
    failing_disk(daemon, "pwrite64,pwritev,fsync,fdatasync")
    daemon.request("POST", "/v1/routes/relay/pause", b"{}")
    wait_until(lambda: daemon.get("/readyz").status == 503, 10, what=daemon.log)
    assert len(wait_until(lambda: events(daemon, "store_failed"), 10)) == 1


@pytest.fixture
def small_disk(folder):
    """A file system of 140 MiB."""
    if os.geteuid() != 0:
        pytest.skip("mounting needs root")
    place = folder / "disk"
    place.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=140m", "tmpfs", place], check=True)
    yield place
    subprocess.run(["umount", "-l", place], check=True)


def fill(path):
    with open(path, "wb") as greedy:
        try:
            while True:
                greedy.write(bytes(1 << 16))
                greedy.flush()
        except OSError:
            pass


def test_a_full_disk_refuses_mail_sends_what_it_has_and_takes_mail_again_by_itself(
        small_disk, config, relay, route_to, start, address):
    config["relay"] = route_to(relay)
    config["store"] = {"path": str(small_disk / "store"), "reserve": "4MiB"}
    daemon = start(config)
    assert daemon.request("POST", "/v1/routes/relay/pause", b"{}").status == 200
    waiting = [daemon.enqueue(address()) for _ in range(20)]
    fill(small_disk / "greedy")
    refused = daemon.post({"from": "badges@vendor.example", "to": [address()], "subject": "x", "text": "x"})
    assert refused.status == 503 and refused.json["code"] == "store_full" and refused.headers["Retry-After"], refused
    ready = wait_until(lambda: (r := daemon.get("/readyz")).status == 503 and r, 10)
    assert ready.json["checks"]["space"] != "ok" and ready.json["checks"]["store"] == "ok"
    assert daemon.message(waiting[0])["recipients"][0]["state"] == "held"
    assert daemon.request("POST", "/v1/routes/relay/resume", b"{}").status == 200
    for id in waiting:
        daemon.recipient(id, "relayed")
    (small_disk / "greedy").unlink()
    wait_until(lambda: daemon.get("/readyz").status == 200, 20, what=daemon.log)
    daemon.recipient(daemon.enqueue(address()), "relayed")
    assert len(events(daemon, "store_full")) == 1 and len(events(daemon, "store_has_space")) == 1
    assert daemon.terminate() == 0


def tool(daemon, *arguments):
    return daemon.estafette("store", "--store", str(daemon.store), *arguments, check=False)


def test_a_damaged_store_is_refused_found_repaired_and_used_again(config, relay, route_to, start, address):
    config["relay"] = route_to(relay)
    daemon = start(config)
    assert tool(daemon, "check").returncode == 75
    later = [daemon.enqueue(address(), send_at="2099-01-01T00:00:00Z") for _ in range(3)]
    sent = daemon.enqueue(address())
    daemon.recipient(sent, "relayed")
    daemon.kill()
    assert tool(daemon, "check").returncode == 0
    segment = sorted((daemon.store / "journal").iterdir())[0]
    bytes_of = bytearray(segment.read_bytes())
    bytes_of[200] ^= 0x20
    segment.write_bytes(bytes_of)
    done = daemon.run()
    assert done.returncode == 74 and f"{segment}: damaged at offset 64: " in done.stderr, done
    assert len(done.stderr.strip().splitlines()) == 1
    found = tool(daemon, "check")
    assert found.returncode == 1 and f"{segment}: damaged at offset 64: " in found.stdout, found
    assert tool(daemon, "repair").returncode == 1 and daemon.run().returncode == 74
    repaired = tool(daemon, "repair", "--yes")
    assert repaired.returncode == 0 and f"moved aside: {segment}" in repaired.stdout, repaired
    assert tool(daemon, "check").returncode == 0
    daemon.start()
    named = repaired.stdout
    for id in later + [sent]:
        answer = daemon.get(f"/v1/messages/{id}")
        assert answer.status == 200 or id in named, (id, named)
    daemon.recipient(daemon.enqueue(address()), "relayed")


def test_a_backup_of_a_running_daemon_is_a_store_with_all_that_was_acknowledged(config, relay, route_to, start, address):
    config["relay"] = route_to(relay)
    daemon = start(config)
    ids = [daemon.enqueue(address(), send_at="2099-01-01T00:00:00Z") for _ in range(50)]
    copy = daemon.folder / "copy"
    done = tool(daemon, "backup", str(copy))
    assert done.returncode == 0, done
    daemon.recipient(daemon.enqueue(address()), "relayed")
    daemon.kill()
    shutil.rmtree(daemon.store)
    shutil.copytree(copy, daemon.store)
    daemon.start()
    assert len(daemon.recipients(state="scheduled")) == len(ids)
    for id in ids:
        assert daemon.message(id)["recipients"][0]["state"] == "scheduled"
