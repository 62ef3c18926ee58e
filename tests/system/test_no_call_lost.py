"""Nothing that operators do every day loses a call. The benchmark runs the same with the full counts."""

import pytest

from tests import disturb
from tests.integration.envoys import until
from tests.load import Load
from tests.mesh import Mesh

pytestmark = pytest.mark.system


async def _lossless(mesh: Mesh, disturbance) -> None:
    async with Load(mesh) as load:
        await until(lambda: load.calls > 50 and load.messages >= 2)
        await disturbance
        calls, messages = load.calls, load.messages
        await until(lambda: load.calls > calls + 50 and load.messages >= messages + 2)
    assert load.failed == 0, dict(load.failures)


async def test_rotating_certificates_loses_nothing(mesh: Mesh) -> None:
    """Five rotations of every certificate pass without a failed call or stream."""
    await _lossless(mesh, disturb.rotate_certificates(mesh, 5))


async def test_restarting_services_loses_nothing(mesh: Mesh) -> None:
    """Each service restarts twice without a failed call; streams end as the contract says and resume."""
    await _lossless(mesh, disturb.restart_services(mesh, 2))


async def test_changing_routes_loses_nothing(mesh: Mesh) -> None:
    """Ten route changes pass without a failed call or stream."""
    await _lossless(mesh, disturb.change_routes(mesh, 10))


async def test_killing_control_loses_nothing(mesh: Mesh) -> None:
    """With the control plane killed, calls and streams go on, and a new one takes over."""
    await _lossless(mesh, disturb.kill_control(mesh))
