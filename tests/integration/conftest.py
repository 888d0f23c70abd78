"""Servers for a test file, and the end of whatever a test started."""
import pytest

import service


@pytest.fixture(scope='module')
def fleet():
    """PostgreSQL, MariaDB and Redis of this file's own."""
    fleet = service.start_fleet()
    yield fleet
    fleet.close()


@pytest.fixture(autouse=True)
def programs_of_the_test(fleet):
    """Ends what the test started; pytest shows the logs when it failed."""
    before = len(fleet.processes)
    yield
    for process in reversed(fleet.processes[before:]):
        process.kill()
        process.clean_up()
        print(f'---- {process.name}, exit status {process.returncode}\n{process.log_tail(30)}')
    del fleet.processes[before:]
