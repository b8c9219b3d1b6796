"""The peers for scripts that are not Python.

    /usr/bin/python3 -m peers up FOLDER              starts them, says "ready", ends with its standard input
    /usr/bin/python3 -m peers count FOLDER NAME [PATTERN]        mails, and different recipients among them
    /usr/bin/python3 -m peers show FOLDER NAME ADDRESS           the mails for ADDRESS, as they were delivered

NAME is relay (Postfix) or customer (Exim). FOLDER/peers.env has their ports and certificates.
"""

import fnmatch
import signal
import sys
from pathlib import Path

from . import Authority, Exim, Greylist, Postfix, needs
from .mail import Maildir

GREYLISTED_FOR = 3
SECONDS_PER_READER = 0.35


def up(folder):
    lacking = needs()
    if lacking:
        sys.exit(f"peers: {lacking}")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    authority = Authority(folder / "ca")
    users = {"vendor": "correct horse battery staple"}
    greylist = Greylist(GREYLISTED_FOR, slow={"reader": SECONDS_PER_READER})
    relay = Postfix(folder / "relay", authority, users=users, greylist=greylist)
    customer = Exim(folder / "customer", authority, users=users)
    with relay, customer:
        lines = [f"{name}_{what}={value}\n"
                 for name, server in (("RELAY", relay), ("CUSTOMER", customer))
                 for what, value in (("PORT", server.port), ("TLS_NAME", server.hostname), ("CA", server.ca_file))]
        (folder / "peers.env").write_text("".join(lines))
        print("ready", flush=True)
        sys.stdin.read()


def count(folder, name, pattern="*"):
    mails = [mail for mail in _mails(folder, name) if fnmatch.fnmatch(mail.recipient, pattern)]
    print(len(mails), len({mail.recipient for mail in mails}))


def show(folder, name, address):
    for mail in _mails(folder, name):
        if mail.recipient == address:
            print(mail.raw.decode("utf-8", "replace"))


def _mails(folder, name):
    return Maildir(folder / name / "var/mail/all").mails()


if __name__ == "__main__":
    commands = {"up": up, "count": count, "show": show}
    if len(sys.argv) < 3 or sys.argv[1] not in commands:
        sys.exit(__doc__)
    commands[sys.argv[1]](Path(sys.argv[2]), *sys.argv[3:])
