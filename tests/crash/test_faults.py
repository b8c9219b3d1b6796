"""The short form of scripts/faults: what is acknowledged outlives kill -9 and the loss of power."""

import os
import shutil

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
