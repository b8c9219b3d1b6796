"""The command line: what a person types, and what they read."""

import json

import pytest


def test_send_status_and_list_tell_the_same_story(daemon, relay, address):
    to = address()
    id = daemon.estafette("send", "--from", "badges@vendor.example", "--to", to, "--subject", "Your badge",
                          "--text", "Here it is.").stdout.strip()
    daemon.recipient(id, state="relayed")
    assert relay.wait_for(to)[0].subject == "Your badge"
    status = daemon.estafette("status", id).stdout
    assert to in status and "Sent" in status
    assert to in daemon.estafette("list", "--state", "relayed").stdout
    assert json.loads(daemon.estafette("status", id, "--json").stdout)["id"] == id


def test_send_takes_the_text_from_standard_input(daemon, relay, address):
    to = address()
    daemon.estafette("send", "--from", "a@vendor.example", "--to", to, "--subject", "s", input="Grüße\n")
    assert relay.wait_for(to)[0].parsed.get_content().splitlines() == ["Grüße"]


def test_send_attaches_files(daemon, relay, address, folder):
    to = address()
    (folder / "badge.pdf").write_bytes(b"%PDF\x00\xff")
    daemon.estafette("send", "--from", "a@vendor.example", "--to", to, "--subject", "s", "--text", "t",
                     "--attach", str(folder / "badge.pdf"))
    part = next(relay.wait_for(to)[0].parsed.iter_attachments())
    assert (part.get_filename(), part.get_content_type(), part.get_content()) == (
        "badge.pdf", "application/pdf", b"%PDF\x00\xff")


@pytest.mark.parametrize("language, word", [("en", "address"), ("fr", "adresse"), ("nl", "adres")])
def test_explain_says_in_words_what_happened(daemon, address, language, word):
    to = address("unknown")
    id = daemon.enqueue(to)
    daemon.recipient(id, state="failed")
    for what in (to, id):
        said = daemon.estafette("explain", what, "--lang", language).stdout
        assert word in said.lower() and "550 5.1.1" in said and to in said


def test_explain_of_something_unknown_is_67(daemon):
    done = daemon.estafette("explain", "nobody@nowhere.example", check=False)
    assert done.returncode == 67 and done.stderr


def test_cancel_withdraws_what_has_not_left(daemon, address):
    id = daemon.enqueue(address(), send_at="2099-01-01T00:00:00Z")
    assert daemon.estafette("cancel", id).returncode == 0
    assert daemon.recipient(id)["state"] == "cancelled"
    assert daemon.estafette("cancel", id, check=False).returncode != 0


def test_queue_and_health_show_the_whole(daemon, address):
    daemon.enqueue(address(), send_at="2099-01-01T00:00:00Z")
    assert "scheduled" in daemon.estafette("queue").stdout
    assert json.loads(daemon.estafette("queue", "--json").stdout.splitlines()[0])
    assert daemon.estafette("health").returncode == 0


def test_everything_says_75_when_the_daemon_is_away(daemon):
    daemon.kill()
    for arguments in (["queue"], ["list"], ["status", "01977a1e-5d7c-7d3e-8f52-1c6d1f2b3a4c"]):
        done = daemon.estafette(*arguments, check=False)
        assert done.returncode == 75, arguments
        assert str(daemon.socket) in done.stderr


def test_health_answers_as_monitoring_systems_expect(daemon):
    done = daemon.estafette("health", check=False)
    assert done.returncode == 0 and done.stdout.startswith("OK - ready")
    daemon.kill()
    done = daemon.estafette("health", check=False)
    assert done.returncode == 2 and done.stdout.startswith("CRITICAL - ") and str(daemon.socket) in done.stdout


def test_a_wrong_command_line_is_64(daemon):
    for arguments in (["sned"], ["send"], ["status"], ["list", "--state"]):
        assert daemon.estafette(*arguments, check=False).returncode == 64, arguments


def test_wrong_data_is_65_and_names_the_field(daemon):
    done = daemon.estafette("send", "--from", "a@vendor.example", "--to", "b\nc", "--subject", "s", "--text", "t",
                            check=False)
    assert done.returncode == 65 and "to" in done.stderr


def test_every_command_has_help(daemon):
    for command in ("send", "status", "list", "explain", "cancel", "sequence", "category", "erase", "queue", "health"):
        assert "Usage:" in daemon.estafette(command, "--help").stdout
