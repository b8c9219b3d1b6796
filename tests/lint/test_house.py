"""The habits of the house that a machine can check (CONTRIBUTING.md). Each message says what to do."""

import concurrent.futures
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[2]
FLOORS = re.findall(r"^floor\((\w+)", (PROJECT / "CMakeLists.txt").read_text(), re.M)
PURE = ["mail", "smtp", "verdict", "config"]                # base holds the log and the metrics
TOP_LEVEL = {
    ".ci", ".clang-format", ".clang-tidy", ".editorconfig", ".gitignore", "CHANGELOG.md", "CMakeLists.txt",
    "CMakePresets.json", "CONTRIBUTING.md", "LICENSE", "README.md", "bench", "cli", "cmake", "conf", "daemon",
    "debian", "docs", "include", "scripts", "systemd", "tests", "web",
}
LATER = {"bench", "debian", "web"}                          # rooms that may still be empty
# Exceptions stop here: the programs' borders, threads and coroutines, and libraries that throw.
CATCHERS = {
    "daemon/main.cpp", "daemon/app.cpp", "daemon/route/table.cpp", "daemon/net/task_group.cpp", "daemon/net/link.cpp", "daemon/base/yaml.cpp", "daemon/base/zone.cpp",
    "daemon/store/store_thread.cpp",
    # The ledger and the decoder throw inside the store (docs/decisions/013); these stop it or roll back.
    "daemon/store/local_engine.cpp", "daemon/store/store_failure.hpp", "daemon/store/book.cpp", "daemon/store/ledger.cpp",
    "daemon/store/ledger_erasure.cpp",
    "daemon/store/journal_format.cpp", "daemon/store/journal_decoding.cpp",
    "daemon/store/check.cpp", "daemon/store/ledger_check.cpp", "daemon/store/salvage.cpp", "daemon/store/repair.cpp",
    "daemon/store/backup.cpp", "daemon/store/export.cpp",
    "cli/main.cpp", "cli/run.cpp",
}

SEAMS = {"daemon/base/log.cpp"}                             # the log's sink is set once, for the process


def tracked(*patterns):
    listed = subprocess.run(["git", "ls-files", "-co", "--exclude-standard", *patterns], cwd=PROJECT, text=True,
                            capture_output=True, check=True).stdout.split("\n")
    return [name for name in listed if name and (PROJECT / name).is_file()]


def sources(*folders):
    return [name for name in tracked("*.cpp", "*.hpp") if name.split("/")[0] in (folders or {"daemon", "include", "cli"})]


def text_of(name):
    return (PROJECT / name).read_text(errors="replace")


def code_of(name):
    """Without comments and strings, with the same line numbers."""
    text = re.sub(r'R"(\w*)\((?:.|\n)*?\)\1"', lambda m: '""' + "\n" * m.group().count("\n"), text_of(name))
    text = re.sub(r'"(?:[^"\\\n]|\\.)*"', '""', text)
    text = re.sub(r"//[^\n]*", "", text)
    return re.sub(r"/\*(?:.|\n)*?\*/", lambda m: "\n" * m.group().count("\n"), text)


def found(pattern, names, of=code_of):
    """FILE:LINE of every match."""
    return [f"{name}:{of(name).count(chr(10), 0, match.start()) + 1}: {match.group().strip()[:100]}"
            for name in names for match in re.finditer(pattern, of(name), re.M)]


def floor_of(name):
    parts = name.split("/")
    if parts[0] == "include" and len(parts) > 3:
        return parts[2]
    return parts[1] if parts[0] == "daemon" and len(parts) > 2 else None


def test_the_top_level_is_the_house():
    there = {name.split("/")[0] for name in tracked()}
    assert there - TOP_LEVEL == set(), "a new room needs a place in docs/architecture.md and here"
    assert TOP_LEVEL - LATER - there == set()


def test_files_are_short():
    long = [f"{name}: {lines} lines" for name in sources() + sources("tests", "bench")
            if (lines := text_of(name).count("\n")) > 600]
    assert long == [], "split at 600 lines"


def test_public_headers_are_short_and_open_with_their_purpose():
    wrong = []
    for name in sources("include"):
        text = text_of(name)
        opening = text.split("#pragma once")[0].strip().split("\n")
        if text.count("\n") > 200:
            wrong.append(f"{name}: over 200 lines")
        if "#pragma once" not in text or not all(line.startswith("//") for line in opening) or len(opening) > 12:
            wrong.append(f"{name}: opens with 1 to 12 lines of comment, then #pragma once")
    assert wrong == []


def test_functions_are_short():
    """Formatted code begins a function in column 0 and ends it with a brace there."""
    long = []
    for name in sources():
        begun = None
        lines = code_of(name).split("\n")
        for number, line in enumerate(lines, 1):
            if re.match(r"[A-Za-z~].*|\) .*\{$", line) and line.endswith("{"):
                is_function = "(" in line or line.startswith(")")
                begun = number if is_function and not re.match(r"(namespace|class|struct|enum|union)\b", line) else None
            elif line.startswith("}"):
                body = lines[begun:number - 1] if begun else []
                table = sum(1 for text in body if re.match(r"\s*(case .*:|return .*;|\{.*\},?)$", text))
                if len(body) - table > 60:          # a switch that is a table is as long as its enum
                    long.append(f"{name}:{begun}: {len(body)} lines")
                begun = None
    assert long == [], "split functions at 60 lines"


def test_a_floor_includes_only_lower_floors():
    """CMake refuses the same; this says it without a build."""
    text = (PROJECT / "CMakeLists.txt").read_text()
    below = {name: set(on.split()) | {name}
             for name, on in re.findall(r"^floor\((\w+)(?:\s+ON ([\w ]+?))?(?:\s+LINK|\))", text, re.M)}
    wrong = []
    for name in sources("daemon", "include"):
        floor = floor_of(name)
        for used in re.findall(r'#include [<"]estafette/(\w+)/', text_of(name)):
            if floor and used not in below.get(floor, set()):
                wrong.append(f"{name}: {floor} does not stand on {used}")
    assert wrong == []


def test_private_headers_stay_in_their_folder():
    wrong = found(r'#include "(daemon|cli)/[^"]*"', sources() + sources("tests"), of=text_of)
    assert wrong == []


def test_pure_floors_have_no_asio_no_clock_no_thread_no_log():
    pure = [name for name in sources("daemon", "include") if floor_of(name) in PURE]
    wrong = found(r"#include <(boost/asio|boost/beast|thread|mutex|condition_variable|atomic|future)\S*", pure)
    wrong += found(r"_clock::now\(\)|std::time\(|gettimeofday|clock_gettime|std::this_thread", pure)
    wrong += found(r'#include "estafette/base/(log|metrics)\.hpp"', pure, of=text_of)
    assert wrong == [], "`now` is a parameter; what happened is a value that an upper floor logs"


@pytest.mark.parametrize("pattern, instead", [
    (r"\bdetached\b", "every coroutine is born in a task_group"),
    (r"shared_from_this", "an owner by value, a reference that outlives the task_group"),
    (r"\b(io_)?(ctx|context)_?\.stop\(\)", "a task_group ends what runs; the loop ends when nothing is left"),
    (r"\bstd::w?regex\b|#include <regex>", "RE2: std::regex recurses and is slow"),
    (r"\bsetjmp|\blongjmp|\bgoto\b", "a function of its own"),
    (r"\busing namespace (?!std::(chrono_|string_view_)?literals|std::chrono_literals)\w", "name what is used"),
    (r"\b(strcpy|strcat|sprintf|gets|system|popen|tmpnam)\s*\(", "a function with a bound"),
    (r"\bstatic (?!const|constexpr|constinit|inline const|_assert|_cast|thread_local const)[\w:<>]+&? \w+(;| =|\{)",
     "no mutable global: the owner holds it"),
    (r"^(?!#include <).*\b(\w+(Manager|Helper|Util|Utils|Impl|Handler2)|\w+_(manager|helper|utils?|impl))\b",
     "a name that says what it is"),
    (r"\.message\(\)\s*(==|!=)", "compare errc values, not their words"),
])
def test_idioms_that_the_house_does_without(pattern, instead):
    names = [name for name in sources() if name not in SEAMS]
    assert found(pattern, names) == [], instead


def test_no_temporary_and_no_lambda_beside_co_await():
    """GCC 12 destroys them twice; name them before the statement. Durations have no destructor."""
    statement = r"[^;{}]*\bco_await\b[^;{}]*(?:[\w>](?<!seconds)(?<!minutes)(?<!hours)\{|\[[&=\w, ]*\]\s*[({])"
    assert found(statement, [name for name in sources() if "co_await" in text_of(name)]) == []


def test_exceptions_stop_at_few_borders():
    wrong = [hit for hit in found(r"\bcatch \(", sources()) if hit.split(":")[0] not in CATCHERS]
    assert wrong == [], "return result<T>; a new border is named in CATCHERS, with its reason in review"


def test_every_message_id_of_the_log_has_its_text_in_the_catalogue():
    used = {m for name in sources("daemon") for m in re.findall(r'"([0-9a-f]{32})"', text_of(name))}
    described = re.findall(r"^-- ([0-9a-f]{32})$", text_of("systemd/estafette.catalog"), re.M)
    assert len(described) == len(set(described)), "an id has one text"
    assert used == set(described), "systemd/estafette.catalog has a text for each id, and no other"


def test_nothing_is_left_for_later():
    words = "|".join(("TO" + "DO", "FIX" + "ME", "X" + "XX", "HA" + "CK"))
    assert found(rf"\b({words})\b", [name for name in tracked() if not name.startswith("conf/rules/")],
                 of=text_of) == []


def test_no_file_names_a_folder_of_somebodys_machine():
    names = [name for name in tracked() if name != "tests/lint/test_house.py"]
    assert found(r"(?<![\w.}\"])/(home|root|work|mnt|Users)/\w+", names, of=text_of) == []


def test_tests_mirror_the_floors():
    folders = {name.split("/")[2] for name in tracked("tests/unit/*")if name.count("/") > 2}
    assert folders - set(FLOORS) - {"cli", "daemon"} == set()
    with_code = {name.split("/")[1] for name in sources("daemon") if floor_of(name) and name.endswith(".cpp")}
    assert with_code - folders == set(), "every floor has unit tests"


def test_scripts_are_sound_and_executable():
    wrong = []
    for name in tracked("scripts/*", ".ci/*"):
        if not os.access(PROJECT / name, os.X_OK):
            wrong.append(f"{name}: not executable")
        if text_of(name).startswith("#!/usr/bin/env bash"):
            checked = subprocess.run(["bash", "-n", str(PROJECT / name)], capture_output=True, text=True)
            wrong += [checked.stderr] if checked.returncode else []
    assert wrong == []


def test_the_code_is_formatted():
    done = subprocess.run([str(PROJECT / "scripts/format"), "--check"], capture_output=True, text=True)
    assert done.returncode == 0, "run scripts/format\n" + "\n".join(done.stderr.split("\n")[:12])


def test_public_headers_compile_alone():
    folder = PROJECT / "build/headers"              # a fixed path: ccache knows it again
    folder.mkdir(parents=True, exist_ok=True)
    launcher = ["ccache"] if shutil.which("ccache") else []

    def compile_alone(name):
        unit = folder / (name.replace("/", "_") + ".cpp")
        unit.write_text(f'#include "{name.removeprefix("include/")}"\n')
        done = subprocess.run(
            [*launcher, "clang++-19", "-std=c++20", "-Wall", "-Wextra", "-DBOOST_ASIO_SEPARATE_COMPILATION",
             "-DBOOST_BEAST_SEPARATE_COMPILATION", f"-I{PROJECT}/include", "-c", str(unit), "-o", f"{unit}.o"],
            capture_output=True, text=True)
        return None if done.returncode == 0 else f"{name}: {done.stderr[:500]}"

    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        assert [wrong for wrong in pool.map(compile_alone, sources("include")) if wrong] == []
