#!/usr/bin/env python3
"""The numbers of the service once more: the same questions, asked in plain SQL of both databases.

A second, deliberately naive implementation to compare the API with. It shares no code with the C
programs, reads no scoring model and keeps no buckets: each answer is made anew from the rows, with
Decimal and datetime. It reads the databases through the command line clients psql and mariadb, a
query at a time, so the data must stand still while it loads. Not read: text that is not UTF-8, and
timestamps outside of the years 1 to 9999.

    oracle.py --pg-url 'host=H port=P user=U dbname=D' --mysql-host H --mysql-port P --mysql-user U
              [--mysql-password W] --mysql-db D --as-of 'YYYY-MM-DD HH:MM:SS' [--zone NAME]
              --api http://host:port --user user:password [--unfiltered-only]

asks the API the unfiltered questions, some forty date filters that the data suggests and the logins
of every tenant, and prints each answer that differs. Last line: "N passed, N failed"; exit status 0
when none failed. --unfiltered-only leaves the filters and the logins out.
"""
import argparse
import base64
import functools
import http.client
import json
import subprocess
import sys
import urllib.error
import urllib.parse
import urllib.request
from collections import Counter
from datetime import date, datetime, time, timedelta
from decimal import ROUND_HALF_UP, Decimal, localcontext
from zoneinfo import ZoneInfo

# ---------------------------------------------------------------------------------------------
# The scoring model, as the contract words it. A band is (limit, points); the first that fits counts.

DAYS_USE = [(3, "1"), (7, "0.9"), (14, "0.6"), (30, "0.2")]  # days <= limit
COUNT_USE = [(75, "1.2"), (40, "1"), (25, "0.7"), (11, "0.5"), (6, "0.3"), (1, "0.15")]  # n > limit
DAYS_STOCK = [(3, "1"), (7, "0.85"), (14, "0.6"), (30, "0.3")]
COUNT_STOCK = [(40, "1.2"), (20, "1"), (9, "0.7"), (3, "0.5"), (0, "0.33")]

WEIGHT_ENGAJAMENTO = Decimal("0.3")
WEIGHT_ESTOQUE = Decimal("0.3")
WEIGHT_CRM = Decimal("0.2")
WEIGHT_ADOCAO = Decimal("0.2")

POINTS_ECONVERSA = Decimal("0.3")
POINTS_ADS = Decimal("0.4")
POINTS_REPORTS = Decimal("0.1")
POINTS_CONTRACTS = Decimal("0.2")

CATEGORIES = [("0.3", "Crítico"), ("0.6", "Normal"), ("0.8", "Saudável")]  # total <= limit
TOP_CATEGORY = "Campeão"

NEVER = 9999  # days since an event that never happened

INTEGRATORS = {
    1: "WEBMOTORS",
    2: "KBB",
    4: "FIPE",
    5: "OLX",
    6: "EMAIL",
    7: "ControlStock",
    8: "MOBIAUTO",
    9: "AUTOAVALIAR",
    11: "JSONFEED",
    12: "MERCADO_LIVRE",
    14: "META",
    15: "Autoline",
    16: "CREDERE",
}

PIPELINES_ATIVOS = ("CS | ONBOARDING", "CS | ONGOING", "CS | BRADESCO")
PIPELINES_ONBOARDING = ("CS | ONBOARDING", "CS | BRADESCO")
PIPELINE_CHURN = "Churns & Cancelamentos"


def points_for_days(days, bands):
    for limit, points in bands:
        if days <= limit:
            return Decimal(points)
    return Decimal(0)


def points_for_count(count, bands):
    for limit, points in bands:
        if count > limit:
            return Decimal(points)
    return Decimal(0)


def category_of(total):
    for limit, name in CATEGORIES:
        if total <= Decimal(limit):
            return name
    return TOP_CATEGORY


def two_decimals(value):
    """Half away from zero, however many digits the value has."""
    with localcontext(prec=400):
        return value.quantize(Decimal("0.01"), rounding=ROUND_HALF_UP)


def exact_sum(values):
    with localcontext(prec=400):
        return sum(values, Decimal(0))


# ---------------------------------------------------------------------------------------------
# CNPJs

DIGITS = "0123456789"
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def cnpj_cleaned(stored):
    """Letters and digits only, letters in upper case."""
    kept = ""
    for character in stored:
        if character in DIGITS or character in LETTERS or character in LETTERS.lower():
            kept += character.upper()
    return kept


def all_digits(text):
    return all(character in DIGITS for character in text)


def cnpj_key(stored):
    """The 14 characters that CNPJs are compared by; None for what matches nothing."""
    if stored is None:
        return None
    cleaned = cnpj_cleaned(stored)
    if all_digits(cleaned):
        padded = cleaned.rjust(14, "0")
        return padded if len(padded) == 14 and padded != "0" * 14 else None
    return cleaned if len(cleaned) == 14 and all_digits(cleaned[-2:]) else None


def cnpj_shown(stored):
    """What an answer shows: a number, the cleaned text, the text as stored, or None."""
    if stored is None or stored.strip(" \t\n\v\f\r") == "":
        return None
    cleaned = cnpj_cleaned(stored)
    if cleaned == "":
        return stored
    if all_digits(cleaned):
        return int(cleaned) or None
    return cleaned


# ---------------------------------------------------------------------------------------------
# Times


def moment(text):
    """A date for a date column, a datetime without zone for all others. PostgreSQL has already turned
    a timestamp with time zone into the session's zone, and only its offset is left to drop."""
    if text is None:
        return None
    if len(text) == 10:
        return date.fromisoformat(text)
    return datetime.fromisoformat(text).replace(tzinfo=None)


def as_datetime(value):
    return value if isinstance(value, datetime) else datetime.combine(value, time.min)


def as_day(value):
    return value.date() if isinstance(value, datetime) else value


def shown(value):
    """YYYY-MM-DD, or YYYY-MM-DDTHH:MM:SS and six digits of microseconds where there are some."""
    return None if value is None else value.isoformat()


def mysql_offset(as_of, zone):
    """The zone's offset at an instant, as MySQL takes it: '-03:00'."""
    minutes = int(as_of.replace(tzinfo=ZoneInfo(zone)).utcoffset().total_seconds()) // 60
    sign = "-" if minutes < 0 else "+"
    return f"{sign}{abs(minutes) // 60:02d}:{abs(minutes) % 60:02d}"


# ---------------------------------------------------------------------------------------------
# The two databases


def run_client(argv, sql):
    done = subprocess.run(argv, input=sql.encode(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
    if done.returncode != 0:
        raise RuntimeError(f'{argv[0]} ended with {done.returncode}: {done.stderr.decode(errors="replace")}')
    return done.stdout.decode()


def postgres_rows(pg, zone, select):
    """The rows of a SELECT as dicts. They travel as one JSON document in hexadecimal digits, so any text survives:
    psql leaves out what Unicode says is no character, such as U+10FFFF."""
    options = ["--no-psqlrc", "--no-password", "--quiet", "--no-align", "--tuples-only", "--set=ON_ERROR_STOP=1"]
    sql = (
        f"SET client_encoding TO 'UTF8'; SET TimeZone TO '{zone}'; SET DateStyle TO 'ISO, YMD';\n"
        f"SELECT encode(convert_to(coalesce(json_agg(row_to_json(r)), '[]')::text, 'UTF8'), 'hex') FROM ({select}) r;\n"
    )
    return json.loads(bytes.fromhex(run_client(pg + options, sql)))


def mysql_rows(my, offset, select):
    """The rows of a SELECT as lists of str or None. Text columns must be selected as hexadecimal
    digits (see hexadecimal), so neither a tab nor the four letters NULL can be part of a value."""
    options = ["--batch", "--raw", "--skip-column-names", "--default-character-set=utf8mb4"]
    output = run_client(my + options, f"SET time_zone = '{offset}';\n{select};\n")
    rows = []
    for line in output.split("\n")[:-1]:
        rows.append([None if value == "NULL" else value for value in line.split("\t")])
    return rows


def hexadecimal(column):
    return f"HEX(CONVERT({column} USING utf8mb4))"


def from_hexadecimal(value):
    return None if value is None else bytes.fromhex(value).decode()


CLIENTS = """
    SELECT ck.id::text AS id,
           co.nome::text AS nome,
           co.razao_social::text AS razao_social,
           co.cnpj::text AS cnpj,
           ck.valor::text AS valor,
           ck.vendedor::text AS vendedor,
           u.name::text AS cs,
           s.name::text AS status,
           p.name::text AS pipeline,
           ck.data_adesao::text AS data_adesao,
           ck.data_start_onboarding::text AS data_start_onboarding,
           ck.data_end_onboarding::text AS data_end_onboarding,
           ck.data_cancelamento::text AS data_cancelamento,
           ck.motivos_churn::text AS motivos_churn,
           ck.descricao_cancelamento::text AS descricao_cancelamento,
           ck.criado_em::text AS criado_em,
           ck.atualizado_em::text AS atualizado_em
    FROM clientes_kommo ck
    LEFT JOIN companies_kommo co ON co.id = ck.company_id
    LEFT JOIN users u ON u.id = ck.cs_id
    LEFT JOIN pipelines p ON p.id = ck.pipeline_id
    LEFT JOIN statuses s ON s.id = ck.status_id
    WHERE ck.deleted_at IS NULL"""


class Oracle:
    """The answers for one reference instant. pg and my are the beginnings of the command lines of psql
    and mariadb, up to and including the database; as_of is a wall time in zone, without tzinfo.
    Answers are what json.loads would make of a right body, with Decimal for float. Filters are
    dates or None, both inclusive."""

    def __init__(self, pg, my, as_of, zone="America/Sao_Paulo"):
        self.pg, self.my, self.zone = pg, my, zone
        self.offset = mysql_offset(as_of, zone)
        self.today = as_of.date()
        self.since_15 = f"{self.today - timedelta(days=15)} 00:00:00"
        self.since_30 = f"{self.today - timedelta(days=30)} 00:00:00"

        self.clients = self.read_clients()
        self.tenants = self.read_tenants()

        self.acessos = self.read_events(
            "COALESCE(e.tenant_id, u.tenant_id)",
            "activity_log e LEFT JOIN users u ON u.id = e.subject_id WHERE e.event = 'login'",
        )
        self.entradas = self.read_events("e.tenant_id", "inventory_entries e WHERE e.deleted_at IS NULL")
        self.saidas = self.read_events("e.tenant_id", "inventory_outs e WHERE e.deleted_at IS NULL")
        self.leads = self.read_events("e.tenant_id", "cards e WHERE e.deleted_at IS NULL")

        self.econversa_open = self.read_tenant_ids(
            "SELECT DISTINCT t.id FROM tenants t "
            "JOIN econversa_instance_configurations c ON c.name = t.slug WHERE LOWER(c.status) = 'open'"
        )
        self.with_messages = self.read_tenant_ids(
            f"SELECT DISTINCT tenant_id FROM econversa_messages WHERE created_at >= '{self.since_15}'"
        )
        self.with_ads = self.read_tenant_ids(
            f"SELECT DISTINCT tenant_id FROM integrator_ads WHERE created_at >= '{self.since_30}' "
            "AND integrator_id NOT IN (3, 13)"
        )
        self.with_reports = self.read_tenant_ids(
            f"SELECT DISTINCT tenant_id FROM reports WHERE created_at >= '{self.since_30}'"
        )
        self.with_two_contracts = self.read_tenant_ids(
            f"SELECT tenant_id FROM contracts WHERE created_at >= '{self.since_30}' "
            "GROUP BY tenant_id HAVING COUNT(*) >= 2"
        )

        self.integrators = self.read_integrators()
        self.login_rows = self.read_logins()

        # a score does not depend on the filter, only who is listed does
        self.scores = [self.score(tenant_id) for tenant_id, tenant in self.tenants.items() if tenant["normal"]]

    # ---- what is read once

    def mysql(self, select):
        return mysql_rows(self.my, self.offset, select)

    def read_clients(self):
        clients = []
        for row in postgres_rows(self.pg, self.zone, CLIENTS):
            row["id"] = int(row["id"])
            row["cnpj_key"] = cnpj_key(row["cnpj"])
            row["valor"] = None if row["valor"] is None else Decimal(row["valor"])
            for column in (
                "data_adesao",
                "data_start_onboarding",
                "data_end_onboarding",
                "data_cancelamento",
                "criado_em",
                "atualizado_em",
            ):
                row[column] = moment(row[column])
            start, end = row["data_start_onboarding"], row["data_end_onboarding"]
            # timedelta.days rounds down
            row["tmo"] = None if start is None or end is None else (as_datetime(end) - as_datetime(start)).days
            clients.append(row)
        return clients

    def read_tenants(self):
        tenants = {}
        select = (
            f'SELECT id, {hexadecimal("slug")}, {hexadecimal("name")}, {hexadecimal("cnpj")}, '
            "type = 'normal' FROM tenants ORDER BY id"
        )
        for tenant_id, slug, name, cnpj, normal in self.mysql(select):
            tenants[int(tenant_id)] = {
                "slug": from_hexadecimal(slug),
                "name": from_hexadecimal(name),
                "cnpj": from_hexadecimal(cnpj),
                "cnpj_key": cnpj_key(from_hexadecimal(cnpj)),
                "normal": normal == "1",
            }
        return tenants

    def read_events(self, tenant, source):
        """By tenant: how many events since 30 days ago, and the days from the newest of all to today."""
        events = {}
        select = (
            f"SELECT {tenant}, COUNT(CASE WHEN e.created_at >= '{self.since_30}' THEN 1 END), "
            f"DATE(MAX(e.created_at)) FROM {source} GROUP BY {tenant}"
        )
        for tenant_id, count, newest in self.mysql(select):
            if tenant_id is None or newest is None or newest == "0000-00-00":
                continue
            events[int(tenant_id)] = (int(count), (self.today - date.fromisoformat(newest)).days)
        return events

    def read_tenant_ids(self, select):
        return {int(tenant_id) for (tenant_id,) in self.mysql(select) if tenant_id is not None}

    def read_integrators(self):
        """By tenant: the names of its integrators."""
        integrators = {}
        select = (
            "SELECT tenant_id, integrator_id FROM integrator_configurations "
            "WHERE deleted_at IS NULL AND tenant_id IS NOT NULL ORDER BY tenant_id, integrator_id"
        )
        for tenant_id, integrator_id in self.mysql(select):
            if integrator_id is not None and int(integrator_id) in INTEGRATORS:
                integrators.setdefault(int(tenant_id), []).append(INTEGRATORS[int(integrator_id)])
        return integrators

    def read_logins(self):
        """By tenant: its logins since 30 days ago, newest first."""
        logins = {}
        select = (
            "SELECT COALESCE(a.tenant_id, u.tenant_id), a.id, a.subject_id, a.created_at, "
            f'{hexadecimal("u.name")}, {hexadecimal("u.email")} '
            "FROM activity_log a LEFT JOIN users u ON u.id = a.subject_id "
            f"WHERE a.event = 'login' AND a.created_at >= '{self.since_30}' "
            "ORDER BY a.created_at DESC, a.id DESC"
        )
        for tenant_id, login_id, user_id, created_at, name, email in self.mysql(select):
            if tenant_id is None:
                continue
            logins.setdefault(int(tenant_id), []).append(
                {
                    "id": int(login_id),
                    "user_id": user_id,
                    "created_at": datetime.fromisoformat(created_at),
                    "name": from_hexadecimal(name),
                    "email": from_hexadecimal(email),
                }
            )
        return logins

    # ---- who passes a filter

    def passing_clients(self, first, last):
        passing = []
        for client in self.clients:
            if client["data_adesao"] is None:
                if first is None and last is None:
                    passing.append(client)
                continue
            day = as_day(client["data_adesao"])
            if (first is None or day >= first) and (last is None or day <= last):
                passing.append(client)
        return passing

    def passing_scores(self, first, last):
        """The scored tenants, highest exact total first, then by tenant id."""
        cnpjs = {client["cnpj_key"] for client in self.passing_clients(first, last)} - {None}
        scores = [score for score in self.scores if self.tenants[score["tenant_id"]]["cnpj_key"] in cnpjs]
        return sorted(scores, key=lambda score: (-score["exact_total"], score["tenant_id"]))

    # ---- the score of a tenant

    def score(self, tenant_id):
        acessos, dias_acesso = self.acessos.get(tenant_id, (0, NEVER))
        entradas, dias_entrada = self.entradas.get(tenant_id, (0, NEVER))
        saidas, dias_saida = self.saidas.get(tenant_id, (0, NEVER))
        leads, dias_lead = self.leads.get(tenant_id, (0, NEVER))

        engajamento = two_decimals((points_for_days(dias_acesso, DAYS_USE) + points_for_count(acessos, COUNT_USE)) / 2)
        estoque = two_decimals(
            (
                points_for_days(dias_entrada, DAYS_STOCK)
                + points_for_count(entradas, COUNT_STOCK)
                + points_for_days(dias_saida, DAYS_STOCK)
                + points_for_count(saidas, COUNT_STOCK)
            )
            / 4
        )
        crm = two_decimals((points_for_days(dias_lead, DAYS_USE) + points_for_count(leads, COUNT_USE)) / 2)

        adocao = Decimal(0)
        if tenant_id in self.econversa_open and tenant_id in self.with_messages:
            adocao += POINTS_ECONVERSA
        if tenant_id in self.with_ads:
            adocao += POINTS_ADS
        if tenant_id in self.with_reports:
            adocao += POINTS_REPORTS
        if tenant_id in self.with_two_contracts:
            adocao += POINTS_CONTRACTS
        adocao = two_decimals(adocao)

        total = WEIGHT_ENGAJAMENTO * engajamento + WEIGHT_ESTOQUE * estoque + WEIGHT_CRM * crm + WEIGHT_ADOCAO * adocao
        return {
            "tenant_id": tenant_id,
            "acessos": acessos,
            "dias_acesso": dias_acesso,
            "entradas": entradas,
            "dias_entrada": dias_entrada,
            "saidas": saidas,
            "dias_saida": dias_saida,
            "leads": leads,
            "dias_lead": dias_lead,
            "engajamento": engajamento,
            "estoque": estoque,
            "crm": crm,
            "adocao": adocao,
            "exact_total": total,
            "total": two_decimals(total),
            "categoria": category_of(total),
        }

    # ---- the questions

    def clientes(self, first=None, last=None):
        clients = sorted(self.passing_clients(first, last), key=lambda client: client["id"])
        undated = [client for client in clients if client["data_adesao"] is None]
        dated = [client for client in clients if client["data_adesao"] is not None]
        dated.sort(key=lambda client: client["data_adesao"], reverse=True)  # equal ones stay in order of id
        return {
            str(client["id"]): {
                "client_id": client["id"],
                "nome": client["nome"],
                "razao_social": client["razao_social"],
                "cnpj": cnpj_shown(client["cnpj"]),
                "valor": client["valor"],
                "vendedor": client["vendedor"],
                "cs": client["cs"],
                "status": client["status"],
                "pipeline": client["pipeline"],
                "data_adesao": shown(client["data_adesao"]),
                "data_start_onboarding": shown(client["data_start_onboarding"]),
                "data_end_onboarding": shown(client["data_end_onboarding"]),
                "data_cancelamento": shown(client["data_cancelamento"]),
                "motivos_churn": client["motivos_churn"],
                "descricao_cancelamento": client["descricao_cancelamento"],
                "criado_em": shown(client["criado_em"]),
                "atualizado_em": shown(client["atualizado_em"]),
                "tmo": client["tmo"],
            }
            for client in undated + dated
        }

    def health_scores(self, first=None, last=None, formato="plano"):
        scores = self.passing_scores(first, last)
        if formato == "plano":
            return {str(score["tenant_id"]): self.flat(score) for score in scores}
        detailed = {}
        for score in scores:
            slug = self.tenants[score["tenant_id"]]["slug"]
            if slug is not None and slug != "":
                detailed[slug] = self.detailed(score)
        return detailed

    def flat(self, score):
        tenant_id = score["tenant_id"]
        tenant = self.tenants[tenant_id]
        integrators = self.integrators.get(tenant_id, [])
        return {
            "tenant_id": tenant_id,
            "slug": tenant["slug"],
            "name": tenant["name"],
            "cnpj": cnpj_shown(tenant["cnpj"]),
            "qntd_acessos_30d": score["acessos"],
            "dias_desde_ultimo_acesso": score["dias_acesso"],
            "score_engajamento": score["engajamento"],
            "qntd_entradas_30d": score["entradas"],
            "dias_desde_ultima_entrada": score["dias_entrada"],
            "qntd_saidas_30d": score["saidas"],
            "dias_desde_ultima_saida": score["dias_saida"],
            "score_movimentacao_estoque": score["estoque"],
            "qntd_leads_30d": score["leads"],
            "dias_desde_ultimo_lead": score["dias_lead"],
            "score_crm": score["crm"],
            "econversa_ativo": tenant_id in self.econversa_open,
            "integradores_conectados": len(integrators),
            "integradores": integrators,
            "score_adoption": score["adocao"],
            "score_total": score["total"],
            "categoria": score["categoria"],
        }

    def detailed(self, score):
        tenant_id = score["tenant_id"]
        tenant = self.tenants[tenant_id]
        return {
            "tenant_id": str(tenant_id),
            "name": tenant["name"],
            "cnpj": cnpj_shown(tenant["cnpj"]),
            "slug": tenant["slug"],
            "scores": {
                "engajamento": score["engajamento"],
                "adocao": score["adocao"],
                "estoque": score["estoque"],
                "crm": score["crm"],
                "total": score["total"],
            },
            "integrations": {
                "econversa_status": tenant_id in self.econversa_open,
                "integrators_connected": self.integrators.get(tenant_id, []),
            },
            "metrics": {
                "acessos": {"quantidade_30d": score["acessos"], "dias_ultimo_acesso": score["dias_acesso"]},
                "entradas": {"quantidade_30d": score["entradas"], "dias_ultima_entrada": score["dias_entrada"]},
                "saidas": {"quantidade_30d": score["saidas"], "dias_ultima_saida": score["dias_saida"]},
                "leads": {"quantidade_30d": score["leads"], "dias_ultimo_lead": score["dias_lead"]},
            },
            "categoria": score["categoria"],
        }

    def dashboard(self, first=None, last=None):
        clients = self.passing_clients(first, last)
        ativos = [c for c in clients if c["pipeline"] in PIPELINES_ATIVOS]
        pagantes = [c for c in ativos if c["valor"] is not None and c["valor"] > 0]
        onboarding = [c for c in clients if c["pipeline"] in PIPELINES_ONBOARDING and c["data_end_onboarding"] is None]
        churns = [c for c in clients if c["pipeline"] == PIPELINE_CHURN]
        tmos = [c["tmo"] for c in clients if c["tmo"] is not None and c["tmo"] > 0]
        categories = Counter(score["categoria"] for score in self.passing_scores(first, last))
        return {
            "clientes_ativos": len(ativos),
            "clientes_pagantes": len(pagantes),
            "clientes_onboarding": len(onboarding),
            "mrr_value": two_decimals(exact_sum(c["valor"] or 0 for c in ativos)),
            "churn_value": two_decimals(exact_sum(c["valor"] or 0 for c in churns)),
            "tmo_dias": Decimal("%.1f" % (sum(tmos) / len(tmos))) if tmos else 0,
            "clientes_health": {name: categories[name] for name in ("Crítico", "Normal", "Saudável", "Campeão")},
        }

    def logins(self, tenant_id):
        """None when no tenant has this id."""
        if tenant_id not in self.tenants:
            return None
        rows = self.login_rows.get(tenant_id, [])
        logins = [
            {
                "id": row["id"],
                "usuario_nome": row["name"],
                "usuario_email": row["email"],
                "data_login": row["created_at"].isoformat(timespec="seconds"),
                "data": row["created_at"].date().isoformat(),
                "hora": row["created_at"].time().isoformat(timespec="seconds"),
            }
            for row in rows
        ]
        days = {row["created_at"].date() for row in rows}
        return {
            "tenant_id": tenant_id,
            "periodo": "últimos 30 dias",
            "total_logins": len(rows),
            "usuarios_unicos": len({row["user_id"] for row in rows} - {None}),
            "dias_com_acesso": len(days),
            "dias_com_login": len(days),
            "ultimo_login": logins[0] if logins else None,
            "logins": logins,
        }


# ---------------------------------------------------------------------------------------------
# Comparing


def is_number(value):
    return isinstance(value, (int, Decimal)) and not isinstance(value, bool)


def differences(want, got, path=""):
    """Where the answer got is not the answer wanted, one line each. Numbers are equal when their values
    are, to the last digit. Objects have the same keys; those of the outermost object in the same order."""
    if isinstance(want, dict) and isinstance(got, dict):
        found = [f"{path}/{key}: missing" for key in want if key not in got]
        found += [f"{path}/{key}: not expected" for key in got if key not in want]
        if not found and path == "":
            for place, (wanted_key, got_key) in enumerate(zip(want, got)):
                if wanted_key != got_key:
                    found.append(f"key {place + 1}: want {wanted_key!r}, got {got_key!r} (order)")
                    break
        for key in want:
            if key in got:
                found += differences(want[key], got[key], f"{path}/{key}")
        return found
    if isinstance(want, list) and isinstance(got, list):
        if len(want) != len(got):
            return [f'{path or "/"}: want {len(want)} items, got {len(got)}']
        found = []
        for place, (wanted_item, got_item) in enumerate(zip(want, got)):
            found += differences(wanted_item, got_item, f"{path}/{place}")
        return found
    if is_number(want) and is_number(got):
        equal = want == got
    else:
        equal = type(want) is type(got) and want == got
    return [] if equal else [f'{path or "/"}: want {brief(want)}, got {brief(got)}']


def brief(value):
    text = str(value) if isinstance(value, Decimal) else repr(value)
    return text if len(text) <= 200 else text[:200] + "…"


# ---------------------------------------------------------------------------------------------
# Asking the API


def without_duplicates(pairs):
    document = dict(pairs)
    if len(document) != len(pairs):
        repeated = [key for key, times in Counter(key for key, _ in pairs).items() if times > 1]
        raise ValueError(f"repeated key {repeated[0]!r}")
    return document


def not_json(constant):
    raise ValueError(f"{constant} is not JSON")


def parse_answer(body):
    return json.loads(body.decode(), parse_float=Decimal, parse_constant=not_json, object_pairs_hook=without_duplicates)


def ask(api, user, path):
    """The parsed answer and an empty text, or None and the reason why there is none."""
    request = urllib.request.Request(api.rstrip("/") + path)
    request.add_header("Authorization", "Basic " + base64.b64encode(user.encode()).decode())
    try:
        with urllib.request.urlopen(request, timeout=60) as response:
            return parse_answer(response.read()), ""
    except urllib.error.HTTPError as error:
        return None, f"status {error.code}: {error.read()[:200]!r}"
    except ValueError as error:
        return None, f"not a JSON document: {error}"
    except (OSError, http.client.HTTPException) as error:
        return None, f"no answer: {error}"


def shift(day, days):
    """Another day, held within what a date can say."""
    return date.fromordinal(min(max(day.toordinal() + days, 1), date.max.toordinal()))


def month_of(day):
    first = day.replace(day=1)
    if first.year == date.max.year and first.month == 12:
        return first, date.max
    next_month = date(first.year + first.month // 12, first.month % 12 + 1, 1)
    return first, next_month - timedelta(days=1)


def suggested_filters(days, today):
    """Pairs (first, last) worth asking, none twice. days: those of the clients' adhesions, repeated as often
    as they occur; today: that of the reference instant."""
    counted = Counter(days)
    days = sorted(counted) or [today]
    oldest, newest, middle = days[0], days[-1], days[len(days) // 2]
    pairs = [
        # the edges of the data, from both sides
        (oldest, newest),
        (oldest, oldest),
        (newest, newest),
        (oldest, None),
        (None, newest),
        (None, oldest),
        (newest, None),
        (shift(oldest, 1), None),
        (None, shift(newest, -1)),
        (shift(oldest, 1), shift(newest, -1)),
        (shift(oldest, -1), shift(newest, 1)),
        # the middle, open to either side, and the day after it
        (middle, None),
        (None, middle),
        (shift(middle, 1), None),
        (middle, shift(middle, 1)),
        # nobody
        (None, shift(oldest, -1)),
        (shift(newest, 1), None),
        (shift(newest, 1), shift(newest, 400)),
        (date.min, date.min),
        (date.max, date.max),
        # everybody who has a date
        (date.min, date.max),
        (date.min, None),
        (None, date.max),
    ]
    # the fullest day, some others, and the first day on which nobody came
    single = [max(days, key=lambda day: counted[day]), days[len(days) // 4], middle, days[len(days) * 3 // 4]]
    for day, following in zip(days, days[1:]):
        if shift(day, 1) < following:
            single.append(shift(day, 1))
            break
    pairs += [(day, day) for day in single]
    # the last years, and a few months
    for year in sorted({day.year for day in days}, reverse=True)[:4]:
        pairs.append((date(year, 1, 1), date(year, 12, 31)))
    pairs += [month_of(day) for day in (oldest, days[len(days) // 3], newest)]
    # to date, and the days before today
    pairs += [(today.replace(month=1, day=1), today), (today.replace(day=1), today)]
    pairs += [(shift(today, -back), today) for back in (7, 30, 365)]
    pairs += [(shift(today, -back), None) for back in (30, 90)]

    kept = []
    for pair in pairs:
        first, last = pair
        if pair not in kept and (first is None or last is None or first <= last):
            kept.append(pair)
    return kept


def questions(oracle, unfiltered_only):
    """Pairs of a path and the answer to it, as a function without arguments."""
    filters = [(None, None)]
    if not unfiltered_only:
        days = [as_day(c["data_adesao"]) for c in oracle.clients if c["data_adesao"] is not None]
        filters += suggested_filters(days, oracle.today)
    for first, last in filters:
        bounds = {}
        if first is not None:
            bounds["data_adesao_inicio"] = first.isoformat()
        if last is not None:
            bounds["data_adesao_fim"] = last.isoformat()
        query = "?" + urllib.parse.urlencode(bounds) if bounds else ""
        yield f"/clientes{query}", functools.partial(oracle.clientes, first, last)
        yield f"/dashboard{query}", functools.partial(oracle.dashboard, first, last)
        for formato in ("plano", "detalhado"):
            query = "?" + urllib.parse.urlencode({**bounds, "formato": formato})
            yield f"/health-scores{query}", functools.partial(oracle.health_scores, first, last, formato)
    if not unfiltered_only:
        for tenant_id in oracle.tenants:
            yield f"/logins?tenant_id={tenant_id}", functools.partial(oracle.logins, tenant_id)


def arguments():
    parser = argparse.ArgumentParser(description="Compares the API with the same questions in plain SQL.")
    parser.add_argument("--pg-url", required=True, help='what psql connects to: "host=… port=… user=… dbname=…"')
    parser.add_argument("--mysql-host", required=True, help="one that starts with / is a socket")
    parser.add_argument("--mysql-port", required=True)
    parser.add_argument("--mysql-user", required=True)
    parser.add_argument("--mysql-password", default="")
    parser.add_argument("--mysql-db", required=True)
    parser.add_argument("--as-of", required=True, type=datetime.fromisoformat, help="'YYYY-MM-DD HH:MM:SS' in the zone")
    parser.add_argument("--zone", default="America/Sao_Paulo")
    parser.add_argument("--api", required=True, help="http://host:port")
    parser.add_argument("--user", required=True, help="user:password")
    parser.add_argument("--unfiltered-only", action="store_true")
    return parser.parse_args()


def main():
    args = arguments()
    pg = ["psql", "--dbname=" + args.pg_url]
    if args.mysql_host.startswith("/"):
        where = ["--socket=" + args.mysql_host]
    else:
        where = ["--protocol=tcp", "--host=" + args.mysql_host, "--port=" + args.mysql_port]
    my = (
        ["mariadb", "--no-defaults"]
        + where
        + ["--user=" + args.mysql_user, "--password=" + args.mysql_password, "--database=" + args.mysql_db]
    )
    oracle = Oracle(pg, my, args.as_of, args.zone)

    passed = failed = 0
    for path, answer in questions(oracle, args.unfiltered_only):
        got, reason = ask(args.api, args.user, path)
        found = [reason] if reason else differences(answer(), got)
        if not found:
            passed += 1
            continue
        failed += 1
        print(f"FAIL {path}")
        for difference in found[:3]:
            print(f"     {difference}")
        if len(found) > 3:
            print(f"     … {len(found) - 3} more")
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
