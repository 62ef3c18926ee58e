"""What `crossrate kill` does."""

from __future__ import annotations

import uuid
from typing import Any

from crossrate.cli import show
from crossrate.cli.desk import connected, moment, word
from crossrate.cli.requests import as_dict
from crossrate.cli.show import CommandError
from crossrate.client import Client

LAST = "last"
KINDS = ("platform", "desk", "account", "strategy", "instrument", "venue", "market")


def scope_of(text: str) -> dict[str, str]:
    """A scope from its words, "account:alpha".

    Raises:
        CommandError: it is none.
    """
    kind, _, name = text.partition(":")
    if kind not in KINDS or (kind == "platform") == bool(name):
        raise CommandError(f"{text!r} is no scope", "give platform, or one as account:alpha or instrument:EUR/USD")
    return {"kind": kind, "name": name}


def words_of(scope: Any) -> str:
    """A scope as a person writes it."""
    return f"{scope.kind}:{scope.name}" if scope.name else scope.kind


def engage(mode: str, scope: str, comment: str, *, dry_run: bool, who: str | None, as_json: bool) -> None:
    """Stops a scope."""
    from crossrate.api.common.v1 import gate_pb2

    number = gate_pb2.KillMode.Value(f"KILL_MODE_{mode.upper().replace('-', '_')}")
    with connected(who) as client:
        answer = client.risk.Engage(
            request_id=str(uuid.uuid4()), scope=scope_of(scope), mode=number, comment=comment, validate_only=dry_run
        )
    if as_json:
        show.document(as_dict(answer))
        return
    if dry_run:
        show.console().print(f"{mode} of {scope} could be engaged; nothing was stopped", markup=False)
        return
    told = "trading has committed it" if answer.applied else "risk refuses already, trading is being told"
    show.console().print(answer.kill.kill_id, show.mark(mode, False), f"of {scope}: {told}", markup=False)
    show.note(f"`crossrate kill certificates {answer.kill.kill_id}` shows every order that it found, and how it ended")


def status(*, who: str | None, as_json: bool) -> None:
    """What is stopped."""
    with connected(who) as client:
        state = client.risk.GetState().state
    if as_json:
        show.document(as_dict(state))
        return
    applied = "" if state.applied_version >= state.gate_version else ", which trading has not committed yet"
    head = "nothing is stopped" if not state.kills else f"{len(state.kills)} engaged"
    show.console().print(f"{head}, gate {state.gate_version}{applied}", markup=False)
    if state.kills:
        rows = [
            (k.kill_id, word(k, "mode").lower(), words_of(k.scope), moment(k.engage_time), k.engaged_by, k.comment)
            for k in state.kills
        ]
        show.table(("kill", "mode", "scope", "since", "by", "why"), rows)
    if state.proposals:
        rows = [(p.proposal_id, p.kill_id, p.proposed_by, p.comment) for p in state.proposals]
        show.table(("proposal to resume", "kill", "by", "why"), rows)
    if state.leases:
        rows = [(x.lease_id, words_of(x.scope), x.holder, moment(x.expire_time)) for x in state.leases]
        show.table(("dead-man lease", "scope", "holder", "runs out"), rows)


def _kill_id(client: Client, given: str) -> str:
    if given != LAST:
        return given
    kills = client.risk.GetState().state.kills
    if not kills:
        raise CommandError("nothing is stopped", "`crossrate kill certificates` lists what was")
    return kills[-1].kill_id


def resume(kill_id: str, comment: str, *, who: str | None, as_json: bool) -> None:
    """Proposes that a kill ends."""
    with connected(who) as client:
        asked = _kill_id(client, kill_id)
        answer = client.risk.ProposeResume(request_id=str(uuid.uuid4()), kill_id=asked, comment=comment)
    if as_json:
        show.document(as_dict(answer.proposal))
        return
    show.console().print(answer.proposal.proposal_id, "waits for somebody else's approval", markup=False)
    show.note(f"`crossrate kill approve {answer.proposal.proposal_id} --client second` approves it")


def approve(proposal: str, *, who: str | None, as_json: bool) -> None:
    """Approves a proposed resumption."""
    with connected(who) as client:
        if proposal == LAST:
            waiting = client.risk.GetState().state.proposals
            if not waiting:
                raise CommandError("no resumption waits", "`crossrate kill resume KILL -m WHY` proposes one")
            proposal = waiting[-1].proposal_id
        answer = client.risk.ApproveResume(request_id=str(uuid.uuid4()), proposal_id=proposal)
    if as_json:
        show.document(as_dict(answer.state))
        return
    left = len(answer.state.kills)
    show.console().print(f"it has ended; {f'{left} are engaged still' if left else 'nothing is stopped'}")


def certificates(kill_id: str, lines: int, *, who: str | None, as_json: bool) -> None:
    """All certificates, or one with its orders."""
    with connected(who) as client:
        if kill_id == LAST:
            newest = client.risk.ListCertificates(page_size=1).certificates
            kill_id = newest[0].certificate_id if newest else ""
        if kill_id:
            found = [client.risk.GetCertificate(certificate_id=kill_id).certificate]
        else:
            found = list(client.risk.ListCertificates(page_size=lines).certificates)
    if as_json:
        show.document([as_dict(each) for each in found])
        return
    if not found:
        show.note("nothing was ever stopped")
        return
    rows = [
        (
            each.certificate_id,
            word(each.kill, "mode").lower(),
            words_of(each.kill.scope),
            moment(each.commit_time),
            moment(each.complete_time) or show.mark(f"{each.unconfirmed_count} open", None),
            each.kill.comment,
        )
        for each in found
    ]
    show.table(("certificate", "mode", "scope", "committed", "complete", "why"), rows)
    if kill_id:
        _orders(found[0])


def _orders(certificate: Any) -> None:
    rows = [
        (
            each.account,
            each.client_order_id,
            each.instrument,
            word(each, "status_at_commit"),
            "must end" if each.must_end else "may go on",
            word(each, "final_status") if each.HasField("final_status") else show.mark("UNCONFIRMED", None),
            each.cum_quantity,
            moment(each.final_time),
        )
        for each in certificate.orders
    ]
    if rows:
        show.table(("account", "order", "instrument", "then", "", "ended", "filled ", "at"), rows)
    steps = [(s.account, s.instrument, s.quantity, s.price_bound, s.outcome) for s in certificate.steps]
    if steps:
        show.table(("account", "closing", "quantity ", "bound ", "outcome"), steps)
