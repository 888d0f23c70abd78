"""The part of scripts/demo after packages and build: servers, sample data, worker and API, questions, shutdown.

Run by scripts/demo, which holds the lock on the checkout and has checked the arguments.
"""

import argparse
import base64
import glob
import json
import os
import re
import shlex
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request

sys.dont_write_bytecode = True
from private_servers import (  # noqa: E402 (the line above keeps __pycache__ out of the checkout)
    Fleet,
    ServerError,
    can_host_servers,
    free_port,
    is_free_port,
    is_fleet_folder,
    reap,
    temporary_folder,
)

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.realpath(__file__))))
RUN = os.path.join(ROOT, ".run")
WORKER = os.path.join(ROOT, "build/worker/ecosys-worker")
API = os.path.join(ROOT, "build/api/ecosys-api")
LOGIN = "demo", "demo"  # fixed, for pasting; the data are invented and only this machine can ask
HEALTH_S = 120
SAMPLE_SIZE = ["--tenants", "400", "--clients", "480"]  # enough for the questions of --check


class Stopped(Exception):
    """SIGINT, SIGTERM or SIGHUP came."""


def say(text=""):
    try:
        print(text, flush=True)
    except OSError:
        # The terminal is gone, or the reader of a pipe; stopping must go on without them.
        sys.stdout = open(os.devnull, "w", encoding="utf-8")


def on_signals(handler):
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, handler)


def stop_at_signal(number, _frame):
    on_signals(signal.SIG_IGN)  # a second Ctrl-C must not interrupt the clean-up
    raise Stopped(signal.Signals(number).name)


# ---- Where it runs


def clear_stale_run():
    """Removes what an earlier demo left if it was killed with its keeper. Touches only what a fleet made."""
    if not os.path.lexists(RUN):
        return
    folder = os.path.realpath(RUN)
    if is_fleet_folder(folder):
        say("      an earlier demo did not end properly: removing what it left in .run")
        reap(folder)
    elif folder == RUN or os.path.basename(folder).startswith("ecosys-"):
        try:
            os.rmdir(folder)  # the demo got no further than making it
        except OSError:
            pass
    if os.path.islink(RUN) and not os.path.exists(RUN):
        os.unlink(RUN)
    if os.path.lexists(RUN):
        raise ServerError(f"{RUN} is in the way and is not this script's (or is another user's): please remove it")


def make_place():
    """(folder, links to it): .run itself or, where servers cannot live there, a temporary folder that .run names."""
    clear_stale_run()
    os.mkdir(RUN)
    os.chmod(RUN, 0o755)
    if can_host_servers(RUN):
        return RUN, []
    os.rmdir(RUN)
    folder = temporary_folder()
    os.symlink(folder, RUN)
    say(f"      the servers cannot use the checkout's own folder: everything is in {folder}, which .run names")
    return folder, [RUN]


# ---- Settings


def listens_on(env_file, env):
    """(host, port) as the API itself reads them; it prints them first."""
    checked = subprocess.run(
        [API, "--check", "--env-file", env_file],
        env=env,
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    found = re.search(r"^ok   settings: .* listens on (\S+) port (\d+), ", checked.stdout, re.M)
    if not found:
        raise ServerError((checked.stderr or checked.stdout).strip())
    return found[1], int(found[2])


def written(env_file, name):
    """What follows the = on the last line that sets a name, or None. Its meaning is for the programs to decide."""
    with open(env_file, encoding="utf-8-sig", errors="replace") as f:
        found = re.findall(rf"^[ \t]*(?:export[ \t]+)?{name}[ \t]*=[ \t]*(.*?)[ \t]*$", f.read(), re.M)
    return found[-1] if found else None


def first_user(env_file):
    """(user, password) to ask with. The password is None if it is a hash, or not written in the plainest form:
    the program that understands every form does not reveal passwords."""
    text = os.environ.get("BASIC_AUTH_USERS")
    if text is None:
        text = written(env_file, "BASIC_AUTH_USERS") or ""
        plain = re.fullmatch(r"""(['"]?)([^'"\\\s#]*)\1(?:\s+#.*)?""", text)
        if not plain or "${" in text:
            return "user", None
        text = plain[2]
    user, _, password = text.split(",")[0].partition(":")
    return user, None if password.startswith("$") else password


def choose_port():
    return 8000 if is_free_port(8000) else free_port()


class Service:
    """The settings of a worker and an API, and how to ask that API."""

    def __init__(self, env, arguments, cwd, host, port, user, password, has_sample_data):
        self.env, self.arguments, self.cwd = env, arguments, cwd
        self.host, self.port = host, port
        self.user, self.password = user, password
        self.has_sample_data = has_sample_data
        self.url = f"http://{f'[{host}]' if ':' in host else host}:{port}"


def own_service(env_file):
    env = dict(os.environ)
    host, port = listens_on(env_file, env)
    if not (env.get("PORT") or written(env_file, "PORT")):
        port = choose_port()
        env["PORT"] = str(port)
    user, password = first_user(env_file)
    asked_host = "127.0.0.1" if host in ("0.0.0.0", "::") else host
    return Service(env, ["--env-file", env_file], ROOT, asked_host, port, user, password, False)


def private_service(fleet):
    user, password = LOGIN
    port = choose_port()
    env = fleet.environment("demo", PORT=port, BASIC_AUTH_USERS=f"{user}:{password}")
    # Not in the checkout: a .env there has another purpose.
    return Service(env, [], fleet.folder, "127.0.0.1", port, user, password, True)


# ---- The steps


def start_servers(fleet):
    began = time.monotonic()
    fleet.start()
    ports = ", ".join(f"{s.name} on port {s.port}" for s in (fleet.postgres, fleet.mariadb, fleet.redis))
    say(f"      {ports} ({time.monotonic() - began:.1f} s)")


def load_sample_data(fleet):
    began = time.monotonic()
    rows = os.path.join(fleet.folder, "sample")
    made = subprocess.run(
        ["/usr/bin/python3", os.path.join(ROOT, "scripts/lib/sample_data.py"), "--out", rows, *SAMPLE_SIZE],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if made.returncode != 0:
        raise ServerError(f"sample_data.py failed with status {made.returncode}:\n{made.stderr[-2000:]}")
    fleet.prepare("demo", kommo=sql_files("postgres", rows), ecosys=sql_files("mysql", rows))
    say(f"      schemas and rows loaded into both databases ({time.monotonic() - began:.1f} s)")


def sql_files(source, rows):
    schema = os.path.join(ROOT, "schemas", source, "schema.sql")
    return [schema, *sorted(glob.glob(os.path.join(rows, f"{source}*.sql")))]


def start_service(fleet, service):
    began = time.monotonic()
    worker = fleet.program("worker", [WORKER, *service.arguments], service.env, service.cwd)

    def is_healthy():
        if not worker.alive:
            raise ServerError(f"the worker ended with status {worker.returncode}")
        # A user's own Redis may hold an earlier generation; then only the lease is still missing.
        try:
            status, document = ask(service, "/health")
            return status == 200 and document["worker"]["alive"] is True
        except (OSError, ValueError):
            return False

    api = fleet.program("api", [API, *service.arguments], service.env, service.cwd, is_healthy)
    try:
        worker.start()
        api.start(HEALTH_S)
    except ServerError as error:
        raise ServerError(f"{error}\n---- end of the worker's log:\n{worker.log_tail()}") from None
    say(f"      /health answers 200 ({time.monotonic() - began:.1f} s)")
    return worker, api


def print_what_to_try(service):
    # Only the demo's own password is shown; curl asks for any other.
    login = f"{service.user}:{service.password}" if service.has_sample_data else service.user
    say(f"\nThe API is up: {service.url}")
    if service.has_sample_data:
        say(f"User and password: {service.user} / {service.password}")
    say("\nTry, in another terminal:\n")
    for path, cut in (
        ("/", ""),
        ("/health", ""),
        ("/dashboard", ""),
        ("/health-scores", " | head -c 800"),
        ("/health-scores?formato=detalhado", " | head -c 800"),
        ("/clientes", " | head -c 800"),
        ("/clientes?formato=csv", " | head -n 3"),
        (f"/dashboard?data_adesao_inicio={time.strftime('%Y')}-01-01", ""),
        ("/logins?tenant_id=1", " | head -c 800"),
    ):
        say(f"  curl -s -u {shlex.quote(login)} {shlex.quote(service.url + path)}{cut}; echo")
    say(f"  curl -s -u {shlex.quote(login)} -X POST {shlex.quote(service.url + '/cache/clear')}; echo")
    say("\nCtrl-C stops everything and removes .run.")


def watch(*programs):
    """Waits for a signal; a program that ends by itself is a failure."""
    while True:
        for program in programs:
            if not program.alive:
                raise ServerError(f"the {program.name} ended with status {program.returncode}:\n{program.log_tail()}")
        time.sleep(0.5)


# ---- --check


def ask(service, path, login=None):
    """(status, document) of a GET; ValueError if the response is not JSON."""
    request = urllib.request.Request(service.url + path)
    if login:
        token = base64.b64encode(":".join(login).encode("utf-8")).decode("ascii")
        request.add_header("Authorization", f"Basic {token}")
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request, timeout=30) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


def is_document(found):
    return isinstance(found, dict) and len(found) > 0


def all_have(found, least, *names):
    if not is_document(found) or len(found) < least:
        return False
    return all(name in value for value in found.values() for name in names)


def dashboard_is_plausible(kpis):
    counts = [kpis["clientes_ativos"], kpis["clientes_pagantes"], kpis["mrr_value"], *kpis["clientes_health"].values()]
    return len(kpis["clientes_health"]) == 4 and all(n > 0 for n in counts)


# label, path, with credentials, status, whether the document is right with any data, and with the sample data
QUESTIONS = (
    ("says that it is up", "/", False, 200, lambda d: d == {"message": "API de Gestão de Clientes está no ar!"}, None),
    ("is healthy", "/health", False, 200, lambda d: d["status"] == "healthy" and d["worker"]["alive"] is True, None),
    ("refuses who has no credentials", "/dashboard", False, 401, lambda d: "detail" in d, None),
    ("has KPIs, every category above 0", "/dashboard", True, 200, is_document, dashboard_is_plausible),
    (
        "has 300 tenants or more",
        "/health-scores",
        True,
        200,
        is_document,
        lambda d: all_have(d, 300, "tenant_id", "cnpj", "score_total", "categoria"),
    ),
    (
        "has 300 tenants or more",
        "/health-scores?formato=detalhado",
        True,
        200,
        is_document,
        lambda d: all_have(d, 300, "tenant_id", "scores", "metrics", "categoria"),
    ),
    (
        "has more than 300 clients",
        "/clientes",
        True,
        200,
        is_document,
        lambda d: all_have(d, 301, "client_id", "nome", "valor", "pipeline"),
    ),
    (
        "has fewer clients in the last two years",
        f"/clientes?data_adesao_inicio={int(time.strftime('%Y')) - 1}-01-01",
        True,
        200,
        lambda d: isinstance(d, dict),
        lambda d: all_have(d, 10, "data_adesao") and len(d) < 400,
    ),
    (
        "refuses a day that does not exist",
        "/clientes?data_adesao_fim=2023-02-29",
        True,
        422,
        lambda d: "detail" in d,
        None,
    ),
    ("has a tenant's logins", "/logins?tenant_id=1", True, 200, is_document, lambda d: d["tenant_id"] == 1),
)


def check(service):
    """Asks every applicable question; returns whether all answers were right."""
    failed = 0
    for says, path, needs_login, wanted, will_do, plausible in QUESTIONS:
        if needs_login and service.password is None:
            say(f"skip  GET {path}: the first user's password is a hash, or cannot be told from how it is written")
            continue
        if service.has_sample_data:
            will_do = plausible or will_do
        elif plausible:
            says = "answers"
        trouble = question_trouble(service, path, needs_login, wanted, will_do)
        failed += trouble is not None
        say(f"FAIL  GET {path}: {trouble}" if trouble else f"ok    GET {path} {says}")
    say(f"\n{failed} of {len(QUESTIONS)} failed" if failed else "\nall ok")
    return failed == 0


def question_trouble(service, path, needs_login, wanted, will_do):
    """What is wrong with the answer, or None."""
    try:
        status, document = ask(service, path, (service.user, service.password) if needs_login else None)
        if status != wanted:
            return f"status {status} instead of {wanted}"
        return None if will_do(document) else f"unexpected content: {json.dumps(document, ensure_ascii=False)[:300]}"
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        return f"{type(error).__name__}: {error}"


# ---- All of it


def demo(fleet, options):
    """Returns the exit status; leaves by Stopped when a signal comes."""
    if options.env_file:
        say("[4/5] sample data: none, they have their own")
        service = own_service(options.env_file)
    else:
        start_servers(fleet)
        say("[4/5] sample data: an invented base of car dealers")
        load_sample_data(fleet)
        service = private_service(fleet)
    say(f"[5/5] worker and API on port {service.port}")
    programs = start_service(fleet, service)
    if options.check:
        return 0 if check(service) else 1
    print_what_to_try(service)
    watch(*programs)
    return 0


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--env-file")
    parser.add_argument("--lock-fd", type=int, required=True)
    options = parser.parse_args()
    on_signals(stop_at_signal)
    fleet, status = None, 1
    servers = () if options.env_file else ("postgres", "mariadb", "redis")
    try:
        whose = f"those of {options.env_file}" if options.env_file else "private PostgreSQL, MariaDB and Redis"
        say(f"[3/5] servers: {whose}")
        folder, links = make_place()
        fleet = Fleet(folder, servers, also_remove=links, hold_fds=(options.lock_fd,))
        status = demo(fleet, options)
    except Stopped as stopped:
        say(f"\n{stopped}: stopping the API, the worker and the servers")
        status = 1 if options.check else 0  # an interrupted check has not passed
    except (ServerError, OSError) as error:
        print(f"demo: {error}", file=sys.stderr, flush=True)
    finally:
        on_signals(signal.SIG_IGN)
        if fleet:
            fleet.close()
        say("stopped; nothing is left running")
    return status


if __name__ == "__main__":
    sys.exit(main())
