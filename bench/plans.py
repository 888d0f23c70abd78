"""scripts/bench plans: what the databases do with each query of a refresh, with and without the recommended indexes.

The worker is run once and the servers' own logs tell what it asked. Each question is then asked again under ANALYZE
(MariaDB) and EXPLAIN ANALYZE (PostgreSQL), which run it and count. Results go to a JSON file.
"""

import argparse
import contextlib
import datetime
import json
import os
import re
import sys

import common  # first: it says where private_servers is
import dataset
import refresh
from private_servers import ServerError
from refresh_report import WITH

RUNS = 3  # of each question; the quickest counts
MODEL_BY_SIZE = os.path.join(common.ROOT, "schemas/scoring-by-size.json")  # it asks everything that any model asks
INDEXES_BY_SIZE = os.path.join(common.ROOT, "schemas/mysql/indexes-by-size.sql")
SCALES = {"full": (refresh.SMALL, refresh.SMALL.with_history(10)), "quick": (refresh.SMALL,), "tiny": (refresh.TINY,)}


# ---- What the worker asks


@contextlib.contextmanager
def listening(fleet):
    """Both servers write down what they are asked."""
    fleet.mariadb.execute("SET GLOBAL log_output = 'TABLE'; TRUNCATE mysql.general_log; SET GLOBAL general_log = ON")
    fleet.postgres.execute(f"ALTER DATABASE kommo_{refresh.NAME} SET log_statement = 'all'")
    try:
        yield
    finally:
        fleet.postgres.execute(f"ALTER DATABASE kommo_{refresh.NAME} RESET log_statement")
        fleet.mariadb.execute("SET GLOBAL general_log = OFF")


def asked(fleet):
    """(questions to EcoSys, questions to Kommo) of one refresh, without those to the servers' catalogues."""
    known = len(fleet.postgres.log_text())
    with listening(fleet):
        refresh.Refresher(fleet, SCORING_MODEL=MODEL_BY_SIZE).run()
    rows = fleet.mariadb.query(
        "SELECT argument FROM mysql.general_log WHERE command_type = 'Query'"
        f" AND user_host LIKE '{fleet.READER}%' ORDER BY event_time"
    )
    ecosys = [sql for (sql,) in rows if sql.startswith("SELECT") and "information_schema" not in sql]
    logged = re.findall(r"(?:statement|execute [^:]*): (SELECT .*)", fleet.postgres.log_text()[known:])
    kommo = [sql for sql in logged if "clientes_kommo" in sql]
    if not ecosys or not kommo:
        raise ServerError("the servers did not write down what the worker asked")
    return ecosys, kommo


# ---- What the servers do


def tables_of(node):
    """Each table that a plan of MariaDB looks at, in whatever nesting; not those that it makes for itself."""
    if isinstance(node, dict):
        if not node.get("table_name", "<").startswith("<"):
            yield node
        node = list(node.values())
    if isinstance(node, list):
        for item in node:
            yield from tables_of(item)


def step_of_mariadb(table):
    """How a table was looked at, and how many rows that were."""
    rows = table["r_rows"]  # a look; null when nothing was
    return {
        "table": table["table_name"],
        "access": table["access_type"],
        "index": table.get("key", ""),
        "skips": bool(table.get("using_index_for_group_by")),
        "rows": round((rows or 0) * table.get("r_loops", 1)),
    }


def ask_mariadb(fleet, sql):
    ((text,),) = fleet.mariadb.query(
        f"SET time_zone = '{dataset.ZONE}'; ANALYZE FORMAT=JSON {sql}", f"ecosys_{refresh.NAME}"
    )
    plan = json.loads(text)
    return {
        "ms": plan["query_block"]["r_total_time_ms"],
        "steps": [step_of_mariadb(table) for table in tables_of(plan)],
    }


def steps_of_postgres(node):
    if "Relation Name" in node:
        yield {
            "table": node["Relation Name"],
            "access": node["Node Type"],
            "index": node.get("Index Name", ""),
            "skips": False,
            "rows": (node["Actual Rows"] + node.get("Rows Removed by Filter", 0)) * node["Actual Loops"],
        }
    for child in node.get("Plans", ()):
        yield from steps_of_postgres(child)


def ask_postgres(fleet, sql):
    rows = fleet.postgres.query(f"EXPLAIN (ANALYZE, FORMAT JSON) {sql}", f"kommo_{refresh.NAME}")
    (found,) = json.loads("\n".join(line for (line,) in rows))
    return {"ms": found["Execution Time"], "steps": list(steps_of_postgres(found["Plan"]))}


def quickest(ask, fleet, sql):
    return {"sql": sql, **min((ask(fleet, sql) for _ in range(RUNS)), key=lambda found: found["ms"])}


def measure_state(fleet, is_indexed):
    common.say(f"  asking {WITH[is_indexed]} the recommended indexes")
    ecosys, kommo = asked(fleet)
    return {
        "recommended_indexes": is_indexed,
        "questions": [quickest(ask_mariadb, fleet, sql) for sql in ecosys]
        + [quickest(ask_postgres, fleet, sql) for sql in kommo],
    }


def measure_size(fleet, size):
    found = refresh.load(fleet, size)
    refresh.settle(fleet)
    without = measure_state(fleet, False)
    refresh.add_recommended_indexes(fleet)
    fleet.mariadb.load(f"ecosys_{refresh.NAME}", INDEXES_BY_SIZE)
    refresh.settle(fleet)
    return {**found, "states": [without, measure_state(fleet, True)]}


# ---- What is said of it

WORDS = {  # of MariaDB and of PostgreSQL
    "ALL": "all rows",
    "index": "all of {index}",
    "range": "a range of {index}",
    "ref": "looked up in {index}",
    "eq_ref": "looked up in {index}",
    "ref_or_null": "looked up in {index}",
    "Seq Scan": "all rows",
    "Index Scan": "by {index}",
    "Index Only Scan": "by {index}",
    "Bitmap Heap Scan": "a range of an index",
}


def step_text(step):
    words = "the ends of groups in {index}" if step["skips"] else WORDS.get(step["access"], step["access"] + " {index}")
    return f"{step['table']}: {words.format(index=step['index'])}"


def plan_text(question):
    return "; ".join(map(step_text, question["steps"]))


def number_of_rows(question):
    return sum(step["rows"] for step in question["steps"])


def same_question(questions):
    """Of one question at each history: its SQL, its plans, and numbers in turn."""
    plans = list(dict.fromkeys(map(plan_text, questions)))
    numbers = [text for q in questions for text in (f"{number_of_rows(q):,}", f"{q['ms']:,.1f}")]
    return [f"`{questions[0]['sql']}`", " / ".join(plans), *numbers]


def state_lines(datasets, is_indexed):
    states = [state for data in datasets for state in data["states"] if state["recommended_indexes"] == is_indexed]
    rows = [same_question(questions) for questions in zip(*(state["questions"] for state in states), strict=True)]
    sums = [
        text
        for state in states
        for text in (
            f"{sum(map(number_of_rows, state['questions'])):,}",
            f"{sum(q['ms'] for q in state['questions']):,.1f}",
        )
    ]
    headline = ["query", "how", *(f"{what}, {data['rows']:,} rows" for data in datasets for what in ("read", "ms"))]
    return [
        f"{WITH[is_indexed].capitalize()} the recommended indexes:",
        "",
        *common.table_lines(headline, [*rows, ["all of them", "", *sums]]),
    ]


def text(results):
    return "\n".join(
        [
            f"- Measured {results['began'][:10]} by `{results['command']}`",
            *common.machine_lines(results["machine"]),
            "",
            *state_lines(results["datasets"], False),
            "",
            *state_lines(results["datasets"], True),
        ]
    )


# ---- All of it


def parse_arguments():
    parser = argparse.ArgumentParser(
        prog="scripts/bench plans",
        description="Shows what the databases do with each query of a refresh, with and without the recommended "
        "indexes: Markdown to standard output, all figures to a JSON file. "
        "Exit status: 0 measured; 1 failed; 2 wrong usage.",
    )
    parser.add_argument(
        "--scale",
        choices=SCALES,
        default="full",
        help="full (default): 2,000 tenants, once and ten times the history; quick: once; tiny: seconds, "
        "to try the tool",
    )
    parser.add_argument("--out", metavar="FILE", help="where results go (bench/results/plans-SCALE.json)")
    parser.add_argument("--from", dest="source", metavar="FILE", help="show these results again, measure nothing")
    parser.add_argument(
        "--write-docs", action="store_true", help="put the tables into docs/benchmarks.md (scales full and quick)"
    )
    parser.add_argument("--check-usage", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.write_docs and options.scale == "tiny":
        parser.error("--write-docs goes with the scales full and quick")
    options.out = options.out or os.path.join(common.ROOT, f"bench/results/plans-{options.scale}.json")
    return options


def measure(options):
    began = datetime.datetime.now(datetime.timezone.utc)
    with refresh.running_fleet() as fleet:
        machine = common.machine(
            ecosys_worker=[common.WORKER, "--version"],
            mariadb=[fleet.mariadb.argv[0], "--version"],
            postgresql=[fleet.postgres.argv[0], "--version"],
        )
        datasets = [measure_size(fleet, size) for size in SCALES[options.scale]]
    return {
        "command": f"scripts/bench plans --scale {options.scale}",
        "began": began.isoformat(timespec="seconds"),
        "machine": machine,
        "as_of": dataset.AS_OF,
        "datasets": datasets,
    }


def show(results, options):
    print(text(results))
    if options.write_docs:
        common.write_section("scripts/bench plans", text(results))


if __name__ == "__main__":
    sys.exit(common.run(parse_arguments(), measure, show))
