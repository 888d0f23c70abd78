"""What a generation's answers have to be: each is derived, naively, from the two unfiltered documents of the same
generation, and these are held against what was written into the databases and when."""
import collections
import contextlib
import dataclasses
import hashlib
import json
import re
import threading
import time
import urllib.parse
from decimal import ROUND_HALF_UP, Decimal

ACTIVE = ('CS | ONBOARDING', 'CS | ONGOING', 'CS | BRADESCO')
ONBOARDING = ('CS | ONBOARDING', 'CS | BRADESCO')
CHURN = 'Churns & Cancelamentos'
CATEGORIES = ('Crítico', 'Normal', 'Saudável', 'Campeão')
KEPT = 30  # generations that are remembered
LOST_S = 3  # of writing, which a database that is killed may lose: nothing is synced to disk
CLOCK_S = 0.1  # by which the number of a generation may be off the instant of its snapshots

Change = collections.namedtuple('Change', 'began_s ended_s marker')


class Wrong(Exception):
    """An answer that is not what it has to be."""


def parse(body):
    return json.loads(body, parse_float=Decimal, parse_int=int)


def cnpj_key(value):
    """The 14 characters that CNPJs are compared as, or None."""
    text = re.sub('[^0-9A-Z]', '', str('' if value is None else value).upper())
    if text.isdigit():
        text = text.zfill(14)
    is_known = re.fullmatch('[0-9A-Z]{12}[0-9]{2}', text) and text.strip('0')
    return text if is_known else None


def bounds_of(path):
    """(first day, last day) as texts that compare like days; None is no bound."""
    query = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(path).query))
    return query.get('data_adesao_inicio'), query.get('data_adesao_fim')


def passes(client, bounds):
    first, last = bounds
    if first is None and last is None:
        return True
    day = (client['data_adesao'] or '')[:10]
    return day != '' and (first is None or day >= first) and (last is None or day <= last)


def money(values):
    return sum(values, Decimal(0)).quantize(Decimal('0.01'), ROUND_HALF_UP)


def kpis(clients, scores):
    active = [client for client in clients if client['pipeline'] in ACTIVE]
    times = [client['tmo'] for client in clients if client['tmo'] is not None and client['tmo'] > 0]
    return {
        'clientes_ativos': len(active),
        'clientes_pagantes': sum(1 for client in active if (client['valor'] or 0) > 0),
        'clientes_onboarding': sum(1 for client in clients if client['pipeline'] in ONBOARDING
                                   and client['data_end_onboarding'] is None),
        'mrr_value': money(Decimal(client['valor'] or 0) for client in active),
        'churn_value': money(Decimal(client['valor'] or 0) for client in clients if client['pipeline'] == CHURN),
        'tmo_dias': Decimal('%.1f' % (sum(times) / len(times))) if times else 0,
        'clientes_health': {name: sum(1 for row in scores.values() if row['categoria'] == name) for name in CATEGORIES},
    }


class Generation:
    """The unfiltered documents of one generation, and the digests of all answers that named it."""

    def __init__(self):
        self.clients = self.scores = None
        self.digests = {}
        self.waiting = []  # (path, document) that came before both documents were there

    def take(self, path, document):
        if path == '/clientes':
            self.clients = document
        elif path == '/health-scores':
            self.scores = document
        else:
            self.waiting.append((path, document))
        if self.is_ready():
            waiting, self.waiting = self.waiting, []
            for each in waiting:
                self._check(*each)

    def is_ready(self):
        return self.clients is not None and self.scores is not None

    def _check(self, path, document):
        bounds = bounds_of(path)
        clients = {key: client for key, client in self.clients.items() if passes(client, bounds)}
        keys = {cnpj_key(client['cnpj']) for client in clients.values()} - {None}
        scores = {key: row for key, row in self.scores.items() if cnpj_key(row['cnpj']) in keys}
        expected = {'/clientes': clients, '/health-scores': scores}.get(path.split('?')[0])
        if expected is None:
            expected = kpis(clients.values(), scores)
        if list(document.items()) != list(expected.items()):
            raise Wrong(f'{path} is not what the unfiltered documents of its generation say')


@dataclasses.dataclass
class Doubt:
    """A database is killed and may lose what was written last, half a change among it: until a whole one is written that
    began when it was dead."""

    began_s: float
    dead_s: float = float('inf')
    ended_s: float = float('inf')


class Truth:
    """All that was written and seen. Any thread."""

    def __init__(self, marked_client, marked_tenant):
        self._client, self._tenant = str(marked_client), str(marked_tenant)
        self._lock = threading.Lock()
        self._generations = collections.OrderedDict()
        self._changes = collections.deque(maxlen=1000)
        self._newest = 0  # marker that anybody began to write
        self._unsure = []  # of Doubt
        self.derived = self.compared = 0

    def begin_change(self, marker):
        with self._lock:
            self._newest = marker

    def end_change(self, change):
        """Both databases have the marker."""
        with self._lock:
            self._changes.append(change)
            for doubt in self._unsure:
                if change.began_s > doubt.dead_s:
                    doubt.ended_s = min(doubt.ended_s, change.ended_s)

    @contextlib.contextmanager
    def database_killed(self):
        """It dies within the block."""
        doubt = Doubt(time.time())
        with self._lock:
            self._unsure.append(doubt)
        yield
        with self._lock:
            doubt.dead_s = time.time()

    def knows(self, generation):
        with self._lock:
            known = self._generations.get(generation)
            return known is not None and known.is_ready()

    def check(self, generation, path, content, is_derivable):
        """Raises Wrong unless the content is that of every other answer to the same question of the same generation,
        and what its unfiltered documents say."""
        digest = hashlib.sha256(content).digest()
        with self._lock:
            known = self._generations.setdefault(generation, Generation())
            while len(self._generations) > KEPT:
                self._generations.popitem(last=False)
            is_new = path not in known.digests
            if known.digests.setdefault(path, digest) != digest:
                raise Wrong(f'{path} has two contents in generation {generation}')
            self.compared += 1
        if not is_new or not is_derivable:
            return
        document = parse(content)
        with self._lock:
            known.take(path, document)
            self.derived += 1
            if path in ('/clientes', '/health-scores') and known.is_ready():
                self._check_markers(generation, known)

    def _check_markers(self, generation, known):
        """A generation's number is the instant of its snapshots in milliseconds: it has all that was written before,
        nothing that was written after, and both databases at one instant."""
        taken_s = generation / 1000
        client, tenant = known.clients[self._client]['valor'], int(known.scores[self._tenant]['name'])
        if client > self._newest:
            raise Wrong(f'generation {generation} shows {client}, which nobody wrote')
        if any(doubt.began_s - LOST_S <= taken_s <= doubt.ended_s + CLOCK_S for doubt in self._unsure):
            return
        older = [change.marker for change in self._changes if change.ended_s < taken_s - CLOCK_S]
        if older and min(client, tenant) < older[-1]:
            raise Wrong(f'generation {generation} shows {client} and {tenant}, and {older[-1]} was written before it')
        if abs(client - tenant) > 1:
            raise Wrong(f'generation {generation} has one database at {client}, the other one at {tenant}')
