"""What comes back later: reports handed over by the API, the command line and LMTP, for real return paths."""

import json
import stat

import pytest

from peers import wait_until

DOMAIN = "bounces.vendor.example"


def report(to, recipient, action="failed", status="5.1.1", words="550 5.1.1 no such user here", message_id="<x@y>"):
    return (f"From: MAILER-DAEMON@mx.customer.example\nTo: {to}\nSubject: Undelivered Mail\nMIME-Version: 1.0\n"
            "Content-Type: multipart/report; report-type=delivery-status; boundary=b\n\n--b\n\nSorry.\n--b\n"
            "Content-Type: message/delivery-status\n\nReporting-MTA: dns; mx.customer.example\n\n"
            f"Final-Recipient: rfc822; {recipient}\nAction: {action}\nStatus: {status}\n"
            f"Diagnostic-Code: smtp; {words}\n\n--b\nContent-Type: message/rfc822\n\nMessage-ID: {message_id}\n\n"
            "--b--\n").encode()


@pytest.fixture
def verp(config, relay, route_to, start):
    """A daemon whose mail has return paths of its own."""
    config["relay"] = route_to(relay, return_path=f"verp {DOMAIN}")
    return start(config)


def hand_in(daemon, mail, query=""):
    answer = daemon.request("POST", "/v1/bounces" + query, mail, {"Content-Type": "message/rfc822"})
    assert answer.status == 200, answer
    return answer.json


def metric(daemon, outcome):
    for line in daemon.get("/metrics").body.splitlines():
        if line.startswith(f'estafette_bounces_total{{outcome="{outcome}"}}'):
            return int(line.split()[-1])
    raise AssertionError(outcome)


def test_a_bounce_moves_its_recipient_once_with_the_evidence(verp, relay, address):
    to = address()
    id = verp.enqueue(to)
    verp.recipient(id, state="relayed")
    sender = relay.wait_for(to)[0].sender
    local, domain = sender.split("@")
    assert local.startswith("bounce+") and len(local) <= 64 and domain == DOMAIN
    bounce = report(sender, "somebody.else@forwarded.example")
    assert hand_in(verp, bounce) == {"outcome": "failed", "recipients": [f"{id}.0"]}
    line = verp.recipient(id, state="failed")
    assert line["reason"] == "unknown_user" and line["scope"] == "recipient" and line["attempts"] == 1
    assert line["note"] == "550 5.1.1 no such user here"
    entry = verp.message(id)["timeline"][-1]
    assert entry["type"] == "failed" and entry["by"] == "mx.customer.example"
    assert entry["report"]["reason"] == "unknown_user"
    assert "Final-Recipient: rfc822; somebody.else@forwarded.example\n" in entry["report"]["evidence"]
    assert hand_in(verp, bounce) == {"outcome": "repeated", "recipients": []}
    assert metric(verp, "failed") == 1 and metric(verp, "repeated") == 1


def test_a_delay_is_noted_and_a_confirmation_ends_it(verp, relay, address):
    to = address()
    id = verp.enqueue(to)
    verp.recipient(id, state="relayed")
    sender = relay.wait_for(to)[0].sender
    assert hand_in(verp, report(sender, to, "delayed", "4.2.2", "452 4.2.2 mailbox full"))["outcome"] == "delayed"
    line = verp.recipient(id, state="relayed", reason="mailbox_full")
    assert line["shown"] == "Sent"
    # Some servers change the case of return paths.
    assert hand_in(verp, report(sender.upper(), to, "delivered", "2.0.0", "250 ok"))["outcome"] == "delivered"
    assert verp.recipient(id, state="delivered")["reason"] is None
    assert [e["type"] for e in verp.message(id)["timeline"]] == ["accepted", "relayed", "delayed", "delivered"]


def test_a_forged_return_path_changes_nothing(verp, relay, address):
    to = address()
    id = verp.enqueue(to)
    verp.recipient(id, state="relayed")
    sender = relay.wait_for(to)[0].sender
    at = sender.index("@") - 1
    forged = sender[:at] + ("a" if sender[at] != "a" else "b") + sender[at + 1:]
    message_id = verp.message(id)["header_message_id"]
    assert hand_in(verp, report(forged, to, message_id=message_id))["outcome"] == "forged"
    assert hand_in(verp, report("x@y", to))["outcome"] == "unmatched"
    assert hand_in(verp, b"Subject: hello\nTo: " + sender.encode() + b"\n\nhi\n")["outcome"] == "other"
    assert verp.recipient(id)["state"] == "relayed"


def test_without_a_tag_message_and_address_must_both_fit(config, relay, route_to, start, address):
    config["relay"] = route_to(relay, return_path="fixed bounces@vendor.example")
    daemon = start(config)
    to = address()
    id = daemon.enqueue(to)
    daemon.recipient(id, state="relayed")
    assert relay.wait_for(to)[0].sender == "bounces@vendor.example"
    message_id = daemon.message(id)["header_message_id"]
    assert hand_in(daemon, report("bounces@vendor.example", "eve@customer.example",
                                  message_id=message_id))["outcome"] == "unmatched"
    assert hand_in(daemon, report("bounces@vendor.example", to, message_id=message_id))["outcome"] == "failed"
    assert "not proven" in daemon.recipient(id, state="failed")["note"]


def test_a_message_id_of_the_caller_is_found_too(config, relay, route_to, start, address):
    config["relay"] = route_to(relay)
    daemon = start(config)
    to = address()
    mine = f"<{to}-mine@vendor.example>"
    id = daemon.post_raw(f"Message-ID: {mine}\nSubject: x\n\nhi\n".encode(), "a@vendor.example", [to]).json["id"]
    daemon.recipient(id, state="relayed")
    assert hand_in(daemon, report("a@vendor.example", to, message_id=mine))["recipients"] == [f"{id}.0"]


def test_the_command_line_is_a_pipe_for_mail_servers(verp, relay, address):
    to = address()
    id = verp.enqueue(to)
    verp.recipient(id, state="relayed")
    sender = relay.wait_for(to)[0].sender
    done = verp.estafette("bounce", "--recipient", sender, input=report("undisclosed", to))
    assert done.stdout.decode() == f"failed {id}.0\n"
    done = verp.estafette("bounce", "--json", input=report("undisclosed", to) + b"x" * 30_000_000)
    assert json.loads(done.stdout)["outcome"] == "unmatched"
    verp.terminate()
    assert verp.estafette("bounce", input=b"x", check=False).returncode == 75


def test_the_secret_is_our_own_until_others_are_named_and_old_ones_stay_good(verp, relay, address, secret):
    made = verp.store / "verp.secret"
    assert stat.S_IMODE(made.stat().st_mode) == 0o600
    to = address()
    id = verp.enqueue(to)
    verp.recipient(id, state="relayed")
    first = relay.wait_for(to)[0].sender
    verp.config["bounces"] = {"secrets": [secret("a new secret of the vendor"), str(made)]}
    verp.write_config()
    verp.reload()
    wait_until(lambda: "event=reloaded" in verp.log())
    again = verp.enqueue(to)
    verp.recipient(again, state="relayed")
    second = relay.wait_for(to, count=2)[1].sender
    assert hand_in(verp, report(first, to))["recipients"] == [f"{id}.0"]
    assert hand_in(verp, report(second, to))["recipients"] == [f"{again}.0"]


def test_explain_says_into_whose_mailbox_bounces_go(config, relay, route_to, start, address):
    config["relay"] = route_to(relay)
    daemon = start(config)
    to = address()
    id = daemon.enqueue(to)
    daemon.recipient(id, state="relayed")
    assert daemon.message(id)["bounces_to"] == "badges@vendor.example"
    for subject in (id, to):
        said = daemon.estafette("explain", subject, "--lang", "en").stdout
        assert "badges@vendor.example" in said and "docs/bounces.md" in said
    config["relay"]["return_path"] = f"verp {DOMAIN}"
    daemon = start(config)
    id = daemon.enqueue(to)
    daemon.recipient(id, state="relayed")
    assert daemon.message(id)["bounces_to"] is None
    assert "docs/bounces.md" not in daemon.estafette("explain", id).stdout
