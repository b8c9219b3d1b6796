"""What providers say by webhook, as their servers sign it."""

import base64
import hashlib
import hmac
import json
import time

import pytest


@pytest.fixture
def told(config, relay, route_to, start, secret):
    config["relay"] = route_to(relay)
    config["bounces"] = {"mailgun": secret("key"), "brevo": secret("token"), "postmark": secret("user:password")}
    return start(config)


def hook(daemon, provider, body, **fields):
    return daemon.request("POST", f"/v1/bounces?format={provider}", json.dumps(body).encode(),
                          {"Content-Type": "application/json", **fields})


def mailgun(event, key=b"key", at=None):
    at = str(int(at or time.time()))
    return {"signature": {"timestamp": at, "token": "t",
                          "signature": hmac.new(key, (at + "t").encode(), hashlib.sha256).hexdigest()},
            "event-data": event}


def relayed(daemon, to):
    id = daemon.enqueue(to)
    daemon.recipient(id, state="relayed")
    return id, daemon.message(id)["header_message_id"].strip("<>")


def test_mailgun_tells_of_a_bounce_and_the_address_goes_on_the_list(told, address):
    to = address()
    id, message_id = relayed(told, to)
    event = {"event": "failed", "severity": "permanent", "recipient": to,
             "delivery-status": {"code": 550, "enhanced-code": "5.1.1", "message": "5.1.1 no such user here"},
             "message": {"headers": {"message-id": message_id}}}
    for wrong in (mailgun(event, key=b"kez"), mailgun(event, at=time.time() - 7200), {"event-data": event}):
        assert hook(told, "mailgun", wrong).status == 403
    assert told.recipient(id)["state"] == "relayed"
    answer = hook(told, "mailgun", mailgun(event))
    assert answer.json == {"events": [{"outcome": "failed", "recipients": [f"{id}.0"]}]}, answer
    line = told.recipient(id, state="failed")
    assert line["reason"] == "unknown_user" and "not proven" not in line["note"]
    assert told.message(id)["timeline"][-1]["by"] == "mailgun"
    assert told.get("/v1/suppressions", address=to).json["suppressions"][0]["by"] == "mailgun"
    assert "estafette_webhooks_refused_total 3" in told.get("/metrics").body


def test_brevo_tells_of_delivery_a_complaint_and_an_unsubscription(told, address):
    to, other = address(), address()
    id, message_id = relayed(told, to)
    for event, outcome in (("delivered", "delivered"), ("delivered", "repeated"), ("spam", "complained")):
        answer = hook(told, "brevo", {"event": event, "email": to, "message-id": f"<{message_id}>"},
                      Authorization="Bearer token")
        assert answer.json["events"][0]["outcome"] == outcome, answer
    assert told.recipient(id)["state"] == "delivered"
    assert [e["type"] for e in told.message(id)["timeline"]][-2:] == ["delivered", "complained"]
    second, message_id = relayed(told, other)
    answer = hook(told, "brevo", {"event": "unsubscribed", "email": other, "message-id": message_id},
                  Authorization="Bearer token")
    assert answer.json["events"] == [{"outcome": "unsubscribed", "recipients": [f"{second}.0"]}]
    causes = {line["address"]: line["cause"] for line in told.get("/v1/suppressions").json["suppressions"]}
    assert causes == {to: "complaint", other: "unsubscribed"}
    assert told.recipient(second)["state"] == "relayed"


def test_postmark_is_matched_by_the_id_in_the_answer_to_our_mail(config, customer, route_to, start, secret, address):
    config["relay"] = route_to(customer)
    config["bounces"] = {"postmark": secret("user:password")}
    daemon = start(config)
    to = address()
    id, _ = relayed(daemon, to)
    theirs = daemon.recipient(id)["last_attempt"]["text"].split("id=")[-1]
    event = {"RecordType": "Bounce", "Type": "HardBounce", "Email": to, "MessageID": theirs,
             "Details": "smtp;552 5.2.2 mailbox full"}
    assert hook(daemon, "postmark", event).status == 403
    fields = {"Authorization": "Basic " + base64.b64encode(b"user:password").decode()}
    other = hook(daemon, "postmark", {**event, "MessageID": theirs[::-1]}, **fields)
    assert other.json["events"][0]["outcome"] == "unmatched"
    assert hook(daemon, "postmark", event, **fields).json["events"][0]["recipients"] == [f"{id}.0"]
    assert daemon.recipient(id, state="failed")["reason"] == "mailbox_full"


def test_a_provider_without_a_secret_is_not_heard(told):
    answer = hook(told, "sendgrid", [])
    assert answer.status == 403 and "sendgrid" in answer.json["detail"]
