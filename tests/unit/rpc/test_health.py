"""When an instance serves."""

import asyncio

import pytest
import structlog
from grpc_health.v1 import health_pb2

from crossrate.rpc import health as health_module
from crossrate.rpc.errors import Failure
from crossrate.rpc.health import FAILURES_MAX, Health
from crossrate.rpc.metrics import RpcCounts

SERVING = health_pb2.HealthCheckResponse.SERVING
NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING
UNKNOWN = health_pb2.HealthCheckResponse.SERVICE_UNKNOWN


class Store:
    """A dependency that is up or down as the test says."""

    def __init__(self) -> None:
        self.up = True
        self.asked = 0

    async def check(self) -> None:
        self.asked += 1
        if not self.up:
            raise ConnectionError("refused")


@pytest.fixture
async def health(monkeypatch):
    """A health that is checked only when asked, and always then."""
    monkeypatch.setattr(health_module, "CHECK_INTERVAL_S", 3600.0)
    monkeypatch.setattr(health_module, "FRESH_S", 0.0)
    own = Health(structlog.get_logger(), RpcCounts())
    yield own
    await own.stop()


async def _ask(health: Health, service: str = "") -> int:
    return (await health.Check(health_pb2.HealthCheckRequest(service=service), None)).status


async def test_nothing_serves_before_its_dependencies_answered(health):
    """An instance is not serving until every dependency has answered once."""
    store = Store()
    store.up = False
    health.depends_on("postgres", store.check)
    health.start(["a.B"])
    assert await _ask(health) == NOT_SERVING
    assert health.failures() == {"postgres": "ConnectionError: refused"}
    store.up = True
    assert await _ask(health) == SERVING
    await asyncio.wait_for(health.wait_serving(), 60)


async def test_one_lost_check_does_not_take_an_instance_out(health):
    """It takes FAILURES_MAX lost checks in a row, and one good one brings it back."""
    store = Store()
    health.depends_on("nats", store.check)
    health.start(["a.B"])
    assert await _ask(health) == SERVING
    store.up = False
    for _ in range(FAILURES_MAX - 1):
        assert await _ask(health) == SERVING
    assert await _ask(health) == NOT_SERVING
    store.up = True
    assert await _ask(health) == SERVING


async def test_a_dependency_of_one_service_leaves_the_other_serving(health):
    """Only the services that need it go down, and the instance as a whole."""
    store = Store()
    store.up = False
    health.depends_on("postgres", store.check, services=["a.B"])
    health.start(["a.B", "c.D"])
    assert [await _ask(health, name) for name in ("", "a.B", "c.D")] == [NOT_SERVING, NOT_SERVING, SERVING]


async def test_a_check_that_says_no_counts_as_lost(health):
    """A check may answer False instead of raising."""

    async def no() -> bool:
        return False

    health.depends_on("lease", no)
    health.start([])
    assert await _ask(health) == NOT_SERVING


async def test_a_dependency_that_hangs_does_not_hang_the_question(health):
    """Who asks gets the last known state in time, even while a check hangs."""
    health.depends_on("postgres", asyncio.Event().wait)
    health.start(["a.B"])
    async with asyncio.timeout(60):
        assert await _ask(health) == NOT_SERVING


async def test_questions_at_the_same_time_share_one_check(health):
    """A hundred questions ask a dependency once."""
    store = Store()
    health.depends_on("postgres", store.check)
    health.start(["a.B"])
    await asyncio.gather(*(_ask(health) for _ in range(100)))
    assert store.asked == 1


async def test_watchers_see_every_change_and_the_end(health):
    """A watch says the state at once and whenever it changes, and ends with the server."""
    health.start(["a.B"])
    watch = health.Watch(health_pb2.HealthCheckRequest(service="a.B"), None)
    unknown = health.Watch(health_pb2.HealthCheckRequest(service="x.Y"), None)
    assert (await anext(watch)).status == SERVING
    assert (await anext(unknown)).status == UNKNOWN
    health.close()
    assert (await anext(watch)).status == NOT_SERVING
    await health.stop()
    assert [m async for m in watch] == []


async def test_a_draining_instance_never_serves_again(health):
    """After close no check brings it back."""
    health.start(["a.B"])
    health.close()
    assert await _ask(health) == NOT_SERVING
    await health.check_now()
    assert not health.serving


async def test_an_unknown_service_is_not_found(health):
    """A question about a service that is not here is answered as such."""
    health.start([])
    with pytest.raises(Failure, match="NOT_FOUND"):
        await _ask(health, "x.Y")
