"""Where the shared data lie, for tests that need them."""

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def shared_data():
    root = Path(os.environ.get("BAYESMI_SHARED", Path(__file__).resolve().parents[2].parent / "shared"))
    if not (root / "data").is_dir():
        pytest.skip("the shared data folder is absent")
    return root / "data"
