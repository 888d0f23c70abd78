#!/usr/bin/env python3
"""Reads every endpoint of the API with Python's standard library alone.

    ECOSYS_URL=http://127.0.0.1:8000 ECOSYS_USER=user ECOSYS_PASSWORD=password python_client.py [TENANT_ID]

Prints one line an endpoint; ends with status 1 when one of them does not answer.
"""
import base64
import http.client
import json
import os
import sys
import urllib.error
import urllib.parse
import urllib.request

URL = os.environ.get("ECOSYS_URL", "http://127.0.0.1:8000").rstrip("/")
USER = os.environ.get("ECOSYS_USER", "demo")
PASSWORD = os.environ.get("ECOSYS_PASSWORD", "demo")
AUTHORIZATION = "Basic " + base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()


def get(path, **parameters):
    """The document at a path. HTTPError has the reason when there is none, as {"detail": ...}."""
    query = "?" + urllib.parse.urlencode(parameters) if parameters else ""
    request = urllib.request.Request(URL + path + query, headers={"Authorization": AUTHORIZATION})
    with urllib.request.urlopen(request, timeout=30) as response:
        return json.load(response)


def get_with_body(path, document):
    """A GET with a JSON body, as the Python service took it for /logins; the query ?tenant_id=N does the same."""
    place = urllib.parse.urlsplit(URL)
    connection = http.client.HTTPConnection(place.hostname, place.port, timeout=30)
    try:
        connection.request(
            "GET", path, json.dumps(document), {"Authorization": AUTHORIZATION, "Content-Type": "application/json"}
        )
        response = connection.getresponse()
        body = json.load(response)
    finally:
        connection.close()
    if response.status != 200:
        raise ValueError(f'{path}: status {response.status}: {body["detail"]}')
    return body


def main():
    health = get("/health")
    print(f'health: {health["status"]}, data of {health["as_of"]}')

    clients = get("/clientes", data_adesao_inicio="2024-01-01")
    print(f"clientes: {len(clients)} since 2024-01-01")

    scores = get("/health-scores")
    best = next(iter(scores.values()), None)  # they come in order, the highest score first
    print(f'health-scores: {len(scores)}, the best is {best["name"] if best else "nobody"}')

    kpis = get("/dashboard", data_adesao_inicio="2024-01-01", data_adesao_fim="2024-12-31")
    print(f'dashboard: {kpis["clientes_ativos"]} active, MRR {kpis["mrr_value"]}')

    tenant_id = sys.argv[1] if len(sys.argv) > 1 else next(iter(scores), "1")
    logins = get_with_body("/logins", {"tenant_id": tenant_id})
    print(f'logins: {logins["total_logins"]} of tenant {logins["tenant_id"]} in the {logins["periodo"]}')


if __name__ == "__main__":
    try:
        main()
    except urllib.error.HTTPError as error:
        sys.exit(f"{error.url}: status {error.code}: {error.read().decode()}")
    except (OSError, ValueError) as error:
        sys.exit(str(error))
