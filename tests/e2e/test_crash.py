"""Death at any moment: what was acknowledged is never lost, and hardly anything is sent twice."""

import collections
import signal

import pytest

from peers import wait_until

CONNECTIONS = 4


@pytest.fixture
def to_sink(config, route_to, start, sink):
    """A daemon whose relay is the sink, which thinks for DELAY seconds about each mail."""
    def make(delay):
        sink.delay = delay
        config["relay"] = route_to(sink, connections=CONNECTIONS)
        return start(config)
    return make


def batch(daemon, addresses):
    answer = daemon.post_batch([{"from": "badges@vendor.example", "to": [to], "subject": "n", "text": "x"}
                                for to in addresses])
    assert [line["status"] for line in answer.lines] == [202] * len(addresses)


def arrivals(sink):
    return collections.Counter(mail.recipient for mail in list(sink.mails))


def test_killed_three_times_in_200_messages_none_is_lost(to_sink, sink, address):
    daemon = to_sink(delay=0.02)
    addresses = [address("k") for _ in range(200)]
    batch(daemon, addresses)
    kills = 0
    for count in (20, 80, 140):
        wait_until(lambda: len(sink.mails) >= count, 30, every=0.002, what=lambda: len(sink.mails))
        daemon.kill()
        kills += 1
        assert len(sink.mails) < 200, "it was killed in the middle"
        daemon.start()
    wait_until(lambda: daemon.states().get("relayed") == 200, 60, what=daemon.states)
    seen = arrivals(sink)
    assert set(seen) == set(addresses)
    assert sum(seen.values()) - 200 <= kills * CONNECTIONS
    lines = daemon.recipients(state="relayed", limit=500)
    assert len(lines) == 200


def test_killed_before_the_answer_to_the_dot_the_mail_is_listed_as_uncertain(to_sink, sink, address):
    daemon = to_sink(delay=30)
    id = daemon.enqueue(address("doubt"))
    wait_until(lambda: any("DATA" in session.commands for session in sink.sessions), 20)
    daemon.kill()
    sink.delay = 0
    daemon.start()
    assert [line["message"] for line in daemon.recipients(uncertain="true")] == [id]
    daemon.recipient(id, state="relayed", seconds=40)
    assert [line["message"] for line in daemon.recipients(uncertain="true")] == [id]


def test_killed_right_after_the_202_the_message_is_there(to_sink, sink, address):
    daemon = to_sink(delay=0.0)
    for _ in range(5):
        to = address("safe")
        id = daemon.enqueue(to)
        daemon.kill()
        daemon.start()
        daemon.recipient(id, state="relayed")
        assert arrivals(sink)[to] in (1, 2)


def test_killed_while_real_postfix_takes_200(config, relay, route_to, start, address):
    config["relay"] = route_to(relay, connections=CONNECTIONS)
    daemon = start(config)
    before = relay.count()
    addresses = [address("p") for _ in range(200)]
    batch(daemon, addresses)
    wait_until(lambda: relay.count() - before >= 20, 30, every=0.002)
    daemon.kill()
    daemon.start()
    wait_until(lambda: daemon.states().get("relayed") == 200, 60, what=daemon.states)
    wait_until(lambda: relay.count() - before >= 200, 20)
    seen = collections.Counter(mail.recipient for mail in relay.mails()[before:])
    assert set(seen) == set(addresses)
    assert sum(seen.values()) - 200 <= CONNECTIONS


def test_killed_with_four_under_way_on_each_connection_at_most_four_of_each_go_twice_and_all_are_listed(
        config, relay, route_to, start, address):
    window = 4
    config["relay"] = route_to(relay, connections=CONNECTIONS, chunking=True, window=window)
    daemon = start(config)
    before = relay.count()
    addresses = [address("w") for _ in range(400)]
    batch(daemon, addresses)
    kills = 0
    for count in (20, 120, 240):
        wait_until(lambda: relay.count() - before >= count, 30, every=0.001)
        daemon.kill()
        kills += 1
        daemon.start()
    wait_until(lambda: daemon.states().get("relayed") == 400, 60, what=daemon.states)
    wait_until(lambda: relay.count() - before >= 400, 20)
    seen = collections.Counter(mail.recipient for mail in relay.mails()[before:])
    assert set(seen) == set(addresses)
    assert sum(seen.values()) - 400 <= kills * CONNECTIONS * window
    listed = {line["address"] for line in daemon.recipients(uncertain="true", limit=500)}
    assert {to for to, times in seen.items() if times > 1} <= listed
    assert len(listed) <= kills * CONNECTIONS * window


def test_sigterm_finishes_what_is_under_way_and_sends_nothing_twice(to_sink, sink, address):
    daemon = to_sink(delay=0.4)
    addresses = [address("t") for _ in range(30)]
    batch(daemon, addresses)
    wait_until(lambda: len(sink.mails) >= 4, 20, every=0.002)
    assert daemon.terminate() == 0
    assert "STOPPING=1" in daemon.notifications.lines
    sent = len(sink.mails)
    assert sent < 30
    sink.delay = 0.0
    daemon.start()
    wait_until(lambda: daemon.states().get("relayed") == 30, 30, what=daemon.states)
    seen = arrivals(sink)
    assert set(seen) == set(addresses) and max(seen.values()) == 1


def test_a_server_that_dies_after_the_dot_leaves_no_doubt_unsaid(to_sink, sink, address):
    daemon = to_sink(delay=30)
    id = daemon.enqueue(address("doubt"))
    wait_until(lambda: any("DATA" in session.commands for session in sink.sessions), 10)
    sink.stop()
    line = wait_until(lambda: (seen := daemon.recipient(id))["last_attempt"] and seen, 20)
    assert line["last_attempt"]["disposition"] == "uncertain"
    assert [one["id"] for one in daemon.recipients(uncertain="true")] == [line["id"]]
    sink.delay = 0
    sink.start()
    daemon.recipient(id, state="relayed", seconds=40)


def test_a_second_daemon_on_the_same_store_is_refused(to_sink, start, config, address):
    first = to_sink(delay=0.0)
    second = dict(config)
    second["store"] = {"path": str(first.store)}
    refused = start(second, ready=False)
    assert refused.process.wait(20) in (73, 74, 75, 78)
    lines = [line for line in refused.log().splitlines() if line.strip()]
    assert len(lines) == 1 and str(first.store) in lines[0]
    first.recipient(first.enqueue(address()), state="relayed")


def test_the_timeline_outlives_the_delivery_and_a_restart(to_sink, address):
    daemon = to_sink(delay=0.0)
    id = daemon.enqueue(address())
    daemon.recipient(id, state="relayed")
    before = daemon.message(id)
    assert daemon.terminate() == 0
    daemon.start()
    assert daemon.message(id) == before


def test_a_daemon_that_is_stopped_and_continued_goes_on(to_sink, sink, address):
    daemon = to_sink(delay=0.01)
    batch(daemon, [address("s") for _ in range(50)])
    daemon.process.send_signal(signal.SIGSTOP)
    daemon.process.send_signal(signal.SIGCONT)
    wait_until(lambda: daemon.states().get("relayed") == 50, 30, what=daemon.states)
    assert max(arrivals(sink).values()) == 1
