"""Whose server carries whose mail; what happens where a server cannot be trusted or does not let us in."""

import pytest

from peers import Authority, wait_until
from sink import Sink


def holds(daemon, id, reason=None):
    line = daemon.recipient(id, state="held")
    assert line["shown"] == "Pending"
    assert line["scope"] == "route"
    if reason:
        assert line["reason"] == reason, line
    return line


@pytest.fixture
def own(config, relay, route_to, start):
    """A daemon where the tenant globex has a server of its own."""
    def make(server_route, **tenant):
        config["relay"] = route_to(relay)
        config["tenants"]["globex"] = {"route": "own", "server": server_route, **tenant}
        config["roles"] = [{"user": "root", "role": "admin", "tenants": "*"}]
        return start(config)
    return make


def test_a_tenants_mail_leaves_through_its_own_server_only(own, customer, relay, route_to, address):
    daemon = own(route_to(customer))
    theirs, ours = address("theirs"), address("ours")
    id = daemon.enqueue(theirs, tenant="globex")
    daemon.recipient(daemon.enqueue(ours), state="relayed")
    line = daemon.recipient(id, state="relayed")
    assert line["tenant"] == "globex"
    assert line["last_attempt"]["server"] == f"127.0.0.1:{customer.port}"
    assert len(customer.wait_for(theirs)) == 1 and relay.mailbox(theirs) == []
    assert len(relay.wait_for(ours)) == 1 and customer.mailbox(ours) == []


def test_opensmtpd_takes_mail_over_starttls_and_tls(own, initech, route_to, address):
    for number, (port, mode) in enumerate([(initech.port, "starttls"), (initech.tls_port, "implicit")]):
        daemon = own(route_to(initech, servers=[f"127.0.0.1:{port}"], tls={"mode": mode}))
        to = address()
        daemon.recipient(daemon.enqueue(to, tenant="globex"), state="relayed")
        assert len(initech.wait_for(to)) == 1
        assert daemon.terminate() == 0, number


def test_a_refused_password_holds_the_mail_and_nothing_goes_elsewhere(own, customer, relay, route_to, address):
    daemon = own(route_to(customer, password="wrong"))
    to = address()
    id = daemon.enqueue(to, tenant="globex")
    held = holds(daemon, id, "auth_failed")
    assert held["headline"]
    routes = {route["id"]: route for route in daemon.get("/v1/queue").json["routes"]}
    paused = [route for route in routes.values() if route["state"] == "paused"]
    assert len(paused) == 1 and paused[0]["reason"] == "auth_failed" and "535" in paused[0]["text"]
    daemon.recipient(daemon.enqueue(address("ours")), state="relayed")      # the relay is not touched by it
    assert daemon.states()["held"] == 1
    assert customer.mailbox(to) == [] and relay.mailbox(to) == []


def test_held_mail_leaves_when_the_password_is_right_again(config, own, customer, relay, route_to, address):
    route = route_to(customer, password="wrong")
    daemon = own(route)
    to = address()
    id = daemon.enqueue(to, tenant="globex")
    holds(daemon, id, "auth_failed")
    with open(route["auth"]["password_file"], "w") as file:
        file.write("correct horse\n")
    daemon.reload()
    daemon.recipient(id, state="relayed")
    assert len(customer.wait_for(to)) == 1 and relay.mailbox(to) == []


def test_a_tenant_that_wants_its_own_server_and_has_none_is_held(config, relay, route_to, start, address):
    config["relay"] = route_to(relay)
    config["tenants"]["globex"] = {"route": "own"}
    daemon = start(config)
    to = address()
    id = daemon.enqueue(to, tenant="globex")
    holds(daemon, id)
    assert relay.mailbox(to) == []


def test_without_any_relay_mail_is_taken_and_held(config, start, address):
    daemon = start(config)
    holds(daemon, daemon.enqueue(address()))


def test_a_certificate_of_a_foreign_authority_stops_the_mail(own, customer, relay, route_to, address, folder):
    stranger = Authority(folder / "stranger")
    daemon = own(route_to(customer, tls={"ca_file": str(stranger.ca_file)}))
    to = address()
    held = holds(daemon, daemon.enqueue(to, tenant="globex"), "tls_failed")
    assert held["attempts"] == 0
    assert customer.mailbox(to) == [] and relay.mailbox(to) == []


@pytest.mark.parametrize("case", ["another name", "expired"])
def test_a_certificate_that_does_not_fit_stops_the_mail(case, own, authority, route_to, address):
    certificate = authority.issue("other.example") if case == "another name" else authority.issue(
        "sink.example", days=-1)
    with Sink(certificate, users={"vendor": "correct horse"}) as sink:
        daemon = own(route_to(sink))
        holds(daemon, daemon.enqueue(address(), tenant="globex"), "tls_failed")
        # It was greeted, it never said a name or a password, and no mail was begun.
        assert all(session.user == "" and "MAIL" not in session.commands for session in sink.sessions)
        assert sink.mails == []


def test_a_server_without_starttls_never_sees_mail_in_the_clear(own, route_to, address, authority):
    with Sink() as sink:
        sink.ca_file = authority.ca_file
        daemon = own(route_to(sink))
        holds(daemon, daemon.enqueue(address(), tenant="globex"), "tls_failed")
        assert all("MAIL" not in session.commands for session in sink.sessions)


def test_a_server_that_is_away_holds_its_mail_until_it_is_back(own, authority, route_to, address):
    sink = Sink(authority.issue("sink.example"), users={"vendor": "correct horse"}).start()
    route = route_to(sink)
    sink.stop()
    daemon = own(route)
    id = daemon.enqueue(address(), tenant="globex")
    holds(daemon, id, "connection_failed")
    with sink.start():
        daemon.recipient(id, state="relayed")
        assert len(sink.mails) == 1


def test_the_next_server_is_taken_when_the_first_is_away(own, authority, route_to, address):
    gone = Sink(authority.issue("sink.example")).start()
    gone.stop()
    with Sink(authority.issue("sink.example"), users={"vendor": "correct horse"}) as sink:
        daemon = own(route_to(sink, servers=[
            {"host": "127.0.0.1", "port": gone.port, "priority": 10},
            {"host": "127.0.0.1", "port": sink.port, "priority": 20}]))
        daemon.recipient(daemon.enqueue(address(), tenant="globex"), state="relayed")


def test_private_addresses_are_not_dialled_unless_allowed(own, customer, route_to, address):
    daemon = own(route_to(customer, allow_private=False))
    to = address()
    id = daemon.enqueue(to, tenant="globex")
    holds(daemon, id, "other")
    assert customer.mailbox(to) == []
    explained = daemon.message(id, lang="en")["recipients"][0]["explanation"]
    assert "or none has been set up" in explained["happened"], explained
    assert "What we noticed: the address is private" in explained["forward"], explained


def test_one_paused_route_does_not_delay_another(own, relay, customer, route_to, address):
    daemon = own(route_to(customer, password="wrong"))
    for _ in range(20):
        daemon.enqueue(address(), tenant="globex")
    ids = [daemon.enqueue(address()) for _ in range(20)]
    for id in ids:
        daemon.recipient(id, state="relayed")
    wait_until(lambda: daemon.states()["held"] == 20, 10, what=daemon.states)


def test_answers_of_the_sink_become_states_and_reasons(own, authority, route_to, address):
    with Sink(authority.issue("sink.example"), users={"vendor": "correct horse"}) as sink:
        daemon = own(route_to(sink))
        table = [
            ("full", "552 5.2.2 mailbox full", "rcpt", {"failed", "deferred"}, "mailbox_full"),
            ("spam", "554 5.7.1 message rejected as spam", "dot", {"failed"}, "blocked_content"),
            ("busy", "451 4.3.2 system not accepting messages", "rcpt", {"deferred", "held"}, "server_busy"),
            ("nobody", "550 5.1.1 no such user", "dot", {"failed"}, "unknown_user"),
        ]
        for name, answer, to, states, reason in table:
            recipient = address(name)
            sink.answer(recipient, answer, to=to)
            id = daemon.enqueue(recipient, tenant="globex")
            line = wait_until(lambda: (seen := daemon.recipient(id))["state"] in states and seen, 20,
                              what=lambda: f"{name}: {daemon.recipient(id)}")
            assert line["reason"] == reason, (name, line)
            if line["last_attempt"]:
                assert line["last_attempt"]["text"] in (answer, answer[10:]) or answer[10:] in \
                    line["last_attempt"]["text"]


def test_what_no_rule_knows_is_listed_until_a_rule_is_written(own, authority, route_to, address):
    with Sink(authority.issue("sink.example"), users={"vendor": "correct horse"}) as sink:
        daemon = own(route_to(sink))

        def refused(name):
            recipient = address(name)
            sink.answer(recipient, "550 Zorglub 7", to="rcpt")
            return daemon.recipient(daemon.enqueue(recipient, tenant="globex"), state="failed")

        def listed():
            return [(r["count"], r["text"]) for r in daemon.get("/v1/rules/unmatched").json["replies"]]

        assert refused("one")["reason"] == "other"
        assert refused("two")["reason"] == "other"
        assert listed() == [(2, "550 Zorglub 7")]
        rules = daemon.folder / "rules" / "05-ours.yaml"
        rules.parent.mkdir()
        rules.write_text("rules:\n  - {id: ours/zorglub, text: zorglub, reason: nothing_known}\n")
        daemon.reload()
        wait_until(lambda: f"{rules}:2: " in daemon.log(), 10, what=daemon.log)
        assert refused("three")["reason"] == "other", "a bad rule changes nothing"
        rules.write_text("rules:\n  - {id: ours/zorglub, text: zorglub, reason: blocked_policy}\n")
        daemon.reload()
        wait_until(lambda: listed() == [], 10, what=listed)
        assert refused("four")["reason"] == "blocked_policy"
        assert daemon.get("/v1/rules/unmatched").json["total"] == 3


def test_each_connection_logs_in_and_is_used_again(own, authority, route_to, address):
    with Sink(authority.issue("sink.example"), users={"vendor": "correct horse"}) as sink:
        daemon = own(route_to(sink, connections=2))
        answer = daemon.post_batch([{"from": "a@vendor.example", "to": [address()], "text": "x",
                                     "tenant": "globex"} for _ in range(50)])
        assert all(line["status"] == 202 for line in answer.lines)
        wait_until(lambda: len(sink.mails) == 50, 20, what=lambda: len(sink.mails))
        assert 1 <= len(sink.sessions) <= 2
        assert all(session.user == "vendor" and session.tls for session in sink.sessions)
