"""Real mail servers for the tests: Postfix, Exim and OpenSMTPD, unpacked and never installed.

    with Authority(folder / "ca") as ca: ...
    relay = Postfix(folder / "relay", ca, users={"vendor": "secret"})
    relay.start()
    relay.port, relay.tls_port, relay.ca_file
    relay.mailbox("ann@customer.example")       # → [Mail, …]
    relay.stop()

Each server runs in a mount and pid namespace of its own, on free loopback ports, with its own
configuration, users and queue, and dies with the process that started it. It delivers every
domain into one maildir and sends nothing anywhere. Addresses that begin with "unknown" do not
exist. Needs: Debian 12, root (mount and pid namespaces), and apt's archive the first time.
"""

from .authority import Authority, Certificate
from .exim import Exim
from .mail import Mail
from .opensmtpd import OpenSMTPD
from .policy import Greylist
from .postfix import Postfix
from .processes import free_port, needs, wait_until
from .server import Server

__all__ = [
    "Authority", "Certificate", "Exim", "Greylist", "Mail", "OpenSMTPD", "Postfix", "Server",
    "free_port", "needs", "wait_until",
]
