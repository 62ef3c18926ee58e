"""Corrections by two persons: one proposes, another decides. Booked is the reverse of an entry, or an adjustment."""

from __future__ import annotations

from datetime import date, datetime

from crossrate.api.ledger.v1 import correction_pb2, ledger_events_pb2
from crossrate.api.ledger.v1 import movement_service_pb2 as pb
from crossrate.rpc import errors
from crossrate.rpc.call import granted_accounts
from crossrate.rpc.errors import ErrorReason, Failure
from services.ledger import messages
from services.ledger.domain.entry import TRADES, Entry, Kind, Purpose, reverse
from services.ledger.domain.postings import transfer
from services.ledger.service.booking import day_of, money_of, open_account
from services.ledger.store import corrections
from services.ledger.store.books import STREAM, Writing

COUNTERPARTY = "adjustment"


async def propose(
    writing: Writing, request: pb.ProposeCorrectionRequest, who: str, now: datetime
) -> pb.ProposeCorrectionResponse:
    """Writes a proposal down, if it could be booked as things stand.

    Raises:
        Failure: it could not.
    """
    if bool(request.reverses) == request.HasField("adjustment"):
        raise errors.invalid(("reverses", "give an entry to reverse or an adjustment, one of the two"))
    await open_account(writing, request.account)
    if request.reverses:
        await _to_reverse(writing, request.account, request.reverses)
        waiting = await corrections.waiting_for(writing.connection, request.account, request.reverses)
        if waiting:
            raise errors.wrong_state("PROPOSED", f"reverses: correction {waiting} of that entry waits for approval")
    else:
        _adjustment(request.adjustment, now.date())
    correction = correction_pb2.Correction(
        correction_id=request.request_id,
        account=request.account,
        reverses=request.reverses,
        reason=request.reason,
        state=correction_pb2.CORRECTION_STATE_PROPOSED,
        proposed_by=who,
    )
    if request.HasField("adjustment"):
        correction.adjustment.CopyFrom(request.adjustment)
    correction.propose_time.FromDatetime(now)
    await corrections.put(writing.connection, correction)
    return pb.ProposeCorrectionResponse(correction=correction)


async def decide(
    writing: Writing, request: pb.ApproveCorrectionRequest, who: str, now: datetime, method: str
) -> pb.ApproveCorrectionResponse:
    """Books a proposal or refuses it.

    Raises:
        Failure: it is decided already, the same person proposed it, or it can no longer be booked.
    """
    correction = await corrections.lock(writing.connection, request.correction_id, granted_accounts())
    if correction is None:
        raise errors.not_found("correction", request.correction_id, "ListCorrections names them")
    if correction.state != correction_pb2.CORRECTION_STATE_PROPOSED:
        state = correction_pb2.CorrectionState.Name(correction.state)
        raise errors.wrong_state(state, f"correction_id: {correction.decided_by} has decided this correction")
    if correction.proposed_by == who and not request.reject:
        raise Failure(
            ErrorReason.CALLER_NOT_ALLOWED,
            f"{who} proposed this correction: it takes another person to approve it",
            metadata={"method": method, "caller": who},
        )
    correction.decided_by = who
    correction.decide_time.FromDatetime(now)
    answer = pb.ApproveCorrectionResponse()
    if request.reject:
        correction.state = correction_pb2.CORRECTION_STATE_REJECTED
    else:
        correction.state = correction_pb2.CORRECTION_STATE_APPROVED
        entry = await _book(writing, correction, who, now.date())
        correction.entry = entry.sequence
        answer.entry.CopyFrom(messages.entry_message(entry))
    await corrections.put(writing.connection, correction)
    answer.correction.CopyFrom(correction)
    return answer


async def _book(writing: Writing, correction: correction_pb2.Correction, who: str, today: date) -> Entry:
    kept = await open_account(writing, correction.account)
    if correction.reverses:
        kind, reference = Kind.REVERSAL, f"reversal:{correction.reverses}"
        postings = reverse((await _to_reverse(writing, correction.account, correction.reverses)).postings)
    else:
        kind, reference = Kind.ADJUSTMENT, correction.correction_id
        currency, amount, day = _adjustment(correction.adjustment, today)
        postings = transfer(currency, amount, day, Purpose.ADJUSTMENT, COUNTERPARTY)
    kept.post(
        Entry(
            correction.account,
            kind,
            reference,
            0,
            postings=postings,
            reverses=correction.reverses,
            entered_by=correction.proposed_by,
            approved_by=who,
            text=correction.reason,
        )
    )
    (entry,) = await writing.flush()
    return entry


async def _to_reverse(writing: Writing, account: str, number: int) -> Entry:
    row = await writing.connection.fetchrow(
        "SELECT e.kind, e.reversed, j.payload FROM entry e JOIN journal j ON j.stream = $1 AND j.seq = e.seq "
        "WHERE e.seq = $2 AND e.account = $3",
        STREAM,
        number,
        account,
    )
    if row is None:
        raise errors.not_found("entry", str(number), f"account {account} has none of that number")
    kind = Kind(row["kind"])
    if kind in TRADES:
        words = "a trade is corrected by its venue's report, so that orders and books stay one"
        raise errors.wrong_state(kind.name, f"reverses: entry {number} is a {kind.name}: {words}")
    if row["reversed"]:
        raise errors.wrong_state("REVERSED", f"reverses: entry {number} is reversed already")
    return messages.entry_of(ledger_events_pb2.EntryPosted.FromString(row["payload"]).entry)


def _adjustment(adjustment: correction_pb2.Adjustment, today: date) -> tuple[str, int, date]:
    amount = money_of("adjustment.amount", adjustment.amount, "adjustment.currency", adjustment.currency)
    if not amount:
        raise errors.invalid(("adjustment.amount", "is zero"))
    return adjustment.currency, amount, day_of("adjustment.value_date", adjustment, "value_date", today)
