"""The peers themselves: each takes mail from smtplib the way the end-to-end tests need it."""

import smtplib
import ssl
import subprocess
import sys
from pathlib import Path

import pytest

from peers import Authority, Exim, Greylist, OpenSMTPD, Postfix, needs, wait_until
from peers.processes import answers
from sink import Sink

TESTS = Path(__file__).resolve().parents[1]
MAIL = (b"From: Badges <badges@vendor.example>\r\nTo: ann@customer.example\r\nSubject: hello\r\n"
        b"Date: Sat, 01 Nov 2025 10:00:00 +0000\r\nMessage-ID: <1@vendor.example>\r\n\r\n"
        b"a line\r\n.starts with a dot\r\n\xc3\xa9t\xc3\xa9\r\n")

pytestmark = pytest.mark.skipif(needs() is not None, reason=str(needs()))


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("ca"))


# Debian 12's OpenSMTPD cannot offer AUTH: opensmtpd.py says why.
with_auth = pytest.mark.parametrize("server", [Postfix, Exim], indirect=True, ids=lambda kind: kind.kind)


@pytest.fixture(scope="module", params=[Postfix, Exim, OpenSMTPD], ids=lambda kind: kind.kind)
def server(request, authority, tmp_path_factory):
    with request.param(tmp_path_factory.mktemp(request.param.kind), authority) as running:
        yield running


def test_mail_arrives_byte_for_byte(server):
    with server.client() as smtp:
        smtp.sendmail("badges@vendor.example", ["ann@customer.example"], MAIL, ["BODY=8BITMIME"])
    mail = server.wait_for("ann@customer.example")[0]
    assert mail.submitted == MAIL
    assert mail.sender == "badges@vendor.example"


def test_every_recipient_has_a_copy_of_its_own(server):
    with server.client() as smtp:
        smtp.sendmail("badges@vendor.example", ["bob@a.example", "cleo@b.example"], MAIL, ["BODY=8BITMIME"])
    assert len(server.wait_for("bob@a.example")) == 1
    assert len(server.wait_for("cleo@b.example")) == 1


def test_an_unknown_user_is_refused_for_good(server):
    with server.client() as smtp, pytest.raises(smtplib.SMTPRecipientsRefused) as refused:
        smtp.sendmail("badges@vendor.example", ["unknown@customer.example"], MAIL, ["BODY=8BITMIME"])
    assert refused.value.recipients["unknown@customer.example"][0] == 550


def test_tls_from_the_first_byte_is_verified(server):
    context = ssl.create_default_context(cafile=str(server.ca_file))
    with smtplib.SMTP_SSL("127.0.0.1", server.tls_port, context=context, timeout=20) as smtp:
        assert smtp.ehlo()[0] == 250


def test_a_foreign_authority_is_not_trusted(server, tmp_path):
    context = ssl.create_default_context(cafile=str(Authority(tmp_path).ca_file))
    with smtplib.SMTP("127.0.0.1", server.port, timeout=20) as smtp, pytest.raises(ssl.SSLError):
        smtp.starttls(context=context)


@with_auth
def test_a_wrong_password_is_refused(server):
    with server.client(login=False) as smtp, pytest.raises(smtplib.SMTPAuthenticationError):
        smtp.login(next(iter(server.users)), "wrong")


@with_auth
def test_nothing_is_taken_without_authentication(server):
    with server.client(login=False) as smtp, pytest.raises(smtplib.SMTPRecipientsRefused):
        smtp.sendmail("badges@vendor.example", ["dan@customer.example"], MAIL)


def test_mail_survives_a_restart_of_the_server(server):
    before = server.count()
    server.stop()
    assert not answers(server.port)
    server.start()
    with server.client() as smtp:
        smtp.sendmail("badges@vendor.example", ["eve@customer.example"], MAIL, ["BODY=8BITMIME"])
    server.wait_for("eve@customer.example")
    assert server.count() == before + 1


def test_nothing_is_left_of_a_server_whose_owner_was_killed(authority, tmp_path):
    script = (f"import sys; sys.path.insert(0, {str(TESTS)!r})\n"
              "from peers import Authority, Exim, OpenSMTPD, Postfix\nfrom pathlib import Path\n"
              f"folder = Path({str(tmp_path)!r}); authority = Authority(folder / 'ca')\n"
              "servers = [kind(folder / kind.kind, authority).start() for kind in (Postfix, Exim, OpenSMTPD)]\n"
              "print(*(server.port for server in servers), flush=True)\nsys.stdin.read()")
    with subprocess.Popen([sys.executable, "-B", "-c", script], stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE, text=True) as owner:
        ports = [int(port) for port in owner.stdout.readline().split()]
        assert [answers(port) for port in ports] == [True] * 3
        owner.kill()
    wait_until(lambda: not any(answers(port) for port in ports), 5)


def test_postfix_greylists_the_first_try_only(authority, tmp_path):
    with Postfix(tmp_path, authority, greylist=Greylist(seconds=0.2)) as relay, relay.client() as smtp:
        with pytest.raises(smtplib.SMTPRecipientsRefused) as refused:
            smtp.sendmail("badges@vendor.example", ["grey@customer.example"], MAIL, ["BODY=8BITMIME"])
        code, text = refused.value.recipients["grey@customer.example"]
        assert code == 450 and b"4.2.0" in text and b"try again in" in text

        def again():
            try:
                smtp.sendmail("badges@vendor.example", ["grey@customer.example"], MAIL, ["BODY=8BITMIME"])
                return True
            except smtplib.SMTPRecipientsRefused:
                return False

        wait_until(again, 5)
        assert relay.wait_for("grey@customer.example")


def test_the_sink_says_what_it_is_told_to(authority):
    with Sink(authority.issue("sink.example"), users={"u": "p"}) as sink:
        sink.answer("ann@x.example", "450 4.2.0 later", times=1)
        sink.answer("bob@x.example", "554 5.7.1 spam", to="dot")
        context = ssl.create_default_context(cafile=str(sink.ca_file))
        with smtplib.SMTP("127.0.0.1", sink.port, timeout=20) as smtp:
            smtp.starttls(context=context)
            smtp.login("u", "p")
            with pytest.raises(smtplib.SMTPRecipientsRefused):
                smtp.sendmail("a@x.example", ["ann@x.example"], MAIL)
            smtp.sendmail("a@x.example", ["ann@x.example"], MAIL)
            with pytest.raises(smtplib.SMTPDataError):
                smtp.sendmail("a@x.example", ["bob@x.example"], MAIL)
        assert [mail.recipient for mail in sink.mails] == ["ann@x.example"]
        assert sink.mails[0].raw == MAIL
        assert sink.sessions[-1].tls and sink.sessions[-1].user == "u"
