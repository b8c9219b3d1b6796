"""What administrators do, and what the daemon holds by itself, with a real daemon."""

import json

import pytest

from peers import wait_until


@pytest.fixture
def house(sink, config, route_to, start):
    config["relay"] = route_to(sink, connections=4)
    config["log"]["level"] = "info"
    config["tenants"].update({"acme": {}, "globex": {}})
    config["roles"] = [{"user": "root", "role": "admin", "tenants": "*"}]
    return start(config)


def batch(daemon, addresses, **fields):
    for start in range(0, len(addresses), 1000):
        answer = daemon.post_batch([
            {"from": "badges@vendor.example", "to": [to], "subject": "n", "text": "x", **fields}
            for to in addresses[start:start + 1000]])
        assert all(line["status"] == 202 for line in answer.lines)


def test_a_refused_sender_holds_its_mail_alone_and_an_administrator_frees_it(house, sink, address):
    sink.answer("badges@vendor.example", "550 5.1.8 Sender address rejected: not one of ours", to="mail")
    ids = [house.enqueue(address("theirs"), tenant="acme") for _ in range(20)]
    line = house.recipient(ids[0], state="held")
    assert (line["reason"], line["scope"], line["shown"]) == ("sender_rejected", "sender", "Pending")
    assert line["held_by"]["kind"] == "sender" and line["held_by"]["sender"] == "badges@vendor.example"
    assert line["next_attempt_at"] == line["held_by"]["until"] and line["headline"]
    other = house.enqueue(address("other"), sender="news@vendor.example", tenant="acme")
    house.recipient(other, state="relayed")
    same = house.enqueue(address("same"), tenant="globex")          # held for itself: another tenant
    house.recipient(same, state="held")
    rows = [json.loads(row) for row in house.estafette("tenant", "list", "--json").stdout.splitlines()]
    assert [(row["id"], row["sender"], row["by"]) for row in rows] == [
        ("acme", "badges@vendor.example", "daemon"), ("globex", "badges@vendor.example", "daemon")]
    for id in ids:
        house.recipient(id, state="held")
    states = house.states()
    assert (states["held"], states["queued"], states["deferred"], states["relayed"]) == (21, 0, 0, 1)
    house.kill()
    house.start()
    house.recipient(ids[1], state="held")                            # the hold outlives the daemon
    sink.forget()
    house.estafette("tenant", "resume", "acme", "--sender", "badges@vendor.example")
    for id in ids:
        house.recipient(id, state="relayed")
    house.recipient(same, state="held")


def test_a_paused_tenant_waits_and_goes_on_by_itself_at_its_time(house, address):
    house.estafette("tenant", "pause", "acme", "--reason", "their audit", "--until", "+3s")
    id = house.enqueue(address(), tenant="acme")
    line = house.recipient(id, state="held")
    assert line["note"] == "their audit" and line["held_by"]["kind"] == "tenant"
    house.recipient(house.enqueue(address(), tenant="globex"), state="relayed")
    house.recipient(id, state="relayed")
    assert house.estafette("tenant", "list").stdout.startswith("No tenant")


def post(daemon, path, **body):
    answer = daemon.request("POST", path, json.dumps(body).encode())
    assert answer.status in (200, 202), answer
    return answer.json


def finished(daemon, id):
    def is_done():
        lines = {line["id"]: line for line in daemon.get("/v1/actions").json["actions"]}
        return lines[id] if lines[id]["state"] != "running" else None
    return wait_until(is_done, 60)


def test_several_thousand_are_held_by_selector_while_the_queue_drains_and_released_by_undo(house, sink, address):
    sink.delay = 0.02
    mine = [f"{number}@hold.example" for number in range(3000)]
    others = [f"{number}@go.example" for number in range(300)]
    house.request("POST", "/v1/routes/relay/pause", b'{"reason":"until all is queued"}')
    batch(house, mine, tenant="acme")
    batch(house, others, tenant="globex")
    house.request("POST", "/v1/routes/relay/resume", b"{}")
    wait_until(lambda: len(sink.mails) > 20, 30)                       # it drains
    made = post(house, "/v1/actions", verb="hold", reason="their move", selector={"domain": "hold.example"})
    done = finished(house, made["id"])
    assert done["count"] > 2000 and done["state"] == "done"
    wait_until(lambda: sum(mail.recipient.endswith("@go.example") for mail in list(sink.mails)) == 300, 60)
    states = house.states()
    assert states["held"] == 3300 - states["relayed"] and states.get("queued", 0) == 0
    held = house.get("/v1/recipients", state="held", limit=1).json["recipients"][0]
    assert held["note"] == f"uid 0, action {made['id']}: their move"
    sink.delay = 0
    post(house, f"/v1/actions/{made['id']}/undo")
    wait_until(lambda: house.states().get("relayed") == 3300, 120, what=house.states)
    got = [mail.recipient for mail in list(sink.mails)]
    assert len(got) == len(set(got)) == 3300                            # none lost, none twice


def test_every_verb_changes_whom_it_selects_and_nobody_else(house, sink, address):
    sink.answer("later@slow.example", "450 4.2.0 come back in 3600 seconds")
    later = house.enqueue("later@slow.example", tenant="acme")
    house.recipient(later, state="deferred")
    assert house.estafette("flush", "--domain", "slow.example", "--dry-run").stdout == "would requeue 1 recipient\n"
    assert house.recipient(later)["attempts"] == 1
    sink.forget()
    house.estafette("flush", "--domain", "slow.example")
    house.recipient(later, state="relayed")

    def scheduled(to, **fields):
        return house.enqueue(to, send_at="2099-01-01T00:00:00Z", expires_at="2099-02-01T00:00:00Z", **fields)

    first, second = scheduled("a@one.example", tenant="acme"), scheduled("b@two.example", tenant="acme")
    third = scheduled("c@one.example", tenant="globex")
    house.estafette("hold", "--tenant", "acme", "--domain", "one.example", "--why", "wait", "--for", "2s")
    house.recipient(first, state="held")
    assert house.recipient(second)["state"] == house.recipient(third)["state"] == "scheduled"
    house.recipient(first, state="relayed")                             # the hold ended by itself: due now
    house.estafette("delete", second, "--why", "by mistake")
    gone = house.recipient(second, state="cancelled")
    assert "by mistake" in gone["note"]
    house.estafette("expire", "--tenant", "globex", "--state", "scheduled", "--why", "too late")
    assert house.recipient(third, state="failed")["reason"] == "expired"
    rows = [json.loads(row) for row in house.estafette("actions", "--json").stdout.splitlines()]
    assert [row["verb"] for row in rows] == ["expire", "delete", "hold", "requeue"]
    assert rows[2]["state"] == "undone" and rows[2]["undone_by"] == "expiry"
    assert house.estafette("actions", "undo", str(rows[1]["id"]), check=False).returncode == 69
    assert house.estafette("hold", "--why", "x", check=False).returncode == 64


def test_a_paused_route_stays_paused_when_a_reload_changes_it(house, address):
    house.estafette("route", "pause", "relay", "--reason", "their maintenance")
    house.config["relay"]["connections"] = 3
    house.write_config()
    house.reload()
    wait_until(lambda: "reloaded" in house.log(), 10)
    line = house.recipient(house.enqueue(address()), state="held")
    assert line["note"] == "their maintenance"
    house.estafette("route", "resume", "relay")
    house.recipient(line["message"], state="relayed")


def test_a_release_is_undone_and_a_pause_by_action_too(house, address):
    house.estafette("tenant", "pause", "acme", "--reason", "first")
    ids = [house.enqueue(address(), tenant="acme") for _ in range(3)]
    house.estafette("hold", "--tenant", "acme", "--why", "wait")
    for id in ids:
        house.recipient(id, state="held")
    released = post(house, "/v1/actions", verb="release", selector={"tenant": "acme"})
    assert released["count"] == 3
    post(house, f"/v1/actions/{released['id']}/undo")
    house.estafette("tenant", "resume", "acme")
    for id in ids:
        assert house.recipient(id, state="held")["held_by"] is None     # for itself, not by a pause
    paused = post(house, "/v1/actions", verb="pause", reason="audit", selector={"route": "relay"})
    other = house.enqueue(address(), tenant="globex")
    assert house.recipient(other, state="held")["held_by"]["kind"] == "route"
    house.kill()
    house.start()
    house.recipient(other, state="held")
    post(house, f"/v1/actions/{paused['id']}/undo")
    house.recipient(other, state="relayed")
