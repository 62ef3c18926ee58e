"""Nothing is lost, doubled or half-written when the pipeline or what it stands on is killed."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.integration.pipelines import pipeline
from tests.pipeline_rounds import rounds

pytestmark = pytest.mark.integration


async def test_ten_kills_lose_and_double_nothing(folder: Path, tmp_path: Path) -> None:
    """Whoever is killed, and whenever: the job ends by itself with every quote in the store once."""
    async with pipeline(folder) as made:
        assert len(await rounds(made, tmp_path, seed=5, count=10)) == 10
