"""The lease: one publisher among any number of workers, whichever is killed or stopped and whenever. Who stands by
takes over within the time of the lease, and what lost it changes nothing that a reader can see."""

import collections
import concurrent.futures
import contextlib
import itertools
import os
import random
import re
import resource
import signal
import statistics
import threading
import time

import pytest

from http_client import Connection, ask
from redis_monitor import RedisMonitor
from redis_proxy import Action, RedisProxy, is_flip
from service import (
    Stage,
    is_sanitizer_build,
    lock_in_mariadb,
    prepare_counter,
    published_generations,
    wait_for,
    waits_in_mariadb,
)
from serving import start_loaded, wait_until_served

LEASE_S = 3
ONLY_WHEN_ASKED = {"REFRESH_INTERVAL": 0, "LEASE_TIME": LEASE_S}
PATIENCE_S = 20
ERROR = re.compile(r"level=error .*")


@pytest.fixture(scope="module")
def counter(fleet):
    prepare_counter(fleet, "leased", clients=3)
    return "leased"


@pytest.fixture
def stage(fleet, counter):
    stage = Stage(fleet, counter)
    stage.set_counter(1)
    return stage


@pytest.fixture
def monitor(stage):
    with RedisMonitor(stage.redis, stage.prefix) as monitor:
        yield monitor


def errors_in(worker):
    return ERROR.findall(worker.log_text())


def published_by(worker):
    return published_generations(worker.log_text())


def wait_for_generation(stage, above=0, seconds=PATIENCE_S):
    """The pointer, as soon as it is higher than `above`."""
    return wait_for(lambda: (number := stage.pointer() or 0) > above and number, "a newer generation", seconds)


def wait_for_word(worker, text, count=1):
    wait_for(lambda: worker.log_text().count(text) >= count, f"{worker.name} says {text}", PATIENCE_S)


def mrr(api):
    return ask(api.port, "/dashboard").json()["mrr_value"]


# ---- One leads, the others stand by


def test_once_beside_a_live_daemon_names_it(stage):
    daemon = stage.start_worker(**ONLY_WHEN_ASKED)
    generation = wait_for_generation(stage)
    done = stage.once(LEASE_TIME=LEASE_S)
    assert done.returncode == 1
    assert f"/{daemon.pid}/" in ERROR.findall(done.stderr)[0], done.stderr
    assert stage.pointer() == generation


def test_once_after_a_killed_daemon_waits_for_its_lease(stage):
    daemon = stage.start_worker(**ONLY_WHEN_ASKED)
    generation = wait_for_generation(stage)
    daemon.kill()
    assert stage.command("EXISTS", f"{stage.prefix}:lease") == 1
    assert stage.publish(LEASE_TIME=LEASE_S) > generation


def test_daemon_gives_its_lease_back(stage):
    daemon = stage.start_worker(**ONLY_WHEN_ASKED)
    wait_for_generation(stage)
    daemon.signal(signal.SIGTERM)
    assert daemon.wait(PATIENCE_S) == 0
    assert stage.command("EXISTS", f"{stage.prefix}:lease") == 0


def test_stand_by_takes_over_from_a_killed_leader(stage, monitor):
    leader = stage.start_worker(**ONLY_WHEN_ASKED)
    generation = wait_for_generation(stage)
    other = stage.start_worker(**ONLY_WHEN_ASKED)
    wait_for_word(other, 'message="standing by"')
    assert f"/{leader.pid}/" in other.log_text()
    assert not published_by(other)
    killed_at = time.time()
    leader.kill()
    wait_for(lambda: len(monitor.holdings) == 2, "another token", LEASE_S + PATIENCE_S)
    assert f"/{other.pid}/" in monitor.holdings[1].token
    seconds = monitor.holdings[1].at_s - killed_at
    print(f"taken over {seconds:.3f} s after the kill")
    assert seconds < LEASE_S + 3
    generation = wait_for_generation(stage, generation)
    wait_for(lambda: published_by(other) == [generation], "the new leader says so", PATIENCE_S)


@pytest.mark.skipif(is_sanitizer_build(), reason="a sanitizer ends a program that gets no memory")
def test_leader_that_cannot_begin_a_refresh_tries_again(stage):
    """One that takes over gets no memory for a thread: who asks is told, and it goes on when there is some."""
    leader = stage.start_worker(**ONLY_WHEN_ASKED)
    generation = wait_for_generation(stage)
    heir = stage.start_worker(**ONLY_WHEN_ASKED)
    wait_for_word(heir, 'message="standing by"')
    api = start_loaded(stage)
    with open(f"/proc/{heir.pid}/statm", encoding="ascii") as f:
        size = int(f.read().split()[0]) * resource.getpagesize()
    _, hard = resource.prlimit(heir.pid, resource.RLIMIT_AS)
    resource.prlimit(heir.pid, resource.RLIMIT_AS, (size + (1 << 20), hard))  # less than a thread's stack
    leader.kill()
    wait_for_word(heir, 'message="a refresh cannot begin"')
    assert re.search(r'message="a refresh cannot begin" error="no thread for a refresh: [^"]+"', heir.log_text())
    assert ask(api.port, "/cache/clear", method="POST").status == 502
    assert ask(api.port, "/dashboard").status == 200 and stage.pointer() == generation
    resource.prlimit(heir.pid, resource.RLIMIT_AS, (hard, hard))
    wait_for_generation(stage, generation)
    assert heir.alive


def test_stand_by_looks_when_the_lease_runs_out(fleet, counter):
    """Leases that run out between two looks that are a second apart; by those alone all would be taken 0.5 s late."""
    late = []
    with contextlib.ExitStack() as stack:
        waiting = []
        for stage in [Stage(fleet, counter) for _ in range(3)]:
            monitor = stack.enter_context(RedisMonitor(stage.redis, stage.prefix))
            waiting.append((monitor, time.time() + 3.5))
            stage.command("SET", f"{stage.prefix}:lease", "somebody/else", "PX", 3500)
            stage.start_worker(**ONLY_WHEN_ASKED)
        for monitor, ends_at in waiting:
            wait_for(lambda now=monitor: now.holdings, "the lease is taken", PATIENCE_S)
            late.append(monitor.holdings[0].at_s - ends_at)
    assert min(late) > -0.05 and statistics.median(late) < 0.25, late


def test_leader_whose_first_lease_it_never_heard_of(fleet, stage):
    """The lease was taken and only the answer was lost: nobody else leads, so it must refresh all the same."""

    def lose_first(_, words):
        return Action.CUT_REPLY if words[0] == b"EVAL" and not proxy.has_struck else Action.FORWARD

    with RedisProxy(fleet.redis, lose_first) as proxy:
        worker = stage.start_worker(REDIS_URL=proxy.url(), **ONLY_WHEN_ASKED)
        wait_for_word(worker, "Redis cannot be used")
        generation = wait_for_generation(stage)
        wait_for(lambda: published_by(worker) == [generation], "it says so", PATIENCE_S)


# ---- What lost the lease


# [name, SHA-1 of what it holds] of each key of a generation.
CONTENT_SCRIPT = """
local found = {}
for _, key in ipairs(redis.call('SMEMBERS', KEYS[1])) do
  table.insert(found, {key, redis.sha1hex(redis.call('DUMP', key) or '')})
end
return found
"""


def content(stage, generation):
    return sorted(map(tuple, stage.command("EVAL", CONTENT_SCRIPT, 1, stage.generation_key(generation, "keys"))))


class Stalled:
    """A worker that leads, and one of whose connections comes to a halt at the first command to Redis that is_it(words)
    is true of. The whole process is stopped then, unless it is to stay alive and keep its lease."""

    def __init__(self, stage, is_it, stays_alive=False):
        self._is_it, self._stays_alive = is_it, stays_alive
        self.proxy = RedisProxy(stage.redis, self._decide)
        self.worker = stage.start_worker(REDIS_URL=self.proxy.url(), REDIS_TIMEOUT_MS=60000, **ONLY_WHEN_ASKED)

    def __enter__(self):
        wait_for(lambda: self.proxy.has_struck, "it has come that far", PATIENCE_S)
        if not self._stays_alive:
            self.worker.pause()
        return self

    def __exit__(self, *_):
        self.proxy.__exit__()

    def go_on(self):
        self.proxy.let_go()
        self.worker.resume()

    def _decide(self, _, words):
        return Action.STALL if self._is_it(words) and not self.proxy.has_struck else Action.FORWARD


def is_answer(words):
    """Whether a command stores a bucket's answer: in the middle of a publication."""
    return words[0] == b"EVAL" and b":answer:" in words[3]


def is_look_round(words):
    """Whether a command lists the generations, to clear them up."""
    return words[0] == b"ZRANGE"


def publish_from_the_future(stage):
    """A generation whose number no clock reaches: the next ones are counted on from it."""
    stage.command("SET", f"{stage.prefix}:current", stage.publish() + 10**9, "EX", 1000)
    return stage.publish()


@pytest.mark.parametrize("first", [Stage.publish, publish_from_the_future], ids=["by the clock", "from the future"])
@pytest.mark.parametrize("where", [is_answer, is_flip], ids=["amid the keys", "before the flip"])
def test_worker_stopped_in_a_publication_changes_nothing(stage, monitor, first, where):
    oldest = first(stage)
    api = start_loaded(stage)
    with Stalled(stage, where) as stalled:
        stage.set_counter(2)
        other = stage.start_worker(**ONLY_WHEN_ASKED)
        generation = wait_for_generation(stage, oldest)
        wait_for(lambda: published_by(other) == [generation], "the other one says so", PATIENCE_S)
        wait_until_served(api.port, generation)
        before, report = content(stage, generation), stage.command("GET", f"{stage.prefix}:worker")
        stalled.go_on()
        wait_for_word(stalled.worker, 'message="standing by"')
        wait_for(lambda: errors_in(stalled.worker), "it says what became of its refresh", PATIENCE_S)
        assert "class=conflict" in errors_in(stalled.worker)[0]
        wait_for(lambda: stage.generations_with_keys() <= {oldest, generation}, "its keys are gone", PATIENCE_S)
        assert stage.pointer() == generation and content(stage, generation) == before
        assert stage.command("GET", f"{stage.prefix}:worker") == report, "who leads reports"
        assert not published_by(stalled.worker)
        assert mrr(api) == 2
        # It goes on as a stand-by: the next death is its turn.
        stage.set_counter(3)
        other.kill()
        newer = wait_for_generation(stage, generation)
        wait_for(lambda: published_by(stalled.worker) == [newer], "it says so", PATIENCE_S)
        wait_until_served(api.port, newer)
        assert mrr(api) == 3
    assert [flip.generation for flip in monitor.flips][-2:] == [generation, newer]
    assert stage.generations_with_keys() == {oldest, generation, newer}


def test_flip_whose_answer_was_lost_is_known_behind_a_newer_one(stage):
    """The worker asks what became of its flip only after another one has published, too."""
    oldest = stage.publish()

    def decide(_, words):
        if is_flip(words) and stage.pointer() == oldest:
            return Action.CUT_REPLY
        return Action.STALL if words[0] == b"EVAL" and b"'ZREM'" in words[1] else Action.FORWARD

    with RedisProxy(stage.redis, decide) as proxy:
        worker = stage.start_worker(REDIS_URL=proxy.url(), REDIS_TIMEOUT_MS=60000, **ONLY_WHEN_ASKED)
        generation = wait_for_generation(stage, oldest)
        wait_for(lambda: proxy.is_stalling, "it asks", PATIENCE_S)
        worker.pause()
        stage.start_worker(**ONLY_WHEN_ASKED)
        newer = wait_for_generation(stage, generation)
        proxy.let_go()
        worker.resume()
        wait_for(lambda: published_by(worker) == [generation], "it says that the flip was made", PATIENCE_S)
        assert stage.pointer() == newer
        assert stage.generations_with_keys() == {oldest, generation, newer}, "its readers have their time"


def test_worker_stopped_behind_the_flip_leaves_the_next_publication_alone(stage):
    """What it has left to do is to clear up, and the other's half-written generation is not its to clear."""
    oldest = stage.publish()
    with Stalled(stage, is_look_round) as stalled:
        generation = stage.pointer()
        assert generation > oldest
        with Stalled(stage, is_answer, stays_alive=True) as other:
            stalled.go_on()
            wait_for(lambda: published_by(stalled.worker) == [generation], "it has cleared up", PATIENCE_S)
            other.go_on()
            newer = wait_for_generation(stage, generation)
            wait_for(lambda: published_by(other.worker) == [newer], "the other one says so", PATIENCE_S)
            assert not errors_in(other.worker)


def test_worker_stopped_amid_its_snapshot_does_not_publish_it_later(stage, monitor):
    """Another one published what is newer and died; the first one gets the lease back, but its snapshot is too old."""
    stage.publish()
    stopped = stage.start_worker(**ONLY_WHEN_ASKED)
    wait_for(lambda: published_by(stopped), "it leads", PATIENCE_S)
    with lock_in_mariadb(stage):
        stopped.signal(signal.SIGHUP)
        wait_for(lambda: waits_in_mariadb(stage), "it has opened both snapshots", PATIENCE_S)
        stopped.pause()
    stage.set_counter(2)
    before = stage.pointer()
    other = stage.start_worker(**ONLY_WHEN_ASKED)
    generation = wait_for_generation(stage, before)
    api = start_loaded(stage)
    assert mrr(api) == 2
    other.kill()
    wait_for(lambda: not stage.command("EXISTS", f"{stage.prefix}:lease"), "the lease has run out", PATIENCE_S)
    with Connection(api.port) as link:
        stopped.resume()
        newer = wait_for_generation(stage, generation)
        shown = wait_for(
            lambda: (answer := link.ask("/dashboard")).header("X-Generation") == str(newer) and answer,
            "it is served",
            PATIENCE_S,
        )
    assert shown.json()["mrr_value"] == 2
    assert len(set(holding.token for holding in monitor.holdings)) == len(monitor.holdings), "a token a holding"


def test_request_whose_worker_lost_the_lease_is_not_given_up(stage):
    """The API is not told that its refresh failed: who leads next does it."""
    generation = stage.publish()
    api = start_loaded(stage)
    stalled = Stalled(stage, lambda words: is_flip(words) and stage.pointer() != generation)
    wait_for_generation(stage, generation)
    stage.set_counter(2)
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(ask, api.port, "/cache/clear", method="POST")
        with stalled:
            stage.command("SET", f"{stage.prefix}:lease", "somebody/else")
            stalled.go_on()
            wait_for_word(stalled.worker, 'message="standing by"')
            wait_for(lambda: errors_in(stalled.worker), "its refresh has failed", PATIENCE_S)
            assert not waiting.done()
            stage.expire_lease()
            assert waiting.result().status == 200
    assert mrr(api) == 2


def test_daemon_that_lost_its_lease_publishes_nothing(stage):
    daemon = stage.start_worker(**ONLY_WHEN_ASKED)
    generation = wait_for_generation(stage)
    with lock_in_mariadb(stage):
        daemon.signal(signal.SIGHUP)
        wait_for(lambda: waits_in_mariadb(stage), "a refresh is under way", PATIENCE_S)
        stage.command("SET", f"{stage.prefix}:lease", "somebody/else")
        wait_for_word(daemon, "standing by")
    wait_for_word(daemon, "class=conflict")
    assert stage.pointer() == generation
    assert stage.generations_with_keys() == {generation}
    assert stage.command("GET", f"{stage.prefix}:lease") == b"somebody/else"


# ---- A minute of chaos

SEED = int(os.environ.get("ECOSYS_SEED", random.SystemRandom().randrange(1, 10**6)))
CHAOS_S = 60
CREW = 3  # workers
SETTLED_FLIPS = 2  # after whatever was done, refreshes go on: at once, and by the interval
SEEN_S = 2  # a generation that was current for so long must have been served

# {keys in the set of keys, those of them that exist, those that have a time to live}
WHOLE_SCRIPT = """
local keys = redis.call('SMEMBERS', KEYS[1])
local ending = 0
for _, key in ipairs(keys) do if redis.call('TTL', key) > 0 then ending = ending + 1 end end
return {#keys, #keys > 0 and redis.call('EXISTS', unpack(keys)) or 0, ending}
"""

Change = collections.namedtuple("Change", "began_s ended_s value")
Answer = collections.namedtuple("Answer", "status generation value")


class Audience:
    """Those who go on while workers come and go: one changes the data, one reads what is served and whether each
    generation is whole."""

    def __init__(self, stage, monitor, port):
        self.stage, self.monitor, self.port = stage, monitor, port
        self.changes = []
        self.answers = []
        self.whole = {}  # generation: what WHOLE_SCRIPT said
        self._stop = threading.Event()
        self._pool = concurrent.futures.ThreadPoolExecutor(2)
        self._running = []

    def __enter__(self):
        self._running = [self._pool.submit(self._change), self._pool.submit(self._read)]
        return self

    def __exit__(self, *_):
        self._stop.set()
        self._pool.shutdown()
        for future in self._running:
            future.result()

    def _change(self):
        for value in itertools.count(2):
            began_s = time.time()
            self.stage.set_counter(value)
            self.changes.append(Change(began_s, time.time(), value))
            if self._stop.wait(0.2):
                return

    def _read(self):
        with Connection(self.port) as link:
            is_last = False
            while not is_last:
                is_last = self._stop.wait(0.01)
                answer = link.ask("/dashboard")
                generation = int(answer.header("X-Generation") or 0)
                self.answers.append(Answer(answer.status, generation, answer.json().get("mrr_value")))
                for flip in self.monitor.flips[len(self.whole) :]:
                    keys = self.stage.generation_key(flip.generation, "keys")
                    self.whole[flip.generation] = self.stage.command("EVAL", WHOLE_SCRIPT, 1, keys)


class Crew:
    """The workers, those that were killed included, and what may happen to them."""

    def __init__(self, stage, monitor, rng):
        self.stage, self.monitor, self.rng = stage, monitor, rng
        self.of_pid = {}
        self.killed = set()
        for _ in range(CREW):
            self.hire()

    def hire(self):
        # Who is stopped while it connects to MySQL and goes on later takes that for a server that does not answer.
        worker = self.stage.start_worker(REFRESH_INTERVAL=1, LEASE_TIME=LEASE_S, DB_CONNECT_TIMEOUT=60)
        self.of_pid[worker.pid] = worker

    def alive(self):
        return [worker for worker in self.of_pid.values() if worker.alive]

    def leader(self):
        return self.of_pid[pid_of(self.monitor.holdings[-1].token)]

    def stand_bys(self):
        return [worker for worker in self.alive() if worker is not self.leader()]

    def settle(self):
        """Refreshes go on, and there are as many workers as there were."""
        while len(self.alive()) < CREW:
            self.hire()
        target = len(self.monitor.flips) + SETTLED_FLIPS
        wait_for(lambda: len(self.monitor.flips) >= target, "refreshes go on", PATIENCE_S)
        wait_for(lambda: self.leader().alive, "who leads is there", PATIENCE_S)

    # ---- Parts of what may happen

    def strike(self, worker, number):
        """The signal comes at some command of the workers: between two keys, at a flip, or at a look at the lease."""
        kind, most = self.rng.choice([("write", 120), ("write", 120), ("flip", 1), ("other", 8)])
        pid = worker.pid
        strike = self.monitor.strike(kind, self.rng.randint(1, most), lambda: os.kill(pid, number))
        wait_for(strike.done.is_set, f"a {kind} to strike at", PATIENCE_S)

    def kill(self, worker):
        self.killed.add(worker)
        self.strike(worker, signal.SIGKILL)
        worker.kill()

    def stop(self, worker):
        self.strike(worker, signal.SIGSTOP)
        worker.pause()

    def wait_for_another(self, *workers):
        """Somebody else than these leads, and, perhaps, has published already."""
        wait_for(lambda: self.leader() not in workers, "the lease is another one's", PATIENCE_S)
        if self.rng.random() < 0.5:
            count = len(self.monitor.flips)
            wait_for(lambda: len(self.monitor.flips) > count, "a generation of the other one", PATIENCE_S)

    # ---- What may happen

    def leader_is_killed(self):
        leader = self.leader()
        self.kill(leader)
        if self.rng.random() < 0.5:
            self.hire()
        self.wait_for_another(leader)

    def stand_by_is_killed(self):
        self.kill(self.rng.choice(self.stand_bys()))

    def leader_stands_still(self):
        leader = self.leader()
        before = leader.log_text().count('message="standing by"')
        self.stop(leader)
        self.wait_for_another(leader)
        leader.resume()
        wait_for_word(leader, 'message="standing by"', before + 1)

    def leader_and_stand_by_stand_still(self):
        leader, stand_by = self.leader(), self.rng.choice(self.stand_bys())
        self.stop(stand_by)
        self.stop(leader)
        self.wait_for_another(leader, stand_by)
        for worker in self.rng.sample([leader, stand_by], 2):
            worker.resume()

    def leader_stands_still_and_its_successor_is_killed(self):
        leader = self.leader()
        self.stop(leader)
        self.wait_for_another(leader)
        self.kill(self.leader())
        leader.resume()

    def all_stand_still(self):
        everybody = self.rng.sample(self.alive(), CREW)
        self.stop(everybody[0])
        for worker in everybody[1:]:
            worker.pause()
        lease = f"{self.stage.prefix}:lease"
        wait_for(lambda: not self.stage.command("EXISTS", lease), "the lease has run out", PATIENCE_S)
        for worker in everybody:
            worker.resume()

    def leader_is_told_to_end(self):
        leader = self.leader()
        self.strike(leader, signal.SIGTERM)
        assert leader.wait(PATIENCE_S) == 0

    ACTS = [
        leader_is_killed,
        stand_by_is_killed,
        leader_stands_still,
        leader_and_stand_by_stand_still,
        leader_stands_still_and_its_successor_is_killed,
        all_stand_still,
        leader_is_told_to_end,
    ]

    def dismiss(self):
        for worker in self.alive():
            worker.signal(signal.SIGTERM)
            assert worker.wait(PATIENCE_S) == 0


def pid_of(token):
    return int(token.split("/")[1])


def assert_one_publisher(crew, flips, holdings):
    """What became current is what the workers say they published, each generation by one, who held the lease; only who
    was killed may not have come to say the last."""
    generations = [flip.generation for flip in flips]
    assert generations == sorted(set(generations))
    tokens = [holding.token for holding in holdings]
    assert len(set(tokens)) == len(tokens), "a token a holding"
    turns = [tokens.index(flip.token) for flip in flips]
    assert turns == sorted(turns), "nobody publishes after the next one took over"
    for pid, worker in crew.of_pid.items():
        flipped = [flip.generation for flip in flips if pid_of(flip.token) == pid]
        is_cut_off = worker in crew.killed and published_by(worker) == flipped[:-1]
        assert is_cut_off or published_by(worker) == flipped, worker.name
        assert all("class=conflict" in line for line in errors_in(worker)), errors_in(worker)
    assert {pid_of(flip.token) for flip in flips} <= crew.of_pid.keys()


def assert_whole_and_served(audience, flips):
    assert audience.whole.keys() == {flip.generation for flip in flips}
    for generation, (listed, there, ending) in audience.whole.items():
        assert listed == there == ending > 0, generation
    assert {answer.status for answer in audience.answers} == {200}
    served = [answer.generation for answer in audience.answers]
    assert served == sorted(served)
    for flip, following in zip(flips, flips[1:]):
        assert flip.generation in served or following.at_s - flip.at_s < SEEN_S, flip


def assert_fresh(audience, flips):
    """A generation holds what was in the database when its snapshot was opened, which is its number."""
    shown = {}
    for answer in audience.answers:
        assert shown.setdefault(answer.generation, answer.value) == answer.value
    for flip in flips:
        if flip.generation in shown:
            before = [change.value for change in audience.changes if change.ended_s < flip.generation / 1000]
            begun = [change.value for change in audience.changes if change.began_s <= flip.at_s]
            assert (before or [1])[-1] <= shown[flip.generation] <= (begun or [1])[-1], flip
    values = [answer.value for answer in audience.answers]
    assert values == sorted(values)


def acts(rng, ends_at):
    """Each of them once, in some order, and so on until the time is over."""
    while True:
        for act in rng.sample(Crew.ACTS, len(Crew.ACTS)):
            if time.monotonic() > ends_at:
                return
            yield act


@pytest.mark.parametrize("seed", [SEED])
def test_a_minute_of_chaos(stage, seed):
    rng = random.Random(seed)
    first = stage.publish()
    api = start_loaded(stage, API_THREADS=1)
    happened = collections.Counter()
    with RedisMonitor(stage.redis, stage.prefix) as monitor, Audience(stage, monitor, api.port) as audience:
        crew = Crew(stage, monitor, rng)
        crew.settle()
        for act in acts(rng, time.monotonic() + CHAOS_S):
            act(crew)
            crew.settle()
            happened[act.__name__] += 1
        crew.dismiss()
        wait_until_served(api.port, stage.pointer())
    flips = monitor.flips
    print(
        f"seed {seed}: {len(flips)} generations, {len(monitor.holdings)} holdings, {len(audience.answers)} answers,"
        f" {len(audience.changes)} changes, {dict(happened)}"
    )
    assert len(flips) >= SETTLED_FLIPS * happened.total()
    assert flips[-1].generation == stage.pointer()
    assert_one_publisher(crew, flips, monitor.holdings)
    assert_whole_and_served(audience, flips)
    assert_fresh(audience, flips)
    assert all(
        "did not answer in 1000 ms" in line for line in api.log().splitlines() if "level=error" in line
    ), api.log()
    stage.assert_keys_end()
    assert stage.generations_with_keys() <= {first} | {flip.generation for flip in flips}
