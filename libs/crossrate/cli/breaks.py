"""What `crossrate breaks` does."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from typing import Any

from crossrate.cli import show
from crossrate.cli.desk import connected, moment, number, word
from crossrate.cli.requests import as_dict
from crossrate.cli.show import CommandError
from crossrate.client import Client

LAST = "last"


def _id(client: Client, given: str) -> str:
    if given != LAST:
        return given
    found = client.broker.ListBreaks(closed=True, page_size=1).breaks
    if not found:
        raise CommandError("there never was a break", "`crossrate breaks list` says when the books were compared")
    return found[0].break_id


def _action(text: str) -> dict[str, int]:
    """An action by its word.

    Raises:
        CommandError: there is none of that name.
    """
    from crossrate.api.broker.v1 import break_pb2

    if not text:
        return {}
    known = {
        name.removeprefix("CORRECTION_ACTION_").lower().replace("_", "-"): value
        for name, value in break_pb2.CorrectionAction.items()
        if value
    }
    if text not in known:
        raise CommandError(f"{text!r} is no action", f"give one of {', '.join(known)}")
    return {"action": known[text]}


def _table(found: Iterable[Any]) -> None:
    rows = [
        (
            each.break_id,
            word(each, "type").lower().replace("_", " "),
            show.mark(word(each, "state").lower(), word(each, "state") == "CLOSED"),
            each.venue,
            each.instrument,
            each.account,
            word(each, "gate").lower().replace("_", "-") if each.HasField("gate") else "",
            moment(each.open_time),
            each.text,
        )
        for each in found
    ]
    if rows:
        show.table(("break", "type", "state", "venue", "instrument", "account", "gates", "since", ""), rows)


def _runs(runs: Iterable[Any]) -> None:
    rows = [
        (
            each.venue,
            "whole" if each.whole else "what came",
            moment(each.end_time),
            f"{each.orders:,}",
            f"{each.fills:,}",
            f"{each.copied_fills:,}",
            str(each.pending),
            show.mark(str(each.open_breaks), not each.open_breaks),
            "; ".join(each.missing),
        )
        for each in runs
    ]
    if rows:
        names = ("venue", "compared", "at", "orders ", "fills ", "drop copy ", "under way ", "breaks ", "missing")
        show.table(names, rows)


def listed(which: dict[str, Any], *, who: str | None, as_json: bool) -> None:
    """Lists breaks."""
    with connected(who) as client:
        answer = client.broker.ListBreaks(**which)
    if as_json:
        show.document(as_dict(answer))
        return
    _table(answer.breaks)
    if not answer.breaks:
        show.console().print("no breaks")
    _runs(answer.runs)


def follow(venue: str, *, who: str | None, as_json: bool) -> None:
    """Breaks as they change."""
    with connected(who) as client:
        for message in client.broker.WatchBreaks(venue=venue):
            for each in message.breaks.breaks:
                if as_json:
                    show.line(as_dict(each))
                else:
                    state, kind = word(each, "state").lower(), word(each, "type").lower().replace("_", " ")
                    words = f"{each.break_id} {state} {kind} {each.venue} {each.instrument}: {each.text}"
                    show.console().print(words, markup=False)


def _details(found: Any) -> None:
    _table([found])
    rows = [
        (
            each.book,
            "yes" if each.present else show.mark("no", False),
            each.side,
            number(each.quantity),
            number(each.filled_quantity),
            each.price,
            each.status,
        )
        for each in found.books
    ]
    show.table(("book", "has it", "side", "quantity ", "filled ", "price ", "stands"), rows)
    rows = [(moment(each.time), each.what, each.who, each.text) for each in found.history]
    show.table(("at", "what", "who", ""), rows)
    if found.HasField("correction"):
        correction = found.correction
        words = f"{word(correction, 'action').lower().replace('_', '-')} {word(correction, 'state').lower()}"
        by = f"proposed by {correction.proposed_by}"
        if correction.decided_by:
            by += f", decided by {correction.decided_by}"
        show.console().print(f"correction {words}, {by}: {correction.outcome or correction.reason}", markup=False)


def shown(break_id: str, *, who: str | None, as_json: bool) -> None:
    """One break."""
    with connected(who) as client:
        found = getattr(client.broker.GetBreak(break_id=_id(client, break_id)), "break")
    if as_json:
        show.document(as_dict(found))
    else:
        _details(found)


def propose(
    break_id: str, action: str, price: str, reason: str, *, dry_run: bool, who: str | None, as_json: bool
) -> None:
    """Proposes a correction."""
    chosen = _action(action)
    with connected(who) as client:
        asked = _id(client, break_id)
        answer = client.broker.ProposeCorrection(
            request_id=str(uuid.uuid4()),
            break_id=asked,
            reason=reason,
            price=price,
            validate_only=dry_run,
            **chosen,
        )
    found = getattr(answer, "break")
    if as_json:
        show.document(as_dict(found))
        return
    word_of = word(found.correction, "action").lower().replace("_", "-")
    if dry_run:
        show.console().print(f"{word_of} could be proposed; nothing was", markup=False)
        return
    show.console().print(f"{word_of} waits for somebody else's approval", markup=False)
    show.note(f"`crossrate breaks approve {found.break_id} --client second` approves it")


def approve(break_id: str, *, reject: bool, dry_run: bool, who: str | None, as_json: bool) -> None:
    """Approves or rejects what was proposed."""
    with connected(who) as client:
        asked = _id(client, break_id)
        waiting = getattr(client.broker.GetBreak(break_id=asked), "break")
        if not waiting.correction.correction_id:
            raise CommandError("nothing was proposed", f"`crossrate breaks propose {asked} -m WHY` proposes something")
        answer = client.broker.ApproveCorrection(
            request_id=str(uuid.uuid4()),
            break_id=asked,
            correction_id=waiting.correction.correction_id,
            reject=reject,
            validate_only=dry_run,
        )
    found = getattr(answer, "break")
    if as_json:
        show.document(as_dict(found))
        return
    state = word(found.correction, "state").lower()
    outcome = f": {found.correction.outcome}" if found.correction.outcome else ""
    show.console().print(f"the correction is {state}, the break {word(found, 'state').lower()}{outcome}", markup=False)


def run(venue: str, *, whole: bool, who: str | None, as_json: bool) -> None:
    """Compares a venue's books."""
    with connected(who) as client:
        answer = client.broker.RunReconciliation(request_id=str(uuid.uuid4()), venue=venue, whole=whole)
    if as_json:
        show.document(as_dict(answer))
        return
    _runs([answer.run])
    _table(answer.breaks)
