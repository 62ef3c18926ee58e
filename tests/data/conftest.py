"""Where the real quotes are, and what happens if they are not there."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
HERE = "tests/data"


def pytest_addoption(parser: pytest.Parser) -> None:
    """`pytest tests/data --data FOLDER`."""
    parser.addoption(
        "--data", help="folder with the real quotes; else CROSSRATE_DATA, else ../shared/data", default=None
    )


def place(config: pytest.Config) -> tuple[Path, bool]:
    """The folder, and whether somebody asked for it: by option, by environment or by naming these tests."""
    named = config.getoption("--data", None) or os.environ.get("CROSSRATE_DATA")
    asked = bool(named) or any(HERE in str(argument) for argument in config.invocation_params.args)
    return Path(named) if named else ROOT.parent / "shared" / "data", asked


@pytest.fixture(scope="session")
def data(request: pytest.FixtureRequest) -> Path:
    """The folder with the real quotes.

    The ordinary run skips these tests, with the reason, where the folder is not there; who asks gets a failure.
    """
    folder, asked = place(request.config)
    if (folder / "fxcm" / "tick").is_dir():
        return folder
    reason = (
        f"the real quotes are not in {folder}: give their folder with --data or CROSSRATE_DATA (tests/data/README.md)"
    )
    if asked:
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)
