"""The programs of others, or the reason why they are not here."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.interop.programs import GRPC_GO_CLIENT, H2SPEC, MissingError, program


def _built(package: str) -> Path:
    try:
        return program(package)
    except MissingError as missing:
        pytest.skip(f"{package.partition('/cmd/')[0]}: {missing}")


@pytest.fixture(scope="session")
def grpc_go() -> Path:
    """grpc-go's interop client."""
    return _built(GRPC_GO_CLIENT)


@pytest.fixture(scope="session")
def h2spec() -> Path:
    """The conformance tests of HTTP/2 and HPACK."""
    return _built(H2SPEC)
