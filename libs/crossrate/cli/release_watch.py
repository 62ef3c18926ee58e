"""`crossrate release watch`: a release until it is over, live on a terminal, a line a decision elsewhere."""

from __future__ import annotations

import time
from collections import deque
from typing import Any

from crossrate.api.control.v1 import release_pb2
from crossrate.api.control.v1 import release_service_pb2 as pb
from crossrate.cli import show
from crossrate.cli.desk import word
from crossrate.cli.releases import OVER, ask, instances, percent, tell, told
from crossrate.cli.requests import as_dict
from crossrate.cli.show import CommandError
from crossrate.rpc.call_error import CallError

GONE_S_MAX = 30.0
"""How long control may be away while a release is watched: it may be restarted in the middle of one."""
AGAIN_S = 0.25
POINTS = 40
"""Of a sparkline: as many seconds."""
VERDICTS = 8
"""Verdicts that are shown, failures first."""
BARS = "▁▂▃▄▅▆▇█"


def sparkline(values: list[float]) -> str:
    """Values as bars from zero to the largest of them; nothing that is above zero looks like zero."""
    top = max(values, default=0.0)
    if top <= 0:
        return BARS[0] * len(values)
    return "".join(BARS[0] if v <= 0 else BARS[max(1, min(7, round(7 * v / top)))] for v in values)


class Board:
    """What a terminal shows: shares, verdicts; calls, failures and times of both versions over the last seconds."""

    def __init__(self) -> None:
        self._windows: dict[tuple[str, bool], deque[release_pb2.ReleaseWindow]] = {}
        self._release = release_pb2.Release()
        self._first = True

    def take(self, message: pb.WatchReleaseResponse) -> None:
        """Takes a message of the stream."""
        self._release = message.release
        # The first says what ended before anybody watched.
        if not self._first:
            for window in message.windows:
                key = window.service, window.candidate
                self._windows.setdefault(key, deque(maxlen=POINTS)).append(window)
        self._first = False

    def __rich__(self) -> Any:
        """The table, with what is waited for under it."""
        from rich.console import Group
        from rich.table import Table
        from rich.text import Text

        release = self._release
        step = f", step {release.step + 1} of {len(release.steps)}" if release.step >= 0 else ""
        serving = f"{release.candidates_serving} of {release.candidates_wanted} candidates serve"
        if replaced := instances(release):
            serving = f"{replaced} take calls"
        paused = ", paused" if release.paused else ""
        phase = word(release, "phase").lower()
        head = f"{release.name}: {told(release)}, {phase}{paused}{step}; {serving}"
        table = Table(box=None, pad_edge=False)
        for name in ("version", "share", "calls a second", "", "failed", "", "p99", ""):
            table.add_column(name, justify="left" if not name or name == "version" else "right", no_wrap=True)
        # A control plane of before names none.
        services = [each.service for each in release.services] or [""]
        for service in services:
            for candidate in (False, True):
                share = release.weight_bp if candidate else 10_000 - release.weight_bp
                side = "candidate" if candidate else "stable"
                named = f"{service} {side}" if len(services) > 1 else side
                table.add_row(named, percent(share), *self._row(service, candidate))
        lines = [Text(head), table]
        for verdict in release.verdicts[:VERDICTS]:
            outcome = word(verdict, "outcome").lower().replace("_", " ")
            good = {"pass": True, "fail": False}.get(outcome)
            lines.append(Text.assemble(show.mark(outcome, good), " ", verdict.explanation))
        return Group(*lines)

    def _row(self, service: str, candidate: bool) -> list[str]:
        windows = self._windows.get((service, candidate), ())
        calls = [float(w.calls) for w in windows]
        failures = [w.failures / w.calls if w.calls else 0.0 for w in windows]
        p99_ms = [w.latency_p99.ToMicroseconds() / 1000 for w in windows]
        return [
            f"{calls[-1]:.0f}" if calls else "",
            sparkline(calls),
            f"{100 * failures[-1]:.2f} %" if failures else "",
            sparkline(failures),
            f"{p99_ms[-1]:.1f} ms" if p99_ms else "",
            sparkline(p99_ms),
        ]


class Watch:
    """One watch: tells each decision once, also when control was away in between."""

    def __init__(self, name: str, live: Any, *, as_json: bool) -> None:
        self._name, self._live, self._as_json = name, live, as_json
        self._board = Board()
        self._cursor = ""
        self.heard = time.monotonic()
        """When control was heard last."""
        self.release: release_pb2.Release | None = None

    @property
    def over(self) -> bool:
        """Whether nothing will change any more."""
        return self.release is not None and word(self.release, "phase") in OVER

    async def follow(self, stub: Any) -> None:
        """Follows until the stream ends."""
        wanted = self.release.release_id if self.release is not None else self._name
        request = pb.WatchReleaseRequest(release=wanted, resume_cursor=self._cursor)
        async for message in stub.WatchRelease(request):
            self.heard = time.monotonic()
            if not message.HasField("release"):
                continue
            self.release, self._cursor = message.release, message.position.cursor
            for decision in message.decided:
                if self._as_json:
                    show.line(as_dict(decision))
                else:
                    tell(decision)
            self._board.take(message)
            if self._live is not None:
                self._live.update(self._board)


def watch(name: str, *, as_json: bool) -> None:
    """Follows a release until it is over."""
    if show.console().is_terminal and not as_json:
        from rich.live import Live

        with Live(console=show.console(), refresh_per_second=4, transient=True) as live:
            release = _until_over(Watch(name, live, as_json=as_json))
    else:
        release = _until_over(Watch(name, None, as_json=as_json))
    if word(release, "phase") == "ABORTED":
        raise CommandError(f"{release.name} was aborted", f"`crossrate release explain {release.name}` shows why")


def _until_over(watched: Watch) -> release_pb2.Release:
    while not watched.over:
        try:
            ask(watched.follow)
        except (CallError, CommandError) as error:
            gone = isinstance(error, CommandError) or error.code().name in ("UNAVAILABLE", "CANCELLED")
            if not gone or time.monotonic() - watched.heard > GONE_S_MAX:
                raise
        time.sleep(0 if watched.over else AGAIN_S)
    assert watched.release is not None
    return watched.release
