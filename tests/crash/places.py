"""Where a store lives, and how its life ends there: kill -9, or the loss of power.

Everything is in a mount namespace of its own and on loop devices that vanish with their mount, so that nothing
stays behind, however the harness ends. A folder's name holds the harness's process id: the next run removes what
a killed one left.
"""

import ctypes
import fcntl
import os
import shutil
import signal
import struct
import subprocess
import tempfile
from pathlib import Path

from peers.processes import die_with_parent, wait_until

PREFIX = "estafette-faults-"
FS_IOC_SHUTDOWN = 0x8004587D
WITHOUT_FLUSH = 2
CLONE_NEWNS = 0x00020000
MS_REC_PRIVATE = 0x4000 | 1 << 18


def new_folder():
    """A folder of our own; the folders of runs that are no more are removed."""
    parent = Path(os.environ.get("TMPDIR", "/var/tmp"))
    for left in parent.glob(PREFIX + "*-*"):
        process = left.name.removeprefix(PREFIX).split("-")[0]
        if process.isdigit() and not Path(f"/proc/{process}").exists():
            shutil.rmtree(left, ignore_errors=True)
    return Path(tempfile.mkdtemp(prefix=f"{PREFIX}{os.getpid()}-", dir=parent))


def leave_for_a_mount_namespace():
    """A filesystem that another process's namespace has copied stays alive, shut down, after our umount."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(CLONE_NEWNS) != 0 or libc.mount(b"none", b"/", None, MS_REC_PRIVATE, None) != 0:
        raise OSError(ctypes.get_errno(), "a mount namespace of our own")


def run(*command):
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(map(str, command))}: {done.stderr.strip()}")
    return done.stdout.strip()


class PlainFolder:
    """kill -9: the filesystem lives on, and with it what was not synced."""

    survives_in_cache = True

    def __init__(self):
        self.base = new_folder()

    def end(self, process):
        process.kill()
        process.wait()

    def after_death(self):
        pass

    def reset(self):
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)

    @property
    def folder(self):
        return self.base / "life"

    def close(self):
        shutil.rmtree(self.base, ignore_errors=True)


class Mounted:
    """A filesystem in an image of its own, mounted through a loop device."""

    survives_in_cache = False

    def __init__(self, kind, size="400M"):
        leave_for_a_mount_namespace()
        self.kind = kind
        self.base = new_folder()
        self.mount_point = self.base / "mounted"
        self.mount_point.mkdir()
        self.image = self.base / "image"
        try:
            run("truncate", "-s", size, self.image)
            run(f"mkfs.{kind}", "-q", self.image)
            self.mount()
        except BaseException:
            self.close()
            raise

    def mount(self):
        run("mount", "-o", "loop", self.image, self.mount_point)

    def unmount(self):
        run("umount", self.mount_point)

    def reset(self):
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir()
        os.sync()

    @property
    def folder(self):
        return self.mount_point / "life"

    def close(self):
        subprocess.run(["umount", "-l", self.mount_point], stderr=subprocess.DEVNULL)
        shutil.rmtree(self.base, ignore_errors=True)


class PowerCut(Mounted):
    """The filesystem is shut down without writing back: what was not synced is gone."""

    def end(self, process):
        # Stopped first, as a machine without power is. ext4 answers OK to syncs that were under way when it
        # was shut down: of 165 mails lost in 69 rounds without this, all were acknowledged after the
        # shutdown had begun, none before.
        process.send_signal(signal.SIGSTOP)
        wait_until(lambda: _is_stopped(process.pid), 10, every=0.0005, what="the process stops")
        self._cut()
        process.kill()
        process.wait()
        self.unmount()
        self.mount()

    def after_death(self):
        """The power goes where the process was killed already."""
        self._cut()
        self.unmount()
        self.mount()

    def _cut(self):
        folder = os.open(self.mount_point, os.O_RDONLY)
        try:
            fcntl.ioctl(folder, FS_IOC_SHUTDOWN, struct.pack("I", WITHOUT_FLUSH))
        finally:
            os.close(folder)


def _is_stopped(pid):
    """Stopped, with every thread; or gone."""
    try:
        tasks = list(Path(f"/proc/{pid}/task").iterdir())
        return all((task / "stat").read_text().rpartition(")")[2].split()[0] in "TtZX" for task in tasks)
    except OSError:
        return True


class DiskCache(Mounted):
    """A disk (crash_disk.so under nbdkit) that loses what is in its cache, in pieces, when the power goes."""

    PLUGIN = "crash_disk.so"

    def __init__(self, kind, plugin, seed):
        self._plugin, self._seed, self._disk = plugin, seed, None
        super().__init__(kind, "96M")

    def mount(self):
        (self.base / "cut").unlink(missing_ok=True)
        shown = self.base / "shown"
        shown.mkdir(exist_ok=True)
        file = shown / "disk"
        self._seed += 1
        self._disk = subprocess.Popen(
            ["nbdfuse", str(file), "--command", "nbdkit", "-s", "--exit-with-parent", str(self._plugin),
             f"image={self.image}", f"cut={self.base / 'cut'}", f"seed={self._seed}"],
            stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL, preexec_fn=die_with_parent)
        wait_until(lambda: self._disk.poll() is not None or file.is_file(), 10, every=0.005, what="the disk is there")
        run("mount", "-o", "loop", file, self.mount_point)

    def end(self, process):
        process.send_signal(signal.SIGSTOP)
        wait_until(lambda: _is_stopped(process.pid), 10, every=0.0005, what="the process stops")
        (self.base / "cut").touch()
        process.kill()
        process.wait()
        self.unmount()
        self._unplug()
        self.mount()

    def _unplug(self):
        """Its loop device lets go of it a moment after the mount; then it ends, and what the cache lost is decided."""
        if self._disk:
            subprocess.run(["umount", "-l", str(self.base / "shown")], stderr=subprocess.DEVNULL)
            try:
                self._disk.wait(10)
            except subprocess.TimeoutExpired:
                self._disk.kill()
                self._disk.wait()

    def close(self):
        subprocess.run(["umount", "-l", self.mount_point], stderr=subprocess.DEVNULL)
        self._unplug()
        super().close()


class SmallDisk:
    """A filesystem of 40 MiB."""

    def __init__(self):
        leave_for_a_mount_namespace()
        self.base = new_folder()
        run("mount", "-t", "tmpfs", "-o", "size=40m", "tmpfs", self.base)

    def reset(self):
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir()

    @property
    def folder(self):
        return self.base / "life"

    def close(self):
        subprocess.run(["umount", "-l", self.base], stderr=subprocess.DEVNULL)
        shutil.rmtree(self.base, ignore_errors=True)
