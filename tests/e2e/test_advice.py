"""What an administrator asks: what is the matter with this address, what must their IT let through, does
mail get through at all."""

import json

import pytest

from peers import wait_until


@pytest.fixture
def to_sink(config, route_to, start, sink):
    """A daemon whose relay is the sink."""
    def make(**route):
        config["relay"] = route_to(sink, **route)
        return start(config)
    return make


def test_others_of_the_domain_make_the_diagnosis_of_a_wrong_address_certain(daemon, address):
    wrong, right = address("unknown"), address()
    daemon.recipient(daemon.enqueue(right), state="relayed")
    daemon.recipient(daemon.enqueue(wrong), state="failed")
    said = daemon.estafette("explain", wrong, "--lang", "en").stdout
    assert "Very likely" in said and "The address is wrong" in said and "were accepted in the past 24 hours" in said or "was accepted in the past 24 hours" in said
    found = json.loads(daemon.estafette("explain", wrong, "--json").stdout.splitlines()[0])
    assert (found["finding"], found["likelihood"]) == ("wrong_address", "certain")


def test_accepted_mail_is_never_called_arrived(daemon, address):
    to = address()
    daemon.recipient(daemon.enqueue(to), state="relayed")
    assert "junk mail" in daemon.estafette("explain", to, "--lang", "en").stdout


def test_a_route_that_a_person_paused_is_no_fault_of_the_server(daemon, address):
    to = address()
    daemon.estafette("route", "pause", "relay", "--reason", "maintenance")
    daemon.enqueue(to)
    said = daemon.estafette("explain", to, "--lang", "fr").stdout
    assert "Le message est retenu ici" in said and "maintenance" in said and "ne fonctionne pas" not in said


def words(daemon, *args):
    """In one line, whatever the terminal's width."""
    return " ".join(daemon.estafette("explain", *args).stdout.split())


def finding(daemon, to):
    return daemon.get("/v1/diagnosis", address=to).json["finding"]


@pytest.mark.parametrize("answer, state, expected", [
    ("550 5.1.1 no such user here", "failed", "wrong_address"),
    ("552 5.2.2 mailbox full", "failed", "full_mailbox"),
    ("550 5.7.1 our policy does not allow your server", "failed", "blocks_us"),
    ("451 4.3.0 the system of the recipient is down, try again later", "deferred", "their_server_down"),
    (None, "relayed", "handed_over"),
])
def test_each_likely_cause_is_found(to_sink, sink, address, answer, state, expected):
    daemon, to = to_sink(), address()
    if answer:
        sink.answer(to, answer)
    daemon.recipient(daemon.enqueue(to), state=state)
    assert finding(daemon, to) == expected
    assert ("estafette allowlist" in words(daemon, to, "--lang", "nl")) == (expected == "blocks_us")


def test_a_route_that_does_not_work_is_the_diagnosis_of_its_mail(to_sink, sink, address):
    daemon, to = to_sink(password="wrong"), address()
    daemon.enqueue(to)
    wait_until(lambda: finding(daemon, to) == "route_down")
    said = words(daemon, to, "--lang", "fr")
    assert "par lequel nous envoyons ne fonctionne pas" in said and "Nos messages ne peuvent pas partir" in said


def test_the_readers_of_a_tenant_are_told_their_time_where_bounces_go_and_what_their_it_must_know(
        config, to_sink, sink, address):
    config["tenants"]["default"]["time_zone"] = "Asia/Tokyo"
    daemon, to, blocked = to_sink(return_path="sender", sends_from=["192.0.2.10"]), address(), address()
    daemon.recipient(daemon.enqueue(to), state="relayed")
    said = words(daemon, to, "--lang", "nl")
    assert "gaat de melding daarover naar badges@vendor.example." in said and "estafette bounce BESTAND" in said
    assert "(Asia/Tokyo)" in said
    sink.answer(blocked, "550 5.7.1 our policy does not allow your server")
    daemon.recipient(daemon.enqueue(blocked), state="failed")
    letter = daemon.estafette("explain", blocked, "--lang", "en").stdout
    for line in ("Sender: badges@vendor.example", "Domain of the sender: vendor.example", f"Recipient: {blocked}",
                 "Mail server we send through: 127.0.0.1", "IP addresses we send from: 192.0.2.10", "(Asia/Tokyo)",
                 "Code of the answer: 550", "our policy does not allow your server"):
        assert line in letter, letter


def test_a_test_mail_is_followed_to_its_end(config, start, relay, route_to, address):
    config["relay"] = route_to(relay)
    config["tenants"]["acme"] = {"senders": ["badges@vendor.example"]}
    daemon = start(config)
    to, unknown = address("it"), address("unknown")
    done = daemon.estafette("test-mail", "--tenant", "acme", "--to", to, "--lang", "nl")
    assert "Verzonden" in done.stdout and relay.wait_for(to)[0].sender == "badges@vendor.example"
    assert "Testbericht" in relay.wait_for(to)[0].subject
    done = daemon.estafette("test-mail", "--tenant", "acme", "--to", unknown, check=False)
    assert done.returncode == 69 and "550 5.1.1" in done.stdout
    done = daemon.estafette("test-mail", "--to", to, check=False)
    assert done.returncode == 64 and "tenants.default.senders" in done.stderr


def test_the_page_for_a_customers_it_says_what_the_configuration_knows(config, start, relay, route_to):
    config["relay"] = route_to(relay, sends_from=["192.0.2.10"], dkim_domain="vendor.example")
    config["tenants"]["acme"] = {"senders": ["badges@vendor.example"], "contact": "support@vendor.example"}
    daemon = start(config)
    done = daemon.estafette("allowlist", "--tenant", "acme", "--lang", "fr")
    assert all(word in done.stdout for word in ("192.0.2.10", "badges@vendor.example", "DKIM", "support@vendor.example"))
    assert done.stderr == ""
    assert "tenants.default.senders" in daemon.estafette("allowlist").stderr
    assert daemon.estafette("allowlist", "--tenant", "nobody", check=False).returncode == 67
