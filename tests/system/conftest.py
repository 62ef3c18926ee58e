"""The whole mesh, started once for all system tests of a process of the suite, and ended after the last of them.

An idle mesh takes an eighth of a processor, which the rest of the suite has better use for.
"""

from collections.abc import Iterator

import pytest

from tests.mesh import Mesh


@pytest.fixture(scope="package")
def mesh() -> Iterator[Mesh]:
    """A mesh of its own, up and healthy; gone afterwards."""
    with Mesh() as own:
        own.up()
        yield own
