"""The clients of docs/examples do what they say, against a running API."""

import os
import shutil
import subprocess
import sys

import pytest

from http_client import ask
from service import ROOT, Stage, prepare_sample
from serving import start_loaded

EXAMPLES = os.path.join(ROOT, "docs/examples")
CLIENTS = {
    "python": [sys.executable, os.path.join(EXAMPLES, "python_client.py")],
    "javascript": ["node", os.path.join(EXAMPLES, "javascript_client.mjs")],
}
USER, PASSWORD = "joão", "s€nha:com dois pontos"


@pytest.fixture(scope="module")
def port(fleet):
    prepare_sample(fleet, "examples", "--tenants", "30", "--clients", "40")
    stage = Stage(fleet, "examples", BASIC_AUTH_USERS=f"{USER}:{PASSWORD}")
    stage.publish()
    return start_loaded(stage).port


def run(name, port, *arguments, password=PASSWORD):
    argv = CLIENTS[name]
    if not shutil.which(argv[0]):
        pytest.skip(f"{argv[0]} is not installed")
    env = {
        "PATH": os.environ["PATH"],
        "LANG": "C.UTF-8",
        "ECOSYS_URL": f"http://127.0.0.1:{port}",
        "ECOSYS_USER": USER,
        "ECOSYS_PASSWORD": password,
    }
    return subprocess.run([*argv, *arguments], env=env, timeout=60, capture_output=True, encoding="utf-8", check=False)


@pytest.mark.parametrize("arguments", [[], ["2"]], ids=["best tenant", "tenant 2"])
@pytest.mark.parametrize("name", CLIENTS)
def test_client(port, name, arguments):
    def get(path):
        response = ask(port, path, user=f"{USER}:{PASSWORD}")
        assert response.status == 200, response
        return response.json()

    done = run(name, port, *arguments)
    assert (done.returncode, done.stderr) == (0, ""), done
    clients, scores = get("/clientes?data_adesao_inicio=2024-01-01"), get("/health-scores")
    kpis = get("/dashboard?data_adesao_inicio=2024-01-01&data_adesao_fim=2024-12-31")
    best = next(iter(scores.values()))
    tenant_id = arguments[0] if arguments else best["tenant_id"]
    logins = get(f"/logins?tenant_id={tenant_id}")
    assert len(clients) > 5 and len(scores) > 5 and kpis["clientes_ativos"] > 0
    assert done.stdout.splitlines() == [
        "health: healthy, data of 2025-03-14T15:09:26-03:00",
        f"clientes: {len(clients)} since 2024-01-01",
        f'health-scores: {len(scores)}, the best is {best["name"]}',
        f'dashboard: {kpis["clientes_ativos"]} active, MRR {kpis["mrr_value"]}',
        f'logins: {logins["total_logins"]} of tenant {tenant_id} in the últimos 30 dias',
    ]


@pytest.mark.parametrize("name", CLIENTS)
def test_client_that_is_refused(port, name):
    done = run(name, port, password="wrong")
    assert done.returncode == 1 and "401" in done.stderr and "Acesso negado." in done.stderr
    done = run(name, port, "999999")
    assert done.returncode == 1 and "404" in done.stderr and "Tenant não encontrado." in done.stderr
