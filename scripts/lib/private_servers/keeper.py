"""The keeper: a program in a session of its own that outlives the process that made a fleet, in whatever way that ends,
and cleans up after it."""

import os
import select
import signal
import subprocess

from .processes import kill_started_in, reap


LIBRARY = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
# An isolated Python that leaves no __pycache__ is told where this package is.
RUN = "import sys; sys.path.insert(0, sys.argv[1]); from private_servers import keeper; keeper.run(*sys.argv[2:])"


def start_keeper(folder, also_remove, keep, hold_fds):
    argv = ["/usr/bin/python3", "-BIS", "-c", RUN, LIBRARY, "keep" if keep else "remove", folder]
    return subprocess.Popen(
        [*argv, *also_remove],
        cwd="/",
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        start_new_session=True,
        pass_fds=hold_fds,
    )


def _keep_watch(parent):
    """Returns when the process that made the fleet is gone or closes its pipe. Checks the parent too: a forked child of
    the process could still hold the other end of the pipe."""
    while os.getppid() == parent:
        if select.select([0], [], [], 0.5)[0] and not os.read(0, 1):
            return


def run(mode, folder, *also_remove):
    parent = os.getppid()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    _keep_watch(parent)
    if mode == "keep":
        kill_started_in(folder)
        return
    reap(folder)
    for link in also_remove:
        if os.path.islink(link):
            os.unlink(link)
