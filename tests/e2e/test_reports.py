"""Which delivery reports other servers send: as the caller wishes (RFC 3461), by a Postfix that offers DSN."""

import pytest

from peers import wait_until

TEXT = "Here it is.\n"


@pytest.fixture
def sender(address):
    """A mailbox at the relay where reports arrive."""
    return address("reports", "vendor.example")


def status_of(report):
    """The fields about the message and about its recipient."""
    part = next(p for p in report.parsed.walk() if p.get_content_type() == "message/delivery-status")
    message, recipient = part.get_payload()
    return message, recipient


def kinds_of(report):
    return [part.get_content_type() for part in report.parsed.iter_parts()]


def test_a_report_of_success_is_sent_where_it_was_asked_for(daemon, relay, address, sender):
    to = address()
    daemon.enqueue(to, sender=sender, dsn={"notify": "success", "envelope_id": "run 7+8=15"})
    report = relay.wait_for(sender)[0]
    message, recipient = status_of(report)
    assert message["Original-Envelope-Id"] == "run 7+8=15"
    assert recipient["Original-Recipient"] == f"rfc822;{to}"
    assert recipient["Action"] == "delivered"


@pytest.mark.parametrize("content, kind", [("full", "message/rfc822"), ("headers", "text/rfc822-headers")])
def test_a_report_of_failure_has_as_much_of_the_mail_as_was_asked_for(daemon, relay, address, sender, content, kind):
    to = address("moved")
    id = daemon.enqueue(to, sender=sender, dsn={"notify": ["failure", "delay"], "return": content})
    report = relay.wait_for(sender)[0]
    message, recipient = status_of(report)
    assert message["Original-Envelope-Id"] == id
    assert recipient["Original-Recipient"] == f"rfc822;{to}" and recipient["Action"] == "failed"
    assert kinds_of(report)[-1] == kind
    assert (TEXT.strip().encode() in report.raw) == (content == "full")


def test_nothing_is_reported_where_nothing_shall_be(daemon, relay, address, sender):
    silent, told = address("moved"), address("moved")
    daemon.enqueue(silent, sender=sender, dsn={"notify": "never"})
    relay_has(relay, silent)
    daemon.enqueue(told, sender=sender)
    reports = relay.wait_for(sender)
    assert [status_of(r)[1]["Original-Recipient"] for r in reports] == [f"rfc822;{told}"]


def relay_has(relay, to):
    """The relay has found out that TO is not there, and reported it or not."""
    wait_until(lambda: f"orig_to=<{to}>" in relay.log() and "removed" in relay.log().split(f"orig_to=<{to}>")[-1], 20,
               what=lambda: f"the end of {to}\n{relay.log()[-2000:]}")


def test_wishes_outlive_a_crash(daemon, relay, address, sender):
    to = address("grey")                                    # told to come back: the mail is still there after the crash
    id = daemon.enqueue(to, sender=sender, dsn={"notify": "success", "return": "full", "envelope_id": "after the crash"})
    daemon.recipient(id, state="deferred")
    daemon.kill()
    daemon.start()
    assert daemon.message(id)["dsn"] == {"notify": ["success"], "return": "full", "envelope_id": "after the crash"}
    assert status_of(relay.wait_for(sender)[0])[0]["Original-Envelope-Id"] == "after the crash"


def test_sendmail_asks_for_reports_as_it_is_told_to(daemon, relay, address, sender):
    to = address()
    daemon.estafette("-i", "-f", sender, "-N", "success", "-R", "hdrs", "-V", "by sendmail", to,
                     input="Subject: x\n\nbody\n", name="sendmail")
    message, recipient = status_of(relay.wait_for(sender)[0])
    assert message["Original-Envelope-Id"] == "by sendmail"
    assert recipient["Action"] == "delivered"


def test_the_command_line_asks_for_reports_as_it_is_told_to(daemon, relay, address, sender):
    to = address()
    daemon.estafette("send", "--from", sender, "--to", to, "--subject", "x", "--text", "y", "--notify", "success,failure",
                     "--envelope-id", "by send")
    message, _ = status_of(relay.wait_for(sender)[0])
    assert message["Original-Envelope-Id"] == "by send"
