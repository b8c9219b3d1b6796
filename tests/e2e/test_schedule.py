"""Keys, groups and what is sent later, against a real daemon."""

import concurrent.futures
import json
import time

from peers.processes import wait_until

LATER = "2099-01-01T00:00:00Z"


def line_of(text):
    return json.loads(text.splitlines()[0])


def test_mail_with_the_same_key_replaces_what_waits(daemon, address, relay):
    to = address()
    first = daemon.enqueue(to, key="reminder-1", send_at=LATER)
    second = daemon.enqueue(to, key="reminder-1", subject="The new one")
    daemon.recipient(second, state="relayed")
    assert daemon.recipient(first)["state"] == "cancelled"
    assert daemon.recipient(first)["note"] == f"key: replaced by {second}"
    kept = daemon.enqueue(to, key="reminder-2", send_at=LATER)
    body = {"from": "a@vendor.example", "to": [to], "text": "t", "key": "reminder-2"}
    answer = daemon.post({**body, "on_key": "keep"})
    assert (answer.status, answer.json["id"]) == (200, kept)
    answer = daemon.post({**body, "on_key": "reject"})
    assert (answer.status, answer.json["code"]) == (409, "key_in_use")
    assert daemon.recipient(kept)["state"] == "scheduled"


def test_a_repeated_request_is_answered_with_what_was_kept_though_it_has_left(daemon, address, relay):
    to = address()
    kept = daemon.enqueue(to, key="reminder-3", send_at=LATER)
    body = {"from": "a@vendor.example", "to": [to], "text": "t", "key": "reminder-3", "on_key": "keep"}
    sequence = json.dumps({"group": "g-3", "anchor": "2035-05-01", "at": "09:00",
                           "message": {"from": "a@vendor.example", "to": [to], "subject": "s", "text": "t"},
                           "steps": [{"offset": "+1d", "key": "reminder-3", "on_key": "keep"}]})

    def ask():
        one = daemon.post(body, {"Idempotency-Key": "r-3"})
        steps = daemon.request("POST", "/v1/sequences", sequence.encode(),
                               {"Content-Type": "application/json", "Idempotency-Key": "s-3"})
        return one.status, one.json["id"], steps.status, steps.json
    first = ask()
    assert first[:3] == (200, kept, 202) and first[3]["steps"][0]["status"] == "kept"
    daemon.estafette("requeue", kept, "--why", "now", "--state", "scheduled")
    daemon.recipient(kept, state="relayed")
    daemon.kill()
    daemon.start()
    assert ask() == first
    assert len(daemon.recipients(address=to)) == 1 and len(relay.wait_for(to)) == 1


def test_keys_and_groups_outlive_a_kill(daemon, address):
    ids = [daemon.enqueue(address(), group="onboarding-7", key=f"step-{n}", send_at=LATER) for n in range(3)]
    other = daemon.enqueue(address(), group="onboarding-8", send_at=LATER)
    daemon.kill()
    daemon.start()
    said = line_of(daemon.estafette("cancel", "--key", "step-1", "--json").stdout)
    assert (said["messages"], said["cancelled"], said["in_hand"]) == (1, 1, 0)
    said = line_of(daemon.estafette("cancel", "--group", "onboarding-7", "--reason", "acted", "--json").stdout)
    assert said["messages"] == 2
    assert [daemon.recipient(id)["state"] for id in ids] == ["cancelled"] * 3
    assert "acted" in daemon.recipient(ids[0])["note"]
    assert daemon.recipient(other)["state"] == "scheduled"
    assert "0 recipients of 0 messages" in daemon.estafette("cancel", "--group", "onboarding-7").stdout


def test_a_hundred_equal_requests_at_once_make_one_message(daemon, address):
    to = address()
    body = {"from": "a@vendor.example", "to": [to], "subject": "once", "text": "t", "send_at": LATER}

    def ask(_):
        answer = daemon.post(body, {"Idempotency-Key": "the-same"})
        while answer.status == 409:  # the first one is still running
            assert answer.headers["Retry-After"]
            time.sleep(0.05)
            answer = daemon.post(body, {"Idempotency-Key": "the-same"})
        return answer

    with concurrent.futures.ThreadPoolExecutor(100) as callers:
        answers = list(callers.map(ask, range(100)))
    assert {answer.status for answer in answers} == {202}
    assert len({answer.body for answer in answers}) == 1
    assert len(daemon.recipients(address=to)) == 1
    daemon.kill()
    daemon.start()
    assert ask(0).body == answers[0].body
    answer = daemon.post({**body, "text": "another"}, {"Idempotency-Key": "the-same"})
    assert answer.status == 422


def test_a_sequence_is_accepted_replaced_and_cancelled_together(daemon, address):
    to = address()
    body = {"group": "onboarding-1", "anchor": "2035-05-01", "time_zone": "Europe/Paris", "at": "09:00",
            "message": {"from": "a@vendor.example", "to": [to], "subject": "Your badge", "text": "It waits."},
            "steps": [{"offset": "+7d"}, {"offset": "P45D", "subject": "It still waits"}, {"offset": "-36500d"}]}
    said = line_of(daemon.estafette("sequence", "-", "--json", input=json.dumps(body)).stdout)
    assert [step["status"] for step in said["steps"]] == ["accepted", "accepted", "skipped"]
    assert said["steps"][0]["send_at"] == "2035-05-08T07:00:00.000Z"
    first = said["steps"][0]["id"]
    assert daemon.message(first)["due_at"] == "2035-05-08T07:00:00.000Z"
    daemon.kill()
    daemon.start()
    said = line_of(daemon.estafette("sequence", "-", "--anchor", "2035-06-01", "--json", input=json.dumps(body)).stdout)
    assert daemon.recipient(first)["note"] == "group: replaced by a new sequence"
    assert daemon.recipient(said["steps"][0]["id"])["state"] == "scheduled"
    gone = line_of(daemon.estafette("cancel", "--group", "onboarding-1", "--json").stdout)
    assert gone["messages"] == 2
    assert {line["state"] for line in daemon.recipients(address=to)} == {"cancelled"}


def test_a_category_that_is_off_stays_off_over_a_restart(daemon, address):
    daemon.estafette("category", "off", "surveys", "--reason", "too many")
    id = daemon.enqueue(address(), category="surveys")
    assert daemon.recipient(id)["note"] == "category surveys: switched off"
    daemon.kill()
    daemon.start()
    listed = line_of(daemon.estafette("category", "list", "--json").stdout)
    assert (listed["category"], listed["reason"]) == ("surveys", "too many")
    assert daemon.recipient(daemon.enqueue(address(), category="surveys"))["state"] == "cancelled"
    daemon.estafette("category", "on", "surveys")
    daemon.recipient(daemon.enqueue(address(), category="surveys"), state="relayed")


def test_bulk_mail_waits_for_the_sending_hours_and_leaves_when_they_change(config, relay, route_to, start, address):
    config["relay"] = route_to(relay)
    days = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
    far = days[(time.gmtime().tm_wday + 3) % 7]
    config["tenants"]["default"]["send_window"] = {"days": [far], "hours": "08:00-09:00"}
    daemon = start(config)
    waits = daemon.enqueue(address(), priority="bulk")
    daemon.recipient(daemon.enqueue(address()), state="relayed")
    line = daemon.recipient(waits)
    assert line["state"] == "queued"
    assert line["note"] == f"waits for the sending hours: {far} 08:00-09:00 UTC"
    assert line["next_attempt_at"][11:] == "08:00:00.000Z"
    del daemon.config["tenants"]["default"]["send_window"]
    daemon.write_config()
    daemon.reload()
    daemon.recipient(waits, state="relayed")


def test_an_erased_address_is_in_no_file_of_the_store(daemon, address):
    to, other = address("forgotten"), address()
    gone = address("unknown")
    daemon.recipient(daemon.enqueue(gone), state="failed")
    wait_until(lambda: daemon.get("/v1/suppressions", address=gone).json["suppressions"])
    sent = daemon.enqueue([to, other], subject=f"For {to}")
    daemon.recipient(sent, state="relayed")
    waits = daemon.enqueue(to, send_at=LATER)
    assert "would erase 2" in daemon.estafette("erase", to).stdout
    assert daemon.recipient(waits)["state"] == "scheduled"
    said = line_of(daemon.estafette("erase", to, "--yes", "--reason", "asked", "--json").stdout)
    assert (said["recipients"], said["cancelled"]) == (2, 1)
    assert daemon.recipients(address=to) == []
    assert daemon.recipient(waits)["state"] == "cancelled"
    assert daemon.recipient(sent)["address"] == said["pseudonym"]
    assert daemon.recipient(sent, index=1)["address"] == other

    said_of_gone = line_of(daemon.estafette("erase", gone, "--yes", "--reason", "asked", "--json").stdout)
    assert (said_of_gone["suppressions_removed"], said_of_gone["suppressions_kept"]) == (1, 0)

    def traces():
        names = to.encode(), gone.encode()
        return [path.name for path in daemon.store.rglob("*") if path.is_file()
                and any(name in path.read_bytes() for name in names)]
    wait_until(lambda: not traces(), 30, what=lambda: f"traces in {traces()}")
    daemon.kill()
    daemon.start()
    assert daemon.recipient(sent)["address"] == said["pseudonym"]
    daemon.recipient(daemon.enqueue(other), state="relayed")
