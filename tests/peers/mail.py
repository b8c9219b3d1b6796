"""A delivered mail: its exact bytes, and what Python's email package makes of them."""

import email
import email.policy
import functools
from pathlib import Path

# Header fields that the server which delivered the mail put before ours.
OF_THE_SERVER = ("return-path", "delivered-to", "x-original-to", "envelope-to", "delivery-date", "received")


class Mail:
    def __init__(self, raw, recipient=None, sender=None):
        self.raw = raw
        self._recipient = recipient
        self._sender = sender

    @functools.cached_property
    def parsed(self):
        return email.message_from_bytes(self.raw, policy=email.policy.default)

    @property
    def recipient(self):
        """The envelope recipient it was delivered for."""
        return self._recipient or _bare(self.parsed["Delivered-To"] or self.parsed["Envelope-to"] or "")

    @property
    def sender(self):
        """The envelope sender."""
        return self._sender if self._sender is not None else _bare(self.parsed["Return-Path"] or "")

    @property
    def subject(self):
        return str(self.parsed["Subject"])

    @functools.cached_property
    def submitted(self):
        """The bytes as they were handed to the server: without the fields that the server put before
        them, and with CRLF line ends."""
        lines = self.raw.replace(b"\r\n", b"\n").split(b"\n")
        at = 0
        while at < len(lines) and lines[at]:
            field = lines[at].split(b":", 1)[0].decode("ascii", "replace").lower()
            if lines[at][:1] not in b" \t" and field not in OF_THE_SERVER:
                break
            at += 1
        return b"\r\n".join(lines[at:])

    def __repr__(self):
        return f"<Mail to {self.recipient} {self.subject!r}>"


class Maildir:
    """A maildir that one of the servers delivers into; files are read once."""

    def __init__(self, folder):
        self.folder = Path(folder)
        self._read = {}

    def mails(self):
        for path in sorted((self.folder / "new").glob("*")):
            if path.name not in self._read:
                self._read[path.name] = Mail(path.read_bytes())
        return list(self._read.values())

    def count(self):
        new = self.folder / "new"
        return sum(1 for _ in new.iterdir()) if new.exists() else 0


def _bare(address):
    return address.strip().strip("<>")
