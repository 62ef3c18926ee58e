"""What control remembers."""

import asyncio
from pathlib import Path

import pytest
import structlog

from crossrate.api.control.v1 import control_service_pb2 as pb
from crossrate.rpc.errors import ErrorReason, Failure
from services.control.answers import Answers
from services.control.kept import Kept

LOG = structlog.get_logger()


def test_what_is_kept_is_there_again(tmp_path: Path) -> None:
    """Counter, routes and what the event bus does not have yet survive."""
    path = tmp_path / "control" / "kept.json"
    kept = Kept(path, LOG)
    assert (kept.snapshot_version, kept.routes) == (0, {})
    kept.keep_version(7)
    kept.keep_route("reference", {"kind": "GRPCRoute"})
    kept.keep_route("marketdata", {"kind": "GRPCRoute"})
    kept.written("marketdata")
    kept.keep_route("marketdata", None)
    again = Kept(path, LOG)
    assert again.snapshot_version == 7
    assert again.routes == {"reference": {"kind": "GRPCRoute"}}
    assert again.unwritten == {"reference", "marketdata"}


@pytest.mark.parametrize("text", ["", "{", "[]", '{"snapshot_version": "x"}'])
def test_a_broken_file_is_as_good_as_none(tmp_path: Path, text: str) -> None:
    """Control starts whatever the file holds."""
    path = tmp_path / "kept.json"
    path.write_text(text)
    assert Kept(path, LOG).snapshot_version == 0


def test_a_full_disk_stops_nothing(tmp_path: Path) -> None:
    """What cannot be written is still known while the process lives."""
    (tmp_path / "control").write_text("not a folder")
    kept = Kept(tmp_path / "control" / "kept.json", LOG)
    kept.keep_version(3)
    assert kept.snapshot_version == 3


async def test_the_same_request_is_done_once() -> None:
    """Two that come together share the work; another body under the same id is refused; a failure is tried again."""
    answers, done = Answers(), []

    async def work() -> pb.SetConfigResponse:
        await asyncio.sleep(0)
        done.append(1)
        return pb.SetConfigResponse()

    request = pb.SetConfigRequest(request_id="a", service="reference")
    first, second = await asyncio.gather(*(answers.once("a", request, work) for _ in range(2)))
    assert first is second
    assert done == [1]
    with pytest.raises(Failure) as caught:
        await answers.once("a", pb.SetConfigRequest(request_id="a", service="other"), work)
    assert caught.value.reason is ErrorReason.REQUEST_ID_REUSED

    async def fails() -> pb.SetConfigResponse:
        raise ValueError("not now")

    request = pb.SetConfigRequest(request_id="b")
    with pytest.raises(ValueError, match="not now"):
        await answers.once("b", request, fails)
    await asyncio.sleep(0)
    assert await answers.once("b", request, work) == pb.SetConfigResponse()
