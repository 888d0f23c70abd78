"""How long things may take, and what is raised when one did not come about."""

import time

READY_S = 60

STOP_S = 20


class ServerError(RuntimeError):
    """A server or program could not be started, reached or queried; the text says which and shows its log."""


def wait_for(condition, what, seconds=READY_S, pause_s=0.03):
    """Returns the first true value of condition(); ServerError if there is none in time."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise ServerError(f"{what}: not so after {seconds} s")
        time.sleep(pause_s)
