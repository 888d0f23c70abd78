"""The account that a server runs as, and the environment that it gets."""

import os
import pwd


class Account:
    """The account a server runs as."""

    def __init__(self, *names):
        self.uid, self.gid = os.geteuid(), os.getegid()
        self.popen = {}
        if self.uid != 0:
            return
        for name in names:
            try:
                entry = pwd.getpwnam(name)
            except KeyError:
                continue
            self.uid, self.gid = entry.pw_uid, entry.pw_gid
            self.popen = {"user": self.uid, "group": self.gid, "extra_groups": []}
            return


def current_user():
    return pwd.getpwuid(os.geteuid()).pw_name


def clean_environment(**settings):
    """Only what a program needs of the caller's environment: no PGHOST, no DB_HOST, no proxy."""
    env = {"PATH": os.environ.get("PATH", "/usr/bin:/bin"), "HOME": os.environ.get("HOME", "/"), "LANG": "C.UTF-8"}
    env.update(settings)
    return env
