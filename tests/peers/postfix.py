"""Postfix as the vendor's relay: STARTTLS and TLS ports, SASL by Cyrus, greylisting by policy."""

import os

from . import processes
from .policy import Greylist
from .server import Server

MAIN = """\
compatibility_level = 3.6
myhostname = {hostname}
mydestination =
mynetworks = 192.0.2.1/32
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
maillog_file = /var/log/mail.log
alias_maps =
alias_database =
default_transport = error:nothing leaves this machine
relay_transport = error:nothing leaves this machine
virtual_mailbox_domains = static:all
virtual_mailbox_maps = regexp:/etc/postfix/mailboxes
virtual_alias_maps = regexp:/etc/postfix/aliases
virtual_mailbox_base = /var/mail
virtual_mailbox_limit = 0
virtual_uid_maps = static:8
virtual_gid_maps = static:8
virtual_minimum_uid = 8
message_size_limit = 31457280
smtpd_tls_chain_files = /etc/ssl/key.pem, /etc/ssl/certificate.pem
smtpd_tls_security_level = encrypt
smtpd_tls_auth_only = yes
smtpd_tls_loglevel = 1
smtpd_sasl_auth_enable = yes
smtpd_sasl_type = cyrus
smtpd_sasl_local_domain = {hostname}
cyrus_sasl_config_path = /etc/postfix/sasl
smtpd_peername_lookup = no
smtpd_relay_restrictions = permit_sasl_authenticated, reject
smtpd_recipient_restrictions = check_policy_service inet:127.0.0.1:{policy}, permit_sasl_authenticated, reject
smtpd_client_event_limit_exceptions =
smtpd_error_sleep_time = 0
smtpd_junk_command_limit = 1000
unknown_local_recipient_reject_code = 550
in_flow_delay = 0
"""

MASTER = """\
127.0.0.1:{port} inet n - n - - smtpd
127.0.0.1:{tls_port} inet n - n - - smtpd -o smtpd_tls_wrappermode=yes
postlog unix-dgram n - n - 1 postlogd
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
proxymap unix - - n - - proxymap
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
virtual unix - n n - - virtual
anvil unix - - n - 1 anvil
"""

# Every address has a mailbox but those that begin with "unknown". The outer pattern keeps the lookup
# of "@domain" from making all of a domain known.
MAILBOXES = """\
if /^[^@]+@/
!/^unknown[^@]*@/ all/
endif
"""

# Those that begin with "moved" are accepted, and found to be unknown later.
ALIASES = """\
/^moved([^@]*@.*)$/ unknown$1
"""

SASL = """\
pwcheck_method: auxprop
auxprop_plugin: sasldb
mech_list: {mechanisms}
"""

QUEUES = ["active", "bounce", "corrupt", "defer", "deferred", "flush", "hold", "incoming", "private",
          "saved", "trace"]
POSTFIX, POSTDROP = 2101, 2102


class Postfix(Server):
    """The vendor's relay. `greylist` says who is told to come back; `settings` are lines for main.cf and
    `services` for master.cf."""

    kind = "postfix"

    def __init__(self, folder, authority, hostname="relay.vendor.example", users=None, settings=None,
                 greylist=None, services="", mechanisms="PLAIN LOGIN"):
        super().__init__(folder, authority, hostname, users)
        self.settings = dict(settings or {})
        self.greylist = greylist or Greylist()
        self.services = services
        self.mechanisms = mechanisms

    def start(self):
        self.greylist.start()
        if (self.folder / "etc").exists():
            self._write_main()
        return super().start()

    def stop(self):
        super().stop()
        self.greylist.stop()

    def configure(self, root):
        self.account(postfix=POSTFIX, postdrop=POSTDROP)
        self._write_main()
        self.write("etc/postfix/master.cf", MASTER.format(
            port=self.port, tls_port=self.tls_port) + self.services)
        self.write("etc/postfix/mailboxes", MAILBOXES)
        self.write("etc/postfix/aliases", ALIASES)
        self.write("etc/postfix/sasl/smtpd.conf", SASL.format(mechanisms=self.mechanisms))
        self._make_queue()
        for user, password in self.users.items():
            processes.run_in_root(root, self.folder, ["saslpasswd2", "-p", "-c", "-f", "/etc/sasldb2", "-u",
                                                      self.hostname, user], password)
        os.chown(self.folder / "etc/sasldb2", POSTFIX, POSTFIX)

    def command(self):
        return ["/usr/lib/postfix/sbin/master", "-s"]

    def logs(self):
        return [self.folder / "var/log/mail.log"]

    def reload(self, **settings):
        """New lines for main.cf, taken over at once."""
        self.settings.update(settings)
        self._write_main()
        self.signal("HUP")

    def _write_main(self):
        lines = MAIN.format(hostname=self.hostname, policy=self.greylist.port).splitlines()
        main = {**dict(line.split(" =", 1) for line in lines), **self.settings}
        # Each once: Postfix warns of a second, and postlogd then blocks on its own full socket.
        self.write("etc/postfix/main.cf", "".join(f"{name} = {value}\n" for name, value in main.items()))

    def _make_queue(self):
        spool = self.folder / "var/spool/postfix"
        spool.mkdir(parents=True)
        for name in QUEUES:
            (spool / name).mkdir(mode=0o700)
            os.chown(spool / name, POSTFIX, 0)
        (spool / "pid").mkdir()
        for name, mode in (("maildrop", 0o730), ("public", 0o710)):
            (spool / name).mkdir()
            os.chown(spool / name, POSTFIX, POSTDROP)
            (spool / name).chmod(mode)
        state = self.folder / "var/lib/postfix"
        state.mkdir(parents=True)
        os.chown(state, POSTFIX, 0)
        mailboxes = self.folder / "var/mail"
        os.chown(mailboxes, 8, 8)
