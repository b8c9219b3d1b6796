"""A certificate authority of our own, by openssl: every server of a test run is verified against it."""

import subprocess
from dataclasses import dataclass
from pathlib import Path

EC = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]


@dataclass(frozen=True)
class Certificate:
    """A key and its certificate, both PEM files; `ca_file` is what a client verifies it with."""

    certificate: Path
    key: Path
    ca_file: Path

    def pin_sha256(self):
        """SHA-256 of the certificate's public key (SPKI), in lower-case hex."""
        key = _openssl("x509", "-in", self.certificate, "-noout", "-pubkey")
        der = _openssl("pkey", "-pubin", "-outform", "DER", feed=key)
        return _openssl("dgst", "-sha256", "-r", feed=der).decode().split()[0]


class Authority:
    def __init__(self, folder, name="Estafette test authority"):
        self.folder = Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.ca_file = self.folder / "ca.pem"
        self._key = self.folder / "ca.key"
        _openssl("req", "-x509", *EC, "-nodes",
                 "-days", "30", "-subj", f"/CN={name}", "-keyout", self._key, "-out", self.ca_file,
                 "-addext", "basicConstraints=critical,CA:TRUE", "-addext", "keyUsage=critical,keyCertSign")

    def issue(self, *names, days=30):
        """A certificate for the host NAMES and 127.0.0.1; with days=-1 it has already expired."""
        stem = self.folder / f"{names[0]}{days if days < 0 else ''}"
        key, request, certificate = (Path(f"{stem}.{end}") for end in ("key", "csr", "pem"))
        extensions = Path(f"{stem}.ext")
        alternatives = ",".join([f"DNS:{name}" for name in names] + ["IP:127.0.0.1"])
        extensions.write_text(f"subjectAltName={alternatives}\nextendedKeyUsage=serverAuth,clientAuth\n")
        _openssl("req", *EC, "-nodes", "-subj", f"/CN={names[0]}", "-keyout", key, "-out", request)
        _openssl("x509", "-req", "-in", request, "-CA", self.ca_file, "-CAkey", self._key,
                 "-CAcreateserial", "-days", days, "-extfile", extensions, "-out", certificate)
        return Certificate(certificate, key, self.ca_file)


def _openssl(*arguments, feed=None):
    done = subprocess.run(["openssl", *map(str, arguments)], capture_output=True, input=feed)
    if done.returncode != 0:
        raise RuntimeError(f"openssl {arguments[0]}: {done.stderr.decode(errors='replace')}")
    return done.stdout
