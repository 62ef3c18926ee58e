"""The whole mesh, started once for all system tests."""

from collections.abc import Iterator

import pytest

from tests.mesh import Mesh


@pytest.fixture(scope="session")
def mesh() -> Iterator[Mesh]:
    """A mesh of its own, up and healthy; gone afterwards."""
    with Mesh() as own:
        own.up()
        yield own
