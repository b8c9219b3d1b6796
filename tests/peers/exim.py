"""Exim as a customer's server: STARTTLS and TLS ports, AUTH PLAIN and LOGIN, one maildir."""

import os
import shutil

from .server import Server

CONFIGURATION = """\
primary_hostname = {hostname}
exim_user = {user}
exim_group = {user}
never_users =
spool_directory = /var/spool/exim4
log_file_path = /var/log/exim4/%slog
local_interfaces = 127.0.0.1
daemon_smtp_ports = {port} : {tls_port}
tls_on_connect_ports = {tls_port}
tls_advertise_hosts = *
tls_certificate = /etc/ssl/certificate.pem
tls_privatekey = /etc/ssl/key.pem
auth_advertise_hosts = ${{if eq{{$tls_in_cipher}}{{}}{{}}{{*}}}}
host_lookup =
rfc1413_query_timeout = 0s
smtp_accept_max = 200
smtp_accept_queue_per_connection = 0
smtp_accept_max_per_connection = 0
smtputf8_advertise_hosts = *
message_size_limit = 30M
smtp_enforce_sync = true
acl_smtp_rcpt = rcpt
acl_smtp_data = accept

begin acl
rcpt:
  deny message = 5.7.1 relaying needs authentication
       !authenticated = *
  deny local_parts = ^unknown
       message = 5.1.1 <$local_part@$domain>: no such user here
  accept

begin routers
all:
  driver = accept
  transport = maildir

begin transports
maildir:
  driver = appendfile
  directory = /var/mail/all
  maildir_format
  create_directory
  user = mail
  group = mail
  return_path_add
  envelope_to_add

begin retry
* * F,1h,1m

begin authenticators
plain:
  driver = plaintext
  public_name = PLAIN
  server_prompts = :
  server_condition = ${{if or{{{conditions2}}}}}
  server_set_id = $auth2
login:
  driver = plaintext
  public_name = LOGIN
  server_prompts = Username:: : Password::
  server_condition = ${{if or{{{conditions1}}}}}
  server_set_id = $auth1
"""

# Who shows a certificate of our authority in this name needs no password.
BY_CERTIFICATE = """\
external:
  driver = plaintext
  public_name = EXTERNAL
  server_advertise_condition = ${{if eq{{$tls_in_certificate_verified}}{{1}}}}
  server_prompts = :
  server_condition = ${{if match{{$tls_in_peerdn}}{{CN={name}}}}}
  server_set_id = $tls_in_peerdn
"""

EXIM = 2201


class Exim(Server):
    kind = "exim"

    def __init__(self, folder, authority, hostname="mail.globex.example", users=None, certificate_of=None):
        """CERTIFICATE_OF is the client that may log in by its certificate in this name."""
        super().__init__(folder, authority, hostname, users)
        self.certificate_of = certificate_of

    def configure(self, root):
        self.account(**{"Debian-exim": EXIM})
        text = CONFIGURATION
        if self.certificate_of:
            shutil.copy(self.ca_file, self.folder / "etc/ssl/ca.pem")
            text = "tls_verify_certificates = /etc/ssl/ca.pem\ntls_try_verify_hosts = *\n" + text + BY_CERTIFICATE
        self.write("etc/exim4/exim4.conf", text.format(
            name=self.certificate_of, hostname=self.hostname, user="Debian-exim", port=self.port, tls_port=self.tls_port,
            conditions2=self._conditions("$auth2", "$auth3"), conditions1=self._conditions("$auth1", "$auth2")),
            mode=0o640)
        os.chown(self.folder / "etc/exim4/exim4.conf", 0, EXIM)
        for name in ("var/spool/exim4", "var/log/exim4"):
            (self.folder / name).mkdir(parents=True, exist_ok=True)
            os.chown(self.folder / name, EXIM, EXIM)
        os.chown(self.folder / "etc/ssl/key.pem", EXIM, EXIM)
        os.chown(self.folder / "var/mail", 8, 8)

    def command(self):
        return ["/usr/sbin/exim4", "-bdf", "-q1m"]

    def logs(self):
        return [self.folder / "var/log/exim4" / name for name in ("mainlog", "rejectlog", "paniclog")]

    def _conditions(self, user, password):
        return "".join(f"{{and{{{{eq{{{user}}}{{{name}}}}}{{eq{{{password}}}{{{secret}}}}}}}}}"
                       for name, secret in self.users.items())
