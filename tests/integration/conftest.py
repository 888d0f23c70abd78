"""Servers for a test file, and the end of whatever a test started. A sanitizer that complained fails the test."""

import os

import pytest

import service


def pytest_runtest_logreport(report):
    """What did not run, and why, to the file that somebody wants it in: it is easily overlooked otherwise."""
    path = os.environ.get("ECOSYS_SKIPPED_TO")
    if report.skipped and path:
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
        with open(path, "a", encoding="utf-8") as out:
            out.write(f"{report.nodeid}: {reason}\n")


def complaints_in(processes):
    """The logs in which a sanitizer has its say; those of programs that the file shares are looked at in the end."""
    logs = [process.log_text() for process in processes]
    return [log for log in logs if "Sanitizer:" in log or ": runtime error:" in log]


@pytest.fixture(scope="module")
def fleet():
    """PostgreSQL, MariaDB and Redis of this file's own."""
    fleet = service.start_fleet()
    yield fleet
    for process in reversed(fleet.processes):
        process.stop()
    complaints = complaints_in(fleet.processes)
    fleet.close()
    assert not complaints, "\n".join(complaints)


@pytest.fixture(autouse=True)
def programs_of_the_test(fleet):
    """Ends what the test started; pytest shows the logs when it failed."""
    before = len(fleet.processes)
    yield
    started = fleet.processes[before:]
    for process in reversed(started):
        process.kill()
        process.clean_up()
        print(f"---- {process.name}, exit status {process.returncode}\n{process.log_tail(30)}")
    del fleet.processes[before:]
    complaints = complaints_in(started)
    assert not complaints, "\n".join(complaints)
