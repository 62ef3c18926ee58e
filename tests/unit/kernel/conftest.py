"""Every test of the kernel runs on each build that the machine has, the numpy twins among them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from crossrate.kernel import path


@pytest.fixture(params=path.paths())
def build(request: pytest.FixtureRequest) -> Iterator[str]:
    """The name of the build that this test's calls go to."""
    with path.using(request.param):
        yield request.param
