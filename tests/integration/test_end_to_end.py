"""All answers, with and without filters, against a second implementation that asks both databases in plain SQL, to the
last digit."""

import collections
import datetime
import os
import random
import re

import pytest

import http_client
import oracle
from service import AS_OF, Stage, prepare_sample
from serving import assert_compact, start_loaded

SMALL = ("--tenants", "60", "--clients", "80")
TIMES_WITH_ZONE = (
    "ALTER TABLE clientes_kommo ALTER data_adesao TYPE timestamptz, ALTER criado_em TYPE timestamptz,"
    " ALTER data_end_onboarding TYPE timestamptz"
)
ALL_WITH_ZONE = TIMES_WITH_ZONE + ", ALTER data_start_onboarding TYPE timestamptz"
OTHER_TYPES = (
    "ALTER TABLE clientes_kommo ALTER data_adesao TYPE date, ALTER valor TYPE numeric,"
    " ALTER data_start_onboarding TYPE date; ALTER TABLE companies_kommo ALTER cnpj TYPE text"
)

Case = collections.namedtuple("Case", "name flags as_of zone sql", defaults=(AS_OF, "America/Sao_Paulo", None))


def any_seed():
    """Another one at each run, told in the test's name; ECOSYS_SEED repeats one."""
    return os.environ.get("ECOSYS_SEED") or str(random.SystemRandom().randrange(1, 10**6))


CASES = [
    Case("default", ()),
    Case("hostile", ("--hostile",)),
    Case("any_seed", (*SMALL, "--seed", any_seed()), "2024-02-29 00:00:00"),
    Case("hostile_any_seed", (*SMALL, "--hostile", "--seed", any_seed()), "2025-12-31 23:59:59"),
    Case("hostile_second_seed", (*SMALL, "--hostile", "--seed", any_seed()), "2026-03-01 03:30:00"),
    Case("zone_ahead", (*SMALL, "--hostile", "--seed", "4"), AS_OF, "Asia/Tokyo", TIMES_WITH_ZONE),
    Case("zone_with_half_hour", (*SMALL, "--seed", "5"), AS_OF, "Asia/Kolkata", ALL_WITH_ZONE),
    Case("zone_with_summer_time", (*SMALL, "--seed", "6"), "2025-07-01 00:00:00", "America/New_York", TIMES_WITH_ZONE),
    Case("other_types", (*SMALL, "--hostile", "--seed", "7"), AS_OF, "America/Sao_Paulo", OTHER_TYPES),
]


def second_opinion(fleet, case):
    as_of = datetime.datetime.fromisoformat(case.as_of)
    return oracle.Oracle(
        fleet.postgres.client(f"kommo_{case.name}"), fleet.mariadb.client(f"ecosys_{case.name}"), as_of, case.zone
    )


def serve(fleet, case):
    """Everything from the rows to an API that answers; its port and the generation."""
    prepare_sample(fleet, case.name, *case.flags, as_of=case.as_of)
    if case.sql:
        fleet.postgres.execute(f"SET TimeZone TO '{case.zone}'; {case.sql}", f"kommo_{case.name}")
    stage = Stage(fleet, case.name, TZ=case.zone)
    generation = stage.publish("--as-of", case.as_of)
    return start_loaded(stage).port, generation


@pytest.mark.parametrize("case", CASES, ids=lambda case: " ".join((case.name, *case.flags)))
def test_answers_equal_the_second_implementation(fleet, case):
    port, generation = serve(fleet, case)
    opinion = second_opinion(fleet, case)
    with http_client.Connection(port) as connection:
        for path, expected in oracle.questions(opinion, unfiltered_only=False):
            response = connection.ask(path)
            assert response.status == 200, path
            assert response.header("X-Generation") == str(generation)
            found = oracle.differences(expected(), oracle.parse_answer(response.body))
            assert not found, (case, path, found[:5])
            assert_compact(response.body, f"{case} {path}")


# ---- The text of an answer


@pytest.mark.parametrize(
    "body",
    [
        '{"a": 1}',
        '{"a":1.0}',
        '{"a":1e5}',
        '{"a":-0}',
        '{"a":01}',
        '{"a":"\\u00e9"}',
        '{"a":"\\/"}',
        '{"a":NaN}',
        "[.5]",
    ],
)
def test_the_check_of_the_text_finds(body):
    with pytest.raises(AssertionError):
        assert_compact(body.encode(), "")


def test_the_answers_hold_what_the_check_is_about(fleet):
    """Sample rows with control characters, text beyond ASCII, negative and broken numbers: else nothing was checked."""
    case = Case("what_is_in_it", ("--hostile", "--seed", "8"))
    port, _ = serve(fleet, case)
    clients = http_client.ask(port, "/clientes").body.decode()
    scores = http_client.ask(port, "/health-scores").body.decode()
    for text, pattern in (
        (clients, r"\\u00[01]|\\[nt]"),
        (clients, r"[À-ÿ]"),
        (clients, r'"tmo":-\d'),
        (clients, r'"valor":-?\d+\.\d[,}]'),
        (clients, r'"valor":null'),
        (scores, r'"score_total":0\.\d'),
        (scores, r'":-\d+'),
        (scores, r"9999"),
    ):
        assert re.search(pattern, text), pattern
