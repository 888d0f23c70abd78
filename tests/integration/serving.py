"""An API that has loaded a generation, and what the text of its answers must look like."""

import contextlib
import re

from http_client import Connection, ask
from service import wait_for


def start_loaded(stage, **settings):
    api = stage.start_api(**settings)
    wait_for(lambda: ask(api.port, "/health").status == 200, "the API has loaded the generation")
    return api


def wait_until_served(port, generation, seconds=20):
    """On so many connections that, all but surely, each of the API's loops has one of them."""
    with contextlib.ExitStack() as stack:
        links = [stack.enter_context(Connection(port)) for _ in range(16)]
        wait_for(
            lambda: all(link.ask("/health").json()["generation"] == generation for link in links),
            f"{generation} is served",
            seconds,
        )


def names_in(value):
    """The names in a header that lists some; None is no header."""
    return {name.strip() for name in (value or "").split(",") if name.strip()}


STRING = re.compile(r'"((?:[^"\\\x00-\x1f]|\\["\\bfnrt]|\\u00[01][0-9a-fA-F])*)"')
NUMBER = re.compile(r"0|-?[1-9]\d*|-?(?:0|[1-9]\d*)\.\d*[1-9]")


def assert_compact(body, where):
    """JSON as the contract words it: UTF-8, no blanks, no needless escapes, numbers in their shortest form."""
    text = body.decode("utf-8")
    bare = STRING.sub("S", text)
    assert not re.search(r'[\s"\\]', bare), (where, re.search(r'.{0,60}[\s"\\].{0,60}', bare)[0])
    for token in re.findall(r"[^\[\]{},:]+", bare):
        is_known = token in ("S", "true", "false", "null") or NUMBER.fullmatch(token)
        assert is_known, (where, token)
