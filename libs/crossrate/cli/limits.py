"""What `crossrate limits` does."""

from __future__ import annotations

import difflib
import uuid
from dataclasses import dataclass
from typing import Any

from crossrate.cli import show
from crossrate.cli.desk import connected, moment, number, word
from crossrate.cli.requests import as_dict
from crossrate.cli.show import CommandError
from crossrate.client import Client

LAST = "last"


@dataclass(frozen=True, slots=True)
class Asked:
    """A limit as a person gives it."""

    kind: str
    value: str
    scope: str
    unit: str
    instrument: str
    window_s: float
    floor: str
    use: str
    remove: bool


def kind_of(text: str) -> int:
    """A kind from its words, "order-notional".

    Raises:
        CommandError: it is none.
    """
    from crossrate.api.common.v1 import check_pb2

    known = {name.removeprefix("CHECK_KIND_").lower().replace("_", "-"): n for name, n in check_pb2.CheckKind.items()}
    known.pop("unspecified")
    found = known.get(text.lower().replace("_", "-"))
    if found is None:
        near = difflib.get_close_matches(text.lower(), known, n=1, cutoff=0.5)
        remedy = f"did you mean {near[0]}?" if near else f"give one of {', '.join(known)}"
        raise CommandError(f"{text!r} is no kind of limit", remedy, {"field": "kind"})
    return found


def _limit(asked: Asked) -> dict[str, Any]:
    made: dict[str, Any] = {"scope": asked.scope, "kind": kind_of(asked.kind), "instrument": asked.instrument}
    if asked.remove:
        if asked.value:
            raise CommandError("a limit that goes has no value", f"leave out {asked.value}, or --remove")
        return made
    made |= {"value": asked.value, "unit": asked.unit.upper(), "floor": asked.floor}
    if asked.window_s:
        whole, part = divmod(round(asked.window_s * 1e9), 1_000_000_000)
        made["window"] = {"seconds": whole, "nanos": part}
    if asked.use:
        uses = {"close-only": 1, "restricted": 2}
        if asked.use not in uses:
            raise CommandError(f"--use is {asked.use!r}", "give close-only or restricted", {"field": "use"})
        made["use"] = uses[asked.use]
    return made


def list_limits(scope: str, version: int, *, who: str | None, as_json: bool) -> None:
    """All limits as a table."""
    with connected(who) as client:
        limits = client.risk.GetLimits(version=version).limits
    found = [each for each in limits.limits if scope in ("", each.scope)]
    if as_json:
        show.document(as_dict(limits) | {"limits": [as_dict(each) for each in found]})
        return
    head = f"version {limits.version}, proposed by {limits.proposed_by}, approved by {limits.approved_by}"
    show.console().print(f"{head}: {limits.comment}", markup=False)
    if not found:
        show.note(f"{scope} has no limit of its own; those of its star and of the platform hold")
        return
    show.table(_COLUMNS, [_row(each) for each in found])


_COLUMNS = ("scope", "kind", "instrument", "value ", "unit", "")


def _row(limit: Any) -> tuple[str, ...]:
    more = []
    if limit.HasField("window"):
        more.append(f"in {limit.window.ToNanoseconds() / 1e9:g} s")
    if limit.floor:
        more.append(f"from {number(limit.floor)} {limit.unit} of gross exposure on")
    if limit.HasField("use"):
        more.append(word(limit, "use").lower().replace("_", "-"))
    kind = word(limit, "kind").lower().replace("_", "-")
    return (limit.scope, kind, limit.instrument or "each", number(limit.value), limit.unit, ", ".join(more))


def usage(scope: str, lines: int, *, who: str | None, as_json: bool) -> None:
    """How much is used."""
    with connected(who) as client:
        usages = list(client.risk.ListLimitUsage(scope=scope, page_size=lines).usages)
    if as_json:
        show.document([as_dict(each) for each in usages])
        return
    if not usages:
        show.note(f"nothing is held and nothing works{f' in {scope}' if scope else ''}")
        return
    _usages(usages)


def _usages(usages: list[Any]) -> None:
    rows = [
        (
            show.mark("BREACHED" if each.breached else "ok", not each.breached),
            word(each.limit, "kind").lower().replace("_", "-"),
            each.scope or each.limit.scope,
            each.name,
            number(each.value),
            number(each.limit.value),
            number(each.headroom),
            each.limit.unit,
        )
        for each in usages
    ]
    show.table(("", "kind", "whose", "of", "used ", "limit ", "headroom ", "unit"), rows)


def propose(asked: Asked, comment: str, *, dry_run: bool, who: str | None, as_json: bool) -> None:
    """Proposes a change."""
    limit = _limit(asked)
    change = {"remove": [limit]} if asked.remove else {"put": [limit]}
    with connected(who) as client:
        answer = client.risk.ProposeLimits(
            request_id=str(uuid.uuid4()), comment=comment, validate_only=dry_run, **change
        )
    if as_json:
        show.document(as_dict(answer))
        return
    if answer.effects:
        _usages(list(answer.effects))
    if dry_run:
        show.console().print("it could be proposed; nothing was kept")
        return
    show.console().print(answer.proposal.proposal_id, "waits for somebody else's approval", markup=False)
    show.note(f"`crossrate limits approve {answer.proposal.proposal_id} --client second` approves it")


def _proposal(client: Client, given: str) -> str:
    if given != LAST:
        return given
    waiting = client.risk.ListLimitProposals(pending=True, page_size=1).proposals
    if not waiting:
        raise CommandError("no proposal waits", "`crossrate limits propose KIND VALUE -m WHY` makes one")
    return waiting[0].proposal_id


def approve(proposal: str, *, who: str | None, as_json: bool) -> None:
    """Approves a proposal."""
    with connected(who) as client:
        asked = _proposal(client, proposal)
        limits = client.risk.ApproveLimits(request_id=str(uuid.uuid4()), proposal_id=asked).limits
    if as_json:
        show.document(as_dict(limits))
        return
    show.console().print(f"version {limits.version} holds from the next order on")


def withdraw(proposal: str, *, who: str | None, as_json: bool) -> None:
    """Withdraws a proposal."""
    with connected(who) as client:
        asked = _proposal(client, proposal)
        made = client.risk.WithdrawLimits(request_id=str(uuid.uuid4()), proposal_id=asked).proposal
    if as_json:
        show.document(as_dict(made))
        return
    show.console().print(f"{made.proposal_id} is withdrawn; the limits are as they were", markup=False)


def history(lines: int, *, who: str | None, as_json: bool) -> None:
    """Proposals and versions."""
    with connected(who) as client:
        proposals = list(client.risk.ListLimitProposals(page_size=lines).proposals)
        versions = list(client.risk.ListLimitVersions(page_size=lines).versions)
    if as_json:
        told = {"proposals": [as_dict(p) for p in proposals], "versions": [as_dict(v) for v in versions]}
        show.document(told)
        return
    if proposals:
        rows = [
            (
                each.proposal_id,
                show.mark(state := word(each, "state"), None if state == "PENDING" else True),
                ", ".join([*(" ".join(filter(None, _row(x))) for x in each.put), *map(_gone, each.remove)]),
                each.proposed_by,
                each.decided_by,
                each.comment,
            )
            for each in proposals
        ]
        show.table(("proposal", "", "change", "by", "decided by", "why"), rows)
    rows = [(str(v.version), _since(v.create_time), v.proposed_by, v.approved_by, v.comment) for v in versions]
    show.table(("version ", "since", "proposed by", "approved by", "why"), rows)


def _gone(key: Any) -> str:
    kind = word(key, "kind").lower().replace("_", "-")
    return " ".join(filter(None, ("without", key.scope, kind, key.instrument)))


def _since(stamp: Any) -> str:
    return f"{stamp.ToDatetime():%Y-%m-%d} {moment(stamp)}"
