"""The short form of scripts/faults: what is acknowledged outlives kill -9 and the loss of power."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

import faults
from peers.processes import wait_until

SEED = int(os.environ.get("ESTAFETTE_SEED", "20260501"))
PROMISES = [kind for kind, what in faults.KINDS.items() if not what.is_control]
CONTROLS = [kind for kind, what in faults.KINDS.items() if what.is_control]


def check(kind):
    lacking = faults.lacks(kind)
    if lacking:
        pytest.skip(lacking)
    result = faults.run(kind, faults.KINDS[kind].short, SEED)
    assert faults.is_right(kind, result), (faults.line_of(kind, result, SEED, "here"), dict(result))
    return result


@pytest.mark.parametrize("kind", PROMISES)
def test_nothing_acknowledged_is_lost_and_nothing_in_doubt_is_unsaid(kind):
    assert check(kind)["accepted"] > 0


@pytest.mark.parametrize("kind", CONTROLS)
def test_the_harness_finds_out_what_breaks_its_promise(kind):
    check(kind)


def test_the_table_goes_on_where_an_earlier_run_with_the_seed_stopped(tmp_path):
    table = tmp_path / "table.md"
    table.write_text("# Rounds\n\nsome words\n")
    result = faults.Result()
    for rounds in (7, 5):
        result["rounds"] = rounds
        faults.append(table, faults.line_of("kill", result, SEED, "abc1234"))
    assert faults.rounds_done(table, "kill", SEED) == 12
    assert faults.rounds_done(table, "kill", SEED + 1) == faults.rounds_done(table, "power-xfs", SEED) == 0
    lines = table.read_text().splitlines()
    assert lines[:3] == ["# Rounds", "", "some words"] and lines[4:6] == faults.HEADER.splitlines()
    assert [line.split(" | ")[4] for line in lines[6:]] == ["7", "5"]


def test_a_run_that_is_interrupted_keeps_its_rows_and_leaves_nothing_behind(tmp_path):
    lacking = faults.lacks("power-ext4")
    if lacking:
        pytest.skip(lacking)
    table = tmp_path / "table.md"
    run = subprocess.Popen([sys.executable, "-B", faults.__file__, "--only", "power-ext4", "--rounds", "1000",
                            "--append", str(table)], env={**os.environ, "TMPDIR": str(tmp_path)},
                           stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    wait_until(lambda: list(tmp_path.glob("estafette-faults-*/mounted/life/store/journal/*")) or
               in_its_namespace(run.pid, tmp_path), 30, what="it lives")
    run.terminate()
    _, said = run.communicate(timeout=60)
    assert run.returncode == 1 and "interrupted by SIGTERM" in said
    assert [path for path in tmp_path.iterdir() if path != table] == []
    loops = [file.read_text() for file in Path("/sys/block").glob("loop*/loop/backing_file")]
    assert [name for name in loops if str(tmp_path) in name] == []


def in_its_namespace(pid, folder):
    """The harness mounts where only it and its children see it."""
    return list(Path(f"/proc/{pid}/root{folder}").glob("estafette-faults-*/mounted/life/store/journal/*"))
