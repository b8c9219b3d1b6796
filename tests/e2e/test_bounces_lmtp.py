"""Real bounces: a mail server takes our mail, finds that it cannot deliver it, and hands its report over by LMTP."""

import smtplib
import socket

import pytest

from conftest import PASSWORD, USER
from estafetted import Daemon
from peers import Exim, Postfix
from peers.processes import free_port

DOMAIN = "bounces.vendor.example"

# What the relay cannot deliver after it said 250, and where its reports go.
TRANSPORT = """\
/^gone[^@]*@/ error:5.1.1 no such user here
/^bounce\\+[^@]*@bounces\\.vendor\\.example$/ lmtp:unix:/var/spool/postfix/estafette.sock
"""
LMTP = "lmtp unix - - n - - lmtp\n"


@pytest.fixture(scope="module")
def bouncing(session_folder, authority):
    """A relay that accepts everything, and bounces what is gone."""
    server = Postfix(session_folder / "bouncing", authority, users={USER: PASSWORD}, services=LMTP,
                     settings={"transport_maps": "regexp:/etc/postfix/transport",
                               "smtpd_reject_unlisted_recipient": "no"})
    configure = server.configure

    def with_transport(root):
        server.write("etc/postfix/transport", TRANSPORT)
        configure(root)
    server.configure = with_transport
    with server:
        yield server


def test_postfix_hands_its_bounce_over_by_lmtp(bouncing, config, route_to, start, address):
    path = bouncing.folder / "var/spool/postfix/estafette.sock"
    config["relay"] = route_to(bouncing, return_path=f"verp {DOMAIN}")
    config["bounces"] = {"lmtp": str(path), "lmtp_mode": "0666"}
    daemon = start(config)
    to = address("gone")
    id = daemon.enqueue(to)
    line = daemon.recipient(id, state="failed", seconds=60)
    assert line["reason"] == "unknown_user" and line["attempts"] == 1
    assert "no such user here" in line["note"]
    story = daemon.message(id)["timeline"]
    assert [entry["type"] for entry in story] == ["accepted", "relayed", "failed"]
    evidence = story[-1]["report"]["evidence"]
    assert f"Final-Recipient: rfc822; {to}" in evidence
    assert f"Original-Recipient: rfc822;{to}" in evidence
    assert f"Original-Envelope-Id: {id}" in evidence
    # What is certainly not there is not written to again.
    again = daemon.enqueue(to)
    line = daemon.recipient(again, state="failed")
    assert line["reason"] == "suppressed" and line["attempts"] == 0
    assert daemon.terminate() == 0
    assert not path.exists()


def test_exim_hands_its_bounce_over_by_lmtp(session_folder, authority, config, route_to, start, address):
    port = free_port()
    server = Exim(session_folder / "bouncing-exim", authority, hostname="mail.initrode.example",
                  users={USER: PASSWORD})
    configure = server.configure

    def with_transport(root):
        configure(root)
        file = server.folder / "etc/exim4/exim4.conf"
        text = file.read_text()
        text = text.replace("begin routers\n", f"""begin routers
gone:
  driver = redirect
  local_parts = ^gone
  allow_fail
  data = :fail: 550 5.1.1 no such user here
bounces:
  driver = manualroute
  domains = {DOMAIN}
  route_data = 127.0.0.1
  transport = to_estafette
  self = send
""").replace("begin transports\n", f"""begin transports
to_estafette:
  driver = smtp
  protocol = lmtp
  port = {port}
  allow_localhost
  hosts_try_auth =
  hosts_avoid_tls = *
""")
        file.write_text(text)
    server.configure = with_transport
    with server:
        config["relay"] = route_to(server, return_path=f"verp {DOMAIN}")
        config["bounces"] = {"lmtp": f"127.0.0.1:{port}"}
        daemon = start(config)
        id = daemon.enqueue(address("gone"))
        line = daemon.recipient(id, state="failed", seconds=60)
        assert line["reason"] == "unknown_user", line


@pytest.fixture
def listening(config, relay, route_to, start, folder):
    config["relay"] = route_to(relay, return_path=f"verp {DOMAIN}")
    config["bounces"] = {"lmtp": str(folder / "lmtp.sock"), "lmtp_mode": "0600"}
    daemon = start(config)
    daemon.lmtp = folder / "lmtp.sock"
    return daemon


def test_each_recipient_has_its_own_answer(listening, relay, address):
    first, second = address(), address()
    ids = [listening.enqueue(to) for to in (first, second)]
    senders = []
    for id, to in zip(ids, (first, second)):
        listening.recipient(id, state="relayed")
        senders.append(relay.wait_for(to)[0].sender)
    mail = ("Subject: x\r\nContent-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n--b\r\n"
            "Content-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.x.example\r\n\r\n"
            "Final-Recipient: rfc822; a@x.example\r\nAction: failed\r\nStatus: 5.2.2\r\n"
            "Diagnostic-Code: smtp; 552 5.2.2 mailbox full\r\n\r\n--b--\r\n")
    with smtplib.LMTP(str(listening.lmtp)) as client:
        client.ehlo()
        client.mail("")
        for sender in senders:
            assert client.rcpt(sender)[0] == 250
        assert client.docmd("DATA")[0] == 354
        client.send(mail.encode() + b".\r\n")
        assert [client.getreply() for _ in senders] == [(250, b"2.0.0 failed")] * 2
    for id in ids:
        assert listening.recipient(id, state="failed")["reason"] == "mailbox_full"
    assert listening.get("/v1/suppressions").json["suppressions"] == []


def test_a_client_that_talks_nonsense_is_told_so_and_the_next_is_served(listening):
    with socket.socket(socket.AF_UNIX) as rude:
        rude.connect(str(listening.lmtp))
        rude.settimeout(20)
        rude.sendall(b"GET / HTTP/1.1\r\n" * 50)
        said = b""
        while chunk := rude.recv(4096):
            said += chunk
    assert said.startswith(b"220 ") and b"421 " in said
    with smtplib.LMTP(str(listening.lmtp)) as client:
        assert client.noop()[0] == 250


def test_what_cannot_be_listened_on_is_said(config, folder, daemons):
    config["bounces"] = {"lmtp": "192.0.2.1:24"}
    daemon = Daemon(folder / "d", config)
    done = daemon.run()
    assert done.returncode == 78 and "bounces.lmtp" in done.stderr
