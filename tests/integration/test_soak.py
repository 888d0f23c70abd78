"""A minute of scripts/soak, so that it is never out of order when it is wanted for an hour."""

import json
import os
import subprocess
import sys

import pytest

from service import ROOT

SOAK = os.path.join(ROOT, "tests/soak/soak.py")


@pytest.fixture
def programs_of_the_test():
    """It has a fleet of its own."""


def soak(*flags):
    return subprocess.run(
        [sys.executable, "-B", SOAK, *flags],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        timeout=500,
        check=False,
    )


def test_soak(tmp_path):
    done = soak("--minutes", "0.8", "--seed", "1", "--logs", str(tmp_path), "--out", str(tmp_path / "results.json"))
    logs = "".join(path.read_text(encoding="utf-8")[-5000:] for path in tmp_path.glob("*.log"))
    assert done.returncode == 0, done.stderr + done.stdout + logs
    found = json.loads(done.stdout)
    assert found == json.loads((tmp_path / "results.json").read_text(encoding="utf-8"))
    assert found["wrong"] == 0 and found["faults"] and found["generations"] > 3
    assert found["compared"] > 100 and found["derived"] > 100
    assert {"BLOB", "HIT", "COMPUTE"} <= set(found["sources"])


def test_wrong_usage():
    assert soak("--minutes", "0").returncode == soak("--nonsense").returncode == 2
