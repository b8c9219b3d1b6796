"""One estafetted under test: its folder, its configuration, its process, its API, its readiness.

    daemon = Daemon(folder, config)
    daemon.start()                              # returns when READY=1 has come
    daemon.post(message).json["id"]
    daemon.recipient(id, state="relayed")       # waits for the state
    daemon.kill(); daemon.start(); daemon.terminate()
"""

import copy
import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import threading
from pathlib import Path
from urllib.parse import quote, urlencode

import yaml

from peers.processes import die_with_parent, wait_until

PROJECT = Path(__file__).resolve().parents[2]
BIN = Path(os.environ.get("ESTAFETTE_BIN", PROJECT / "build/release/bin"))
FINAL = {"relayed", "delivered", "failed", "cancelled"}


class Answer:
    """An HTTP answer."""

    def __init__(self, status, headers, body):
        self.status = status
        self.headers = headers
        self.body = body

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def lines(self):
        return [json.loads(line) for line in self.body.splitlines() if line.strip()]

    def __repr__(self):
        return f"<{self.status} {self.body[:2000]!r}>"


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path, timeout=30):
        super().__init__("localhost", timeout=timeout)
        self._path = str(path)

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


class Notifications:
    """The other end of NOTIFY_SOCKET: every line that the daemon sent, in order."""

    def __init__(self, path):
        self.path = path
        self.lines = []
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(str(path))
        threading.Thread(target=self._receive, daemon=True).start()

    def count(self, line):
        return sum(1 for known in list(self.lines) if known == line)

    def close(self):
        self._socket.close()
        self.path.unlink(missing_ok=True)

    def _receive(self):
        while True:
            try:
                self.lines += self._socket.recv(65536).decode("utf-8", "replace").split("\n")
            except OSError:
                return


class Daemon:
    def __init__(self, folder, config):
        self.folder = Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.folder.chmod(0o755)
        self.config = copy.deepcopy(config)
        self.socket = self.folder / "api.sock"
        self.config_file = self.folder / "estafette.yaml"
        self.log_file = self.folder / "daemon.log"
        self.store = self.folder / "store"
        self.store.mkdir(exist_ok=True)
        self.config.setdefault("listen", [{"unix": str(self.socket), "mode": "0666"}])
        self.config.setdefault("store", {}).setdefault("path", str(self.store))
        self.process = None
        self.notifications = None
        self.write_config()

    # Its process.

    def write_config(self):
        self.config_file.write_text(yaml.safe_dump(self.config, sort_keys=False, allow_unicode=True))

    @property
    def command(self):
        return [str(BIN / "estafetted"), "--config", str(self.config_file)]

    def start(self, command=None, environment=None, ready=True):
        notify = self.folder / "notify.sock"
        if self.notifications:
            self.notifications.close()
        self.notifications = Notifications(notify)
        variables = {**os.environ, "NOTIFY_SOCKET": str(notify), **(environment or {})}
        with open(self.log_file, "ab") as log:
            self.process = subprocess.Popen(command or self.command, env=variables, stdin=subprocess.DEVNULL,
                                            stdout=log, stderr=log, preexec_fn=die_with_parent, cwd="/")
        if ready:
            wait_until(self._is_ready, 20, what=lambda: f"READY=1\n{self.log()}")
        return self

    def _is_ready(self):
        if self.process.poll() is not None:
            raise AssertionError(f"the daemon ended with {self.process.returncode}\n{self.log()}")
        return "READY=1" in self.notifications.lines

    def run(self, *arguments, timeout=30):
        """Runs the program to its end: CompletedProcess with returncode and stderr."""
        return subprocess.run([*self.command, *arguments], capture_output=True, text=True, timeout=timeout)

    def kill(self):
        self.process.kill()
        self.process.wait()

    def terminate(self, seconds=30):
        """SIGTERM; returns the exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(seconds)

    def reload(self):
        self.process.send_signal(signal.SIGHUP)

    def close(self):
        if self.process and self.process.poll() is None:
            self.process.kill()
        if self.process:
            self.process.wait()
        if self.notifications:
            self.notifications.close()

    def delete(self):
        self.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def log(self):
        """What the daemon wrote, without its lines about API requests: the tests poll."""
        text = self.log_file.read_text(errors="replace") if self.log_file.exists() else ""
        return "".join(line for line in text.splitlines(True) if " event=request " not in line)[-8000:]

    # Its API.

    def request(self, method, path, body=None, headers=None, timeout=30):
        connection = UnixConnection(self.socket, timeout)
        try:
            connection.request(method, path, body=body, headers=headers or {})
            answer = connection.getresponse()
            return Answer(answer.status, answer.headers, answer.read().decode("utf-8", "replace"))
        finally:
            connection.close()

    def get(self, path, **query):
        full = path + ("?" + urlencode(query) if query else "")
        return self.request("GET", full)

    def post(self, message, headers=None):
        """Enqueues a structured message."""
        return self.request("POST", "/v1/messages", json.dumps(message).encode(),
                            {"Content-Type": "application/json", **(headers or {})})

    def post_raw(self, raw, sender, recipients, **query):
        pairs = [("from", sender)] + [("to", address) for address in recipients] + list(query.items())
        return self.request("POST", "/v1/messages?" + urlencode(pairs, quote_via=quote), raw,
                            {"Content-Type": "message/rfc822"})

    def post_batch(self, lines):
        body = "".join(line if isinstance(line, str) else json.dumps(line) + "\n" for line in lines)
        return self.request("POST", "/v1/messages", body.encode(), {"Content-Type": "application/x-ndjson"})

    def enqueue(self, to, sender="Badges <badges@vendor.example>", **fields):
        """Enqueues a small message and returns its id; fails where that is refused."""
        message = {"from": sender, "to": [to] if isinstance(to, str) else to, "subject": "Your badge",
                   "text": "Here it is.\n", **fields}
        answer = self.post(message)
        assert answer.status == 202, answer
        return answer.json["id"]

    def message(self, id, **query):
        answer = self.get(f"/v1/messages/{id}", **query)
        assert answer.status == 200, answer
        return answer.json

    def recipient(self, id, state=None, index=0, seconds=20, **matches):
        """The recipient's line; with STATE and MATCHES, waits until they are so."""
        def seen():
            line = self.message(id)["recipients"][index]
            return line if (state is None or line["state"] == state) and \
                all(line[name] == value for name, value in matches.items()) else None
        return wait_until(seen, seconds, what=lambda: (
            f"{state} {matches}; it is {json.dumps(self.message(id), indent=1)}\n{self.log()}"))

    def states(self):
        return self.get("/v1/queue").json["states"]

    def recipients(self, **query):
        """Every recipient of a search, over all its pages."""
        found, cursor = [], None
        while True:
            page = self.get("/v1/recipients", **query, **({"cursor": cursor} if cursor else {})).json
            found += page["recipients"]
            cursor = page["next"]
            if not cursor:
                return found

    # The command line.

    def estafette(self, *arguments, input=None, name="estafette", check=True, environment=None):
        """Runs the command line against this daemon; NAME is what it is invoked as."""
        program = BIN / "estafette"
        if name != "estafette":
            link = self.folder / name
            if not link.exists():
                link.symlink_to(program)
            program = link
        variables = {**os.environ, "ESTAFETTE_SOCKET": str(self.socket),
                     "ESTAFETTE_CONFIG": str(self.config_file), **(environment or {})}
        done = subprocess.run([str(program), *arguments], input=input, capture_output=True, timeout=60,
                              env=variables, **({} if isinstance(input, bytes) else {"text": True}))
        if check:
            assert done.returncode == 0, (arguments, done)
        return done
