"""What `crossrate kill lease` does: promises to be heard from, whose silence stops a scope."""

from __future__ import annotations

import signal
import time
import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from crossrate.cli import show
from crossrate.cli.desk import connected, moment, word
from crossrate.cli.kill import scope_of, words_of
from crossrate.cli.requests import as_dict
from crossrate.cli.show import CommandError
from crossrate.client import CallError, Client


def register(
    mode: str, scope: str, silence_s: float, *, hold: bool, dry_run: bool, who: str | None, as_json: bool
) -> None:
    """Begins a lease, and with `hold` renews it until Ctrl-C, when it is released."""
    from crossrate.api.common.v1 import gate_pb2

    number = gate_pb2.KillMode.Value(f"KILL_MODE_{mode.upper().replace('-', '_')}")
    early: list[int] = []
    if hold:
        # Whoever is told to end while it registers has a lease by then, which is to be released.
        _on_end(lambda ending, _: early.append(ending))
    with connected(who) as client:
        lease = client.risk.RegisterLease(
            request_id=str(uuid.uuid4()),
            scope=scope_of(scope),
            mode=number,
            silence_max=timedelta(seconds=silence_s),
            validate_only=dry_run,
        ).lease
        if as_json:
            show.document(as_dict(lease))
        elif dry_run:
            show.console().print(f"silence of {silence_s:g} s could stop {scope}; nothing was begun", markup=False)
        else:
            show.console().print(
                lease.lease_id, f"holds: {silence_s:g} s of silence engage {mode} of {scope}", markup=False
            )
        if dry_run:
            return
        if not hold:
            show.note(f"`crossrate kill lease renew {lease.lease_id}` within {silence_s:g} s, again and again")
            return
        show.note("it is renewed until Ctrl-C, which releases it")
        _hold(client, lease.lease_id, silence_s, early)


def _on_end(do: Callable[[int, Any], None]) -> None:
    # A supervisor says SIGTERM, and a shell that starts it in the background has SIGINT ignored.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, do)


def _end(*_: Any) -> None:
    raise KeyboardInterrupt


def _hold(client: Client, lease_id: str, silence_s: float, early: list[int]) -> None:
    try:
        _on_end(_end)
        if early:
            raise KeyboardInterrupt
        while True:
            time.sleep(silence_s / 3)
            _renew(client, lease_id)
    except KeyboardInterrupt:
        client.risk.ReleaseLease(request_id=str(uuid.uuid4()), lease_id=lease_id)
        show.note(f"{lease_id} is released; nothing was stopped")


def _renew(client: Client, lease_id: str) -> None:
    try:
        client.risk.RenewLease(request_id=str(uuid.uuid4()), lease_id=lease_id)
    except CallError as error:
        if error.reason in ("NOT_FOUND", "WRONG_STATE"):
            raise
        show.note(f"not heard, trying again: {error.message}")


def renew(lease_id: str, *, who: str | None, as_json: bool) -> None:
    """Says that the holder is alive."""
    with connected(who) as client:
        lease = client.risk.RenewLease(request_id=str(uuid.uuid4()), lease_id=_lease_id(client, lease_id)).lease
    if as_json:
        show.document(as_dict(lease))
        return
    show.console().print(f"{lease.lease_id} runs out at {moment(lease.expire_time)}", markup=False)


def release(lease_id: str, *, who: str | None, as_json: bool) -> None:
    """Ends a lease in order."""
    with connected(who) as client:
        asked = _lease_id(client, lease_id)
        client.risk.ReleaseLease(request_id=str(uuid.uuid4()), lease_id=asked)
    if as_json:
        show.document({"leaseId": asked})
        return
    show.console().print(f"{asked} has ended; its silence stops nothing", markup=False)


def list_leases(*, who: str | None, as_json: bool) -> None:
    """Leases that are held."""
    with connected(who) as client:
        leases = list(client.risk.GetState().state.leases)
    if as_json:
        show.document([as_dict(each) for each in leases])
        return
    if not leases:
        show.note("no lease is held: `crossrate kill lease hold halt --scope account:alpha` holds one")
        return
    show.table(("lease", "mode", "scope", "silence ", "holder", "runs out"), [_row(each) for each in leases])


def _row(lease: Any) -> tuple[str, ...]:
    silence = f"{lease.silence_max.ToNanoseconds() / 1e9:g} s"
    mode = word(lease, "mode").lower().replace("_", "-")
    return (lease.lease_id, mode, words_of(lease.scope), silence, lease.holder, moment(lease.expire_time))


def _lease_id(client: Client, given: str) -> str:
    if given != "last":
        return given
    leases = client.risk.GetState().state.leases
    if not leases:
        raise CommandError("no lease is held", "`crossrate kill lease register MODE` begins one")
    return leases[-1].lease_id
