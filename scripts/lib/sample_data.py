#!/usr/bin/python3
"""Sample rows for both sources of the service: an invented base of Brazilian car dealerships.

Names and numbers are random and refer to nobody; addresses end in the reserved .example.
Writes DIR/postgres.sql (Kommo) and DIR/mysql.sql (EcoSys): rows only, load schemas/*/schema.sql first.
The same seed, reference instant and sizes give the same bytes. Every store follows a profile (PROFILES), chosen so
that each category of the health scores is well populated. --hostile adds, after the ordinary rows, what production
should never hold but sometimes does: every edge of the scoring bands, odd CNPJs, unfinished rows, awkward text.
"""
import argparse
import dataclasses
import datetime
import decimal
import os
import random
import re
import sys
import unicodedata
import zoneinfo

ZONE = "America/Sao_Paulo"
AS_OF_FORMAT = "%Y-%m-%d %H:%M:%S"
WINDOW_DAYS = 30  # the scores' window: the days 0 to 30 before the reference
MESSAGE_WINDOW_DAYS = 15  # the same for econversa messages
HISTORY_MONTHS = 5  # what happened before the window
ROWS_PER_INSERT = 1000

# ---------------------------------------------------------------------------------------------------------- words

FIRST_NAMES = """Adriana Aílton Alessandra Anderson Antônio Beatriz Breno Camila Cássia Cauã César Cíntia Cláudio
    Daniela Débora Diego Edson Eduarda Elaine Érica Estêvão Fabiana Fábio Felipe Fernanda Flávio Gabriela Geraldo
    Gisele Gláucia Guilherme Helena Heitor Igor Inês Iracema Ítalo Janaína Jéssica Joaquim Jônatas José Juliana Kelly
    Larissa Laís Leandro Letícia Luís Luciana Márcio Marília Mateus Mônica Murilo Natália Nélson Otávio Patrícia
    Raíssa Reginaldo Renata Rogério Rosângela Sandro Sérgio Simone Sônia Tainá Tânia Tiago Valéria Vinícius Vítor
    Wagner Wellington Yasmin Zuleide""".split()

SURNAMES = """Abrantes Alcântara Amaral Assunção Azevedo Barcellos Bergamaschi Bittencourt Brandão Caetano Camargo
    Capanema Carvalhal Cerqueira Coutinho Damasceno Dornelles Esteves Falcão Feitosa Ferraz Figueiró Fontoura Frazão
    Galvão Giacomelli Gonçalves Guimarães Hoffmann Holanda Jardim Junqueira Kowalczyk Lacerda Leitão Linhares Lobão
    Macêdo Magalhães Marchetti Maranhão Medeiros Menegatti Mesquita Montenegro Nakamura Negrão Nóbrega Novaes Ohara
    Palhares Peçanha Penteado Pimentel Quaresma Queirós Rebouças Rezende Rocha Sampaio Sardenberg Schneider Siqueira
    Stefanello Taborda Tavares Teodoro Toledo Trevisan Uchôa Valadão Vasconcelos Vilaça Weber Zamboni
    Zanette""".split()

CITIES = """Anápolis/GO Aracaju/SE Araçatuba/SP Bagé/RS Barueri/SP Bauru/SP Blumenau/SC Cabo Frio/RJ Cachoeiro/ES
    Campina Grande/PB Campinas/SP Cascavel/PR Caxias do Sul/RS Chapecó/SC Contagem/MG Criciúma/SC Cuiabá/MT
    Divinópolis/MG Dourados/MS Feira de Santana/BA Franca/SP Goiânia/GO Ilhéus/BA Imperatriz/MA Itajaí/SC
    Joinville/SC Juazeiro/BA Jundiaí/SP Limeira/SP Londrina/PR Macapá/AP Maceió/AL Marabá/PA Maringá/PR Mossoró/RN
    Niterói/RJ Palmas/TO Passo Fundo/RS Pelotas/RS Petrolina/PE Piracicaba/SP Ponta Grossa/PR Ribeirão Preto/SP
    Santo André/SP São Carlos/SP Sorocaba/SP Taubaté/SP Teresina/PI Uberlândia/MG Vitória/ES"""
CITIES = re.findall(r"\S[^/]*/[A-Z]{2}", CITIES)

FANTASY_NAMES = """Alvorada|Araucária|Bandeirante|Boa Viagem|Cabriúva|Caminho Novo|Capital|Cerrado|Confiança|
    Cruzeiro do Sul|Diamantina|Dois Irmãos|Estação|Estrela|Farol da Barra|Guaíba|Horizonte|Ibirapuera|Imperial|
    Ipê Amarelo|Itapoã|Jacarandá|Lagoa Azul|Litoral|Maestro|Mirante|Nova Aliança|Ouro Verde|Pampa|Pantanal|
    Pé na Estrada|Pioneiro|Planalto|Ponto Certo|Porto Belo|Princesa do Vale|Quatro Rodas do Vale|Rio Branco|Rota 116|
    Rota do Sol|Sabiá|Santa Luzia|São Cristóvão|Serra Azul|Sertão|Terceira Via|Tradição|Tupã|Uirapuru|Vale do Aço|
    Via Norte|Vitória Régia|Zona Sul"""
FANTASY_NAMES = [name.strip() for name in FANTASY_NAMES.split("|")]

STORE_PATTERNS = (
    "{surname} Veículos",
    "{surname} Automóveis",
    "{surname} Multimarcas",
    "{surname} Seminovos",
    "Irmãos {surname} Veículos",
    "{surname} & {other} Multimarcas",
    "{surname} Motors",
    "Auto {fantasy}",
    "{fantasy} Veículos",
    "{fantasy} Multimarcas",
    "{fantasy} Seminovos",
    "{fantasy} Motors",
    "Garagem {fantasy}",
    "{fantasy} Car",
    "{city} Seminovos",
    "Auto Shopping {city}",
    "{first} Automóveis",
    "Grupo {surname}",
    "{fantasy} Caminhões",
    "{surname} Motos",
)

LEGAL_PATTERNS = (
    "{surname} Comércio de Veículos Ltda",
    "{surname} & {other} Automóveis Ltda",
    "{store} Comércio e Locação de Veículos Ltda - ME",
    "{first} {surname} Veículos EIRELI",
    "Revendedora de Automóveis {surname} S.A.",
    "{initial}. {surname} Intermediação de Veículos Ltda",
    "{store} Ltda",
)

SALESPEOPLE = (
    "Alessandra Medeiros",
    "Cauã Figueiró",
    "Igor Stefanello",
    "Letícia Nóbrega",
    "Márcio Uchôa",
    "Tainá Rebouças",
)
CS_PEOPLE = ((11840233, "Janaína Brandão"), (11902764, "Otávio Macêdo"), (12288417, "Raíssa Penteado"))

ONBOARDING, ONGOING, BRADESCO, CHURN, SALES, PARTNERS = 48110, 48111, 48112, 48113, 48114, 48115
PIPELINES = (
    (ONBOARDING, "CS | ONBOARDING"),
    (ONGOING, "CS | ONGOING"),
    (BRADESCO, "CS | BRADESCO"),
    (CHURN, "Churns & Cancelamentos"),
    (SALES, "Comercial | Negociação"),
    (PARTNERS, "Parcerias"),
)

STATUSES = (
    (7001, "Aguardando documentação"),
    (7002, "Em implantação"),
    (7003, "Treinamento"),
    (7004, "Ativo"),
    (7005, "Acompanhamento"),
    (7006, "Em risco"),
    (7007, "Inadimplente"),
    (7008, "Cancelado"),
    (7009, "Proposta enviada"),
)
STATUSES_OF_PIPELINE = {
    ONBOARDING: (7001, 7002, 7003),
    ONGOING: (7004, 7004, 7004, 7005, 7006, 7007),
    BRADESCO: (7002, 7004, 7005),
    CHURN: (7008,),
    SALES: (7009,),
    PARTNERS: (7004, 7009),
}

PLAN_PRICES = [
    decimal.Decimal(price)
    for price in "179.90 229.90 279.90 279.90 329.90 329.90 389.00 449.90 519.00 649.90 790.00 1190.00".split()
]

CHURN_REASONS = {
    "Preço": ("Achou caro depois do reajuste", "Pediu desconto de 40% e não aceitou a contraproposta"),
    "Fechou a loja": ("Encerrou as atividades em março", "Vendeu o ponto e mudou de ramo"),
    "Foi para a concorrência": ("Recebeu oferta com site incluso", "A matriz padronizou outro sistema"),
    "Não usa o sistema": ("Equipe voltou para a planilha", "Sem acessos há mais de dois meses"),
    "Inadimplência": ("Três boletos em aberto; sem retorno às cobranças",),
    "Insatisfação com o suporte": ("Reclamou da demora para integrar os anúncios",),
}

ROLES = ("vendas", "gerencia", "financeiro", "contato", "loja", "estoque")
NAMED_INTEGRATORS = (1, 2, 4, 5, 6, 7, 8, 9, 11, 12, 14, 15, 16)
UNNAMED_INTEGRATORS = (3, 13)
OTHER_EVENTS = ("created", "updated", "updated", "updated", "deleted", "logout")
BUSINESS_HOURS = (7, 8, 8, 9, 9, 9, 10, 10, 10, 11, 11, 12, 13, 13, 14, 14, 14, 15, 15, 16, 16, 17, 17, 18, 18, 19, 21)
SUNDAY = 6

# ------------------------------------------------------------------------------------------------- tables and SQL

KOMMO_COLUMNS = {
    "users": "id name email",
    "pipelines": "id name",
    "statuses": "id name",
    "companies_kommo": "id nome razao_social cnpj",
    "clientes_kommo": "id company_id valor vendedor cs_id pipeline_id status_id data_adesao data_start_onboarding "
    "data_end_onboarding data_cancelamento motivos_churn descricao_cancelamento criado_em "
    "atualizado_em deleted_at",
}

ECOSYS_COLUMNS = {
    "tenants": "id name cnpj slug type created_at updated_at",
    "users": "id tenant_id name email created_at updated_at",
    "econversa_instance_configurations": "id name status created_at updated_at",
    "integrator_configurations": "id tenant_id integrator_id created_at updated_at deleted_at",
    "activity_log": "id created_at tenant_id subject_id event",
    "inventory_entries": "id created_at tenant_id vehicle_id status deleted_at",
    "inventory_outs": "id created_at tenant_id vehicle_id deleted_at",
    "cards": "id created_at tenant_id deleted_at",
    "econversa_messages": "id created_at tenant_id",
    "integrator_ads": "id created_at tenant_id integrator_id",
    "reports": "id created_at tenant_id",
    "contracts": "id created_at tenant_id",
}
# Their rows are collected without ids and numbered by time when written, as in a live system.
EVENT_TABLES = (
    "activity_log",
    "inventory_entries",
    "inventory_outs",
    "cards",
    "econversa_messages",
    "integrator_ads",
    "reports",
    "contracts",
)

MYSQL_ESCAPES = {0: "\\0", 9: "\\t", 10: "\\n", 13: "\\r", 26: "\\Z", 39: "''", 92: "\\\\"}
POSTGRES_ESCAPES = {39: "''", 92: "\\\\", 127: "\\x7f", **{code: f"\\x{code:02x}" for code in range(1, 32)}}


def mysql_text(text):
    return "'" + text.translate(MYSQL_ESCAPES) + "'"


def postgres_text(text):
    return "E'" + text.translate(POSTGRES_ESCAPES) + "'"


def sql_literal(value, quote_text):
    if value is None:
        return "NULL"
    if isinstance(value, datetime.datetime):
        return "'" + value.isoformat(" ") + "'"
    if isinstance(value, str):
        return quote_text(value)
    return str(value)


def numbered_by_time(rows):
    """Event rows (instant first) as a log would hold them: ids rise with time, rows without an instant come first."""
    ordered = sorted(rows, key=lambda row: row[0] or datetime.datetime.min)
    return [(number, *row) for number, row in enumerate(ordered, 1)]


def write_rows(out, table, columns, rows, quote_text):
    head = f'INSERT INTO {table} ({", ".join(columns.split())}) VALUES\n'
    for first in range(0, len(rows), ROWS_PER_INSERT):
        lines = (
            "(" + ",".join(sql_literal(value, quote_text) for value in row) + ")"
            for row in rows[first : first + ROWS_PER_INSERT]
        )
        out.write(head + ",\n".join(lines) + ";\n")


def write_postgres(path, rows, hostile):
    with open(path, "w", encoding="utf-8", newline="\n") as out:
        out.write("BEGIN;\nSET LOCAL client_encoding = 'UTF8';\n")
        if hostile:
            out.write("ALTER TABLE companies_kommo ALTER COLUMN cnpj TYPE text;\n")
        for table, columns in KOMMO_COLUMNS.items():
            write_rows(out, table, columns, rows[table], postgres_text)
        out.write("COMMIT;\n")


def write_mysql(path, rows, utc_offset):
    with open(path, "w", encoding="utf-8", newline="\n") as out:
        out.write(
            f"SET NAMES utf8mb4;\nSET time_zone = '{utc_offset}';\nSET sql_mode = 'STRICT_ALL_TABLES';\n"
            "START TRANSACTION;\n"
        )
        for table, columns in ECOSYS_COLUMNS.items():
            table_rows = numbered_by_time(rows[table]) if table in EVENT_TABLES else rows[table]
            write_rows(out, table, columns, table_rows, mysql_text)
        out.write("COMMIT;\n")


# ----------------------------------------------------------------------------------------------------------- CNPJ


def cnpj_check_digits(base):
    """The two check digits of a 12-character CNPJ base; letters count as their code minus that of '0'."""
    digits = ""
    for _ in range(2):
        values = [ord(character) - ord("0") for character in base + digits]
        rest = sum(value * (2 + place % 8) for place, value in enumerate(reversed(values))) % 11
        digits += "0" if rest < 2 else str(11 - rest)
    return digits


def complete_cnpj(base):
    return base + cnpj_check_digits(base)


def random_cnpj(rng):
    """Mostly of a head office; one in eight starts with zeros, as the oldest companies' do."""
    root = rng.randint(1_000_000, 9_999_999) if rng.random() < 0.12 else rng.randint(10_000_000, 61_000_000)
    branch = 1 if rng.random() < 0.9 else rng.randint(2, 9)
    return complete_cnpj(f"{root:08d}{branch:04d}")


def punctuated_cnpj(cnpj):
    return f"{cnpj[:2]}.{cnpj[2:5]}.{cnpj[5:8]}/{cnpj[8:12]}-{cnpj[12:]}"


def cnpj_as_typed(rng, cnpj):
    """As people and imports enter it in a text column: digits, punctuated, or without leading zeros."""
    return rng.choices((cnpj, punctuated_cnpj(cnpj), str(int(cnpj))), (55, 35, 10))[0]


# ---------------------------------------------------------------------------------------------------------- time


class Calendar:
    """Days counted back from the reference instant; nothing ordinary happens after it."""

    def __init__(self, as_of):
        self.as_of = as_of
        self.today = as_of.replace(hour=0, minute=0, second=0)

    def midnight(self, days_ago):
        return self.today - datetime.timedelta(days=days_ago)

    def second_before(self, days_ago):
        return self.midnight(days_ago) - datetime.timedelta(seconds=1)

    def business_instant(self, rng, days_ago):
        second = rng.choice(BUSINESS_HOURS) * 3600 + int(rng.random() * 3600)
        instant = self.midnight(days_ago) + datetime.timedelta(seconds=second)
        if instant > self.as_of:
            instant = self.today + (self.as_of - self.today) * rng.random()
        return instant.replace(microsecond=0)

    def working_day(self, rng, nearest, farthest):
        """A random day between the two; Sundays are rare."""
        day = rng.randint(nearest, farthest)
        if (self.today.weekday() - day) % 7 == SUNDAY:
            day = rng.randint(nearest, farthest)
        return day


# ------------------------------------------------------------------------------------------------------- profiles


@dataclasses.dataclass(frozen=True)
class Rhythm:
    """How many events the window holds, and how many days ago the newest was."""

    least: int
    most: int
    newest: int
    oldest: int


@dataclasses.dataclass(frozen=True)
class Profile:
    """What stores of one kind do. econversa to contracts: the share of them that uses each of these."""

    name: str
    share: float
    logins: Rhythm
    entries: Rhythm
    outs: Rhythm
    leads: Rhythm
    econversa: float
    ads: float
    reports: float
    contracts: float


CHAMPION = Profile(
    "champion",
    0.13,
    Rhythm(55, 150, 0, 1),
    Rhythm(18, 60, 0, 3),
    Rhythm(15, 48, 0, 3),
    Rhythm(45, 160, 0, 1),
    econversa=0.85,
    ads=0.95,
    reports=0.80,
    contracts=0.90,
)
HEALTHY = Profile(
    "healthy",
    0.30,
    Rhythm(18, 60, 1, 7),
    Rhythm(5, 20, 1, 7),
    Rhythm(4, 16, 1, 7),
    Rhythm(12, 50, 1, 9),
    econversa=0.35,
    ads=0.65,
    reports=0.35,
    contracts=0.40,
)
NORMAL = Profile(
    "normal",
    0.32,
    Rhythm(7, 30, 2, 12),
    Rhythm(2, 10, 2, 14),
    Rhythm(1, 8, 3, 16),
    Rhythm(3, 16, 3, 16),
    econversa=0.15,
    ads=0.40,
    reports=0.20,
    contracts=0.15,
)
CRITICAL = Profile(
    "critical",
    0.11,
    Rhythm(0, 6, 8, 29),
    Rhythm(0, 2, 12, 30),
    Rhythm(0, 1, 14, 30),
    Rhythm(0, 4, 8, 30),
    econversa=0.05,
    ads=0.10,
    reports=0.05,
    contracts=0.0,
)
SLEEPING = Profile(
    "sleeping",
    0.06,
    Rhythm(0, 0, 31, 140),
    Rhythm(0, 0, 31, 140),
    Rhythm(0, 0, 31, 140),
    Rhythm(0, 0, 31, 140),
    econversa=0.0,
    ads=0.0,
    reports=0.0,
    contracts=0.0,
)
NEW = Profile(
    "new",
    0.08,
    Rhythm(15, 80, 0, 4),
    Rhythm(6, 45, 0, 5),
    Rhythm(0, 6, 1, 8),
    Rhythm(0, 25, 0, 8),
    econversa=0.20,
    ads=0.35,
    reports=0.15,
    contracts=0.10,
)
PROFILES = (CHAMPION, HEALTHY, NORMAL, CRITICAL, SLEEPING, NEW)
# What stores that faded away were once like.
PROFILE_BEFORE = {CRITICAL: NORMAL, SLEEPING: NORMAL}


def deal_profiles(rng, count):
    """A profile for each store: exact shares, in random order, so that small bases are mixed too."""
    profiles = []
    owed = 0.0
    for profile in sorted(PROFILES, key=lambda profile: -profile.share):
        owed += profile.share * count
        profiles += [profile] * (round(owed) - len(profiles))
    rng.shuffle(profiles)
    return profiles


# ------------------------------------------------------------------------------------------------ stores and people


@dataclasses.dataclass
class Store:
    name: str
    city: str
    legal_name: str
    cnpj: str


@dataclasses.dataclass
class Tenant:
    id: int
    name: str
    slug: str
    cnpj: str  # 14 characters, or None
    kind: str
    profile: Profile
    age_days: int  # since it was created
    user_ids: list = dataclasses.field(default_factory=list)


def ascii_text(text):
    return unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()


def slugify(text):
    return re.sub(r"[^a-z0-9]+", "-", ascii_text(text).lower()).strip("-")


def person_name(rng):
    surnames = " ".join(rng.sample(SURNAMES, rng.choice((1, 1, 2))))
    return f"{rng.choice(FIRST_NAMES)} {surnames}"


class StoreMaker:
    """Invents stores; no two share a name or a CNPJ."""

    def __init__(self, rng):
        self.rng = rng
        self.names = set()
        self.cnpjs = set()

    def make(self):
        rng = self.rng
        surname, other = rng.sample(SURNAMES, 2)
        words = {
            "surname": surname,
            "other": other,
            "first": rng.choice(FIRST_NAMES),
            "fantasy": rng.choice(FANTASY_NAMES),
        }
        words["initial"] = words["first"][0]
        place = rng.choice(CITIES)
        words["city"] = place.partition("/")[0]
        words["store"] = self._unused_name(rng.choice(STORE_PATTERNS).format(**words), words["city"])
        legal_name = rng.choice(LEGAL_PATTERNS).format(**words)
        if rng.random() < 0.6:
            legal_name = ascii_text(legal_name).upper()
        return Store(words["store"], place, legal_name, self._unused_cnpj())

    def _unused_name(self, name, city):
        wanted, number = name, 2
        if name in self.names and city not in name:
            name = wanted = f"{name} {city}"
        while name in self.names:
            name = f"{wanted} {number}"
            number += 1
        self.names.add(name)
        return name

    def _unused_cnpj(self):
        cnpj = random_cnpj(self.rng)
        while cnpj in self.cnpjs:
            cnpj = random_cnpj(self.rng)
        self.cnpjs.add(cnpj)
        return cnpj


# --------------------------------------------------------------------------------------------------------- EcoSys


class EcosysBase:
    """The rows of mysql.sql: stores, their people and what they did."""

    def __init__(self, calendar):
        self.calendar = calendar
        self.rows = {table: [] for table in ECOSYS_COLUMNS}
        self.vehicles = 0

    def add(self, table, *values):
        self.rows[table].append(values)

    def next_id(self, table):
        return len(self.rows[table]) + 1

    def add_tenant(self, tenant, cnpj_text):
        created = self.calendar.midnight(tenant.age_days) + datetime.timedelta(hours=9, minutes=tenant.id % 60)
        created = min(created, self.calendar.as_of)
        self.add("tenants", tenant.id, tenant.name, cnpj_text, tenant.slug, tenant.kind, created, created)
        return created

    def add_user(self, tenant_id, name, email, created=None):
        user_id = self.next_id("users")
        self.add("users", user_id, tenant_id, name, email, created, created)
        return user_id

    def add_login(self, instant, tenant_id, user_id, event="login"):
        self.add("activity_log", instant, tenant_id, user_id, event)

    def add_entry(self, instant, tenant_id, status="active", deleted_at=None):
        self.vehicles += 1
        self.add("inventory_entries", instant, tenant_id, self.vehicles, status, deleted_at)
        return self.vehicles

    def add_out(self, instant, tenant_id, vehicle_id, deleted_at=None):
        self.add("inventory_outs", instant, tenant_id, vehicle_id, deleted_at)

    def add_econversa(self, name, status):
        self.add(
            "econversa_instance_configurations",
            self.next_id("econversa_instance_configurations"),
            name,
            status,
            self.calendar.midnight(90),
            self.calendar.midnight(1),
        )

    def add_integrator(self, tenant_id, integrator_id, deleted_at=None):
        self.add(
            "integrator_configurations",
            self.next_id("integrator_configurations"),
            tenant_id,
            integrator_id,
            self.calendar.midnight(60),
            self.calendar.midnight(60),
            deleted_at,
        )

    def event_count(self):
        return sum(len(self.rows[table]) for table in EVENT_TABLES)


def make_tenants(rng, calendar, stores):
    """One tenant per store; then a few branches on another store's CNPJ, and a few without any."""
    tenants, slugs = [], set()
    for number, (store, profile) in enumerate(zip(stores, deal_profiles(rng, len(stores))), 1):
        slug = slugify(store.name)
        if slug in slugs:
            slug = f"{slug}-{number}"
        slugs.add(slug)
        kind = "normal" if rng.random() < 0.95 else rng.choice(("demo", "trial", "internal"))
        tenants.append(Tenant(number, store.name, slug, store.cnpj, kind, profile, tenant_age(rng, calendar, profile)))
    turn_into_branches(rng, tenants, len(tenants) // 40)
    for tenant in rng.sample(tenants, len(tenants) // 45):
        tenant.cnpj = None
    return tenants


def tenant_age(rng, calendar, profile):
    """Days since the tenant was created: new ones this month or recently, the others spread over three years."""
    if profile is NEW:
        return rng.randint(0, calendar.today.day - 1) if rng.random() < 0.6 else rng.randint(3, 38)
    return rng.randint(45, 1095) if rng.random() < 0.4 else int(rng.triangular(45, 1095, 120))


def turn_into_branches(rng, tenants, count):
    if len(tenants) < 3:
        return
    for _ in range(max(1, count)):
        head, branch = rng.sample(tenants, 2)
        branch.cnpj = head.cnpj
        branch.name = f'{head.name} - Filial {rng.choice(CITIES).partition("/")[0]}'


def add_people(rng, base, tenant, created):
    domain = tenant.slug.replace("-", "")[:40] + ".example"
    for _ in range(rng.randint(1, 6)):
        name = person_name(rng)
        email = f'{slugify(name).replace("-", ".")}@{domain}' if rng.random() < 0.97 else None
        tenant.user_ids.append(base.add_user(tenant.id, name, email, created))
    if rng.random() < 0.2:
        tenant.user_ids.append(base.add_user(tenant.id, None, f"{rng.choice(ROLES)}@{domain}", created))


def event_days(rng, calendar, tenant, rhythm, rhythm_before):
    """Days ago when one kind of event happened: the window by its rhythm, then the months before it."""
    newest = rng.randint(rhythm.newest, rhythm.oldest)
    count = rng.randint(rhythm.least, rhythm.most)
    reach = min(WINDOW_DAYS, tenant.age_days)
    newest_in_window = min(newest, reach)
    if count:
        yield newest_in_window
        for _ in range(round((count - 1) * (reach + 1) / (WINDOW_DAYS + 1))):
            yield calendar.working_day(rng, newest_in_window, reach)
    usual = rng.uniform(rhythm_before.least, rhythm_before.most)
    for month in range(HISTORY_MONTHS):
        first = max(WINDOW_DAYS + 1 + 30 * month, newest)
        last = min(WINDOW_DAYS + 30 + 30 * month, tenant.age_days)
        if first <= last:
            for _ in range(round(usual * rng.uniform(0.6, 1.1) * (last - first + 1) / 30)):
                yield calendar.working_day(rng, first, last)


class TenantActivity:
    """Draws all of a store's activity, by its profile."""

    def __init__(self, rng, base, tenant):
        self.rng = rng
        self.base = base
        self.calendar = base.calendar
        self.tenant = tenant
        self.profile = tenant.profile

    def draw(self):
        self.draw_logins()
        self.draw_stock()
        self.draw_leads()
        self.draw_econversa()
        self.draw_integrators()
        self.draw_reports_and_contracts()

    def instants(self, kind):
        before = PROFILE_BEFORE.get(self.profile, self.profile)
        for day in event_days(self.rng, self.calendar, self.tenant, getattr(self.profile, kind), getattr(before, kind)):
            yield self.calendar.business_instant(self.rng, day)

    def extra_instants(self, least, most, oldest_day):
        """A few instants up to so many days ago, for events without a rhythm of their own."""
        for _ in range(self.rng.randint(least, most)):
            day = self.calendar.working_day(self.rng, 0, min(oldest_day, self.tenant.age_days))
            yield self.calendar.business_instant(self.rng, day)

    def maybe_deleted(self, instant):
        if self.rng.random() > 0.04:
            return None
        return min(self.calendar.as_of, instant + datetime.timedelta(minutes=self.rng.randint(1, 4000)))

    def draw_logins(self):
        rng, base, tenant = self.rng, self.base, self.tenant
        for instant in self.instants("logins"):
            user_id = rng.choice(tenant.user_ids)
            # Part of the log has no tenant: it is then known only through the user.
            base.add_login(instant, None if rng.random() < 0.08 else tenant.id, user_id)
            if rng.random() < 0.3:
                base.add_login(instant, tenant.id, user_id, rng.choice(OTHER_EVENTS))

    def draw_stock(self):
        rng, base, tenant = self.rng, self.base, self.tenant
        vehicles = []
        for instant in self.instants("entries"):
            status = rng.choice(("active", "active", "active", "sold", "reserved", "preparing"))
            vehicles.append(base.add_entry(instant, tenant.id, status, self.maybe_deleted(instant)))
        for instant in self.instants("outs"):
            base.add_out(instant, tenant.id, rng.choice(vehicles) if vehicles else None, self.maybe_deleted(instant))

    def draw_leads(self):
        for instant in self.instants("leads"):
            self.base.add("cards", instant, self.tenant.id, self.maybe_deleted(instant))

    def draw_econversa(self):
        rng, base, tenant = self.rng, self.base, self.tenant
        if rng.random() < self.profile.econversa:
            base.add_econversa(tenant.slug, "open")
            for instant in self.extra_instants(20, 70, 60):
                base.add("econversa_messages", instant, tenant.id)
        elif rng.random() < 0.25:
            base.add_econversa(tenant.slug, rng.choice(("close", "close", "connecting")))

    def draw_integrators(self):
        rng, base, tenant = self.rng, self.base, self.tenant
        connected = rng.sample(NAMED_INTEGRATORS + UNNAMED_INTEGRATORS, rng.choice((0, 1, 1, 2, 2, 3, 4, 5)))
        for integrator_id in connected:
            base.add_integrator(tenant.id, integrator_id, base.calendar.midnight(9) if rng.random() < 0.08 else None)
        if rng.random() < self.profile.ads:
            for instant in self.extra_instants(6, 40, 90):
                base.add("integrator_ads", instant, tenant.id, rng.choice(connected or NAMED_INTEGRATORS))

    def draw_reports_and_contracts(self):
        for table, share, most in (("reports", self.profile.reports, 8), ("contracts", self.profile.contracts, 18)):
            if self.rng.random() < share:
                for instant in self.extra_instants(2, most, 60):
                    self.base.add(table, instant, self.tenant.id)


def add_headquarters(rng, base):
    """Support staff of EcoSys itself: users of no store, whose logins belong to no tenant."""
    for name in ("Suporte N1", "Suporte N2", "Implantação"):
        user_id = base.add_user(None, name, f"{slugify(name)}@ecosys.example")
        for _ in range(40):
            day = base.calendar.working_day(rng, 0, 60)
            base.add_login(base.calendar.business_instant(rng, day), None, user_id)


# ---------------------------------------------------------------------------------------------------------- Kommo


class KommoBase:
    """The rows of postgres.sql: the CRM's companies and clients."""

    def __init__(self, calendar, cnpj_type):
        self.calendar = calendar
        self.cnpj_type = cnpj_type  # int, as the schema has it; str once the column takes any text
        self.rows = {table: [] for table in KOMMO_COLUMNS}
        self.rows["users"] = [
            (user_id, name, f'{slugify(name).replace("-", ".")}@ecosys.example') for user_id, name in CS_PEOPLE
        ]
        self.rows["pipelines"] = list(PIPELINES)
        self.rows["statuses"] = list(STATUSES)

    def add_company(self, name, legal_name, cnpj):
        if cnpj is not None:
            cnpj = self.cnpj_type(cnpj)
        company_id = 60_210_000 + 17 * len(self.rows["companies_kommo"])
        self.rows["companies_kommo"].append((company_id, name, legal_name, cnpj))
        return company_id

    def add_client(self, **fields):
        number = len(self.rows["clientes_kommo"])
        fields.setdefault("id", 25_400_013 + 29 * number)
        columns = KOMMO_COLUMNS["clientes_kommo"].split()
        assert not fields.keys() - set(columns), fields
        self.rows["clientes_kommo"].append(tuple(fields.get(column) for column in columns))


PIPELINE_ODDS = {
    CHAMPION: {ONGOING: 86, BRADESCO: 12, PARTNERS: 2},
    HEALTHY: {ONGOING: 86, BRADESCO: 12, PARTNERS: 2},
    NORMAL: {ONGOING: 84, BRADESCO: 10, CHURN: 3, PARTNERS: 3},
    CRITICAL: {ONGOING: 72, BRADESCO: 8, CHURN: 20},
    SLEEPING: {ONGOING: 40, CHURN: 60},
    NEW: {ONBOARDING: 75, BRADESCO: 25},
    None: {CHURN: 52, ONGOING: 20, SALES: 14, ONBOARDING: 8, PARTNERS: 4, None: 2},
}


def office_time(rng, instant):
    return instant.replace(hour=rng.randint(8, 17), minute=rng.randint(0, 59), second=rng.randint(0, 59))


class ClientMaker:
    """Turns stores into companies and clients of the CRM."""

    def __init__(self, rng, base):
        self.rng = rng
        self.base = base
        self.calendar = base.calendar

    def add(self, store, cnpj, tenant=None):
        rng = self.rng
        odds = PIPELINE_ODDS[tenant.profile if tenant else None]
        pipeline = rng.choices(list(odds), list(odds.values()))[0]
        age = self._adhesion_age(tenant)
        adhesion = self._adhesion(age)
        company_id = self.base.add_company(
            self._company_name(store),
            store.legal_name if rng.random() > 0.03 else None,
            cnpj.lstrip("0") if cnpj else None,
        )
        if not tenant and rng.random() < 0.08:
            company_id = None
        fields = {
            "company_id": company_id,
            "pipeline_id": pipeline,
            "valor": self._monthly_price(pipeline),
            "vendedor": rng.choice(SALESPEOPLE) if rng.random() > 0.07 else None,
            "cs_id": rng.choice(CS_PEOPLE)[0] if rng.random() > 0.08 else None,
            "status_id": rng.choice(STATUSES_OF_PIPELINE[pipeline]) if pipeline else None,
            "data_adesao": adhesion if rng.random() > 0.03 else None,
            "criado_em": office_time(rng, adhesion - datetime.timedelta(days=rng.randint(1, 40))),
            "atualizado_em": self.calendar.business_instant(rng, rng.randint(0, min(60, age))),
            "deleted_at": (
                self.calendar.business_instant(rng, rng.randint(0, min(90, age))) if rng.random() < 0.025 else None
            ),
        }
        fields.update(self._onboarding(pipeline, adhesion))
        if pipeline == CHURN:
            fields.update(self._cancellation(age))
        self.base.add_client(**fields)

    def _company_name(self, store):
        shape = self.rng.random()
        if shape < 0.02:
            return None
        if shape < 0.15:
            return f"{store.name} - {store.city}"
        return store.name.upper() if shape < 0.30 else store.name

    def _adhesion_age(self, tenant):
        """Days since the contract: about when the tenant was created; without a tenant, any time in three years."""
        if tenant:
            earlier = 0 if tenant.age_days < self.calendar.today.day else self.rng.randint(0, 12)
            return min(1095, tenant.age_days + earlier)
        return self.rng.randint(0, 1095)

    def _adhesion(self, age):
        """Two in three were picked in a date field, so they are midnights."""
        if self.rng.random() < 0.66:
            return self.calendar.midnight(age)
        return self.calendar.business_instant(self.rng, age)

    def _monthly_price(self, pipeline):
        shape = self.rng.random()
        if shape < 0.04 or pipeline is None:
            return None
        return decimal.Decimal("0.00") if shape < 0.08 else self.rng.choice(PLAN_PRICES)

    def _onboarding(self, pipeline, adhesion):
        rng = self.rng
        if pipeline in (SALES, PARTNERS, None):
            return {}
        start = office_time(rng, adhesion + datetime.timedelta(days=rng.randint(1, 9)))
        end = office_time(rng, start + datetime.timedelta(days=rng.randint(5, 70)))
        if start > self.calendar.as_of or rng.random() < 0.04:
            return {}
        still_going = pipeline == ONBOARDING or end > self.calendar.as_of or rng.random() < 0.05
        return {"data_start_onboarding": start, "data_end_onboarding": None if still_going else end}

    def _cancellation(self, age):
        rng = self.rng
        reason = rng.choice(list(CHURN_REASONS)) if rng.random() > 0.08 else None
        description = rng.choice(CHURN_REASONS[reason]) if reason and rng.random() > 0.2 else None
        day = rng.randint(0, max(0, age - 30))
        return {
            "data_cancelamento": self.calendar.business_instant(rng, day),
            "motivos_churn": reason,
            "descricao_cancelamento": description,
        }


def add_clients(rng, base, stores, tenants, spare_stores, count):
    """Most tenants get a client; some get two; the remaining clients have no tenant."""
    known = [tenant for tenant in tenants if tenant.cnpj]
    rng.shuffle(known)
    matched = known[: min(round(len(tenants) * 0.92), round(count * 0.82))]
    matched += rng.sample(matched, min(len(matched), round(count * 0.04)))
    maker = ClientMaker(rng, base)
    for number in range(count):
        if number < len(matched):
            tenant = matched[number]
            maker.add(dataclasses.replace(stores[tenant.id - 1], name=tenant.name), tenant.cnpj, tenant)
        else:
            store = spare_stores[number]
            maker.add(store, store.cnpj if rng.random() > 0.06 else None)
    rng.shuffle(base.rows["clientes_kommo"])


# -------------------------------------------------------------------------------------------------- hostile rows

HOSTILE_TEXTS = (
    'D\'Ávila "Carros" & <i>Filhos</i>',
    "<img src=x onerror=alert(`loja`)>",
    "</title></script><svg/onload=confirm(2)>",
    "'); DELETE FROM tenants; -- ",
    "Rápido 🏎️💨 Multimarcas 👨‍👩‍👧‍👦",
    "Duas\nlinhas\r\nde nome",
    "Com\ttabulação",
    "C:\\lojas\\nova",
    "Termina em barra \\",
    "Sino \x07 e cor \x1b[31mvermelha\x1b[0m \x01\x1f\x7f\x85",
    "Desconto de 100% %s %d %n %08x %%",
    "中古車センター 二号店",
    "سيارات النور",
    "מכוניות שלום",
    "vira \u202eadarip\u202c aqui",
    "  brancos nas pontas  ",
    "\tTab na frente e quebra no fim\n",
    "Á" * 240,
    "🚙" * 240,
    "e\u0301 u\u0303 combinados",
    "sem\u200blargura\u2028linha\u2029\ufeffBOM",
    '=HYPERLINK("http://exemplo.invalid";"abra")',
    "+5511999990000",
    "-2+3",
    "@SOMA(A1:A9)",
    'vírgula, ponto; e "aspas"',
    '{"chave": [1, null, "]}"]}',
    "NULL",
    "null",
    "\\N",
    "\\u0041\\x41\\",
    "${HOME} $(id) `id`",
    "&amp;&lt;&#39;",
    "limite \uffff\U0010ffff",
    "İstanbul ışık ß ﬁ",
    "0",
    "-0.0",
    "1e400",
    "",
)

# Both sides of every edge of the volume bands; then the days on both sides of every recency edge, future first.
ACCESS_COUNTS = (1, 2, 6, 7, 11, 12, 25, 26, 40, 41, 75, 76)
STOCK_COUNTS = (1, 3, 4, 9, 10, 20, 21, 40, 41)
EDGE_DAYS = (-10, -1, 0, 3, 4, 7, 8, 14, 15, 30)
JUST_OUTSIDE = WINDOW_DAYS + 1


@dataclasses.dataclass(frozen=True)
class Shape:
    """So many events in the window, the newest so many days ago (None: no event at all)."""

    count: int
    newest: int


def edge_shapes(counts):
    return [Shape(0, None), Shape(0, JUST_OUTSIDE)] + [Shape(count, day) for count in counts for day in EDGE_DAYS]


ACCESS_SHAPES = edge_shapes(ACCESS_COUNTS)
STOCK_SHAPES = edge_shapes(STOCK_COUNTS)
NOTHING = Shape(0, None)

# Name, logins, entries, outs, leads, adoption uses (econversa, ads, reports, contracts): totals exactly on the
# categories' cut-offs, the next possible above them, the highest and the lowest.
CUTS = (
    ("Total 0,30", Shape(41, 3), NOTHING, NOTHING, NOTHING, (0, 0, 0, 0)),
    ("Total 0,30 pelo estoque", NOTHING, Shape(21, 0), Shape(21, 3), NOTHING, (0, 0, 0, 0)),
    ("Total 0,32", Shape(41, 3), NOTHING, NOTHING, NOTHING, (0, 0, 1, 0)),
    ("Total 0,60", Shape(41, 0), Shape(21, 0), Shape(21, 0), NOTHING, (0, 0, 0, 0)),
    ("Total 0,62", Shape(41, 0), Shape(21, 0), Shape(21, 0), NOTHING, (0, 0, 1, 0)),
    ("Total 0,80", Shape(41, 0), Shape(21, 0), Shape(21, 0), Shape(41, 0), (0, 0, 0, 0)),
    ("Total 0,82", Shape(41, 0), Shape(21, 0), Shape(21, 0), Shape(41, 0), (0, 0, 1, 0)),
    ("Total 1,08", Shape(76, 0), Shape(41, 0), Shape(41, 0), Shape(76, 0), (1, 1, 1, 1)),
    ("Total zero", NOTHING, NOTHING, NOTHING, NOTHING, (0, 0, 0, 0)),
)


def hostile_cnpjs():
    """Pairs: the tenant's form, the company's form."""
    letters, mixed = complete_cnpj("12ABC34501DE"), complete_cnpj("ZX09K8Y70001")
    plain, short = complete_cnpj("472915830001"), complete_cnpj("000000310001")
    blanks, dashes = complete_cnpj("333444550001"), complete_cnpj("508812460002")
    one_and_the_same = (
        (punctuated_cnpj(letters), letters.lower()),
        (mixed.lower(), mixed),
        ("A" * 12 + "00", "a" * 12 + "00"),
        (punctuated_cnpj(plain), plain),
        (short.lstrip("0"), short),
        ("7", "00000000000007"),
        (f"  {blanks}  ", punctuated_cnpj(blanks)),
        (punctuated_cnpj(dashes).replace("-", "–"), dashes),
    )
    no_cnpj_at_all = (
        "00000000000000",
        "0",
        "00.000.000/0000-00",
        "472915830001470",
        "12ABC34501DE355",
        "12ABC34501DE3X",
        "AB12",
        "ISENTO",
        "S/N",
        "../-",
        "",
        "   ",
        None,
    )
    return one_and_the_same + tuple((text, text) for text in no_cnpj_at_all)


class HostileRows:
    """Adds the hostile rows after the ordinary ones. Each edge store has a client, so that it is scored."""

    def __init__(self, rng, ecosys, kommo):
        self.rng = rng
        self.ecosys = ecosys
        self.kommo = kommo
        self.calendar = ecosys.calendar
        self.used_texts = 0

    def add_all(self):
        for number in range(len(ACCESS_SHAPES)):
            self.add_band_edge(number)
        for cut in CUTS:
            self.add_store_of_shapes(*cut)
        self.add_cnpj_pairs()
        self.add_odd_tenants()
        self.add_orphans()
        self.add_crm_names()
        self.add_odd_clients()

    # -- helpers

    def text(self):
        self.used_texts += 1
        return HOSTILE_TEXTS[self.used_texts % len(HOSTILE_TEXTS)]

    def odd_tenant(self, name, cnpj, slug=True, kind="normal"):
        tenant_id = self.ecosys.next_id("tenants")
        slug = f"avesso-{tenant_id}" if slug is True else slug
        tenant = Tenant(tenant_id, name, slug, cnpj, kind, None, 400)
        self.ecosys.add_tenant(tenant, cnpj)
        tenant.user_ids = [self.ecosys.add_user(tenant_id, self.text(), self.text()) for _ in range(2)]
        return tenant

    def odd_client(self, cnpj=None, **fields):
        company_id = self.kommo.add_company(self.text(), self.text(), cnpj)
        defaults = {
            "company_id": company_id,
            "pipeline_id": ONGOING,
            "status_id": 7004,
            "cs_id": CS_PEOPLE[0][0],
            "valor": decimal.Decimal("100.10"),
            "data_adesao": self.calendar.midnight(200),
        }
        self.kommo.add_client(**(defaults | fields))

    # -- activity on the edges

    def add_band_edge(self, number):
        stock = len(STOCK_SHAPES)
        self.add_store_of_shapes(
            self.text(),
            ACCESS_SHAPES[number],
            STOCK_SHAPES[number % stock],
            STOCK_SHAPES[(7 * number + 1) % stock],
            ACCESS_SHAPES[-1 - number],
            [number >> bit & 1 for bit in range(4)],
        )

    def add_store_of_shapes(self, name, logins, entries, outs, leads, uses):
        cnpj = complete_cnpj(f'{70_000_000 + self.ecosys.next_id("tenants"):08d}0001')
        tenant = self.odd_tenant(name, cnpj)
        self.odd_client(cnpj)
        self.add_edge_logins(tenant, logins)
        self.add_edge_stock(tenant, entries, outs)
        self.add_edge_leads(tenant, leads)
        self.add_edge_adoption(tenant, *uses)

    def edge_instants(self, shape):
        """The newest exactly at midnight, or at the last second of its day; the others from the window's first
        instant on. Also some outside it: the second before the window, and long ago."""
        if shape.newest is None:
            return []
        outside = [self.calendar.second_before(WINDOW_DAYS), self.calendar.midnight(45)]
        if shape.count == 0:
            return outside
        newest = self.calendar.midnight(shape.newest)
        if shape.newest > 0 and shape.count % 2:
            newest += datetime.timedelta(hours=23, minutes=59, seconds=59)
        start = self.calendar.midnight(WINDOW_DAYS)
        step = (newest - start) // max(1, shape.count)
        others = [(start + step * place).replace(microsecond=0) for place in range(shape.count - 1)]
        return [newest] + others + outside

    def add_edge_logins(self, tenant, shape):
        for place, instant in enumerate(self.edge_instants(shape)):
            tenant_id = None if place % 3 == 1 else tenant.id
            self.ecosys.add_login(instant, tenant_id, tenant.user_ids[place % 2])
        self.ecosys.add_login(None, tenant.id, tenant.user_ids[0])
        self.ecosys.add_login(self.calendar.as_of, tenant.id, tenant.user_ids[0], "logout")

    def add_edge_stock(self, tenant, entries, outs):
        now = self.calendar.as_of
        for instant in self.edge_instants(entries):
            self.ecosys.add_entry(instant, tenant.id)
        for instant in self.edge_instants(outs):
            self.ecosys.add_out(instant, tenant.id, 1)
        self.ecosys.add_entry(None, tenant.id, None)
        self.ecosys.add_out(None, tenant.id, None)
        self.ecosys.add_entry(now, tenant.id, "deleted", now)
        self.ecosys.add_out(now, tenant.id, 1, now)

    def add_edge_leads(self, tenant, shape):
        now = self.calendar.as_of
        for instant in self.edge_instants(shape):
            self.ecosys.add("cards", instant, tenant.id, None)
        self.ecosys.add("cards", None, tenant.id, None)
        self.ecosys.add("cards", now, tenant.id, now)

    def add_edge_adoption(self, tenant, econversa, ads, reports, contracts):
        """Each use is either just inside its window or just outside it, or fails for another reason."""
        inside, outside = self.calendar.midnight(WINDOW_DAYS), self.calendar.second_before(WINDOW_DAYS)
        add = self.ecosys.add
        self.add_edge_econversa(tenant, econversa)
        add("integrator_ads", inside, tenant.id, 5 if ads else UNNAMED_INTEGRATORS[tenant.id % 2])
        add("integrator_ads", outside, tenant.id, 5)
        add("reports", inside if reports else outside, tenant.id)
        add("contracts", inside, tenant.id)
        add("contracts", inside if contracts else outside, tenant.id)
        for table in ("econversa_messages", "reports", "contracts"):
            add(table, None, tenant.id)
        add("integrator_ads", None, tenant.id, 5)

    def add_edge_econversa(self, tenant, used):
        inside = self.calendar.midnight(MESSAGE_WINDOW_DAYS)
        outside = self.calendar.second_before(MESSAGE_WINDOW_DAYS)
        closed = not used and tenant.id % 2
        spelling = ("open", "OPEN", "Open", "oPeN")[tenant.id // 2 % 4]
        self.ecosys.add_econversa(tenant.slug, "close" if closed else spelling)
        self.ecosys.add_econversa(tenant.slug, "connecting")
        self.ecosys.add("econversa_messages", inside if used or closed else outside, tenant.id)

    # -- tenants

    def add_cnpj_pairs(self):
        for tenant_cnpj, company_cnpj in hostile_cnpjs():
            tenant = self.odd_tenant(self.text(), tenant_cnpj)
            self.ecosys.add_login(self.calendar.as_of, tenant.id, tenant.user_ids[0])
            self.odd_client(company_cnpj)

    def add_odd_tenants(self):
        cnpj = complete_cnpj("812345670001")
        for _ in range(2):
            self.odd_client(cnpj)
        nameless = self.odd_tenant(None, cnpj)
        self.odd_tenant("", punctuated_cnpj(cnpj))
        self.odd_tenant("Sem slug", cnpj, slug=None)
        self.odd_tenant("Demonstração com cliente", cnpj, kind="demo")
        self.odd_tenant("NUL \0 no meio", cnpj)
        self.add_integrator_lists(nameless)
        self.add_econversa_lists(nameless)
        self.add_future_only(self.odd_tenant("Só no futuro", cnpj))
        self.add_undated_only(self.odd_tenant("Sem nenhuma data", cnpj))

    def add_integrator_lists(self, tenant):
        for integrator_id in (16, 5, 5, 1, 3, 13, 10, 0, 99, 4_000_000_000, None, 5, 2):
            self.ecosys.add_integrator(tenant.id, integrator_id)
        self.ecosys.add_integrator(tenant.id, 14, self.calendar.as_of)

    def add_econversa_lists(self, tenant):
        for name, status in (
            (tenant.slug, "close"),
            (tenant.slug, "OpEn"),
            (tenant.slug, None),
            ("ninguem", "open"),
            (None, "open"),
            ("", "open"),
            (tenant.slug, ""),
        ):
            self.ecosys.add_econversa(name, status)

    def add_future_only(self, tenant):
        for instant in (
            self.calendar.as_of + datetime.timedelta(seconds=1),
            self.calendar.midnight(-1),
            self.calendar.midnight(-10),
        ):
            self.ecosys.add_login(instant, tenant.id, tenant.user_ids[0])
            self.ecosys.add_entry(instant, tenant.id)
            self.ecosys.add_out(instant, tenant.id, 1)
            self.ecosys.add("cards", instant, tenant.id, None)
            self.ecosys.add("reports", instant, tenant.id)

    def add_undated_only(self, tenant):
        for _ in range(3):
            self.ecosys.add_login(None, tenant.id, tenant.user_ids[0])
            self.ecosys.add_login(None, None, tenant.user_ids[1])
            self.ecosys.add_entry(None, tenant.id)
            self.ecosys.add_out(None, tenant.id, None)
            self.ecosys.add("cards", None, tenant.id, None)

    def add_orphans(self):
        """Rows of no tenant, of removed tenants and users; logins whose user belongs to another tenant."""
        now, gone = self.calendar.as_of, 900_000
        first, second = (
            self.odd_tenant(name, complete_cnpj(base))
            for name, base in (("Emprestou o usuário", "823456780001"), ("Usou o usuário", "834567890001"))
        )
        for tenant in (first, second):
            self.odd_client(tenant.cnpj)
        unplaced = self.ecosys.add_user(None, None, None)
        for tenant_id, user_id in (
            (second.id, first.user_ids[0]),
            (second.id, None),
            (second.id, gone),
            (None, first.user_ids[0]),
            (None, None),
            (None, gone),
            (gone, None),
            (gone, first.user_ids[0]),
            (None, unplaced),
            (second.id, unplaced),
        ):
            self.ecosys.add_login(now, tenant_id, user_id)
            self.ecosys.add_login(now, tenant_id, user_id, None)
        for tenant_id in (None, gone, 0):
            self.ecosys.add_entry(now, tenant_id)
            self.ecosys.add_out(now, tenant_id, None)
            self.ecosys.add("cards", now, tenant_id, None)
            self.ecosys.add("integrator_ads", now, tenant_id, None)
            self.ecosys.add_integrator(tenant_id, 5)
            for table in ("reports", "contracts", "econversa_messages"):
                self.ecosys.add(table, now, tenant_id)
        self.ecosys.add("integrator_ads", now, second.id, None)

    # -- clients

    def add_crm_names(self):
        """People, stages and pipelines whose names are awkward, missing, or almost those that count."""
        for place, name in enumerate((*HOSTILE_TEXTS, None)):
            self.kommo.rows["users"].append((13_000_000 + place, name, name))
            self.kommo.rows["statuses"].append((8000 + place, name))
        for place, name in enumerate(
            (
                "cs | ongoing",
                "CS | ONGOING ",
                " CS | ONBOARDING",
                "CS|BRADESCO",
                "CS | ONGOING",
                "Churns & Cancelamentos ",
                "Churns &amp; Cancelamentos",
                "",
                None,
            )
        ):
            self.kommo.rows["pipelines"].append((49_000 + place, name))
            self.odd_client(None, pipeline_id=49_000 + place, valor=decimal.Decimal("1000.01"))

    def add_odd_clients(self):
        self.add_texts()
        self.add_values()
        self.add_adhesions()
        self.add_onboardings()
        self.add_unfinished()

    def add_texts(self):
        for place, text in enumerate(HOSTILE_TEXTS):
            self.odd_client(
                None,
                vendedor=text,
                motivos_churn=text,
                descricao_cancelamento=text,
                cs_id=13_000_000 + place,
                status_id=8000 + place,
                pipeline_id=CHURN,
                data_cancelamento=self.calendar.midnight(place),
            )

    def add_values(self):
        for value in (
            "0",
            "0.00",
            "0.01",
            "-0.01",
            "-150.55",
            "0.10",
            "0.20",
            "1234567.89",
            "9999999999.99",
            "-9999999999.99",
            "9007199254.74",
        ):
            for pipeline in (ONGOING, CHURN):
                self.odd_client(None, valor=decimal.Decimal(value), pipeline_id=pipeline)
        self.odd_client(None, valor=None, pipeline_id=BRADESCO)

    def add_adhesions(self):
        day = datetime.timedelta(days=1)
        tick = datetime.timedelta(microseconds=1)
        same = self.calendar.midnight(120)
        for client_id in (31_900_005, 31_900_001, 31_900_004, 31_900_002, 31_900_003):
            self.odd_client(None, id=client_id, data_adesao=same)
        month = self.calendar.today.replace(day=1)
        for start in (same, month, month.replace(month=1), self.calendar.today, self.calendar.midnight(30)):
            for instant in (start - tick, start, start + tick, start + day - tick, start + day):
                self.odd_client(None, data_adesao=instant)
        for leap_day in leap_days_before(self.calendar.today):
            for instant in (leap_day - tick, leap_day, leap_day + day - tick, leap_day + day):
                self.odd_client(None, data_adesao=instant)
        for instant in (
            self.calendar.midnight(-1),
            self.calendar.midnight(-40),
            datetime.datetime(1900, 1, 1),
            datetime.datetime(1969, 12, 31, 23, 59, 59),
            datetime.datetime(2106, 2, 7, 6, 28, 16),
        ):
            self.odd_client(None, data_adesao=instant)

    def add_onboardings(self):
        start = self.calendar.midnight(150) + datetime.timedelta(hours=12)
        day = datetime.timedelta(days=1)
        tick = datetime.timedelta(microseconds=1)
        for length in (
            -30 * day,
            -day - tick,
            -day,
            -day / 2,
            -tick,
            0 * day,
            tick,
            day / 2,
            day - tick,
            day,
            day + tick,
            400 * day,
        ):
            self.odd_client(
                None, data_start_onboarding=start, data_end_onboarding=start + length, pipeline_id=ONBOARDING
            )
        for pipeline in (ONBOARDING, BRADESCO, ONGOING):
            self.odd_client(None, data_start_onboarding=start, pipeline_id=pipeline)
            self.odd_client(None, data_end_onboarding=start, pipeline_id=pipeline)
        stamp = start.replace(microsecond=100)
        self.odd_client(
            None,
            data_start_onboarding=stamp,
            data_end_onboarding=stamp + day,
            data_cancelamento=stamp,
            criado_em=stamp.replace(microsecond=999_999),
            atualizado_em=stamp.replace(microsecond=500_000),
        )

    def add_unfinished(self):
        """References that are missing or point at nothing, ids beyond a double's exact integers, deleted rows."""
        self.kommo.add_client()
        self.kommo.add_client(data_adesao=self.calendar.as_of)
        self.odd_client(None, company_id=1, cs_id=2, pipeline_id=3, status_id=4)
        self.odd_client(None, company_id=None, cs_id=None, pipeline_id=None, status_id=None)
        self.odd_client(None, id=9_007_199_254_740_993)
        self.odd_client(None, id=2)
        self.odd_client(None, pipeline_id=ONGOING, deleted_at=self.calendar.as_of)
        self.odd_client(None, data_adesao=None, deleted_at=self.calendar.midnight(-5))
        self.kommo.rows["companies_kommo"].append((99, None, None, None))
        self.kommo.add_client(company_id=99, data_adesao=self.calendar.midnight(10))
        lost = self.odd_tenant("Só um cliente apagado", complete_cnpj("845678900001"))
        self.odd_client(lost.cnpj, deleted_at=self.calendar.as_of)


def leap_days_before(today):
    """The last two 29 Februaries up to that day."""
    years = [
        year for year in range(today.year, today.year - 17, -1) if year % 4 == 0 and (year % 100 or year % 400 == 0)
    ]
    return [day for day in (datetime.datetime(year, 2, 29) for year in years) if day <= today][:2]


# ----------------------------------------------------------------------------------------------------------- main


def build(seed, as_of, tenant_count, client_count, hostile):
    calendar = Calendar(as_of)
    ecosys, kommo = EcosysBase(calendar), KommoBase(calendar, str if hostile else int)

    # Each part has its own random stream: another client does not change what the tenants do.
    def stream(part):
        return random.Random(f"{seed}:{part}")

    maker = StoreMaker(stream("stores"))
    stores = [maker.make() for _ in range(tenant_count)]
    spare_stores = [maker.make() for _ in range(client_count)]
    tenants = make_tenants(stream("tenants"), calendar, stores)
    people, activity, texts = stream("people"), stream("activity"), stream("cnpj")
    for tenant in tenants:
        created = ecosys.add_tenant(tenant, cnpj_as_typed(texts, tenant.cnpj) if tenant.cnpj else None)
        add_people(people, ecosys, tenant, created)
        TenantActivity(activity, ecosys, tenant).draw()
    add_headquarters(stream("headquarters"), ecosys)
    add_clients(stream("clients"), kommo, stores, tenants, spare_stores, client_count)
    if hostile:
        HostileRows(stream("hostile"), ecosys, kommo).add_all()
    return ecosys, kommo


def sao_paulo():
    """The zone; on a machine without zone tables, its offset (no daylight saving time since 2019)."""
    try:
        return zoneinfo.ZoneInfo(ZONE)
    except zoneinfo.ZoneInfoNotFoundError:
        return datetime.timezone(datetime.timedelta(hours=-3))


def utc_offset_text(as_of):
    text = as_of.replace(tzinfo=sao_paulo()).strftime("%z")
    return f"{text[:3]}:{text[3:5]}"


def reference_instant(text):
    try:
        as_of = datetime.datetime.strptime(text, AS_OF_FORMAT)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not 'YYYY-MM-DD HH:MM:SS'") from None
    if not 1980 <= as_of.year <= 2037:  # history and future must fit a TIMESTAMP column: 1970 to January 2038
        raise argparse.ArgumentTypeError(f"{text!r}: the year must be between 1980 and 2037")
    return as_of


def positive_count(text):
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a positive integer")
    return int(text)


def parse_arguments():
    parser = argparse.ArgumentParser(description="Writes sample rows: DIR/postgres.sql and DIR/mysql.sql.")
    parser.add_argument("--out", required=True, metavar="DIR", help="folder to write to; made when missing")
    parser.add_argument("--tenants", type=positive_count, default=320, metavar="N")
    parser.add_argument("--clients", type=positive_count, default=380, metavar="N")
    parser.add_argument("--seed", type=int, default=1, metavar="N")
    parser.add_argument(
        "--as-of", type=reference_instant, metavar="INSTANT", help=f"'YYYY-MM-DD HH:MM:SS' in {ZONE}; now when left out"
    )
    parser.add_argument("--hostile", action="store_true", help="add edge cases and rows that are hard to handle")
    return parser.parse_args()


def main():
    args = parse_arguments()
    as_of = args.as_of or datetime.datetime.now(sao_paulo()).replace(tzinfo=None, microsecond=0)
    ecosys, kommo = build(args.seed, as_of, args.tenants, args.clients, args.hostile)
    try:
        os.makedirs(args.out, exist_ok=True)
        write_postgres(os.path.join(args.out, "postgres.sql"), kommo.rows, args.hostile)
        write_mysql(os.path.join(args.out, "mysql.sql"), ecosys.rows, utc_offset_text(as_of))
    except OSError as error:
        sys.exit(f"sample_data.py: {error}")
    print(
        f'{len(ecosys.rows["tenants"])} tenants, {len(kommo.rows["clientes_kommo"])} clients, '
        f"{ecosys.event_count()} events as of {as_of} in {args.out}"
    )


if __name__ == "__main__":
    main()
