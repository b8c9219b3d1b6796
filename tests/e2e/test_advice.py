"""What an administrator asks: what is the matter with this address, what must their IT let through, does
mail get through at all."""

import json


def test_others_of_the_domain_make_the_diagnosis_of_a_wrong_address_certain(daemon, address):
    wrong, right = address("unknown"), address()
    daemon.recipient(daemon.enqueue(right), state="relayed")
    daemon.recipient(daemon.enqueue(wrong), state="failed")
    said = daemon.estafette("explain", wrong, "--lang", "en").stdout
    assert "Very likely" in said and "The address is wrong" in said and "accepted lately" in said
    found = json.loads(daemon.estafette("explain", wrong, "--json").stdout.splitlines()[0])
    assert (found["finding"], found["likelihood"]) == ("wrong_address", "certain")


def test_accepted_mail_is_never_called_arrived(daemon, address):
    to = address()
    daemon.recipient(daemon.enqueue(to), state="relayed")
    assert "junk mail" in daemon.estafette("explain", to, "--lang", "en").stdout


def test_a_route_that_is_paused_is_the_diagnosis_of_its_mail(daemon, address):
    to = address()
    daemon.estafette("route", "pause", "relay", "--reason", "maintenance")
    daemon.enqueue(to)
    assert "par lequel nous envoyons ne fonctionne pas" in daemon.estafette("explain", to, "--lang", "fr").stdout


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
