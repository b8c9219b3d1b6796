"""An SMTP server by aiosmtpd that says what a test tells it to say.

    sink = Sink(certificate, users={"acme": "secret"}).start()
    sink.answer("ann@x", "450 4.2.0 come back in 2 seconds", times=1)     # to RCPT, once
    sink.answer("ann@x", "451 4.3.0 not now", to="dot")                    # to the final dot, always
    sink.answer("me@x", "550 5.1.8 not you", to="mail")                    # to MAIL, always
    sink.forget()                                                          # takes everything again
    sink.mails, sink.sessions, sink.stop()

It stands beside Postfix, Exim and OpenSMTPD as a peer written by somebody else again, and the only
one whose answers a test can choose.
"""

import asyncio
import ssl
import threading
from collections import defaultdict
from dataclasses import dataclass, field

from aiosmtpd.smtp import SMTP, AuthResult

from peers.mail import Mail

ALWAYS = 1 << 30


@dataclass
class Session:
    """One connection, as the sink saw it."""

    tls: bool = False
    user: str = ""
    commands: list = field(default_factory=list)


@dataclass
class _Answer:
    text: str
    left: int


class Sink:
    def __init__(self, certificate=None, users=None, implicit=False, hostname="sink.example",
                 auth_answer="535 5.7.8 authentication credentials invalid"):
        self.hostname = hostname
        self.users = dict(users or {})
        self.ca_file = certificate.ca_file if certificate else None
        self.auth_answer = auth_answer
        self.delay = 0.0                        # seconds before each answer to the final dot
        self.mails = []
        self.sessions = []
        self.port = None
        self._implicit = implicit
        self._answers = defaultdict(list)
        self._lock = threading.Lock()
        self._loop = asyncio.new_event_loop()
        self._context = None
        if certificate:
            self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self._context.load_cert_chain(certificate.certificate, certificate.key)

    def start(self):
        """Listens on a free loopback port, or again on the one it had; nothing where it does already."""
        if self._loop.is_running():
            return self
        started = threading.Event()
        self._loop = asyncio.new_event_loop()

        async def listen():
            self._server = await self._loop.create_server(
                self._protocol, "127.0.0.1", self.port or 0, ssl=self._context if self._implicit else None)
            self.port = self._server.sockets[0].getsockname()[1]
            started.set()

        def run():
            asyncio.set_event_loop(self._loop)
            self._loop.create_task(listen())
            self._loop.run_forever()

        self._thread = threading.Thread(target=run, daemon=True)
        self._thread.start()
        if not started.wait(10):
            raise RuntimeError("the sink did not start")
        return self

    def stop(self):
        async def close():
            self._server.close()
            for task in asyncio.all_tasks():
                if task is not asyncio.current_task():
                    task.cancel()
            self._loop.call_later(0.05, self._loop.stop)

        if self._loop.is_running():
            asyncio.run_coroutine_threadsafe(close(), self._loop)
            self._thread.join(10)

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.stop()

    def answer(self, address, text, to="rcpt", times=ALWAYS):
        """Says TEXT when ADDRESS comes in RCPT, with to="mail" in MAIL, with to="dot" after the mail for it."""
        with self._lock:
            self._answers[to, address.lower()].append(_Answer(text, times))

    def forget(self):
        with self._lock:
            self._answers.clear()

    def mailbox(self, address):
        return [mail for mail in list(self.mails) if mail.recipient.lower() == address.lower()]

    # Inside: aiosmtpd's handler.

    def _protocol(self):
        return SMTP(_Handler(self), hostname=self.hostname, ident="sink", data_size_limit=64 << 20,
                    enable_SMTPUTF8=True, auth_require_tls=True, auth_required=bool(self.users),
                    authenticator=self._authenticate if self.users else None,
                    tls_context=None if self._implicit else self._context,
                    require_starttls=self._context is not None and not self._implicit, loop=self._loop)

    def _authenticate(self, _server, session, _envelope, _mechanism, data):
        name, password = data.login.decode(), data.password.decode()
        if self.users.get(name) == password:
            session.estafette.user = name
            return AuthResult(success=True)
        return AuthResult(success=False, handled=False, message=self.auth_answer)

    def _scripted(self, to, address):
        with self._lock:
            for answer in self._answers[to, address.lower()]:
                if answer.left > 0:
                    answer.left -= 1
                    return answer.text
        return None


class _Handler:
    def __init__(self, sink):
        self.sink = sink

    async def handle_EHLO(self, server, session, _envelope, hostname, responses):
        if not hasattr(server, "estafette"):            # aiosmtpd makes a new session after STARTTLS
            server.estafette = Session()
            self.sink.sessions.append(server.estafette)
        session.estafette = server.estafette
        session.estafette.tls = session.ssl is not None
        session.estafette.commands.append("EHLO")
        session.host_name = hostname
        return responses

    async def handle_MAIL(self, _server, session, envelope, address, options):
        session.estafette.commands.append("MAIL")
        said = self.sink._scripted("mail", address)
        if said is not None and not said.startswith("2"):
            return said
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 2.1.0 OK"

    async def handle_RCPT(self, _server, session, envelope, address, options):
        session.estafette.commands.append("RCPT")
        said = self.sink._scripted("rcpt", address)
        if said is not None and not said.startswith("2"):
            return said
        envelope.rcpt_tos.append(address)
        envelope.rcpt_options.extend(options)
        return said or "250 2.1.5 OK"

    async def handle_DATA(self, _server, session, envelope):
        session.estafette.commands.append("DATA")
        if self.sink.delay:
            await asyncio.sleep(self.sink.delay)
        for address in envelope.rcpt_tos:
            said = self.sink._scripted("dot", address)
            if said is not None and not said.startswith("2"):
                return said
        for address in envelope.rcpt_tos:
            self.sink.mails.append(Mail(envelope.original_content, address, envelope.mail_from))
        return f"250 2.0.0 taken as {len(self.sink.mails)}"
