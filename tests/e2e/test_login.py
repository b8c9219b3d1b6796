"""How a route logs in, against real servers: each mechanism of Postfix (by Cyrus SASL), a certificate at Exim."""

import re

import pytest

from conftest import PASSWORD, USER
from peers import Exim, Postfix, wait_until

MECHANISMS = ["SCRAM-SHA-256", "CRAM-MD5", "PLAIN", "LOGIN"]
CLIENT = "badges.vendor.example"


@pytest.fixture(scope="module")
def open_minded(session_folder, authority):
    """A Postfix that takes every mechanism for passwords."""
    with Postfix(session_folder / "open-minded", authority, hostname="open.vendor.example", users={USER: PASSWORD},
                 mechanisms=" ".join(MECHANISMS)) as server:
        yield server


@pytest.fixture(scope="module")
def by_certificate(session_folder, authority):
    """An Exim that asks for certificates and knows one."""
    with Exim(session_folder / "by-certificate", authority, hostname="certain.globex.example", users={}, certificate_of=CLIENT) as server:
        yield server


# Servers that a test starts late must be up before the check for processes looks for the first time.
@pytest.fixture(autouse=True, scope="module")
def servers_first(open_minded, by_certificate):
    return None


@pytest.mark.parametrize("mechanism", MECHANISMS)
def test_a_mechanism_that_is_named_is_the_one_that_is_used(mechanism, open_minded, config, route_to, start, address):
    config["relay"] = route_to(open_minded, auth={"mechanisms": [mechanism]})
    daemon = start(config)
    to = address()
    daemon.recipient(daemon.enqueue(to), state="relayed")
    open_minded.wait_for(to)
    assert wait_until(lambda: re.findall(r"sasl_method=(\S+?),", open_minded.log()), 10)[-1] == mechanism


def test_where_none_is_named_it_is_the_strongest(open_minded, config, route_to, start, address):
    config["relay"] = route_to(open_minded)
    daemon = start(config)
    daemon.recipient(daemon.enqueue(address()), state="relayed")
    assert re.findall(r"sasl_method=(\S+?),", open_minded.log())[-1] == "SCRAM-SHA-256"


def test_a_wrong_password_is_offered_once_and_in_no_weaker_form(open_minded, config, route_to, start, address):
    before = len(re.findall(r"SASL \S+ authentication failed", open_minded.log()))
    config["relay"] = route_to(open_minded, password="wrong", pause="1h")
    daemon = start(config)
    line = daemon.recipient(daemon.enqueue(address()), state="held")
    assert line["reason"] == "auth_failed"
    failed = re.findall(r"SASL (\S+) authentication failed", open_minded.log())[before:]
    assert failed == ["SCRAM-SHA-256"]


def test_a_certificate_is_enough_where_the_server_knows_it(by_certificate, authority, config, route_to, start, address):
    mine = authority.issue(CLIENT)
    tls = {"client_certificate": str(mine.certificate), "client_key": str(mine.key)}
    config["relay"] = route_to(by_certificate, tls=tls, auth={"mechanisms": ["EXTERNAL"]})
    daemon = start(config)
    to = address()
    daemon.recipient(daemon.enqueue(to), state="relayed")
    assert len(by_certificate.wait_for(to)) == 1


def test_another_certificate_is_not(by_certificate, authority, config, route_to, start, address):
    other = authority.issue("somebody.else.example")
    tls = {"client_certificate": str(other.certificate), "client_key": str(other.key)}
    config["relay"] = route_to(by_certificate, tls=tls, auth={"mechanisms": ["EXTERNAL"]})
    daemon = start(config)
    line = daemon.recipient(daemon.enqueue(address()), state="held")
    assert line["reason"] == "auth_failed"


def test_tls_sessions_are_resumed_and_counted(relay, config, route_to, start, address):
    config["relay"] = route_to(relay, connections=1, messages_per_connection=1)
    daemon = start(config)
    for _ in range(4):
        daemon.recipient(daemon.enqueue(address()), state="relayed")

    def resumed():
        return int(re.search(r"^estafette_tls_sessions_resumed_total (\d+)", daemon.get("/metrics").body, re.M)[1])
    wait_until(lambda: resumed() >= 2, 10, what=resumed)
