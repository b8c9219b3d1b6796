"""The API from outside: what it refuses, how it says so, and that nothing refused reaches a server."""

import concurrent.futures
import json
import subprocess

import pytest

from estafetted import UnixConnection
from peers import wait_until

GOOD = {"from": "a@vendor.example", "to": ["ann@customer.example"], "text": "x"}


def problem(answer, status, code=None):
    assert answer.status == status, answer
    assert answer.headers["Content-Type"].startswith("application/problem+json")
    body = answer.json
    assert body["status"] == status and body["title"] and body["type"]
    if code:
        assert body["code"] == code
    return body


def curl(daemon, *arguments, input=None):
    return subprocess.run(["curl", "-sS", "--unix-socket", str(daemon.socket), "-w", "\n%{http_code}",
                           *arguments], input=input, capture_output=True, timeout=60)


def test_curl_enqueues_without_saying_json(daemon, relay, address):
    to = address()
    done = curl(daemon, "http://localhost/v1/messages", "-d",
                json.dumps({"from": "a@vendor.example", "to": [to], "text": "x"}))
    assert done.stdout.endswith(b"\n202"), done
    assert relay.wait_for(to)


def test_a_line_break_in_an_address_is_refused_and_reaches_no_server(daemon, relay):
    before = relay.count()
    done = curl(daemon, "http://localhost/v1/messages", "-d", r'{"from":"a@x","to":["b\r\nRCPT TO:<c@y>"]}')
    body, _, status = done.stdout.rpartition(b"\n")
    assert status == b"422"
    assert "/to/0" in [error["pointer"] for error in json.loads(body)["errors"]]
    assert daemon.recipients() == []
    assert relay.count() == before and relay.mailbox("c@y") == []


@pytest.mark.parametrize("field, pointer", [
    ({"subject": "a\r\nBcc: c@y.example"}, "/subject"),
    ({"from": "a@vendor.example\r\nX: y"}, "/from"),
    ({"from": "A\nB <a@vendor.example>"}, "/from"),
    ({"headers": {"X-A": "b\r\nC: d"}}, "/headers/X-A"),
    ({"headers": {"X A": "b"}}, "/headers/X A"),
    ({"headers": {"Bcc": "c@y.example"}}, "/headers/Bcc"),
    ({"cc": ["x\u0000y@z.example"]}, "/cc/0"),
    ({"reply_to": "a@b.example\nX: y"}, "/reply_to"),
    ({"attachments": [{"filename": "a\r\nb", "content_type": "text/plain", "content": ""}]}, "/attachments/0/filename"),
    ({"attachments": [{"filename": "a", "content_type": "text/plain\r\nX: y", "content": ""}]},
     "/attachments/0/content_type"),
    ({"attachments": [{"filename": "a", "content_type": "text/plain", "content": "not base64!"}]},
     "/attachments/0/content"),
    ({"to": []}, "/to"), ({"to": "nobody"}, "/to"), ({"to": [7]}, "/to/0"), ({"form": "x"}, "/form"),
    ({"send_at": "tomorrow"}, "/send_at"), ({"priority": "high"}, "/priority"), ({"tenant": 7}, "/tenant"),
    ({"tags": ["a", 1]}, "/tags/1"), ({"category": "x" * 256}, "/category"),
])
def test_a_field_that_is_wrong_is_named(daemon, field, pointer):
    body = problem(daemon.post({**GOOD, **field}), 422, "validation")
    assert pointer in [error["pointer"] for error in body["errors"]], body
    for error in body["errors"]:
        assert error["code"] and error["detail"]


def test_all_wrong_fields_are_named_at_once(daemon):
    body = problem(daemon.post({"from": "nobody", "to": ["x@y.example", "\n"], "subject": "\r\n", "text": "x"}), 422)
    assert {"/from", "/to/1", "/subject"} <= {error["pointer"] for error in body["errors"]}


def test_thirty_mebibytes_are_too_much(daemon):
    done = curl(daemon, "http://localhost/v1/messages", "-H", "Content-Type: message/rfc822", "-H", "Expect:",
                "--data-binary", "@-", input=b"x" * (30 << 20))
    assert done.stdout.endswith(b"\n413"), (done.returncode, done.stdout[-300:], done.stderr)
    assert daemon.get("/livez").status == 200
    assert daemon.recipients() == []


def test_broken_json_is_refused_with_the_offset(daemon):
    text = b'{"from":"a@vendor.example","to":}'
    body = problem(daemon.request("POST", "/v1/messages", text, {"Content-Type": "application/json"}), 400,
                   "json_invalid")
    assert body["offset"] == text.index(b"}")


@pytest.mark.parametrize("text", [b"", b"[]", b"7", b'{"from":"a@x.example"', b'{"a":1,"a":2}', b"\xff\xfe",
                                  b'{"from":"\xff@x.example"}', b"[" * 100_000, b'{"from":"\\ud800"}'])
def test_bodies_that_are_no_message_are_refused(daemon, text):
    answer = daemon.request("POST", "/v1/messages", text, {"Content-Type": "application/json"})
    assert answer.status in (400, 422), answer
    assert daemon.get("/livez").status == 200


def test_methods_paths_and_media_types_that_do_not_exist(daemon):
    assert problem(daemon.request("DELETE", "/v1/messages"), 405, "method_not_allowed")
    assert "POST" in daemon.request("PUT", "/v1/messages", b"").headers["Allow"]
    problem(daemon.get("/v1/nothing"), 404, "not_found")
    problem(daemon.get("/v1/messages/not-an-id"), 404, "not_found")
    problem(daemon.get("/v1/messages/01977a1e-5d7c-7d3e-8f52-1c6d1f2b3a4c"), 404, "not_found")
    problem(daemon.request("POST", "/v1/messages", b"<x/>", {"Content-Type": "application/xml"}), 415, "media_type")


def test_an_unknown_tenant_is_refused(daemon):
    problem(daemon.post({**GOOD, "tenant": "nobody"}), 404, "not_found")


def test_a_batch_answers_each_line_in_order_and_one_bad_line_refuses_no_other(daemon, relay, address):
    first, second = address(), address()
    answer = daemon.post_batch([
        {**GOOD, "to": [first]}, {**GOOD, "to": ["a\nb"]}, "{broken\n", {**GOOD, "to": [second]}])
    assert answer.status == 200
    assert answer.headers["Content-Type"].startswith("application/x-ndjson")
    assert [line["status"] for line in answer.lines][0::3] == [202, 202]
    assert [line["status"] for line in answer.lines][1] == 422
    assert [line["status"] for line in answer.lines][2] in (400, 422)
    assert answer.lines[1]["errors"][0]["pointer"] == "/to/0"
    assert answer.lines[0]["recipients"][0]["address"] == first
    assert relay.wait_for(first) and relay.wait_for(second)


def test_a_batch_of_more_than_a_thousand_lines_is_refused_whole(daemon):
    answer = daemon.post_batch([GOOD] * 1001)
    assert answer.status in (413, 422), answer
    assert daemon.recipients() == []


def test_the_same_idempotency_key_gets_the_first_answer_again(daemon, relay, address):
    to = address()
    message = {**GOOD, "to": [to]}
    first = daemon.post(message, {"Idempotency-Key": "order-1"})
    again = daemon.post(message, {"Idempotency-Key": "order-1"})
    assert (first.status, again.status) == (202, 202)
    assert first.json == again.json
    problem(daemon.post({**message, "text": "other"}, {"Idempotency-Key": "order-1"}), 422)
    # Killed between the final dot and its answer, the mail would go twice and say so.
    daemon.recipient(first.json["id"], state="relayed")
    daemon.kill()
    daemon.start()
    assert daemon.post(message, {"Idempotency-Key": "order-1"}).json == first.json
    assert len(relay.wait_for(to)) == 1


def test_a_race_for_one_idempotency_key_has_one_winner(daemon, relay, address):
    to = address()
    with concurrent.futures.ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(
            lambda _: daemon.post({**GOOD, "to": [to]}, {"Idempotency-Key": "race"}), range(40)))
    assert {answer.status for answer in answers} <= {202, 409}
    assert len({answer.json["id"] for answer in answers if answer.status == 202}) == 1
    relay.wait_for(to)
    wait_until(lambda: daemon.states().get("relayed") == 1, 10)
    assert len(relay.mailbox(to)) == 1


def test_mail_for_later_can_be_cancelled_once(daemon, relay, address):
    to = address()
    id = daemon.enqueue([to, address()], send_at="2099-01-01T00:00:00Z")
    answer = daemon.request("POST", f"/v1/messages/{id}/cancel", b'{"reason":"wrong list"}',
                            {"Content-Type": "application/json"})
    assert answer.status == 200 and answer.json["cancelled"] == 2
    line = daemon.recipient(id, state="cancelled")
    assert line["shown"] == "Cancelled"
    problem(daemon.request("POST", f"/v1/messages/{id}/cancel"), 409, "already_left")


def test_mail_that_has_left_cannot_be_cancelled(daemon, address):
    id = daemon.enqueue(address())
    daemon.recipient(id, state="relayed")
    problem(daemon.request("POST", f"/v1/messages/{id}/cancel"), 409, "already_left")


def test_a_search_goes_page_by_page_newest_first(daemon, address):
    ids = [daemon.enqueue(address("page"), send_at="2099-01-01T00:00:00Z") for _ in range(25)]
    first = daemon.get("/v1/recipients", limit=10, state="scheduled")
    assert first.status == 200 and len(first.json["recipients"]) == 10
    assert 'rel="next"' in first.headers["Link"]
    found = daemon.recipients(limit=10, state="scheduled")
    assert [line["message"] for line in found] == ids[::-1]
    one = daemon.recipients(address=found[3]["address"])
    assert [line["id"] for line in one] == [found[3]["id"]]
    problem(daemon.get("/v1/recipients", cursor="nonsense"), 422)
    problem(daemon.get("/v1/recipients", limit=501), 422)
    problem(daemon.get("/v1/recipients", state="lost"), 422)


def test_health_metrics_and_version_need_no_role(config, start):
    config["roles"] = [{"uid": 54321, "role": "read", "tenants": "*"}]
    daemon = start(config)
    assert daemon.get("/livez").status == 200
    assert daemon.get("/readyz").json["ready"] is True
    assert daemon.get("/version").json["version"]
    assert daemon.get("/metrics").status == 200
    problem(daemon.get("/v1/queue"), 403, "forbidden")
    problem(daemon.post(GOOD), 403, "forbidden")


def test_several_requests_use_one_connection(daemon):
    connection = UnixConnection(daemon.socket)
    for _ in range(5):
        connection.request("GET", "/livez")
        answer = connection.getresponse()
        answer.read()
        assert answer.status == 200
    connection.close()


def test_a_full_queue_says_when_to_come_back(config, start):
    config["limits"] = {"queue_recipients": 3}
    config["roles"] = [{"user": "root", "role": "admin", "tenants": "*"}]
    daemon = start(config)
    answers = [daemon.post({**GOOD, "send_at": "2099-01-01T00:00:00Z"}) for _ in range(6)]
    refused = [answer for answer in answers if answer.status != 202]
    assert len(refused) == 3
    for answer in refused:
        problem(answer, 429, "queue_full")
        assert int(answer.headers["Retry-After"]) >= 1
