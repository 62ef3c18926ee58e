"""Which fault of a drill met a call: those that were in force are remembered for as long as calls are."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Collection

from services.control.state import Fault

KEPT_MAX = 256
"""Faults, those in force included; the oldest are forgotten."""
SLACK = dt.timedelta(seconds=2)
"""A proxy has a fault a moment before control knows that it has, and for a moment after it was taken out."""


class Drills:
    """Faults with the times at which they began and ended."""

    def __init__(self) -> None:
        self._faults: dict[str, Fault] = {}

    def changed(self, begun: Collection[Fault], ended: Collection[str], now: dt.datetime) -> None:
        """Faults were put in force, and others taken out by name."""
        for fault in begun:
            if len(self._faults) >= KEPT_MAX:
                del self._faults[next(iter(self._faults))]
            self._faults[fault.name] = fault
        for name in ended:
            if (fault := self._faults.get(name)) is not None:
                self._faults[name] = dataclasses.replace(fault, expire_time=min(now, fault.expire_time))

    def met(self, service: str, path: str, caller: str, at: dt.datetime) -> Fault | None:
        """The fault whose route a call took: the newest that was in force and meets it; None if none is known.

        Args:
            path: of the method.
            caller: as the proxy proved it.
            at: when the call began.
        """
        fitting = [
            fault
            for fault in self._faults.values()
            if fault.service == service
            and path in fault.methods
            and fault.caller in ("", caller)
            and fault.create_time - SLACK <= at <= fault.expire_time + SLACK
        ]
        return max(fitting, key=lambda fault: (fault.create_time, fault.name), default=None)


def told(fault: Fault) -> str:
    """A fault in words."""
    does = [f"wait {fault.delay_s:g} s"] if fault.delay_s else []
    does += [f"are answered {fault.abort.name}"] if fault.abort is not None else []
    whose = f" of {fault.caller}" if fault.caller else ""
    comment = f', "{fault.comment}"' if fault.comment else ""
    share = f"{fault.percent:g} % of " if fault.percent < 100 else ""
    what = fault.method.rpartition("/")[2].rpartition(".")[2] or fault.service
    until = f"{fault.create_time:%H:%M:%S} to {fault.expire_time:%H:%M:%S} UTC"
    return f"fault {fault.name} by {fault.author}{comment}: {share}calls{whose} to {what} {' and '.join(does)}, {until}"
