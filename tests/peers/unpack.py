"""Unpacks a mail server and every library it needs from Debian's packages into a root of its own.

Nothing is installed: `apt-get download`, then each archive into build/peers/roots/NAME. Packages are
kept in build/peers/packages. A lock makes it safe to call from several processes at once.
"""

import contextlib
import fcntl
import hashlib
import os
import shutil
import subprocess
import time
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
FOLDER = Path(os.environ.get("ESTAFETTE_PEERS", PROJECT / "build" / "peers"))

BASE = ["libc6", "libgcc-s1", "libcrypt1", "libdb5.3", "zlib1g", "dash", "libevent-2.1-7", "libnsl2",
        "libtirpc3", "libgssapi-krb5-2", "libkrb5-3", "libk5crypto3", "libkrb5support0", "libcom-err2",
        "libkeyutils1", "libssl3"]
PACKAGES = {
    "postfix": BASE + ["postfix", "libicu72", "libstdc++6", "libsasl2-2", "libsasl2-modules",
                       "libsasl2-modules-db", "sasl2-bin"],
    "exim": BASE + ["exim4-daemon-light", "libgnutls-dane0", "libgnutls30", "libunbound8", "libidn12",
                    "libidn2-0", "libpcre2-8-0", "libnettle8", "libhogweed6", "libgmp10", "libp11-kit0",
                    "libtasn1-6", "libunistring2", "libffi8"],
    "opensmtpd": BASE + ["opensmtpd", "libpam0g", "libaudit1", "libcap-ng0", "stunnel4", "libsystemd0",
                         "libwrap0", "liblzma5", "libzstd1", "liblz4-1", "libcap2", "libgcrypt20",
                         "libgpg-error0"],
}
MOUNT_POINTS = ["dev", "proc", "etc", "var", "tmp", "run"]
ATTEMPTS = 4


def root_of(name):
    """The unpacked root of the server NAME; unpacks it first where that has not happened."""
    root = FOLDER / "roots" / name
    mark = root / ".complete"
    wanted = hashlib.sha256(" ".join(PACKAGES[name]).encode()).hexdigest()
    with _locked():
        if mark.exists() and mark.read_text() == wanted:
            return root
        shutil.rmtree(root, ignore_errors=True)
        for package in _download(PACKAGES[name]):
            _extract(package, root)
        for point in MOUNT_POINTS:
            (root / point).mkdir(exist_ok=True)
        mark.write_text(wanted)
    return root


@contextlib.contextmanager
def _locked():
    FOLDER.mkdir(parents=True, exist_ok=True)
    with open(FOLDER / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _download(names):
    folder = FOLDER / "packages"
    folder.mkdir(exist_ok=True)
    missing = [name for name in names if _package(folder, name) is None]
    for attempt in range(1, ATTEMPTS + 1):
        if not missing:
            break
        got = subprocess.run(["apt-get", "download", "-qq", *missing], cwd=folder, text=True,
                             stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        missing = [name for name in missing if _package(folder, name) is None]
        if missing and attempt == ATTEMPTS:
            raise RuntimeError(f"apt-get download {' '.join(missing)} failed:\n{got.stdout}")
        if missing:
            _update_lists()
            time.sleep(attempt)
    return [_package(folder, name) for name in names]


def _update_lists():
    """A machine whose package lists are missing or stale needs this once; it takes root."""
    subprocess.run(["apt-get", "update", "-qq"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def _package(folder, name):
    found = sorted(folder.glob(f"{name}_*.deb"), key=lambda path: path.stat().st_mtime)
    return found[-1] if found else None


def _extract(package, root):
    """One package into ROOT, where /bin, /sbin, /lib and /lib64 are links into /usr as on Debian
    (`dpkg -x` would replace those links by folders)."""
    for folder in ("bin", "sbin", "lib", "lib64"):
        (root / "usr" / folder).mkdir(parents=True, exist_ok=True)
        link = root / folder
        if not link.is_symlink():
            link.symlink_to(f"usr/{folder}")
    with subprocess.Popen(["dpkg-deb", "--fsys-tarfile", str(package)], stdout=subprocess.PIPE) as archive:
        subprocess.run(["tar", "-xpf", "-", "--keep-directory-symlink", "-C", str(root)],
                       stdin=archive.stdout, check=True)
    if archive.returncode != 0:
        raise RuntimeError(f"{package} is damaged: delete it and try again")
