"""The official Node SDK drives a whole life cycle, unchanged."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.sandbox.conftest import Controls
from tests.support.postgres import REPOSITORY

SCRIPT = Path(__file__).with_name("life_cycle.mjs")


def test_a_life_cycle_with_the_node_sdk(controls: Controls) -> None:
    node = shutil.which("node")
    if node is None or not (REPOSITORY / "node_modules" / "stripe").is_dir():
        pytest.skip("needs node and the packages that `make assets` installs")
    done = subprocess.run(
        [node, str(SCRIPT), controls.base, controls.key], capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout) == {
        "version": "2026-10-28.endive",
        "states": ["requires_capture", "succeeded", "succeeded"],
        "fee": 146,
        "refundedOnce": True,
        "declined": {"type": "StripeCardError", "decline": "insufficient_funds", "status": "requires_payment_method"},
        "newest": "payment_intent.payment_failed",
        "oldest": "customer.created",
        "pending": 2354,
    }
