"""The suppression list: who gets on it, what it does, how people change it."""

import json

import pytest

from peers import wait_until


def report(daemon, id, to, words, status="5.1.1"):
    message_id = daemon.message(id)["header_message_id"]
    mail = ("Subject: x\nContent-Type: multipart/report; report-type=delivery-status; boundary=b\n\n--b\n"
            "Content-Type: message/delivery-status\n\nReporting-MTA: dns; mx.x.example\n\n"
            f"Final-Recipient: rfc822; {to}\nAction: failed\nStatus: {status}\nDiagnostic-Code: smtp; {words}\n\n--b\n"
            f"Content-Type: message/rfc822\n\nMessage-ID: {message_id}\n\n--b--\n")
    answer = daemon.request("POST", "/v1/bounces", mail.encode(), {"Content-Type": "message/rfc822"})
    assert answer.json["outcome"] == "failed", answer


def listed(daemon, **query):
    return daemon.get("/v1/suppressions", **query).json["suppressions"]


def test_a_mailbox_that_is_not_there_is_not_written_to_again(daemon, relay, address):
    to = address("unknown")
    daemon.recipient(daemon.enqueue(to), state="failed", reason="unknown_user")
    line = wait_until(lambda: listed(daemon, address=to.upper()))[0]
    assert line["cause"] == "unknown_user" and line["until"] and line["by"] == "127.0.0.1"
    key = {"Idempotency-Key": f"k-{to}", "Content-Type": "application/json"}
    body = json.dumps({"from": "a@vendor.example", "to": [to, address()], "text": "x"}).encode()
    answer = daemon.request("POST", "/v1/messages", body, key)
    id, (first, second) = answer.json["id"], answer.json["recipients"]
    assert (first["state"], first["reason"], second["state"]) == ("failed", "suppressed", "queued")
    assert line["since"][:10] in first["note"] and "note" not in second
    stopped = daemon.recipient(id, state="failed", index=0)
    assert stopped["reason"] == "suppressed" and stopped["attempts"] == 0
    assert line["since"][:10] in stopped["note"]
    assert daemon.recipient(id, state="relayed", index=1)
    assert [e["type"] for e in daemon.message(id)["timeline"] if e["recipient"].endswith(".0")] == ["accepted", "failed"]
    assert daemon.request("POST", "/v1/messages", body, key).json == answer.json
    said = daemon.estafette("explain", to, "--lang", "fr").stdout
    assert "depuis le" in said and "parce que l’adresse n’existe pas" in " ".join(said.split())


def test_what_is_not_proven_counts_the_second_time(daemon, relay, address):
    to = address()
    for count in (1, 2):
        id = daemon.enqueue(to)
        daemon.recipient(id, state="relayed")
        report(daemon, id, to, "550 5.1.1 no such user here")
        assert len(listed(daemon, address=to)) == count - 1


@pytest.mark.parametrize("words, status", [
    ("552 5.2.2 mailbox full", "5.2.2"),
    ("550 5.7.1 message rejected as spam", "5.7.1"),
    ("554 5.7.1 sender address rejected", "5.7.1"),
])
def test_no_other_failure_suppresses_however_often(daemon, relay, address, words, status):
    to = address()
    for _ in range(3):
        id = daemon.enqueue(to)
        daemon.recipient(id, state="relayed")
        report(daemon, id, to, words, status)
    assert listed(daemon, address=to) == []


def test_transactional_mail_may_ignore_the_list(daemon, relay, address):
    to = address()
    daemon.estafette("suppress", "add", to, "--reason", "asked by phone")
    assert daemon.recipient(daemon.enqueue(to), state="failed")["note"].endswith("asked by phone")
    assert daemon.recipient(daemon.enqueue(to, ignore_suppression=True), state="relayed")
    answer = daemon.post({"from": "a@vendor.example", "to": [to], "text": "x", "priority": "bulk",
                          "ignore_suppression": True})
    assert answer.status == 422 and answer.json["errors"][0]["pointer"] == "/ignore_suppression"


def test_mail_that_waited_is_held_back_too(daemon, relay, address):
    to = address("grey")
    id = daemon.enqueue(to)
    daemon.recipient(id, state="deferred")
    daemon.estafette("suppress", "add", to)
    line = daemon.recipient(id, state="failed", seconds=40)
    assert line["reason"] == "suppressed" and line["attempts"] >= 1


def test_the_list_outlives_a_crash_and_a_line_its_time(daemon, address):
    to, brief = address(), address()
    daemon.estafette("suppress", "add", to)
    daemon.request("POST", "/v1/suppressions", json.dumps(
        {"address": brief, "until": "2020-01-01T00:00:00Z"}).encode(), {"Content-Type": "application/json"})
    daemon.kill()
    daemon.start()
    assert daemon.recipient(daemon.enqueue(to), state="failed")["reason"] == "suppressed"
    assert daemon.recipient(daemon.enqueue(brief), state="relayed")
    assert daemon.estafette("suppress", "remove", to.upper()).stdout == "removed\n"
    assert daemon.recipient(daemon.enqueue(to), state="relayed")
    assert daemon.estafette("suppress", "remove", to, check=False).returncode == 67


def test_lists_go_out_and_come_in(daemon, address):
    first, second, third = address(), address(), address()
    done = daemon.estafette("suppress", "import", input=(
        f'address,cause,text\n{first},complaint,"a, ""b"""\n{second},,\n'))
    assert done.stdout == "2 lines, 2 new or changed\n"
    lines = [json.loads(line) for line in daemon.estafette("suppress", "export").stdout.splitlines()]
    by_address = {line["address"]: line for line in lines}
    assert by_address[first]["cause"] == "complaint" and by_address[first]["text"] == 'a, "b"'
    assert by_address[second]["cause"] == "manual"
    csv = daemon.estafette("suppress", "export", "--csv").stdout
    assert f'{first},complaint,' in csv and '"a, ""b"""' in csv
    assert daemon.estafette("suppress", "import", input=csv).stdout.endswith("0 new or changed\n")
    assert daemon.estafette("suppress", "import", input=f"{third}\n").stdout == "1 lines, 1 new or changed\n"
    wrong = daemon.estafette("suppress", "import", input="not an address\n", check=False)
    assert wrong.returncode == 65 and "line 1" in wrong.stderr
    assert third in daemon.estafette("suppress", "list").stdout
