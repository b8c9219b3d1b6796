"""Many messages at once: pipelined across messages to real servers, and fair among tenants."""

import collections
import os

import pytest

from peers import wait_until

MANY = 2000
# ESTAFETTE_LONG=1: as many as the promise says, of which at most so many go before the urgent ones.
BULK, BEFORE = (100_000, 1000) if os.environ.get("ESTAFETTE_LONG") else (5000, 50)


def batch(daemon, addresses, **fields):
    for start in range(0, len(addresses), 1000):
        answer = daemon.post_batch([
            {"from": "badges@vendor.example", "to": [to], "subject": "n", "text": "x", **fields}
            for to in addresses[start:start + 1000]])
        assert all(line["status"] == 202 for line in answer.lines)


@pytest.mark.parametrize("peer", ["relay", "customer", "initech"])
def test_two_thousand_messages_across_messages_none_lost_none_doubled(peer, request, config, route_to, start, address):
    server = request.getfixturevalue(peer)
    config["relay"] = route_to(server, connections=4)
    config["log"]["level"] = "info"
    daemon = start(config)
    addresses = [address("many") for _ in range(MANY)]
    batch(daemon, addresses)
    wait_until(lambda: daemon.states().get("relayed") == MANY, 180, every=0.1, what=daemon.states)
    wanted = set(addresses)

    def delivered():
        seen = collections.Counter(mail.recipient for mail in server.mails())
        return {to: count for to, count in seen.items() if to in wanted}

    wait_until(lambda: len(delivered()) == MANY, 180, every=0.5, what=lambda: len(delivered()))
    assert set(delivered().values()) == {1}
    routes = daemon.get("/v1/queue").json["routes"]
    assert [route["fallbacks"] for route in routes] == [[]], "the server keeps step"


@pytest.mark.parametrize("peer", ["relay", "customer", "initech"])
def test_two_thousand_messages_four_under_way_on_each_connection(peer, request, config, route_to, start, address):
    """By BDAT where the server offers it (OpenSMTPD does not), else as without the option."""
    server = request.getfixturevalue(peer)
    config["relay"] = route_to(server, connections=4, chunking=True, window=4)
    config["log"]["level"] = "info"
    daemon = start(config)
    addresses = [address("window") for _ in range(MANY)]
    batch(daemon, addresses)
    wait_until(lambda: daemon.states().get("relayed") == MANY, 180, every=0.1, what=daemon.states)
    wanted = set(addresses)

    def delivered():
        return collections.Counter(mail.recipient for mail in server.mails() if mail.recipient in wanted)

    wait_until(lambda: len(delivered()) == MANY, 180, every=0.5, what=lambda: len(delivered()))
    assert set(delivered().values()) == {1}
    assert [route["fallbacks"] for route in daemon.get("/v1/queue").json["routes"]] == [[]], "the server keeps step"


def test_ten_urgent_mails_do_not_wait_for_thousands_in_bulk(sink, config, route_to, start, address):
    config["relay"] = route_to(sink, connections=4)
    config["log"]["level"] = "info"
    config["tenants"].update({"large": {}, "small": {}})
    daemon = start(config)
    daemon.request("POST", "/v1/routes/relay/pause", b'{"reason":"until all is queued"}')
    batch(daemon, [address("bulk") for _ in range(BULK)], tenant="large", priority="bulk")
    batch(daemon, [address("urgent") for _ in range(10)], tenant="small")
    daemon.request("POST", "/v1/routes/relay/resume", b"{}")
    wait_until(lambda: sum(m.recipient.startswith("urgent") for m in list(sink.mails)) == 10, 60)
    arrived = [mail.recipient for mail in list(sink.mails)]
    last_urgent = max(place for place, to in enumerate(arrived) if to.startswith("urgent"))
    assert sum(to.startswith("bulk") for to in arrived[:last_urgent]) < BEFORE


def test_a_tenant_s_thousand_mails_do_not_hold_up_another_s_ten_of_the_same_class(sink, config, route_to, start,
                                                                                  address):
    config["relay"] = route_to(sink, connections=4)
    config["log"]["level"] = "info"
    config["tenants"].update({"large": {}, "small": {}})
    daemon = start(config)
    daemon.request("POST", "/v1/routes/relay/pause", b'{"reason":"until all is queued"}')
    batch(daemon, [address("many") for _ in range(1000)], tenant="large")
    batch(daemon, [address("few") for _ in range(10)], tenant="small")
    daemon.request("POST", "/v1/routes/relay/resume", b"{}")
    wait_until(lambda: sum(m.recipient.startswith("few") for m in list(sink.mails)) == 10, 60)
    arrived = [mail.recipient for mail in list(sink.mails)]
    last = max(place for place, to in enumerate(arrived) if to.startswith("few"))
    assert sum(to.startswith("many") for to in arrived[:last]) < 100


def test_a_domain_s_limit_and_a_tenant_s_hold_back_their_own_mail_and_say_until_when(sink, config, route_to, start,
                                                                                     address):
    config["relay"] = {**route_to(sink, connections=2), "domain_rates": {"slow.example": ["3/h"]}}
    config["log"]["level"] = "info"
    config["tenants"].update({"small": {"rates": ["2/h"]}})
    daemon = start(config)
    batch(daemon, [f"n{number}@slow.example" for number in range(8)])
    batch(daemon, [address("small") for _ in range(5)], tenant="small")
    batch(daemon, [address("free") for _ in range(20)])
    wait_until(lambda: len(sink.mails) == 25, 30, what=lambda: len(sink.mails))
    arrived = collections.Counter(mail.recipient.split("@")[1] == "slow.example" for mail in sink.mails)
    assert arrived[True] == 3
    waiting = wait_until(lambda: (found := daemon.recipients(state="queued", limit=50)) and len(found) == 8 and found, 10)
    assert {line["reason"] for line in waiting} == {"rate_limited"}
    assert all(line["next_attempt_at"] and line["attempts"] == 0 for line in waiting)
