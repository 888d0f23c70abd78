"""scripts/bench at its smallest scale: that it still runs, and that its results have every field."""

import json
import os
import shutil
import subprocess
import sys

import pytest

import service

sys.path.insert(0, os.path.join(service.ROOT, "bench"))
import dataset  # noqa: E402 (found through the line above)
import refresh_report  # noqa: E402

REFRESH, PLANS, SERVE, ATTACK = (
    os.path.join(service.ROOT, f"bench/{name}.py") for name in ("refresh", "plans", "serve", "attack")
)


@pytest.fixture(autouse=True)
def programs_of_the_test():
    """Nothing: the measurement starts and ends its own servers."""


def bench(*flags, program=REFRESH):
    return subprocess.run(
        ["/usr/bin/python3", "-B", program, *flags],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        timeout=300,
        check=False,
    )


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    path = tmp_path_factory.mktemp("bench") / "tiny.json"
    done = bench("--scale", "tiny", "--runs", "2", "--out", str(path))
    assert done.returncode == 0, done.stderr
    return path, json.loads(path.read_text(encoding="utf-8")), done.stdout


def assert_refreshes(refreshes):
    assert len(refreshes) == 2
    for run in refreshes:
        assert set(run) == {*refresh_report.FIELDS, "wall_ms", "peak_bytes", "cpu_s"}
        assert [name for name, value in run.items() if value is None] == []
        assert 0 < run["total_ms"] <= run["wall_ms"]


def test_results_say_where_and_how(results):
    found = results[1]
    assert set(found) == {
        "command",
        "scale",
        "began",
        "seconds",
        "machine",
        "mariadb_options",
        "as_of",
        "datasets",
        "memory",
        "goals",
    }
    machine = found["machine"]
    assert machine["cores"] > 0 and machine["load_average"] >= 0 and machine["memory_bytes"] > 0
    assert set(machine["versions"]) == {"ecosys_worker", "mariadb", "postgresql", "redis"}
    assert all([machine["cpu"], machine["system"], machine["kernel"], *machine["versions"].values()])


def test_history_grows_and_the_window_stays(results):
    once, tenfold = results[1]["datasets"]
    assert (once["history"], tenfold["history"]) == (1, 10)
    assert (once["rows"], tenfold["rows"]) == (3000, 21000)
    for table in dataset.EVENTS:
        assert once["rows_by_table"][table][1] == tenfold["rows_by_table"][table][1] > 0, table


def test_refreshes_and_peers_are_measured(results):
    for data in results[1]["datasets"]:
        assert set(data) == {
            "tenants",
            "clients",
            "history",
            "rows",
            "window_rows",
            "rows_by_table",
            "load_s",
            "recommended_indexes_s",
            "states",
        }
        assert [state["recommended_indexes"] for state in data["states"]] == [False, True]
        for state in data["states"]:
            assert_refreshes(state["refreshes"])
            assert {name: len(taken) for name, taken in state["peers_ms"].items()} == {
                "through": 2,
                "keys": 2,
                "along": 2,
            }
            assert state["data_bytes"] > 0 and state["index_bytes"] > 0


def test_memory_is_measured(results):
    memory = results[1]["memory"]
    assert_refreshes(memory["refreshes"])
    assert [answer["path"] for answer in memory["answers"]] == ["/dashboard", "/clientes", "/health-scores"]
    assert all(answer["bytes"] > 0 and answer["ms"] > 0 for answer in memory["answers"])
    assert memory["api_peak_bytes"] > 0 and memory["redis"]["used_memory"] > 0


def test_goals_are_compared(results):
    goals = results[1]["goals"]
    assert len(goals) == 4
    for goal in goals:
        assert set(goal) == {"goal", "measured", "limit", "unit", "met"}
        assert f"| {goal['goal']} |" in results[2]


def test_the_goals_of_time_are_those_of_2000_tenants(results):
    data = {**results[1]["datasets"][0], "tenants": 2000}
    goals = refresh_report.goals([data, results[1]["datasets"][1]], None)
    assert [goal["limit"] for goal in goals] == [0.447, 1.34, 1.3]


@pytest.mark.skipif(not shutil.which("gnuplot"), reason="gnuplot is not installed")
def test_results_are_shown_and_drawn_again(results, tmp_path):
    path, _, shown = results
    done = bench("--from", str(path), "--plot", str(tmp_path / "refresh.svg"))
    assert (done.returncode, done.stdout) == (0, shown)
    assert "</svg>" in (tmp_path / "refresh.svg").read_text(encoding="utf-8")


@pytest.mark.parametrize("flags", [["--scale", "huge"], ["--runs", "0"], ["--quick", "--write-docs"], ["more"]])
def test_wrong_usage(flags):
    assert bench("--check-usage", *flags).returncode == 2


def test_plans_of_all_questions(tmp_path):
    path = tmp_path / "plans.json"
    done = bench("--scale", "tiny", "--out", str(path), program=PLANS)
    assert done.returncode == 0, done.stderr
    (data,) = json.loads(path.read_text(encoding="utf-8"))["datasets"]
    assert [state["recommended_indexes"] for state in data["states"]] == [False, True]
    for state in data["states"]:
        tables = {step["table"] for question in state["questions"] for step in question["steps"]}
        assert {*dataset.EVENTS, "tenants", "users", "clientes_kommo"} <= tables
        for question in state["questions"]:
            assert question["ms"] > 0 and question["steps"], question
            assert all(step["rows"] >= 0 for step in question["steps"]), question
            assert f"| `{question['sql']}` |" in done.stdout
    scans = [
        [
            step
            for q in state["questions"]
            for step in q["steps"]
            if step["table"] in dataset.EVENTS and step["access"] == "ALL"
        ]
        for state in data["states"]
    ]
    assert len(scans[0]) > 0 and scans[1] == []


@pytest.mark.parametrize("flags", [["--scale", "huge"], ["--scale", "tiny", "--write-docs"], ["more"]])
def test_wrong_usage_of_plans(flags):
    assert bench("--check-usage", *flags, program=PLANS).returncode == 2


@pytest.mark.parametrize(
    "flags",
    [
        ["--scale", "huge"],
        ["--rounds", "0"],
        ["--seconds", "x"],
        ["--small", "20"],
        ["--quick", "--write-docs"],
        ["more"],
    ],
)
def test_wrong_usage_of_serve(flags):
    assert bench("--check-usage", *flags, program=SERVE).returncode == 2


@pytest.mark.parametrize(
    "flags",
    [
        ["--scale", "huge"],
        ["--only", "unknown"],
        ["--quick", "--write-docs"],
        ["--only", "slow heads", "--write-docs"],
        ["more"],
    ],
)
def test_wrong_usage_of_attack(flags):
    assert bench("--check-usage", *flags, program=ATTACK).returncode == 2


@pytest.mark.parametrize(
    "words, status",
    [
        (["--help"], 0),
        (["refresh", "--help"], 0),
        (["serve", "--help"], 0),
        (["attack", "--help"], 0),
        ([], 2),
        (["unknown"], 2),
        (["refresh", "--scale", "huge"], 2),
    ],
)
def test_command_line(words, status):
    done = subprocess.run(
        [os.path.join(service.ROOT, "scripts/bench"), *words],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        timeout=60,
        check=False,
    )
    assert done.returncode == status, done.stderr
    assert (done.stdout if status == 0 else done.stderr).startswith(("usage: ", "bench: "))


def test_document_has_the_places_for_results():
    with open(os.path.join(service.ROOT, "docs/benchmarks.md"), encoding="utf-8") as f:
        document = f.read()
    for name in ("refresh --scale full", "refresh --scale big", "serve", "attack"):
        for word in ("begin", "end"):
            assert document.count(f"<!-- scripts/bench {name}: {word} -->\n") == 1


# ---- Serving


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    if not shutil.which("wrk") or not shutil.which("nginx", path="/usr/sbin:/usr/bin"):
        pytest.skip("wrk and nginx are not installed")
    path = tmp_path_factory.mktemp("bench") / "serve.json"
    done = bench("--scale", "tiny", "--out", str(path), program=SERVE)
    assert done.returncode == 0, done.stderr
    return path, json.loads(path.read_text(encoding="utf-8")), done.stdout


def assert_round(found, fields):
    """One round, in which nothing that was measured is missing or zero."""
    assert len(found) == 1 and set(found[0]) == set(fields)
    assert all(value >= 0 for value in found[0].values()) and found[0]["requests_per_s"] > 0


def test_serving_beside_nginx_is_measured(served):
    single, double = served[1]["throughput"]
    assert (single["threads"], len(single["cases"]), double["threads"], len(double["cases"])) == (1, 5, 2, 3)
    for case in single["cases"] + double["cases"]:
        assert set(case) == {"case", "bytes", "nginx", "api"}
        assert_round(case["api"], ("requests_per_s", "p99_ms", "cpu_us", "busy"))
        if case["case"] != "/clientes, zstd":
            assert_round(case["nginx"], case["api"][0])
        assert (case["bytes"] == 0) == ("304" in case["case"])


def test_filters_are_measured(served):
    kinds = served[1]["filters"]["kinds"]
    assert len(kinds) == 6
    for kind in kinds:
        assert set(kind) == {
            "kind",
            "sources",
            "median_bytes",
            "first_p50_ms",
            "first_p99_ms",
            "last_p50_ms",
            "last_p99_ms",
        }
        assert sum(kind["sources"].values()) == 20 and kind["sources"]["COMPUTE"] > 15
        assert 0 < kind["first_p50_ms"] <= kind["last_p50_ms"] <= kind["last_p99_ms"]


def test_compression_is_measured(served):
    assert [data["what"] for data in served[1]["compression"]] == ["/clientes", "/health-scores"]
    for data in served[1]["compression"]:
        assert {(row["library"], row["level"]) for row in data["rows"]} > {("zlib", 6), ("libdeflate", 6), ("zstd", 3)}
        for row in data["rows"]:
            assert 0 < row["bytes"] < data["bytes"] and min(row["ms"]) > 0


def test_disturbances_are_measured(served):
    pace = ("requests_per_s", "p50_ms", "p99_ms", "max_ms")
    for data in served[1]["flips"]:
        for case in data["cases"]:
            assert_round(case["quiet"], pace)
            assert_round(case["flips"], (*pace, "flips"))
            assert case["flips"][0]["flips"] > 0
    for data in served[1]["bursts"]:
        assert_round(data["quiet"], pace)
        assert_round(data["burst"], (*pace, "answered", "refused", "unexpected", "broken"))
        assert data["burst"][0]["answered"] > 0 and data["burst"][0]["unexpected"] == 0
        assert 0 < data["rss_before"] <= data["hwm_after"]


def test_memory_of_serving_is_measured(served):
    assert [0 < data["rss_one"] <= data["hwm_two"] for data in served[1]["generations"]] == [True]
    assert served[1]["idle"]["connections"] == 100 and served[1]["idle"]["rss_before"] > 0


def test_goals_of_serving_are_compared(served):
    assert len(served[1]["goals"]) == 8
    assert all(f"| {goal['goal']} |" in served[2] for goal in served[1]["goals"])


def test_results_of_serving_are_shown_again(served):
    done = bench("--from", str(served[0]), program=SERVE)
    assert (done.returncode, done.stdout) == (0, served[2])


# ---- Under attack


@pytest.fixture(scope="module")
def attacked(tmp_path_factory):
    if not shutil.which("wrk"):
        pytest.skip("wrk is not installed")
    path = tmp_path_factory.mktemp("bench") / "attack.json"
    done = bench("--scale", "tiny", "--out", str(path), program=ATTACK)
    assert done.returncode == 0, done.stderr
    return path, json.loads(path.read_text(encoding="utf-8")), done.stdout


def test_attacks_are_measured(attacked):
    attacks = attacked[1]["attacks"]
    assert len(attacks) == 11
    for found in attacks:
        assert set(found) == {"attack", "connections", "rss_before", "hwm", "quiet", "attacked"}
        for side in ("quiet", "attacked"):
            assert_round(found[side], ("requests_per_s", "p50_ms", "p99_ms", "max_ms", "rss"))
        assert found["connections"] > 0 and 0 < found["rss_before"] <= found["hwm"]
        assert f"| {found['attack']} |" in attacked[2]


def test_results_of_attacks_are_shown_again(attacked):
    done = bench("--from", str(attacked[0]), program=ATTACK)
    assert (done.returncode, done.stdout) == (0, attacked[2])
