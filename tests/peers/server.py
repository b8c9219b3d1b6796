"""What the three servers have in common: a folder, certificates, ports, a maildir, a start and a stop."""

import shutil
import smtplib
import ssl
from pathlib import Path

from . import processes
from .mail import Maildir
from .unpack import root_of


class Server:
    """One mail server. `port` speaks STARTTLS, `tls_port` TLS from the first byte; mail is taken from
    authenticated clients only. Subclasses write the configuration and name the command."""

    kind = ""

    def __init__(self, folder, authority, hostname, users=None):
        self.folder = Path(folder)
        self.hostname = hostname
        self.users = dict({"user": "password"} if users is None else users)
        self.certificate = authority.issue(hostname)
        self.ca_file = authority.ca_file
        self.port = processes.free_port()
        self.tls_port = processes.free_port()
        self._maildir = Maildir(self.folder / "var/mail/all")
        self.core = None                    # where the server and its children run; None: anywhere
        self._process = None

    # What a subclass says.

    def configure(self, root):
        raise NotImplementedError

    def command(self):
        raise NotImplementedError

    def logs(self):
        raise NotImplementedError

    # What the tests use.

    def start(self):
        root = root_of(self.kind)
        if not (self.folder / "etc").exists():
            self._prepare(root)
        output = open(self.folder / "output.log", "ab")
        with output:
            self._process = processes.start_in_root(root, self.folder, self.command(), output,
                                                     self.core)
        processes.wait_until(self._answers, 30, what=lambda: f"{self.kind} answers\n{self.log()}")
        return self

    def stop(self):
        """Kills the server; its last process may end a moment after the one that is killed."""
        processes.stop(self._process)
        self._process = None
        processes.wait_until(lambda: not processes.answers(self.port), 10, what=lambda: f"{self.kind} ends")

    @property
    def is_running(self):
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self):
        """Of the process that holds the namespace together."""
        return self._process.pid

    def run(self, *command):
        """Runs COMMAND to its end inside the server's namespace and root."""
        return processes.run_beside(self._process.pid, root_of(self.kind), command)

    def signal(self, name):
        """Sends a signal to the server itself."""
        processes.signal_inside(self._process.pid, name)

    def mails(self):
        """All mail delivered since the folder was made, oldest first."""
        return self._maildir.mails()

    def mailbox(self, address):
        """The mail delivered for ADDRESS."""
        return [mail for mail in self.mails() if mail.recipient.lower() == address.lower()]

    def count(self):
        """How many mails were delivered, without reading them."""
        return self._maildir.count()

    def wait_for(self, address, count=1, seconds=20):
        """Waits until COUNT mails for ADDRESS are there, and returns them."""
        return processes.wait_until(
            lambda: len(found := self.mailbox(address)) >= count and found, seconds,
            what=lambda: f"{count} mails for {address} at {self.hostname}\n{self.log()[-3000:]}")

    def log(self):
        paths = [self.folder / "output.log", *self.logs()]
        return "".join(path.read_text(errors="replace") for path in paths if path.exists())

    def client(self, login=True):
        """An smtplib client over STARTTLS, logged in where the server has users."""
        context = ssl.create_default_context(cafile=str(self.ca_file))
        smtp = smtplib.SMTP("127.0.0.1", self.port, timeout=20)
        smtp.starttls(context=context)
        smtp.ehlo()
        if login and self.users:
            smtp.login(*next(iter(self.users.items())))
        return smtp

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.stop()

    # Inside.

    def _prepare(self, root):
        for name in ("etc", "etc/ssl", "var/tmp", "var/log", "var/mail", "var/spool", "var/lib", "var/empty"):
            (self.folder / name).mkdir(parents=True, exist_ok=True)
        (self.folder / "var/run").symlink_to("/run")
        for name, source in (("certificate.pem", self.certificate.certificate), ("key.pem", self.certificate.key)):
            shutil.copy(source, self.folder / "etc/ssl" / name)
        self.write("etc/hosts", f"127.0.0.1 localhost {self.hostname}\n")
        self.write("etc/nsswitch.conf", "passwd: files\ngroup: files\nhosts: files\nservices: files\n")
        self.write("etc/services", "smtp 25/tcp\n")
        self.write("etc/resolv.conf", "nameserver 127.0.0.1\noptions attempts:1 timeout:1\n")
        self.configure(root)

    def account(self, **uids):
        """Writes /etc/passwd and /etc/group with root, the mail user and the server's own users."""
        users = {"root": 0, "mail": 8, "nobody": 65534, **uids}
        self.write("etc/passwd", "".join(f"{n}:x:{i}:{i}::/var/empty:/bin/sh\n" for n, i in users.items()))
        self.write("etc/shadow", "".join(f"{n}:*:19000:0:99999:7:::\n" for n in users), mode=0o600)
        self.write("etc/group", "".join(f"{n}:x:{i}:\n" for n, i in users.items()))

    def write(self, path, text, mode=0o644):
        full = self.folder / path
        full.parent.mkdir(parents=True, exist_ok=True)
        full.write_text(text)
        full.chmod(mode)

    def _answers(self):
        if not self.is_running:
            raise AssertionError(f"{self.kind} has ended\n{self.log()}")
        try:
            with smtplib.SMTP("127.0.0.1", self.port, timeout=5):
                return True
        except (OSError, smtplib.SMTPException):
            return False
