"""A program that a fleet runs: started, stopped, killed, paused, and what it said."""

import os
import signal
import subprocess

from .accounts import Account, clean_environment
from .processes import await_end, descendants, kill_all, kill_tree, send_signal, stat_of
from .waiting import READY_S, STOP_S, ServerError, wait_for


class Process:
    """A program started by the fleet. Subclasses define how it is set up; the rest is common."""

    stop_signal = signal.SIGTERM
    users = ()

    def __init__(self, fleet, name, argv=(), env=None, cwd=None, ready=None):
        self.fleet, self.name = fleet, name
        self.argv, self.env = list(argv), env
        self.cwd = cwd or fleet.folder
        self.log = os.path.join(fleet.folder, f"{name}.log")
        self.account = Account(*self.users)
        self._ready = ready
        self._popen = None
        self._paused = []
        self.returncode = None  # of the last run that ended

    @property
    def pid(self):
        return self._popen.pid if self._popen else None

    @property
    def alive(self):
        if self._popen and self._popen.poll() is not None:
            self.returncode = self._popen.returncode
            self._popen = None
        return self._popen is not None

    def is_ready(self):
        """One quick check; start() repeats it until it is true."""
        return self._ready is None or self._ready()

    def start(self, seconds=READY_S):
        """Starts it and waits until it is ready. If it fails or takes too long: ServerError, with the end of its log.
        It may have ended with status 0 by then."""
        if self.alive:
            raise ServerError(f"{self.name} runs already")
        self._spawn()
        try:
            wait_for(lambda: self._died() or self.is_ready(), f"{self.name} is ready", seconds)
        except ServerError as error:
            self.kill()
            raise ServerError(f"{error}\n{self.log_tail()}") from None
        if not self.alive and self.returncode != 0:
            raise ServerError(f"{self.name} ended at once with status {self.returncode}:\n{self.log_tail()}")
        return self

    def stop(self, seconds=STOP_S):
        """Asks it to end and waits; kills it if it takes too long. Returns its exit status."""
        if self.alive:
            self.resume()
            tree = descendants(self.pid)
            send_signal(self.pid, self.stop_signal)
            try:
                self._ended(self._popen.wait(seconds))
            except subprocess.TimeoutExpired:
                self.kill()
            kill_all(tree)
            await_end(tree)
        return self.returncode

    def kill(self):
        """Sends SIGKILL to it and its descendants, as when the machine loses power."""
        if self.alive:
            tree = kill_tree(self.pid, stat_of(self.pid)[2])
            self._ended(self._popen.wait(STOP_S))
            await_end(tree)

    def restart(self, seconds=READY_S):
        self.stop()
        return self.start(seconds)

    def pause(self):
        """SIGSTOP: it stays alive and keeps its connections, but does not answer."""
        if not self.alive:
            raise ServerError(f"{self.name} does not run")
        # The parent first: once stopped, it can have no more children.
        send_signal(self.pid, signal.SIGSTOP)
        self._paused = [pid for pid, _ in descendants(self.pid)] + [self.pid]
        for pid in self._paused:
            send_signal(pid, signal.SIGSTOP)
        wait_for(
            lambda: all((stat_of(p) or "TT")[1] in "TZ" for p in self._paused), f"{self.name} stands still", STOP_S
        )

    def resume(self):
        for pid in self._paused:
            send_signal(pid, signal.SIGCONT)
        self._paused = []

    def signal(self, number):
        if self.alive:
            send_signal(self.pid, number)

    def wait(self, seconds=READY_S):
        """Waits for it to end by itself and returns its exit status."""
        if self.alive:
            try:
                self._ended(self._popen.wait(seconds))
            except subprocess.TimeoutExpired:
                raise ServerError(f"{self.name} still runs after {seconds} s\n{self.log_tail()}") from None
        return self.returncode

    def log_text(self):
        try:
            with open(self.log, encoding="utf-8", errors="replace") as f:
                return f.read()
        except OSError:
            return ""

    def log_tail(self, lines=20):
        return "\n".join(self.log_text().splitlines()[-lines:])

    def clean_up(self):
        """Called once, after the last stop."""

    def _died(self):
        return not self.alive

    def _ended(self, status):
        self.returncode, self._popen, self._paused = status, None, []

    def _spawn(self):
        # The shell records itself before it becomes the program, so the keeper knows of everything that runs.
        script = 'read -r me </proc/$$/stat; printf "%s\\n" "$me" >&0; exec "$@" </dev/null'
        with open(self.log, "ab") as log:
            self._popen = subprocess.Popen(
                ["/bin/sh", "-c", script, self.name, *self.argv],
                env=self.env if self.env is not None else clean_environment(),
                cwd=self.cwd,
                stdin=self.fleet.processes_fd,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # Ctrl-C is for whoever started us, which decides the order of stopping
                **self.account.popen,
            )
