"""Named points of the order path at which a process is killed, and faults that are put into it.

Nothing of this is in the services. The harness starts its mesh with `injected/` on Python's path; there the functions
below are wrapped when their modules are imported. A wrapped function looks for a file of its point's name and its
instance's. If there is one, the process ends itself with SIGKILL, once: the file is renamed first. A function that
is not there any more keeps its process from starting, so that no point is passed by in silence.
"""

from __future__ import annotations

import functools
import importlib.abc
import importlib.machinery
import inspect
import os
import signal
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

SETTING = "CROSSRATE_CHAOS_POINTS"
"""Names the folder with the files."""
INJECTED = Path(__file__).parent / "injected"
BEFORE, AFTER = "before", "after"
PASSED = ".passed"

Takes = Callable[[Sequence[Any], Any], bool]
"""Whether a call is meant, by its arguments (with self) and, behind it, its result."""


@dataclass(frozen=True, slots=True)
class Point:
    """A point before or behind a function.

    Attributes:
        name: the service, and what has happened.
        function: "module:Class.method" or "module:function".
        side: BEFORE or AFTER it.
        takes: which calls are meant.
        needs: what has to happen so that it is passed: "" load alone, "halt" a kill switch, "restart" the process
            has to have been started anew, "takeover" an instance of the service has to have ended.
    """

    name: str
    function: str
    side: str
    takes: Takes = lambda arguments, result: True
    needs: str = ""

    @property
    def service(self) -> str:
        """Whose it is."""
        return self.name.partition(".")[0]


def _enters(arguments: Sequence[Any], _: Any) -> bool:
    return bool(arguments[1].entered)


def _deals(arguments: Sequence[Any], _: Any) -> bool:
    return bool(arguments[1].reported) and not arguments[1].entered


def _answers(arguments: Sequence[Any], _: Any) -> bool:
    return bool(arguments[1].requests)


def _asks(arguments: Sequence[Any], _: Any) -> bool:
    return bool(arguments[1].orders) and not arguments[1].validate_only


COMMIT = "services.trading.store.commits:Store.commit"
POINTS = (
    # An order on its way: risk has reserved it; trading knows; it is committed; broker has it; its venue has dealt.
    Point("risk.reserved", "services.risk.pretrade:PreTrade.authorise", AFTER, _asks),
    Point("trading.authorised", "services.trading.engine.risk:PreTrade.authorise", AFTER, lambda a, _: bool(a[1])),
    Point("trading.before_commit", COMMIT, BEFORE, _enters),
    Point("trading.committed", COMMIT, AFTER, _enters),
    Point("trading.told", "services.trading.engine.engine:Engine._committed", AFTER, _enters),
    Point("broker.before_taken", "services.broker.store.commits:Store.take", BEFORE),
    Point("broker.taken", "services.broker.store.commits:Store.take", AFTER),
    Point("broker.before_dealt", "services.broker.store.commits:Store.commit_at_once", BEFORE),
    Point("broker.dealt", "services.broker.store.commits:Store.commit_at_once", AFTER),
    Point("trading.before_deal", COMMIT, BEFORE, _deals),
    Point("trading.deal", COMMIT, AFTER, _deals),
    # A cancel: committed, and nobody was told.
    Point("trading.cancelled", COMMIT, AFTER, _answers),
    # An account that changes hands: taken and not read yet; read, and nobody looks after it.
    Point("trading.claiming", "services.trading.store.commits:load", BEFORE, needs="takeover"),
    Point("trading.claimed", "services.trading.store.commits:Store.claim", AFTER, needs="takeover"),
    # Facts on their way: published, and the position not written; read, booked, and not committed; committed.
    Point("trading.published", "crossrate.store.relay:OutboxRelay._save", BEFORE),
    Point("ledger.published", "crossrate.store.relay:OutboxRelay._save", BEFORE),
    Point("ledger.before_booked", "services.ledger.consumer:Executions._apply", AFTER),
    Point("ledger.booked", "services.ledger.consumer:Executions.step", AFTER, lambda _, booked: bool(booked)),
    # The kill switch: committed by risk; by trading, which has not said so; known to risk, which has not said so.
    Point("risk.engaged", "services.risk.store.kills:KillStore.engage", AFTER, needs="halt"),
    Point("trading.gated", "services.trading.engine.gate:GateKeeper.apply", AFTER, needs="halt"),
    Point("risk.gated", "services.risk.trading_peer:TradingPeer.apply_gate", AFTER, needs="halt"),
    # Risk begins: the gate is raised, and trading does not know; everything is read, and nothing is said.
    Point("risk.begun", "services.risk.decider:Decider.begin", AFTER, needs="restart"),
    Point("risk.read", "services.risk.decider:Decider.read", AFTER, needs="restart"),
)

FAULTS = {
    # Risk lets everything pass its kill switch.
    "risk.open_gate": ("services.risk.domain.pretrade.gate:Gate.reaching", lambda rule: None),
    # NATS acknowledges at once and syncs later, as it does by default.
    "node.lazy_nats": ("crossrate.node.nats:render", lambda text: text.replace('"always"', '"2m"')),
}
"""Functions whose result is another one while a fault is on."""


class Armory:
    """The folder with the files, as the harness uses it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(exist_ok=True)

    @property
    def environment(self) -> dict[str, str]:
        """With which a mesh has the points."""
        return {SETTING: str(self._folder), "PYTHONPATH": f"{INJECTED}{os.pathsep}{INJECTED.parents[2]}"}

    def arm(self, point: Point, instance: str, passes: int = 0) -> Path:
        """Has an instance end at a point when it comes there next, after so many passes; returns the file."""
        file = self._folder / f"{point.name}@{instance}"
        _mark(file).unlink(missing_ok=True)
        file.write_text(str(passes))
        return file

    @staticmethod
    def passed(file: Path) -> bool:
        """Whether it has ended there."""
        return _mark(file).exists()

    @staticmethod
    def disarm(file: Path) -> None:
        """Nobody ends there any more."""
        file.unlink(missing_ok=True)
        _mark(file).unlink(missing_ok=True)

    def switch(self, fault: str, on: bool) -> None:
        """Turns a fault on or off, for all instances."""
        assert fault in FAULTS, fault
        file = self._folder / fault
        if on:
            file.touch()
        else:
            file.unlink(missing_ok=True)


def _mark(file: Path) -> Path:
    return file.with_name(file.name + PASSED)


# In the processes of the mesh.


def install() -> None:
    """Wraps what this process will import, if it belongs to a mesh with points."""
    if folder := os.environ.get(SETTING):
        sys.meta_path.insert(0, _Importer(Path(folder)))


class _Importer(importlib.abc.MetaPathFinder):
    """Finds a module as ever, and wraps functions when it has run."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._wanted: dict[str, list[tuple[str, Callable[[Any], Any]]]] = {}
        for point in POINTS:
            module, _, name = point.function.partition(":")
            self._wanted.setdefault(module, []).append((name, functools.partial(_watched, point, folder)))
        for fault, (function, made) in FAULTS.items():
            module, _, name = function.partition(":")
            self._wanted.setdefault(module, []).append((name, functools.partial(_faulty, folder / fault, made)))

    def find_spec(self, name: str, path: Sequence[str] | None, target: ModuleType | None = None) -> Any:
        """See MetaPathFinder."""
        wanted = self._wanted.get(name)
        if wanted is None:
            return None
        spec = importlib.machinery.PathFinder.find_spec(name, path)
        assert spec is not None, name
        assert spec.loader is not None, name
        run = spec.loader.exec_module

        def exec_module(module: ModuleType) -> None:
            run(module)
            for function, wrap in wanted:
                _wrap(module, function, wrap)

        spec.loader.exec_module = exec_module  # type: ignore[method-assign]
        return spec


def _wrap(module: ModuleType, name: str, wrap: Callable[[Any], Any]) -> None:
    owner: Any = module
    *holders, last = name.split(".")
    for holder in holders:
        owner = getattr(owner, holder)
    setattr(owner, last, wrap(getattr(owner, last)))


def _watched(point: Point, folder: Path, function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    async def later(*arguments: Any, **named: Any) -> Any:
        if point.side == BEFORE:
            _pass(point, folder, arguments, None)
        result = await function(*arguments, **named)
        if point.side == AFTER:
            _pass(point, folder, arguments, result)
        return result

    @functools.wraps(function)
    def at_once(*arguments: Any, **named: Any) -> Any:
        if point.side == BEFORE:
            _pass(point, folder, arguments, None)
        result = function(*arguments, **named)
        if point.side == AFTER:
            _pass(point, folder, arguments, result)
        return result

    return later if inspect.iscoroutinefunction(function) else at_once


def _pass(point: Point, folder: Path, arguments: Sequence[Any], result: Any) -> None:
    instance = os.environ.get("CROSSRATE_INSTANCE", "")
    file = folder / f"{point.name}@{instance}"
    if not instance.startswith(point.service) or not file.exists() or not point.takes(arguments, result):
        return
    if left := int(file.read_text() or 0):
        file.write_text(str(left - 1))
        return
    file.rename(_mark(file))
    os.kill(os.getpid(), signal.SIGKILL)


def _faulty(file: Path, made: Callable[[Any], Any], function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    def wrapped(*arguments: Any, **named: Any) -> Any:
        result = function(*arguments, **named)
        return made(result) if file.exists() else result

    return wrapped
