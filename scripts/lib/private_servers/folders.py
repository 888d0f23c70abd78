"""Folders in which servers can live: not every one lets their users in, holds sockets and closes itself to others."""

import os
import re
import shutil
import subprocess
import tempfile

from .accounts import Account
from .mysql import MariaDB
from .postgres import PostgreSQL
from .redis import Redis
from .waiting import ServerError

SUN_PATH_MAX = 107

LONGEST_SOCKET_NAME = "/postgres/.s.PGSQL.65535"

# Tried as the server's user in its folder: can it get there, bind a socket, and close the folder to others? A home that
# is 0700, a path that is too long and a shared folder of a virtual machine fail in turn.
PROBE = """
import os, socket, sys
os.chdir("/")
path = sys.argv[1]
os.chmod(path, 0o700)
assert os.stat(path).st_mode & 0o777 == 0o700
with socket.socket(socket.AF_UNIX) as s: s.bind(path + sys.argv[2])
open(path + "/file", "w").close()
"""


def can_host_servers(folder):
    """Whether servers can live in this (existing) folder; tried for real."""
    # MariaDB's installation script and PostgreSQL's list of socket folders split paths at some characters.
    if not re.fullmatch(r"[A-Za-z0-9._/+-]+", folder):
        return False
    if len(folder) + len(LONGEST_SOCKET_NAME) > SUN_PATH_MAX:
        return False
    return all(_probe(folder, Account(*kind.users)) for kind in (PostgreSQL, MariaDB, Redis))


def _probe(folder, account):
    path = os.path.join(folder, "postgres")
    try:
        os.mkdir(path)
        os.chown(path, account.uid, account.gid)
        argv = ["/usr/bin/python3", "-IS", "-c", PROBE, path, "/.s.PGSQL.65535"]
        return subprocess.run(argv, cwd="/", capture_output=True, check=False, **account.popen).returncode == 0
    except OSError:
        return False
    finally:
        shutil.rmtree(path, ignore_errors=True)


def temporary_folder():
    """A new folder where servers can live: under $TMPDIR if suitable (it may be private or long), else /tmp."""
    for parent in dict.fromkeys([tempfile.gettempdir(), "/tmp", "/var/tmp"]):
        try:
            folder = tempfile.mkdtemp(prefix="ecosys-", dir=parent)
        except OSError:
            continue
        os.chmod(folder, 0o755)
        if can_host_servers(folder):
            return folder
        os.rmdir(folder)
    raise ServerError("no temporary folder that PostgreSQL, MariaDB and Redis can use: set TMPDIR to one")
