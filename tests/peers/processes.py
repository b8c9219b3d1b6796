"""Processes in namespaces of their own, which die with us; free ports; waiting with a limit."""

import ctypes
import os
import shutil
import signal
import socket
import subprocess
import time

PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True)


def needs():
    """None where the servers can run here, else one sentence saying what is missing."""
    for tool in ("unshare", "dpkg", "apt-get", "openssl"):
        if shutil.which(tool) is None:
            return f"{tool} is not installed (scripts/setup installs it)"
    if os.geteuid() != 0:
        return "mail servers run in namespaces of their own, which takes root: run as root or with sudo"
    tried = subprocess.run(["unshare", "--mount", "--pid", "--fork", "true"], capture_output=True, text=True)
    if tried.returncode != 0:
        return ("mail servers need mount and pid namespaces, which this machine refuses "
                f"({tried.stderr.strip()}); in a container, add the capability SYS_ADMIN")
    return None


def free_port():
    """A loopback port that nothing listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def answers(port):
    """Whether something listens on the loopback PORT."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def wait_until(true, seconds=20, every=0.02, what=None):
    """Waits until TRUE() is true and returns its value; fails after SECONDS, saying WHAT was awaited."""
    end = time.monotonic() + seconds
    while True:
        value = true()
        if value:
            return value
        if time.monotonic() > end:
            said = what() if callable(what) else what
            raise AssertionError(f"not within {seconds} s: {said or getattr(true, '__name__', 'condition')}")
        time.sleep(every)


def die_with_parent():
    """For preexec_fn: the child gets SIGKILL when we end, however we end."""
    _libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def start_in_root(root, folder, command, log, core=None):
    """Starts COMMAND in a pid namespace of its own, inside ROOT, whose /etc and /var are FOLDER/etc and
    FOLDER/var. Killing the process that is returned kills all of its descendants: a shell that never
    changes its user stays process 1 there (a server that does would lose its death signal)."""
    mounts = (
        f'mount --bind "{folder}/etc" "{root}/etc"; mount --bind "{folder}/var" "{root}/var"; '
        f'mount -t tmpfs tmpfs "{root}/tmp"; mount -t tmpfs tmpfs "{root}/run"; '
        f'mount --rbind /dev "{root}/dev"; mount -t proc proc "{root}/proc"; '
        f'chroot "{root}" "$@" & wait $!'
    )
    pinned = [] if core is None else ["taskset", "-c", str(core)]
    return subprocess.Popen(
        [*pinned, "unshare", "--mount", "--pid", "--fork", "--kill-child=KILL", "sh", "-ec", mounts, "sh", *command],
        stdin=subprocess.DEVNULL, stdout=log, stderr=log, preexec_fn=die_with_parent, cwd="/")


def run_in_root(root, folder, command, text=""):
    """Runs COMMAND to its end inside ROOT with TEXT on its stdin."""
    mounts = (f'mount --bind "{folder}/etc" "{root}/etc"; mount --bind "{folder}/var" "{root}/var"; '
              f'mount --rbind /dev "{root}/dev"; exec chroot "{root}" "$@"')
    done = subprocess.run(["unshare", "--mount", "sh", "-ec", mounts, "sh", *command], input=text, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(command)}: {done.stdout}")
    return done.stdout


def run_beside(pid, root, command):
    """Runs COMMAND to its end in the namespaces and the root of what start_in_root returned as PID."""
    done = subprocess.run(["nsenter", "--target", str(_child(pid)), "--mount", "--pid", "chroot", str(root),
                           *map(str, command)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(map(str, command))}: {done.stdout}")
    return done.stdout


def signal_inside(pid, name):
    """Sends the signal NAME to the server that start_in_root started as PID."""
    os.kill(_child(_child(pid)), getattr(signal, f"SIG{name}"))


def _child(pid):
    return int(open(f"/proc/{pid}/task/{pid}/children").read().split()[0])


def stop(process):
    """Ends what start_in_root returned. Its first process is killed, not `unshare`: when that one has been
    waited for, nothing in the namespace is left, and every port is free again."""
    if process is None:
        return
    if process.poll() is None:
        try:
            os.kill(_child(process.pid), signal.SIGKILL)
        except (IndexError, ProcessLookupError):
            process.kill()
    process.wait()
