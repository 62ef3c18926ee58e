"""A server for each test, on both event loops that there are: services run on uvloop where it is installed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
import uvloop

from tests.integration.lean.serving import Handlers, serving


def pytest_asyncio_loop_factories(config: Any, item: Any) -> dict[str, Callable[[], asyncio.AbstractEventLoop]]:
    """Each test of this folder runs on each of them."""
    return {"asyncio": asyncio.new_event_loop, "uvloop": uvloop.new_event_loop}


@pytest.fixture
async def server() -> AsyncIterator[tuple[Path, Handlers, Any]]:
    """A server of the lean transport."""
    async with serving() as served:
        yield served
