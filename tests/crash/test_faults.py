"""The short form of scripts/faults: what is acknowledged outlives kill -9 and the loss of power."""

import os
import shutil
import subprocess

import pytest

import faults

SEED = int(os.environ.get("ESTAFETTE_SEED", "20260501"))


def check(kind, rounds):
    if kind.startswith("power"):
        if os.geteuid() != 0:
            pytest.skip("power cuts need root")
        filesystem = kind.split("-")[1]
        if not shutil.which(f"mkfs.{filesystem}"):
            pytest.skip(f"mkfs.{filesystem} is not installed")
    result = faults.run(kind, rounds, SEED)
    assert faults.is_right(kind, result), dict(result)
    assert result["accepted"] > 0


@pytest.mark.parametrize("kind, rounds", [("kill", 25), ("power-ext4", 12), ("power-xfs", 12)])
def test_nothing_acknowledged_is_lost_and_nothing_in_doubt_is_unsaid(kind, rounds):
    check(kind, rounds)


@pytest.mark.parametrize("kind", ["kill-control", "power-ext4-control", "power-xfs-control"])
def test_the_harness_finds_out_a_store_that_breaks_its_promise(kind):
    check(kind, 60)


@pytest.fixture
def small_disk(tmp_path):
    """A filesystem of 40 MiB."""
    if os.geteuid() != 0:
        pytest.skip("mounting needs root")
    place = tmp_path / "disk"
    place.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=40m", "tmpfs", place], check=True)
    yield place
    subprocess.run(["umount", place], check=True)


@pytest.mark.parametrize("balloon_mib", [0, 4, 9, 15, 20])
def test_a_full_disk_refuses_mail_records_outcomes_and_takes_mail_again(small_disk, balloon_mib):
    balloon = small_disk / "balloon"
    balloon.write_bytes(bytes(balloon_mib << 20))
    command = [str(faults.PROGRAM), str(small_disk), "--fill", "--reserve", str(8 << 20)]
    store = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    accepted = recorded = 0
    for line in store.stdout:
        word, number = line.split()
        if word == "A":
            accepted += 1
        elif word == "F":
            break
    assert accepted > 0, store.stderr.read()
    # Another program takes what is left: only the reserve remains.
    with open(small_disk / "greedy", "wb") as greedy:
        try:
            while True:
                greedy.write(bytes(1 << 16))
                greedy.flush()
        except OSError:
            pass
    while recorded < accepted:
        line = store.stdout.readline()
        assert line.startswith("R "), line + store.stderr.read()
        recorded += 1
    (small_disk / "greedy").unlink()
    balloon.unlink()
    _, problem = store.communicate("\n", timeout=60)
    assert store.returncode == 0, problem
    found, problem = faults.verify(small_disk)
    assert found, problem
    assert sum(1 for state in found[0].values() if state == "relayed") == accepted
    assert len(found[0]) == accepted + 1
