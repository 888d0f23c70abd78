"""The files of the checkout, for the tests that read them."""

import os
import re

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def text_of(path):
    with open(os.path.join(ROOT, path), encoding="utf-8") as f:
        return f.read()


def files(folder, extension):
    """Of the folder and all below it, with their paths in the checkout."""
    return sorted(
        os.path.relpath(os.path.join(place, name), ROOT)
        for place, _, names in os.walk(os.path.join(ROOT, folder))
        for name in names
        if name.endswith(extension)
    )


def without_comments(text):
    """Strings are kept whole, so that what looks like a comment in one is none."""
    return re.sub(r'/\*.*?\*/|//[^\n]*|("(?:\\.|[^"\\\n])*")', lambda m: m[1] or " ", text, flags=re.S)


def code_of(path):
    """A C file without comments, and with empty strings."""
    return re.sub(r'"(?:\\.|[^"\\\n])*"', '""', without_comments(text_of(path)))


def includes(path):
    return re.findall(r'^\s*#\s*include\s+[<"]([^>"]+)[>"]', without_comments(text_of(path)), re.M)
