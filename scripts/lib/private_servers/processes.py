"""Processes by pid and start time: only those that a fleet started, and their descendants. Its folder lists them, so
that whoever comes after it can end them."""

import ctypes
import glob
import os
import shutil
import signal
import stat

from .waiting import STOP_S, wait_for

PROCESSES = "processes"  # in the fleet's folder: a line of /proc/PID/stat for each process it ever started


def stat_of(pid):
    """(ppid, state, start time) of a living process, else None. The start time tells it from a later one of its pid."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as f:
            return parse_stat(f.read())[1:]
    except (OSError, ValueError, IndexError):
        return None


def parse_stat(line):
    """(pid, ppid, state, start time); the command's name is in parentheses and may contain anything."""
    head, tail = line.rsplit(")", 1)
    fields = tail.split()
    return int(head.split("(", 1)[0]), int(fields[1]), fields[0], int(fields[19])


def is_alive(pid, started):
    now = stat_of(pid)
    return now is not None and now[1] != "Z" and now[2] == started


def descendants(pid):
    """[(pid, start time)] of all descendants of pid. PostgreSQL's backends have own sessions: no group has them all."""
    children = {}
    for name in os.listdir("/proc"):
        info = stat_of(name) if name.isdigit() else None
        if info:
            children.setdefault(info[0], []).append((int(name), info[2]))
    found, queue = [], [pid]
    while queue:
        below = children.get(queue.pop(), [])
        found += below
        queue += [child for child, _ in below]
    return found


def send_signal(pid, number):
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        pass


def kill_tree(pid, started):
    """Sends SIGKILL to a process and its descendants; returns them, to be waited for."""
    tree = [(pid, started)] + descendants(pid)
    kill_all(tree)
    return tree


def kill_all(processes):
    for pid, started in processes:
        if is_alive(pid, started):
            send_signal(pid, signal.SIGKILL)


def await_end(tree, seconds=STOP_S):
    wait_for(lambda: not any(is_alive(p, s) for p, s in tree), "killed processes are gone", seconds)


def forget_shared_memory(data_folder):
    """Removes the System V segment that a killed PostgreSQL leaves behind; an orderly end removes the pid file."""
    try:
        with open(os.path.join(data_folder, "postmaster.pid"), encoding="utf-8") as f:
            segment = int(f.read().splitlines()[6].split()[1])
    except (OSError, ValueError, IndexError):
        return
    ctypes.CDLL(None).shmctl(segment, 0, None)  # 0 is IPC_RMID; the segment may be gone already


def kill_started_in(folder):
    """Kills what the fleet of this folder started and is still running."""
    trees = []
    try:
        with open(os.path.join(folder, PROCESSES), encoding="utf-8", errors="replace") as f:
            lines = f.read().splitlines()
    except OSError:
        lines = []
    for line in lines:
        try:
            pid, _, _, started = parse_stat(line)
        except (ValueError, IndexError):
            continue  # cut off while being written
        if is_alive(pid, started):
            trees += kill_tree(pid, started)
    await_end(trees)
    for data in glob.glob(os.path.join(glob.escape(folder), "*", "data")):
        forget_shared_memory(data)


def reap(folder):
    """Cleans up a fleet that could not end by itself: its processes, then its folder."""
    kill_started_in(folder)
    shutil.rmtree(folder, ignore_errors=True)


def is_fleet_folder(folder):
    """Whether a folder was made by a fleet of this user, so that reap() may be used on it."""
    try:
        info = os.lstat(os.path.join(folder, PROCESSES))
    except OSError:
        return False
    return stat.S_ISREG(info.st_mode) and info.st_uid == os.geteuid()
