"""Mail from the Unix socket to a real server, and what is said of it afterwards."""

import base64
import time

import pytest

from conftest import GREYLISTED_FOR
from peers import wait_until

RAW = (b"From: Badges <badges@vendor.example>\r\nTo: Ann <ann@customer.example>\r\n"
       b"Subject: =?utf-8?q?caf=C3=A9?=\r\nDate: Sat, 01 Nov 2025 10:00:00 +0000\r\n"
       b"Message-ID: <raw-1@vendor.example>\r\nX-Long: " + b"a" * 900 + b"\r\n"
       b"MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n"
       b"\r\n.\r\n..two dots\r\n.one dot\r\n\r\n  trailing blanks  \t\r\n\xc3\xa9t\xc3\xa9 \xe2\x82\xac\r\n")


def test_a_small_message_reaches_the_relay_over_verified_tls(daemon, relay, address):
    to = address()
    id = daemon.enqueue(to)
    line = daemon.recipient(id, state="relayed")
    mail = relay.wait_for(to)[0]
    assert mail.subject == "Your badge"
    assert mail.parsed.get_content() == "Here it is.\n"
    assert mail.sender == "badges@vendor.example"
    assert mail.parsed["From"].addresses[0].display_name == "Badges"
    assert mail.parsed["To"].addresses[0].addr_spec == to
    assert mail.parsed["Message-ID"] == daemon.message(id)["header_message_id"]
    assert mail.parsed["Date"] is not None
    assert line["shown"] == "Sent" and line["attempts"] == 1
    attempt = line["last_attempt"]
    assert attempt["code"] == 250 and attempt["enhanced"] == "2.0.0" and "queued as" in attempt["text"]
    assert attempt["tls"].startswith("TLSv1.") and "verified" in attempt["tls"]
    assert attempt["server"] == f"127.0.0.1:{relay.port}" and attempt["route"] == "relay"


def test_tls_from_the_first_byte_works_too(config, relay, route_to, start, address):
    config["relay"] = route_to(relay, servers=[f"127.0.0.1:{relay.tls_port}"], tls={"mode": "implicit"})
    daemon = start(config)
    to = address()
    assert daemon.recipient(daemon.enqueue(to), state="relayed")["last_attempt"]["tls"].startswith("TLSv1.")
    assert relay.wait_for(to)


def test_a_host_name_is_resolved(config, relay, route_to, start, address):
    config["relay"] = route_to(relay, servers=[f"localhost:{relay.port}"])
    daemon = start(config)
    assert daemon.recipient(daemon.enqueue(address()), state="relayed")


def test_a_raw_message_arrives_byte_for_byte(daemon, relay, address):
    to = address()
    answer = daemon.post_raw(RAW, "badges@vendor.example", [to])
    assert answer.status == 202, answer
    assert answer.headers["Location"] == f"/v1/messages/{answer.json['id']}"
    assert relay.wait_for(to)[0].submitted == RAW


def test_a_raw_message_in_json_arrives_byte_for_byte(daemon, relay, address):
    to = address()
    answer = daemon.post({"raw": base64.b64encode(RAW).decode(),
                          "envelope": {"from": "badges@vendor.example", "to": [to]}})
    assert answer.status == 202, answer
    assert relay.wait_for(to)[0].submitted == RAW


@pytest.mark.parametrize("size", [1, 8191, 8192, 8193, 16384, 1_000_000])
def test_bodies_of_any_size_arrive_whole(daemon, relay, address, size):
    to = address()
    head = RAW.split(b"\r\n\r\n")[0]
    lines = (b"%06d." % n + b"x" * 63 for n in range(size // 70 + 1))
    body = b"\r\n".join(lines)[:size].rstrip(b"\r\n") + b"\r\n"
    assert daemon.post_raw(head + b"\r\n\r\n" + body, "badges@vendor.example", [to]).status == 202
    assert relay.wait_for(to)[0].submitted == head + b"\r\n\r\n" + body


def test_text_html_and_attachments_survive_in_full(daemon, relay, address):
    to, blob = address(), bytes(range(256)) * 40
    id = daemon.enqueue(
        to, subject="Invitation à l'été — ½ 日本語", text="Bonjour Zoë,\n.\nfin\n", html="<p>Bonjour Zoë</p>",
        cc=["Érik <%s>" % (cc := address("erik"))], bcc=[bcc := address("hidden")],
        reply_to="answers@vendor.example", headers={"X-Campaign": "été"},
        attachments=[{"filename": "résumé.pdf", "content_type": "application/pdf",
                      "content": base64.b64encode(blob).decode()}])
    for index in range(3):
        daemon.recipient(id, state="relayed", index=index)
    for recipient in (to, cc, bcc):
        arrived = relay.wait_for(recipient)[0]
        mail = arrived.parsed
        assert mail["Subject"] == "Invitation à l'été — ½ 日本語"
        assert mail.get_body(("plain",)).get_content() == "Bonjour Zoë,\n.\nfin\n"
        assert mail.get_body(("html",)).get_content().strip() == "<p>Bonjour Zoë</p>"
        attached = list(mail.iter_attachments())
        assert [part.get_filename() for part in attached] == ["résumé.pdf"]
        assert attached[0].get_content() == blob
        assert mail["Cc"].addresses[0].display_name == "Érik"
        assert mail["Reply-To"].addresses[0].addr_spec == "answers@vendor.example"
        assert mail["X-Campaign"] == "été"
        assert "Bcc" not in mail and bcc.encode() not in arrived.submitted


def test_composed_mail_is_seven_bit_clean_with_short_lines(daemon, relay, address):
    to = address()
    daemon.enqueue(to, subject="é" * 300, text="ü" * 5000 + "\nfin\n", html="<p>" + "long " * 1000 + "</p>")
    raw = relay.wait_for(to)[0].submitted
    assert max(raw) < 128
    assert max(len(line) for line in raw.split(b"\r\n")) <= 998


def test_addresses_in_utf8_are_relayed(daemon, relay, address):
    to = address("zoë", "exämple.example")
    id = daemon.enqueue(to)
    daemon.recipient(id, state="relayed")


def test_several_recipients_get_an_answer_each(daemon, relay, address):
    good, unknown, grey, other = address(), address("unknown"), address("grey"), address("bob")
    id = daemon.enqueue([good, unknown, grey, other])
    daemon.recipient(id, state="relayed", index=0)
    failed = daemon.recipient(id, state="failed", index=1)
    daemon.recipient(id, state="deferred", index=2)
    daemon.recipient(id, state="relayed", index=3)
    assert failed["reason"] == "unknown_user" and failed["scope"] == "recipient"
    daemon.recipient(id, state="relayed", index=2)
    for recipient in (good, grey, other):
        assert len(relay.wait_for(recipient)) == 1
    assert relay.mailbox(unknown) == []


def test_a_greylisted_recipient_is_relayed_on_the_second_try(daemon, relay, address):
    to = address("grey")
    id = daemon.enqueue(to)
    waiting = daemon.recipient(id, state="deferred")
    assert waiting["reason"] == "greylisted" and waiting["shown"] == "Pending"
    assert waiting["next_attempt_at"] is not None
    assert waiting["last_attempt"]["code"] == 450 and waiting["last_attempt"]["enhanced"] == "4.2.0"
    assert waiting["last_attempt"]["retry_hint_seconds"] == GREYLISTED_FOR
    assert waiting["last_attempt"]["phase"] == "rcpt"
    sent = daemon.recipient(id, state="relayed")
    assert sent["attempts"] == 2
    assert len(relay.wait_for(to)) == 1
    timeline = daemon.message(id)["timeline"]
    assert [event["state"] for event in timeline] == ["queued", "deferred", "relayed"]
    numbers = [event["sequence"] for event in timeline]
    assert numbers == sorted(numbers) and len(set(numbers)) == 3
    attempts = [event["attempt"] for event in timeline if event.get("attempt")]
    assert [attempt["number"] for attempt in attempts] == [1, 2]
    assert [attempt["code"] for attempt in attempts] == [450, 250]


def test_an_unknown_user_fails_with_an_explanation_in_three_languages(daemon, relay, address):
    to = address("unknown")
    id = daemon.enqueue(to)
    failed = daemon.recipient(id, state="failed")
    assert failed["reason"] == "unknown_user" and failed["shown"] == "Failed"
    assert failed["next_attempt_at"] is None and failed["attempts"] == 1
    attempt = failed["last_attempt"]
    assert attempt["code"] == 550 and attempt["enhanced"] == "5.1.1" and "User unknown" in attempt["text"]
    headlines = set()
    for language in ("en", "fr", "nl"):
        explained = daemon.message(id, lang=language)["recipients"][0]
        for part in ("headline", "happened", "acts", "advice"):
            assert explained["explanation"][part]
        headlines.add(explained["explanation"]["headline"])
    assert len(headlines) == 3
    assert relay.mailbox(to) == []


def test_mail_for_later_waits_and_leaves_in_time(daemon, relay, address):
    to = address()
    due = time.time() + 2.5
    id = daemon.enqueue(to, send_at=time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(due)) + "Z")
    assert daemon.recipient(id)["state"] == "scheduled"
    daemon.recipient(id, state="relayed")
    assert time.time() >= int(due)
    assert len(relay.wait_for(to)) == 1


def test_mail_that_nobody_takes_expires(config, relay, route_to, start, address):
    config["relay"] = route_to(relay)
    daemon = start(config)
    to = address("grey")
    relay.greylist.answers[to] = "450 4.2.0 Greylisted, please try again in 1 seconds"
    expires = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 5))
    id = daemon.enqueue(to, expires_at=expires)
    failed = daemon.recipient(id, state="failed", seconds=15)
    assert failed["reason"] == "expired"
    assert failed["last_attempt"]["code"] == 450
    assert relay.mailbox(to) == []


def test_thousand_messages_in_one_batch_all_arrive_once(daemon, relay, address):
    before = relay.count()
    addresses = [address("many") for _ in range(1000)]
    lines = [{"from": "badges@vendor.example", "to": [to], "subject": f"n{n}", "text": "x"}
             for n, to in enumerate(addresses)]
    answer = daemon.post_batch(lines)
    assert answer.status == 200 and all(line["status"] == 202 for line in answer.lines)
    wait_until(lambda: daemon.states().get("relayed", 0) >= 1000, 60, what=daemon.states)
    wait_until(lambda: relay.count() - before >= 1000, 30, what=lambda: f"{relay.count() - before} of 1000")
    arrived = [mail.recipient for mail in relay.mails()[before:]]
    assert sorted(arrived) == sorted(addresses)
