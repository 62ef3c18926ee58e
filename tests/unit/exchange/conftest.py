"""What an order book does is tested on each build that the machine has, the plain twin among them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from crossrate.kernel import path


@pytest.fixture(params=path.paths()[-2:])
def build(request: pytest.FixtureRequest) -> Iterator[str]:
    """The build that books made in this test run on: the compiled baseline, and the twin."""
    with path.using(request.param):
        yield request.param
