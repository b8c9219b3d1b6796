"""Who may call: by uid, gid and supplementary groups, and never by what a namespace pretends."""

import json
import subprocess

import pytest

ACME, GLOBEX, BADGES, READER, STRANGER = 50001, 50002, 50003, 50004, 50009


@pytest.fixture
def ask(config, start, relay, route_to):
    """Calls the API as another user: ask(uid, "GET", "/v1/queue", gid=, groups=[…])."""
    config["relay"] = route_to(relay)
    config["tenants"].update({"acme": {}, "globex": {}})
    config["roles"] = [
        {"user": "root", "role": "admin", "tenants": "*"},
        {"uid": ACME, "role": "submit", "tenants": ["acme"]},
        {"uid": GLOBEX, "role": "submit", "tenants": ["globex"]},
        {"gid": BADGES, "role": "submit", "tenants": ["acme", "globex"]},
        {"uid": READER, "role": "read", "tenants": "*"},
    ]
    daemon = start(config)

    def call(uid, method, path, body=None, gid=None, groups=(), inside=()):
        command = ["setpriv", "--reuid", str(uid), "--regid", str(gid or uid),
                   *(["--groups", ",".join(map(str, groups))] if groups else ["--clear-groups"]), *inside,
                   "curl", "-sS", "--unix-socket", str(daemon.socket), "-X", method, "-w", "\n%{http_code}",
                   f"http://localhost{path}"]
        if body is not None:
            command += ["-H", "Content-Type: application/json", "-d", json.dumps(body)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=30)
        assert done.returncode == 0, done
        text, _, status = done.stdout.rpartition("\n")
        return int(status), json.loads(text) if text else None

    call.daemon = daemon
    return call


def mail(**fields):
    return {"from": "a@vendor.example", "to": ["ann@customer.example"], "text": "x",
            "send_at": "2099-01-01T00:00:00Z", **fields}


def test_a_caller_without_a_role_is_refused(ask):
    assert ask(STRANGER, "POST", "/v1/messages", mail())[0] == 403
    assert ask(STRANGER, "GET", "/v1/queue")[0] == 403


def test_a_submitter_writes_reads_and_cancels_for_its_tenant(ask):
    status, made = ask(ACME, "POST", "/v1/messages", mail())
    assert status == 202
    status, seen = ask(ACME, "GET", f"/v1/messages/{made['id']}")
    assert status == 200 and seen["tenant"] == "acme", "the caller's only tenant is the default"
    assert ask(ACME, "POST", f"/v1/messages/{made['id']}/cancel")[0] == 200


def test_another_tenants_message_is_as_if_it_did_not_exist(ask):
    _, made = ask(ACME, "POST", "/v1/messages", mail())
    absent = ask(GLOBEX, "GET", "/v1/messages/01977a1e-5d7c-7d3e-8f52-1c6d1f2b3a4c")
    foreign = ask(GLOBEX, "GET", f"/v1/messages/{made['id']}")
    assert foreign[0] == absent[0] == 404
    assert foreign[1]["code"] == absent[1]["code"] == "not_found"
    assert ask(GLOBEX, "POST", f"/v1/messages/{made['id']}/cancel")[0] == 404
    assert ask(GLOBEX, "POST", "/v1/messages", mail(tenant="acme"))[0] == 404
    assert ask(GLOBEX, "GET", "/v1/recipients")[1]["recipients"] == []
    assert ask(GLOBEX, "GET", "/v1/recipients?tenant=acme")[0] == 404


def test_a_reader_reads_everything_and_changes_nothing(ask):
    _, made = ask(ACME, "POST", "/v1/messages", mail())
    assert ask(READER, "GET", f"/v1/messages/{made['id']}")[0] == 200
    assert ask(READER, "POST", "/v1/messages", mail(tenant="acme"))[0] == 403
    assert ask(READER, "POST", f"/v1/messages/{made['id']}/cancel")[0] == 403


def test_only_an_admin_pauses_a_route(ask):
    assert ask(ACME, "POST", "/v1/routes/relay/pause", {"reason": "x"})[0] in (403, 404)
    assert ask(0, "POST", "/v1/routes/relay/pause", {"reason": "x"})[0] == 200


@pytest.mark.parametrize("how", [{"gid": BADGES}, {"groups": [4, BADGES, 7]}], ids=["group", "supplementary"])
def test_a_group_gives_its_role(ask, how):
    status, _ = ask(STRANGER, "POST", "/v1/messages", mail(tenant="globex"), **how)
    assert status == 202


def test_root_inside_a_user_namespace_is_still_the_user_outside(ask):
    inside = ["unshare", "--user", "--map-root-user"]
    assert ask(STRANGER, "GET", "/v1/queue", inside=inside)[0] == 403
    status, made = ask(ACME, "POST", "/v1/messages", mail(), inside=inside)
    assert status == 202
    assert ask(GLOBEX, "GET", f"/v1/messages/{made['id']}", inside=inside)[0] == 404


def test_a_daemon_inside_a_user_namespace_gives_unmapped_callers_no_role(config, start, folder):
    config["roles"] = [{"user": "root", "role": "admin", "tenants": "*"},
                       {"uid": 65534, "role": "admin", "tenants": "*"}]
    daemon = start(config, ready=False)
    daemon.kill()
    daemon.start(["unshare", "--user", "--map-root-user", *daemon.command])
    done = subprocess.run(["setpriv", "--reuid", str(STRANGER), "--regid", str(STRANGER), "--clear-groups", "curl",
                           "-sS", "--unix-socket", str(daemon.socket), "-o", "/dev/null", "-w", "%{http_code}",
                           "http://localhost/v1/queue"], capture_output=True, text=True)
    assert done.stdout == "403", (done, daemon.log())
    assert daemon.get("/v1/queue").status == 200
