"""Points at which a process ends, and faults: where the harness says so, once, and nowhere else."""

from __future__ import annotations

import importlib
import os
import signal
import subprocess
import sys
from functools import reduce
from pathlib import Path

import pytest

from tests.chaos.points import FAULTS, POINTS, Armory, Point

ROOT = Path(__file__).resolve().parents[3]
CLAIMS = "import asyncio; from services.trading.store import commits; asyncio.run(commits.load({}, 'alpha'))"
"""What reads an account, with a connection that is none."""
REACHES = (
    "from services.risk.domain.pretrade.gate import Gate, Mode, Rule;"
    "gate = Gate(1, [Rule('platform', '', Mode.HALT)]);"
    "print(gate.reaching(account='a', desk='', strategy='', instrument='EUR/USD', venue=''))"
)


def point(name: str) -> Point:
    """A point by its name."""
    return next(each for each in POINTS if each.name == name)


def ran(program: str, environment: dict[str, str], instance: str) -> subprocess.CompletedProcess[str]:
    """A Python process of an instance of a mesh."""
    libraries = f"{ROOT / 'libs'}{os.pathsep}{ROOT}"
    path = os.pathsep.join(each for each in (environment.get("PYTHONPATH"), libraries) if each)
    env = os.environ | environment | {"PYTHONPATH": path, "CROSSRATE_INSTANCE": instance}
    return subprocess.run([sys.executable, "-c", program], env=env, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("function", [each.function for each in POINTS] + [name for name, _ in FAULTS.values()])
def test_what_is_wrapped_is_there(function: str) -> None:
    """Every point and every fault names a function of the services."""
    module, _, name = function.partition(":")
    assert callable(reduce(getattr, name.split("."), importlib.import_module(module)))


def test_names_say_whose_a_point_is_and_are_used_once() -> None:
    """A point begins with its service."""
    assert len({each.name for each in POINTS}) == len(POINTS)
    assert {each.service for each in POINTS} == {"broker", "ledger", "risk", "trading"}


def test_a_process_ends_at_its_point_once(tmp_path: Path) -> None:
    """The next one comes by, and so do those of other instances."""
    armory = Armory(tmp_path / "points")
    file = armory.arm(point("trading.claiming"), "trading-1")
    assert ran(CLAIMS, armory.environment, "trading-2").returncode == 1
    assert not armory.passed(file)
    assert ran(CLAIMS, armory.environment, "trading-1").returncode == -signal.SIGKILL
    assert armory.passed(file)
    assert ran(CLAIMS, armory.environment, "trading-1").returncode == 1


def test_a_point_is_passed_as_often_as_it_is_asked_to_be(tmp_path: Path) -> None:
    """The process ends at the third time."""
    armory = Armory(tmp_path / "points")
    armory.arm(point("trading.claiming"), "trading-1", passes=2)
    ends = [ran(CLAIMS, armory.environment, "trading-1").returncode for _ in range(3)]
    assert ends == [1, 1, -signal.SIGKILL]


def test_without_the_harness_nothing_is_wrapped(tmp_path: Path) -> None:
    """A process of any other mesh has the functions as they are, whatever files lie about."""
    armory = Armory(tmp_path / "points")
    armory.arm(point("trading.claiming"), "trading-1")
    asks = "from services.trading.store import commits; print(hasattr(commits.load, '__wrapped__'))"
    assert ran(asks, {}, "trading-1").stdout == "False\n"
    assert ran(asks, armory.environment, "trading-1").stdout == "True\n"
    assert ran(CLAIMS, {}, "trading-1").returncode == 1


def test_a_fault_is_there_while_it_is_on(tmp_path: Path) -> None:
    """A gate that is open lets everything pass; then it is shut again."""
    armory = Armory(tmp_path / "points")
    assert ran(REACHES, armory.environment, "risk-1").stdout == "platform\n"
    armory.switch("risk.open_gate", True)
    assert ran(REACHES, armory.environment, "risk-1").stdout == "None\n"
    armory.switch("risk.open_gate", False)
    assert ran(REACHES, armory.environment, "risk-1").stdout == "platform\n"
