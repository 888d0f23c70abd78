"""A worker and an API, somebody who asks all the while, and what it means that all is well again: for tests in which
parts die. The data are those of service.prepare_counter(): what a generation shows is a number."""

import contextlib
import signal
import threading

import pytest

from http_client import Connection, ask
from service import (
    hold_in_postgres,
    lock_in_mariadb,
    wait_for,
    waits_in_mariadb,
    waits_in_postgres,
    worker_in_mariadb,
)
from serving import start_loaded

PATIENCE_S = 20
RETRIES_S = 100  # the worker's waits after failures grow to a minute, and by half of that at random
ONLY_WHEN_ASKED = {"REFRESH_INTERVAL": 0, "DB_CONNECT_TIMEOUT": 3, "LEASE_TIME": 3}
# Whole answers, dates that a bucket is for, and others; client 1 is in all of them.
PATHS = (
    "/dashboard",
    "/clientes",
    "/health-scores",
    "/dashboard?data_adesao_fim=2029-05-06",
    "/clientes?data_adesao_inicio=2023-12-31&data_adesao_fim=2024-12-31",
)
WORDS = {"postgres": "postgresql", "mariadb": "mysql"}  # what /health and the log call them


def is_sending_in_postgres(stage):
    return stage.fleet.postgres.query(
        f"SELECT 1 FROM pg_stat_activity WHERE usename = '{stage.fleet.READER}' AND wait_event = 'ClientWrite'"
    )


def is_sending_in_mariadb(stage):
    return [row for row in worker_in_mariadb(stage) if row[6] == "Writing to net"]


# The worker waits for a lock while the server sends an answer: how to lock, whether it waits, whether it sends.
amid_an_answer = pytest.mark.parametrize(
    "server, lock, waits, is_sending",
    [
        ("postgres", hold_in_postgres, waits_in_postgres, is_sending_in_postgres),
        ("mariadb", lambda stage: lock_in_mariadb(stage, "activity_log"), waits_in_mariadb, is_sending_in_mariadb),
    ],
    ids=WORDS,
)


def number_in(path, document):
    """What the generation shows; None where scores do."""
    if path.startswith("/health-scores"):
        return None
    return document["mrr_value"] if path.startswith("/dashboard") else document["1"]["valor"]


class Service:
    """A worker that refreshes when asked or when its last attempt failed, and an API that has a generation."""

    def __init__(self, stage, worker_settings=None, where=contextlib.nullcontext, **api_settings):
        """where(): a context in which the programs are started and asked, such as another network namespace."""
        self.stage, self.where = stage, where
        with where():
            self.worker = stage.start_worker(**{**ONLY_WHEN_ASKED, **(worker_settings or {})})
        wait_for(stage.pointer, "the first generation", PATIENCE_S)
        with where():
            self.api = start_loaded(stage, **api_settings)
        self.port = self.api.port
        self.errors_seen = len(self.errors())

    def ask(self, path, **options):
        with self.where():
            return ask(self.port, path, **options)

    def health(self):
        return self.ask("/health").json()

    def clear(self, query=""):
        return self.ask(f"/cache/clear{query}", method="POST")

    def hang_up(self):
        self.worker.signal(signal.SIGHUP)

    def errors(self):
        return [line for line in self.worker.log_text().splitlines() if "level=error" in line]

    def new_errors(self):
        return self.errors()[self.errors_seen :]

    def wait_for_error(self, *texts):
        """The worker's next line at level error, behind the last one that was waited for."""
        line = wait_for(self.new_errors, "the worker says what is wrong", PATIENCE_S)[0]
        self.errors_seen += 1
        for text in texts:
            assert text in line, line
        return line

    def wait_for_health(self, **expected):
        """/health, as soon as it says this of the service, or of the worker: alive=..., last_error=..."""

        def says():
            health = self.health()
            told = {**health, **health["worker"]}
            return health if {name: told[name] for name in expected} == expected else None

        return wait_for(says, f"/health says {expected}", PATIENCE_S)

    def wait_until_newer(self, generation):
        return wait_for(
            lambda: (now := self.health()["generation"]) and now > generation and now,
            f"a generation newer than {generation} is served",
            RETRIES_S,
        )

    def must_be_well(self, number):
        """Healthy without a hand, and a refresh by request shows what is in the databases now."""
        self.wait_for_health(status="healthy", redis_connection="ok", alive=True, last_error=None, stale=False)
        self.stage.set_counter(number)
        wait_for(lambda: self.clear().status == 200, "a refresh by request", PATIENCE_S)
        for path in PATHS:
            assert number_in(path, self.ask(path).json()) in (number, None), path
        assert self.worker.alive and self.api.process.alive
        self.stage.assert_keys_end()


class Witness:
    """A client that asks all the while, on one connection: each answer must be a 200 of one whole generation, never of
    an older one than the answer before."""

    def __init__(self, port, paths=PATHS, where=contextlib.nullcontext):
        self.port, self.paths, self.where = port, paths, where
        self.numbers = {}  # generation: the number that its answers hold
        self.generations = []
        self.count = 0
        self.error = None
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self):
        self._thread.start()
        wait_for(lambda: self.count > len(self.paths) or self.error, "answers before anything happens", PATIENCE_S)
        return self

    def __exit__(self, kind, *_):
        self._stop.set()
        self._thread.join(PATIENCE_S)
        if kind is None:
            assert self.error is None, self.error
            assert self.generations == sorted(self.generations)

    def wait_for_more(self):
        """Answers to questions that were asked after now, every path among them."""
        target = self.count + 2 * len(self.paths)
        wait_for(lambda: self.count >= target or self.error, "answers go on", PATIENCE_S)
        assert self.error is None, self.error

    def _run(self):
        try:
            with self.where(), Connection(self.port) as connection:
                while not self._stop.is_set():
                    self._look(connection, self.paths[self.count % len(self.paths)])
                    self.count += 1
        except Exception as error:  # pylint: disable=broad-except (told by __exit__, in the test's thread)
            self.error = error

    def _look(self, connection, path):
        response = connection.ask(path)
        assert response.status == 200 and int(response.header("Age")) >= 0, response
        generation, number = int(response.header("X-Generation")), number_in(path, response.json())
        if number is not None:
            assert self.numbers.setdefault(generation, number) == number, (path, response)
        self.generations.append(generation)
