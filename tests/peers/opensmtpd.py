"""OpenSMTPD as a customer's server, behind stunnel: STARTTLS and TLS ports, no AUTH, one maildir.

Debian 12's OpenSMTPD (6.8 with OpenSSL 3) fails every TLS handshake that it accepts ("missing private
key"), and it offers AUTH only over its own TLS. So TLS ends at stunnel, as people run it, and mail is
taken from the loopback without AUTH.
"""

import os

from . import processes
from .server import Server

CONFIGURATION = """\
table everybody {{ "@" = "mail" }}
table unknown {{ "^unknown.*@" }}
listen on 127.0.0.1 port {plain_port} hostname "{hostname}"
smtp max-message-size "30M"
action "store" maildir "/var/mail/all" virtual <everybody>
match from any for any rcpt-to regex <unknown> reject
match from any for any action "store"
"""

TLS = """\
foreground = no
pid = /run/stunnel.pid
output = /var/log/stunnel.log
socket = l:TCP_NODELAY=1
socket = r:TCP_NODELAY=1
cert = /etc/ssl/certificate.pem
key = /etc/ssl/key.pem
[starttls]
accept = 127.0.0.1:{port}
connect = 127.0.0.1:{plain_port}
protocol = smtp
[tls]
accept = 127.0.0.1:{tls_port}
connect = 127.0.0.1:{plain_port}
"""

SMTPD, SMTPQ = 2301, 2302


class OpenSMTPD(Server):
    """`plain_port` speaks neither TLS nor STARTTLS."""

    kind = "opensmtpd"

    def __init__(self, folder, authority, hostname="mail.initech.example"):
        super().__init__(folder, authority, hostname, users={})
        self.plain_port = processes.free_port()

    def configure(self, root):
        os.chown(root / "usr/sbin/smtpctl", 0, SMTPQ)        # as Debian's own installation does
        (root / "usr/sbin/smtpctl").chmod(0o2755)
        self.account(opensmtpd=SMTPD, opensmtpq=SMTPQ)
        ports = {"port": self.port, "tls_port": self.tls_port, "plain_port": self.plain_port}
        self.write("etc/smtpd/smtpd.conf", CONFIGURATION.format(hostname=self.hostname, **ports))
        self.write("etc/smtpd/stunnel.conf", TLS.format(**ports))
        self.write("etc/mailname", f"{self.hostname}\n")
        for name in ("var/lib/opensmtpd/empty", "var/spool/smtpd", "var/mail/all"):
            (self.folder / name).mkdir(parents=True, exist_ok=True)
        (self.folder / "var/spool/smtpd").chmod(0o711)
        for name in ("var/mail", "var/mail/all"):
            os.chown(self.folder / name, 8, 8)

    def command(self):
        return ["/bin/sh", "-c", "stunnel4 /etc/smtpd/stunnel.conf && exec smtpd -d -f /etc/smtpd/smtpd.conf"]

    def logs(self):
        return [self.folder / "var/log/stunnel.log"]
