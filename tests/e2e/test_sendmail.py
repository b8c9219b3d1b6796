"""`estafette` under the name of sendmail: what PHP, cron, git and scripts call keeps working."""

import subprocess

import pytest

from conftest import PASSWORD, USER
from peers import wait_until
from sink import Sink


@pytest.fixture
def sendmail(daemon):
    def call(*arguments, input, check=True, **options):
        return daemon.estafette(*arguments, input=input.encode() if isinstance(input, str) else input,
                                name="sendmail", check=check, **options)
    call.daemon = daemon
    return call


def test_t_takes_the_recipients_from_the_header_and_drops_bcc(sendmail, relay, address):
    to, cc, bcc = address("to"), address("cc"), address("bcc")
    sendmail("-t", "-i", input=f"From: App <app@vendor.example>\nTo: Ann <{to}>\nCc: {cc}\nBcc: {bcc}\n"
                               "Subject: hello\n\nline\n.\nafter a dot\n")
    for recipient in (to, cc, bcc):
        mail = relay.wait_for(recipient)[0]
        assert "Bcc" not in mail.parsed and bcc.encode() not in mail.submitted
        assert mail.submitted.endswith(b"\r\n\r\nline\r\n.\r\nafter a dot\r\n")
        assert mail.sender == "app@vendor.example"


def test_php_calls_it_with_t_and_i(sendmail, relay, address):
    to = address()
    sendmail("-t", "-i", input=f"To: {to}\r\nSubject: =?UTF-8?B?w6l0w6k=?=\r\n"
                               f"X-PHP-Originating-Script: 1000:mail.php\r\nFrom: www@vendor.example\r\n\r\nBonjour\r\n")
    assert relay.wait_for(to)[0].subject == "été"


def test_git_send_email_calls_it_with_i_and_recipients(sendmail, relay, address):
    first, second = address(), address()
    sendmail("-f", "dev@vendor.example", "-i", first, second,
             input=f"From: Dev <dev@vendor.example>\nTo: {first}\nSubject: [PATCH] fix\n"
                   "Message-Id: <20251101.1@vendor.example>\nX-Mailer: git-send-email 2.39.5\n\n---\n .\n")
    for recipient in (first, second):
        mail = relay.wait_for(recipient)[0]
        assert mail.parsed["Message-Id"] == "<20251101.1@vendor.example>"
        assert mail.sender == "dev@vendor.example"


def test_f_sets_the_envelope_sender_and_capital_f_the_name(sendmail, relay, address):
    to = address()
    sendmail("-f", "bounces@vendor.example", "-F", "The App", to, input="Subject: x\n\nbody\n")
    mail = relay.wait_for(to)[0]
    assert mail.sender == "bounces@vendor.example"
    assert mail.parsed["From"].addresses[0].addr_spec == "bounces@vendor.example"
    assert mail.parsed["From"].addresses[0].display_name == "The App"


def test_cron_writes_to_a_local_name_which_is_an_alias(sendmail, relay):
    before = len(relay.mailbox("ops@vendor.example"))
    sendmail("-FCronDaemon", "-i", "-B8BITMIME", "-oem", "root",
             input="From: root (Cron Daemon)\nTo: root\nSubject: Cron <root@host> run\n\noutput\n")
    relay.wait_for("ops@vendor.example", before + 1)


def test_a_bare_name_without_an_alias_gets_the_default_domain(sendmail, relay):
    before = len(relay.mailbox("somebody@vendor.example"))
    sendmail("somebody", input="Subject: x\n\nbody\n")
    relay.wait_for("somebody@vendor.example", before + 1)


def test_without_i_a_lone_dot_ends_the_message(sendmail, relay, address):
    to = address()
    sendmail(to, input="Subject: x\n\nbefore\n.\nafter\n")
    assert relay.wait_for(to)[0].submitted.endswith(b"before\r\n")


def test_missing_from_date_and_message_id_are_added(sendmail, relay, address):
    to = address()
    sendmail("-i", to, input="Subject: x\n\nbody\n")
    mail = relay.wait_for(to)[0].parsed
    assert mail["From"] and mail["Date"] and mail["Message-ID"]


def test_eight_bit_text_arrives_unchanged(sendmail, relay, address):
    to = address()
    text = "Grüße, été, €\n".encode()
    sendmail("-i", to, input=b"From: a@vendor.example\nSubject: x\nContent-Type: text/plain; charset=utf-8\n"
                             b"Content-Transfer-Encoding: 8bit\nMIME-Version: 1.0\n\n" + text)
    assert relay.wait_for(to)[0].submitted.endswith(text.replace(b"\n", b"\r\n"))


def test_ignored_options_do_no_harm(sendmail, relay, address, folder):
    to = address()
    sendmail("-oi", "-odb", "-oQ/tmp/x", "-X", str(folder / "log"), "-C", "/etc/passwd", "-v", "-N", "never", "--", to,
             input="Subject: x\n\nbody\n")
    relay.wait_for(to)
    assert not (folder / "log").exists()


def test_an_option_inside_a_recipient_is_an_address_and_refused(sendmail):
    done = sendmail("-i", "--", "-X/tmp/evil", input="Subject: x\n\nbody\n", check=False)
    assert done.returncode in (65, 67)


@pytest.mark.parametrize("recipients", [["a\nb@x.example"], ["<a@x.example> b"], [""], []])
def test_recipients_that_are_none_are_refused(sendmail, recipients):
    done = sendmail("-i", *recipients, input="Subject: x\n\nbody\n", check=False)
    assert done.returncode in (64, 65, 67)
    assert done.stderr


def test_it_says_75_when_the_daemon_is_away(sendmail):
    sendmail.daemon.kill()
    done = sendmail("-i", "ann@customer.example", input="Subject: x\n\nbody\n", check=False)
    assert done.returncode == 75
    assert len(done.stderr.splitlines()) == 1


def test_bs_speaks_smtp_on_its_standard_input(sendmail, relay, address):
    to = address()
    done = sendmail("-bs", input="EHLO me.example\r\nMAIL FROM:<a@vendor.example>\r\n"
                                 f"RCPT TO:<{to}>\r\nDATA\r\nSubject: x\r\n\r\nbody\r\n.\r\nQUIT\r\n")
    codes = [line[:3] for line in done.stdout.decode().splitlines() if line[3:4] != "-"]
    assert codes == ["220", "250", "250", "250", "354", "250", "221"]
    assert relay.wait_for(to)


def test_bp_and_mailq_list_what_waits(daemon, address):
    to = address()
    daemon.enqueue(to, send_at="2099-01-01T00:00:00Z")
    for name, arguments in (("sendmail", ["-bp"]), ("mailq", [])):
        assert to in daemon.estafette(*arguments, name=name).stdout


def test_a_message_of_a_megabyte_goes_through_the_pipe(sendmail, relay, address):
    to = address()
    body = b"".join(b"%060d\n" % n for n in range(17_000))
    sendmail("-i", to, input=b"From: a@vendor.example\nSubject: x\n\n" + body)
    assert relay.wait_for(to)[0].submitted.endswith(body.replace(b"\n", b"\r\n"))


def test_many_at_once_are_all_taken(config, start, authority, route_to, address):
    with Sink(authority.issue("sink.example"), users={USER: PASSWORD}) as sink:
        config["relay"] = route_to(sink)
        daemon = start(config)
        daemon.estafette("-i", address(), input=b"Subject: x\n\nbody\n", name="sendmail")
        running = [subprocess.Popen([str(daemon.folder / "sendmail"), "-i", address()], stdin=subprocess.PIPE,
                                    env={"ESTAFETTE_SOCKET": str(daemon.socket),
                                         "ESTAFETTE_CONFIG": str(daemon.config_file)}) for _ in range(30)]
        for process in running:
            process.communicate(b"Subject: x\n\nbody\n", 30)
        assert [process.returncode for process in running] == [0] * 30
        wait_until(lambda: len(sink.mails) == 31, 20, what=lambda: len(sink.mails))
