"""Calls repeated by a candidate: what is sent, what is kept, and what is said of the answers."""

from __future__ import annotations

import base64
import dataclasses
import datetime as dt
import json
import uuid
from typing import Any

import pytest
from google.protobuf import message_factory

from crossrate.api.marketdata.v1 import marketdata_service_pb2 as marketdata
from crossrate.api.marketdata.v1 import quote_pb2
from crossrate.api.reference.v1 import reference_service_pb2 as reference
from crossrate.compare.message import Comparator
from crossrate.compare.pips import pip_of
from crossrate.rpc import errors
from crossrate.rpc.contract import MethodContract, contracts, find_method
from crossrate.rpc.mirror import Manner, Mirrored, manner_of
from services.control.releases import domain
from services.control.releases.domain import Kind, Phase, Seen, begun, decide, evolve
from services.control.releases.records import document_of, read_release
from services.control.releases.runner import share_of
from services.control.releases.specification import SpecificationError, read
from services.control.shadow.asking import Answer, Asking, NotRepeatable, instrument_of, prepared
from services.control.shadow.comparing import MethodComparison, summed
from services.control.shadow.plan import ShadowPlan
from services.control.shadow.record import PER_METHOD_MAX, RECORD_BYTES_MAX, Record
from services.control.shadow.streaming import compare_streams

NOW = dt.datetime(2026, 3, 2, 12, tzinfo=dt.UTC)
QUOTE, INSTRUMENT = find_method("GetQuote"), find_method("GetInstrument")


@pytest.mark.parametrize("contract", contracts().values(), ids=lambda c: c.name)
def test_nothing_is_sent_that_could_change_anything(contract: MethodContract) -> None:
    """Every method of the platform, with a request that asks to be executed: it is refused here, sent as a check with
    an id of its own, or has no side effects."""
    kind = message_factory.GetMessageClass(contract.input)
    given = kind()
    own = str(uuid.uuid4())
    if "request_id" in contract.input.fields_by_name:
        given.request_id = own
    executed = given.SerializeToString()
    if (field := contract.input.fields_by_name.get("validate_only")) is not None:
        # Once more, explicitly, behind everything else: the last one counts.
        executed += bytes((field.number << 3, 1)) + bytes((field.number << 3, 0))
    if contract.side_effects == "NONE" and not contract.client_streaming and contract.workload != "instance":
        assert prepared(contract, executed) == executed
        return
    if contract.side_effects == "VALIDATE_ONLY":
        sent = kind.FromString(prepared(contract, executed))
        assert sent.validate_only is True
        assert sent.request_id != own
        assert uuid.UUID(sent.request_id)
        return
    with pytest.raises(NotRepeatable, match="side effects"):
        prepared(contract, executed)


def test_what_is_no_request_is_not_sent() -> None:
    """Bytes that cannot be read cannot be made a check either."""
    with pytest.raises(NotRepeatable, match="no request"):
        prepared(find_method("SetInstrumentStatus"), b"\xff\xff")


def test_requests_name_their_pair() -> None:
    """As an instrument, or as base and counter."""
    assert instrument_of(marketdata.GetQuoteRequest(base="EUR", counter="USD")) == "EUR/USD"
    assert instrument_of(reference.ListCurrenciesRequest()) == ""


def call(path: str = INSTRUMENT.path, request: bytes = b"1", expires: float | None = None) -> Mirrored:
    """A call that was answered."""
    headers = {}
    if expires is not None:
        payload = base64.urlsafe_b64encode(json.dumps({"exp": expires}).encode()).rstrip(b"=")
        headers["x-crossrate-token"] = payload.decode()
    return Mirrored(0, path, "id", headers, request, b"", None, 0)


def test_the_record_is_bounded_and_gives_methods_in_turn() -> None:
    """The newest of each method are kept, up to a number and to bytes in all; calls of a token that ends are not
    repeated."""
    record = Record(lambda: 1000.0)
    for number in range(PER_METHOD_MAX + 5):
        record.keep(call(request=str(number).encode()))
    record.keep(call(QUOTE.path, b"quote"))
    turns = [record.next() for _ in range(4)]
    assert [t.request for t in turns if t] == [b"5", b"quote", b"6", b"quote"]
    for _ in range(20):
        record.keep(call(request=bytes(1 << 20)))
    assert record.size <= RECORD_BYTES_MAX
    short = Record(lambda: 1000.0)
    short.keep(call(expires=1002.0))
    assert short.next() is None
    short.keep(call(expires=1060.0))
    kept = short.next()
    assert kept is not None
    short.forget(kept)
    assert short.next() is None
    assert short.size == 0


def comparison(contract: MethodContract = QUOTE, **more: Any) -> MethodComparison:
    """The comparison of one method."""
    return MethodComparison(contract, Comparator(pip_of), ShadowPlan(**more), 0.01)


def quote(bid: float, sequence: int = 1) -> Answer:
    """An answer of GetQuote."""
    made = marketdata.GetQuoteResponse(quote=quote_pb2.Quote(instrument="EUR/USD", bid=bid, ask=1.2, sequence=sequence))
    return Answer(made.SerializeToString())


REQUEST = marketdata.GetQuoteRequest(base="EUR", counter="USD").SerializeToString()


def test_a_field_that_differs_fails_and_is_named_with_its_call() -> None:
    """A wrong bid in every call fails within fifty; the sentence names method, field, counts, an example and its
    call."""
    compared = comparison()
    for number in range(50):
        compared.take(REQUEST, f"call-{number}", quote(1.1), quote(1.11), quote(1.1))
    seen = summed([compared.seen()], 20, 0, "")
    assert seen.outcome == "FAIL"
    assert seen.explanation.startswith(
        "GetQuote: quote.bid differs in 50 of 50 calls, of stable with itself in 0 of 50; "
    )
    assert "(call call-0)" in seen.explanation
    assert seen.methods[0].fields[0].examples[0].request_id == "call-0"


def test_what_stable_answers_differently_itself_is_noise() -> None:
    """A bid that moves between any two calls does not fail a candidate that moves like it."""
    compared = comparison()
    for number in range(300):
        one, other, third = (1.1 + (number * k % 7) * 1e-4 for k in (1, 2, 3))
        compared.take(REQUEST, "id", quote(one), quote(other), quote(third))
    assert summed([compared.seen()], 20, 0, "").outcome != "FAIL"


def test_codes_and_reasons_of_failures_are_compared_and_words_are_not() -> None:
    """Another code, or another reason, differs; other words and another request id do not."""
    missing = errors.not_found("instrument", "EUR/XXX")
    spoken = errors.not_found("instrument", "EUR/XXX", "ask for another")
    assert spoken.message != missing.message
    compared = comparison(INSTRUMENT)
    for _ in range(50):
        compared.take(b"", "id", Answer(None, missing.to_status("a")), Answer(None, spoken.to_status("b")), None)
    assert compared.seen().fields == ()
    invalid = errors.invalid(("base", "is none"))
    for _ in range(50):
        compared.take(b"", "id", Answer(None, missing.to_status()), Answer(None, invalid.to_status()), None)
    (field,) = compared.seen().fields
    assert field.field == "status.code"
    assert (field.examples[0].stable, field.examples[0].candidate) == (
        "NOT_FOUND NOT_FOUND",
        "INVALID_ARGUMENT INVALID_REQUEST",
    )


def test_a_moment_without_room_is_not_compared_unless_only_the_candidate_has_none() -> None:
    """What stable could not answer says nothing; a candidate that is late where stable is not differs from it."""
    full = Answer(None, errors.too_many_requests(1, 0.1).to_status())
    compared = comparison()
    compared.take(REQUEST, "id", full, quote(1.1), quote(1.1))
    compared.take(REQUEST, "id", quote(1.1), quote(1.1), full)
    assert (compared.calls, compared.skipped) == (0, 2)
    compared.take(REQUEST, "id", quote(1.1), full, quote(1.1))
    assert compared.seen().fields[0].field == "status.code"


def test_too_few_calls_are_not_enough_and_told_how_many() -> None:
    """Before the number of calls is reached the sentence says how many are missing, and why none come."""
    compared = comparison()
    compared.take(REQUEST, "id", quote(1.1), quote(1.1), quote(1.1))
    seen = summed([compared.seen()], 20, 3, "reference-1 does not hand on its calls")
    assert (seen.outcome, seen.calls_needed, seen.dropped) == ("NOT_ENOUGH_DATA", 19, 3)
    assert "about 19 more calls needed" in seen.explanation
    assert "does not hand on" in seen.explanation
    for _ in range(19):
        compared.take(REQUEST, "id", quote(1.1), quote(1.1), quote(1.1))
    assert summed([compared.seen()], 20, 0, "").outcome == "PASS"


def test_prices_that_are_off_by_less_than_a_call_may_be_drift() -> None:
    """A bid that is 0.2 pip too high in one pair differs in no call, and fails for that pair with its mean."""
    compared = comparison()
    for _ in range(400):
        compared.take(REQUEST, "id", quote(1.1), quote(1.10002), quote(1.1))
    seen = summed([compared.seen()], 20, 0, "")
    assert seen.outcome == "FAIL"
    assert seen.explanation.startswith("GetQuote: quote.bid of EUR/USD is off by +0.2 pip on average of 400 calls")
    assert [f.field for f in seen.methods[0].fields] == ["quote.bid of EUR/USD"]


class Streams(Asking):
    """Streams of messages that are given, by socket."""

    def __init__(self, **messages: list[Any]) -> None:
        super().__init__()
        self._messages = messages

    async def stream(self, socket, contract, request, headers, request_id, take, bounds) -> Answer:
        """Tells a stream's messages."""
        for message in self._messages[socket]:
            take(message.SerializeToString())
        return Answer(b"")


def streamed(bid: float, skip: int = -1) -> list[Any]:
    """Messages of a stream of quotes, one of them left out."""
    made = []
    for number in range(40):
        message = marketdata.StreamQuotesResponse()
        message.position.cursor = f"at {number}"
        message.quotes.quotes.add(instrument="EUR/USD", bid=bid)
        made.append(message)
    return [message for number, message in enumerate(made) if number != skip]


async def test_streams_are_compared_message_by_message() -> None:
    """A wrong price in a stream's messages, and a message that is missing, are found; equal streams do not differ."""
    contract = find_method("StreamQuotes")
    for candidate, fields in (
        (streamed(1.1), set()),
        (streamed(1.2), {"quotes.quotes[].bid", "quotes.quotes[].bid of EUR/USD"}),
        (streamed(1.1, skip=20), {"[].quotes"}),
    ):
        compared = comparison(contract)
        asking = Streams(stable=streamed(1.1), again=streamed(1.1), candidate=candidate)
        await compare_streams(asking, compared, call(contract.path, b""), ("stable", "candidate", "again"))
        assert {each.field for each in compared.seen().fields} == fields
        assert compared.calls >= 39


def specification(**more: Any) -> Any:
    """A specification of a shadow."""
    document = {"service": "reference", "candidate": {"version": "2"}, "strategy": "shadow"} | more
    return read(document, ["reference", "pricing"], [])


def test_specifications_name_what_cannot_be_repeated() -> None:
    """Methods that are none, or have side effects that cannot be left out, are named with their place; a shadow alone
    has no steps."""
    with pytest.raises(SpecificationError) as caught:
        specification(shadow={"methods": ["GetInstrument", "GetInstruments"]})
    assert caught.value.problems[0][0] == "shadow.methods[1]"
    with pytest.raises(SpecificationError, match="never repeated"):
        specification(service="pricing", shadow={"methods": ["TakeQuote"]})
    with pytest.raises(SpecificationError, match=r"\[shadow\]"):
        specification(steps=[{"weight_percent": 5, "duration": "1m"}])


def stepping(**more: Any) -> domain.Release:
    """A release at its shadow."""
    release = begun(domain.Release("id", "shadow", specification(**more), NOW), "local")
    decision = decide(release, Seen(serving=1, gate_passed=True), NOW)
    assert decision is not None
    return evolve(release, decision)


def test_a_shadow_alone_completes_with_what_it_has_found() -> None:
    """It moves no call; when its time is over it ends, passed or not, and its cause is what was found."""
    release = stepping(shadow={"duration": "10s"})
    assert (release.phase, release.weight, release.shadows, share_of(release)) == (Phase.STEPPING, 0, True, None)
    seen = Seen(serving=1, gate_passed=True, may_go_on=False, compared="not enough data")
    assert decide(release, seen, NOW + dt.timedelta(seconds=9)) is None
    ending = decide(release, seen, NOW + dt.timedelta(seconds=10))
    assert ending is not None
    assert (ending.kind, ending.cause) == (Kind.COMPLETING, "not enough data")
    release = evolve(release, ending)
    assert decide(release, Seen(), NOW) is None
    with pytest.raises(domain.Refused):
        domain.abort(release, "local", "", NOW)
    done = decide(release, Seen(candidate_gone=True), NOW)
    assert done is not None
    release = evolve(release, done)
    assert release.phase is Phase.COMPLETED
    assert release.phase.over


def test_a_canary_waits_for_its_shadow() -> None:
    """Steps begin when the time is over and the shadow has passed; a field that differs takes it back."""
    release = stepping(strategy="canary", shadow={"duration": "10s"}, steps=[{"weight_percent": 5, "duration": "1m"}])
    later = NOW + dt.timedelta(seconds=11)
    assert decide(release, Seen(serving=1, gate_passed=True, may_go_on=False), later) is None
    against = decide(release, Seen(serving=1, gate_passed=True, verdict="bid differs"), NOW)
    assert against is not None
    assert against.kind is Kind.ABORTING
    passed = decide(release, Seen(serving=1, gate_passed=True, compared="no field differs"), later)
    assert passed is not None
    assert (passed.kind, passed.cause, passed.weight) == (Kind.STEPPED, "no field differs", 500)
    share = share_of(evolve(release, passed))
    assert share is not None
    assert share.weight == 500


def test_reports_outlive_control() -> None:
    """What a shadow has found comes back from the release's record as it was."""
    compared = comparison()
    for number in range(20):
        compared.take(REQUEST, f"call-{number}", quote(1.1), quote(1.11), quote(1.1))
    kept = dataclasses.replace(stepping(), shadow=summed([compared.seen()], 20, 0, ""))
    assert read_release(json.loads(json.dumps(document_of(kept)))) == kept


def test_streams_are_repeated_as_streams() -> None:
    """A stream of answers without side effects has a manner of its own."""
    assert manner_of(find_method("StreamQuotes")) is Manner.STREAM
