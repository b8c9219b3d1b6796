"""Greylisting for Postfix, by its policy protocol: the first try of a recipient is told to come back."""

import socketserver
import threading
import time


class Greylist:
    """Answers Postfix's check_policy_service. Recipients that begin with `prefix` are refused with 450
    until `seconds` have passed since their first try; `answers` maps addresses to a fixed action; `slow`
    maps the beginnings of addresses to the seconds that an answer takes."""

    def __init__(self, seconds=2, prefix="grey", slow=None):
        self.seconds = seconds
        self.prefix = prefix
        self.slow = dict(slow or {})
        self.answers = {}
        self.tries = {}
        self._server = None

    def start(self):
        greylist = self

        class Handler(socketserver.StreamRequestHandler):
            def handle(self):
                request = {}
                for line in self.rfile:
                    name, _, value = line.decode("utf-8", "replace").rstrip("\n").partition("=")
                    if name:
                        request[name] = value
                        continue
                    self.wfile.write(f"action={greylist.action(request)}\n\n".encode())
                    request = {}

        class Threads(socketserver.ThreadingTCPServer):
            daemon_threads = True
            allow_reuse_address = True

        self._server = Threads(("127.0.0.1", 0), Handler)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    @property
    def port(self):
        return self._server.server_address[1]

    def stop(self):
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    def action(self, request):
        recipient = request.get("recipient", "").lower()
        if recipient in self.answers:
            return self.answers[recipient]
        for prefix, seconds in self.slow.items():
            if recipient.startswith(prefix):
                time.sleep(seconds)
        if request.get("protocol_state") != "RCPT" or not recipient.startswith(self.prefix):
            return "DUNNO"
        now = time.monotonic()
        tries = self.tries.setdefault(recipient, [])
        tries.append(now)
        if now - tries[0] >= self.seconds:
            return "DUNNO"
        return f"450 4.2.0 Greylisted, please try again in {self.seconds} seconds"
