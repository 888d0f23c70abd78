"""What a generation's answers have to be: each is derived, naively, from the two unfiltered documents of the same
generation, in each media type; these are held against what was written into the databases and when; and logins, which
nobody changes, against what the database had at the beginning."""

import collections
import contextlib
import dataclasses
import hashlib
import json
import re
import threading
import time
import urllib.parse
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from zoneinfo import ZoneInfo

from http_client import CSV_TYPE, MSGPACK
from media_types import Pairs, as_msgpack_has_it, cell_of, parse_csv, parse_msgpack

ACTIVE = ("CS | ONBOARDING", "CS | ONGOING", "CS | BRADESCO")
ONBOARDING = ("CS | ONBOARDING", "CS | BRADESCO")
CHURN = "Churns & Cancelamentos"
CATEGORIES = ("Crítico", "Normal", "Saudável", "Campeão")
KEPT = 30  # generations that are remembered
LOST_S = 3  # of writing, which a database that is killed may lose: nothing is synced to disk
ZONE = ZoneInfo("America/Sao_Paulo")  # TZ's default
CLOCK_S = 0.1  # by which the number of a generation may be off the instant of its snapshots

UNFILTERED = ("/clientes", "/health-scores")

Change = collections.namedtuple("Change", "began_s ended_s marker")
Question = collections.namedtuple("Question", "path media")  # media: a type, None for JSON


class Wrong(Exception):
    """An answer that is not what it has to be."""


def parse(media, content):
    if media == CSV_TYPE:
        return parse_csv(content)
    if media == MSGPACK:
        return parse_msgpack(content)
    return json.loads(content, parse_float=Decimal)


def cnpj_key(value):
    """The 14 characters that CNPJs are compared as, or None."""
    text = re.sub("[^0-9A-Z]", "", str("" if value is None else value).upper())
    if text.isdigit():
        text = text.zfill(14)
    is_known = re.fullmatch("[0-9A-Z]{12}[0-9]{2}", text) and text.strip("0")
    return text if is_known else None


def query_of(path):
    return dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(path).query))


def bounds_of(path):
    """(first day, last day) as texts that compare like days; None is no bound."""
    query = query_of(path)
    return query.get("data_adesao_inicio"), query.get("data_adesao_fim")


def passes(client, bounds):
    first, last = bounds
    if first is None and last is None:
        return True
    day = (client["data_adesao"] or "")[:10]
    return day != "" and (first is None or day >= first) and (last is None or day <= last)


def money(values):
    return sum(values, Decimal(0)).quantize(Decimal("0.01"), ROUND_HALF_UP)


def kpis(clients, scores):
    active = [client for client in clients if client["pipeline"] in ACTIVE]
    times = [client["tmo"] for client in clients if client["tmo"] is not None and client["tmo"] > 0]
    return {
        "clientes_ativos": len(active),
        "clientes_pagantes": sum(1 for client in active if (client["valor"] or 0) > 0),
        "clientes_onboarding": sum(
            1 for client in clients if client["pipeline"] in ONBOARDING and client["data_end_onboarding"] is None
        ),
        "mrr_value": money(Decimal(client["valor"] or 0) for client in active),
        "churn_value": money(Decimal(client["valor"] or 0) for client in clients if client["pipeline"] == CHURN),
        "tmo_dias": Decimal("%.1f" % (sum(times) / len(times))) if times else 0,
        "clientes_health": {name: sum(1 for row in scores.values() if row["categoria"] == name) for name in CATEGORIES},
    }


def detailed(row):
    """A row of `formato=detalhado` from the same one of `plano`."""
    metrics = {
        "acessos": ("qntd_acessos_30d", "ultimo_acesso"),
        "entradas": ("qntd_entradas_30d", "ultima_entrada"),
        "saidas": ("qntd_saidas_30d", "ultima_saida"),
        "leads": ("qntd_leads_30d", "ultimo_lead"),
    }
    return {
        "tenant_id": str(row["tenant_id"]),
        "name": row["name"],
        "cnpj": row["cnpj"],
        "slug": row["slug"],
        "scores": {
            "engajamento": row["score_engajamento"],
            "adocao": row["score_adoption"],
            "estoque": row["score_movimentacao_estoque"],
            "crm": row["score_crm"],
            "total": row["score_total"],
        },
        "integrations": {"econversa_status": row["econversa_ativo"], "integrators_connected": row["integradores"]},
        "metrics": {
            name: {"quantidade_30d": row[count], f"dias_{newest}": row[f"dias_desde_{newest}"]}
            for name, (count, newest) in metrics.items()
        },
        "categoria": row["categoria"],
    }


def pairs_of(value):
    """As media_types has documents: in order, whose members are compared in order too."""
    if isinstance(value, dict):
        return Pairs((key, pairs_of(inner)) for key, inner in value.items())
    return [pairs_of(inner) for inner in value] if isinstance(value, list) else value


def is_that(media, found, expected):
    """Whether a parsed answer is the document that it should be."""
    if media == MSGPACK:
        return found == as_msgpack_has_it(pairs_of(expected))
    if media == CSV_TYPE:
        names = [list(row) for row in expected.values()][:1] or found[:1]
        return len(found) > 0 and found == names + [
            [cell_of(*cell) for cell in row.items()] for row in expected.values()
        ]
    return pairs_of(found) == pairs_of(expected)


class Generation:
    """The unfiltered documents of one generation, and what all answers that named it were."""

    def __init__(self):
        self.documents = {}  # of UNFILTERED, by path
        self.digests, self.tags = {}, {}  # by question
        self.waiting = []  # (question, answer) that came before both documents were there

    def take(self, question, answer):
        """How many answers were found to be right; those that came before both documents wait for them."""
        if question.path in UNFILTERED and question.media is None:
            self.documents[question.path] = answer
        else:
            self.waiting.append((question, answer))
        count = 0
        while self.is_ready() and self.waiting:
            self._check(*self.waiting.pop())
            count += 1
        return count

    def is_ready(self):
        return len(self.documents) == len(UNFILTERED)

    def _check(self, question, answer):
        if not is_that(question.media, answer, self._derive(question.path)):
            raise Wrong(f"{question} is not what the unfiltered documents of its generation say")

    def _derive(self, path):
        bounds, route = bounds_of(path), path.split("?")[0]
        clients = {key: client for key, client in self.documents["/clientes"].items() if passes(client, bounds)}
        keys = {cnpj_key(client["cnpj"]) for client in clients.values()} - {None}
        scores = {key: row for key, row in self.documents["/health-scores"].items() if cnpj_key(row["cnpj"]) in keys}
        if route == "/clientes":
            return clients
        if route == "/dashboard":
            return kpis(clients.values(), scores)
        if query_of(path).get("formato") == "detalhado":
            return {row["slug"]: detailed(row) for row in scores.values() if row["slug"]}
        return scores


@dataclasses.dataclass
class Doubt:
    """A database is killed and may lose what was written last, half a change among it: until a whole one is written
    that began when it was dead."""

    began_s: float
    dead_s: float = float("inf")
    ended_s: float = float("inf")


class Truth:
    """All that was written and seen. Any thread."""

    def __init__(self, marked_client, marked_tenant, opinions):
        """opinions: by day, the oracle of the answers to /logins."""
        self._client, self._tenant = str(marked_client), str(marked_tenant)
        self._opinions = opinions
        self._lock = threading.Lock()
        self._generations = collections.OrderedDict()
        self._changes = collections.deque(maxlen=1000)
        self._newest = 0  # marker that anybody began to write
        self._unsure = []  # of Doubt
        self.compared = 0  # with an earlier answer to the same question of the same generation
        self.derived = 0

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

    def check(self, generation, question, tag, content):
        """Raises Wrong unless the content is that of every other answer to the same question of the same generation,
        and what its unfiltered documents, or the database, say. Content None: only the tag is known."""
        digest = hashlib.sha256(content).digest() if content is not None else None
        with self._lock:
            known = self._generations.setdefault(generation, Generation())
            while len(self._generations) > KEPT:
                self._generations.popitem(last=False)
            if known.tags.setdefault(question, tag) != tag:
                raise Wrong(f"{question} has two tags in generation {generation}")
            if content is None:
                return
            is_new = question not in known.digests
            if known.digests.setdefault(question, digest) != digest:
                raise Wrong(f"{question} has two contents in generation {generation}")
            self.compared += not is_new
        if not is_new:
            return
        answer = parse(question.media, content)
        if question.path.startswith("/logins"):
            self._check_logins(generation, question, answer)
            with self._lock:
                self.derived += 1
            return
        with self._lock:
            self.derived += known.take(question, answer)
            if question.path in UNFILTERED and known.is_ready():
                self._check_markers(generation, known)

    def _check_logins(self, generation, question, answer):
        """Around midnight the day may be either."""
        tenant = int(query_of(question.path)["tenant_id"])
        instants = (datetime.fromtimestamp(generation / 1000 + by_s, ZONE) for by_s in (-CLOCK_S, CLOCK_S))
        opinions = {self._opinions[instant.date()] for instant in instants}
        if not any(is_that(question.media, answer, opinion.logins(tenant)) for opinion in opinions):
            raise Wrong(f"{question} is not what the database has")

    def _check_markers(self, generation, known):
        """A generation's number is the instant of its snapshots in milliseconds: it has all that was written before,
        and both databases at one instant."""
        taken_s = generation / 1000
        client, tenant = known.documents["/clientes"][self._client]["valor"], int(
            known.documents["/health-scores"][self._tenant]["name"]
        )
        if client > self._newest:
            raise Wrong(f"generation {generation} shows {client}, which nobody wrote")
        if any(doubt.began_s - LOST_S <= taken_s <= doubt.ended_s + CLOCK_S for doubt in self._unsure):
            return
        older = [change.marker for change in self._changes if change.ended_s < taken_s - CLOCK_S]
        if older and min(client, tenant) < older[-1]:
            raise Wrong(f"generation {generation} shows {client} and {tenant}, and {older[-1]} was written before it")
        if abs(client - tenant) > 1:
            raise Wrong(f"generation {generation} has one database at {client}, the other one at {tenant}")
