"""The files of the checkout, for the tests that read them."""

import os

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
