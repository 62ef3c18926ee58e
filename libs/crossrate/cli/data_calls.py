"""Calls of `crossrate data` to the pipeline's own socket, as the local operator."""

from __future__ import annotations

import asyncio
import uuid
from typing import Any

from crossrate.cli import reach

INSTANCE = "pipeline-1"
PAGE = 1_000
PAGES_MAX = 100


def call(name: str, **fields: Any) -> Any:
    """One call; a request gets an id if it has one."""
    from crossrate.api.pipeline.v1 import pipeline_service_pb2 as pb
    from crossrate.api.pipeline.v1.pipeline_service_pb2_grpc import PipelineServiceStub

    request = getattr(pb, f"{name}Request")(**fields)
    if "request_id" in request.DESCRIPTOR.fields_by_name:
        request.request_id = str(uuid.uuid4())

    async def made() -> Any:
        async with reach.instance(INSTANCE) as channel:
            return await getattr(PipelineServiceStub(channel), name)(request)

    return asyncio.run(made())


def every(name: str, field: str, limit: int, **fields: Any) -> list[Any]:
    """What a method lists, page after page, at most so many."""
    found: list[Any] = []
    token = ""
    for _ in range(PAGES_MAX):
        page = call(name, page_size=min(PAGE, limit - len(found)), page_token=token, **fields)
        found += getattr(page, field)
        token = page.next_page_token
        if not token or len(found) >= limit:
            break
    return found
