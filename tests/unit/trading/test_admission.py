"""What risk said reaches reports and answers as it was said."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from crossrate.api.common.v1 import check_pb2
from crossrate.api.risk.v1 import pretrade_service_pb2 as risk_pb
from crossrate.api.trading.v1 import execution_pb2, order_entry_pb2
from services.trading.admission import Admission

CHECKS = st.builds(
    check_pb2.Check,
    kind=st.integers(1, 15),
    scope=st.text(max_size=40),
    passed=st.booleans(),
    text=st.text(max_size=200) | st.just("x" * 20_000),
    value=st.sampled_from(["", "1", "123456.7891"]),
)
QUOTES = st.builds(execution_pb2.QuoteSeen, bid=st.just("1.1"), ask=st.just("1.2"), sequence=st.integers(1, 1 << 40))


@given(st.lists(CHECKS, max_size=25), st.none() | QUOTES, st.sampled_from(["", "USD"]))
def test_checks_and_quote_are_the_same_everywhere(checks, quote, currency) -> None:
    """Of any length and number, with and without a quote, and nothing else of what risk said."""
    said = risk_pb.Authorisation(authorised=True, checks=checks, quote_seen=quote, first_limit=2)
    if currency:
        said.margin_currency, said.equity, said.margin_free, said.margin_after = currency, "10", "7", "3"
    admission = Admission(risk_pb.Authorisation.FromString(said.SerializeToString()), 1)
    report = execution_pb2.ExecutionReport.FromString(admission.seen)
    answer = order_entry_pb2.PlaceOrderResponse.FromString(admission.answered)
    assert list(report.checks) == list(answer.checks) == checks
    for told in (report, answer):
        assert told.HasField("quote_seen") == (quote is not None)
        assert quote is None or told.quote_seen == quote
    assert report == execution_pb2.ExecutionReport(checks=checks, quote_seen=quote)
    assert answer.first_limit == 1
    assert answer.HasField("margin") == bool(currency)
    assert (answer.margin.free_after, answer.margin.used_after) == (("7", "3") if currency else ("", ""))
