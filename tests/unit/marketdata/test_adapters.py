"""What adapters read: FIX market data, messages of NATS, rows of files. Without a connection."""

import asyncio
import json
import math
from pathlib import Path

import numpy as np
import pytest
from google.protobuf import json_format
from hypothesis import given
from hypothesis import strategies as st

from crossrate.api.marketdata.v1 import quote_pb2 as pb
from crossrate.files.shapes import shape_of
from crossrate.fix.message import Framer, Message, encoded
from crossrate.ticks.clock import Clock
from services.marketdata.adapters import from_nats
from services.marketdata.adapters.fix_books import NO_PRICE, NO_SYMBOL, UNKNOWN_ENTRY, Books
from services.marketdata.adapters.replay import _Pace
from services.marketdata.adapters.replay_rows import digest, merged
from services.marketdata.domain.normalise import GAPPED, IN_UTC, WITHDRAWN
from services.marketdata.feeds import ReplayFeed

SENT = "20260102-15:04:05.678"
SENT_NS = 1_767_366_245_678_000_000
MILLISECOND = 1_000_000


def message(kind: str, *body) -> Message:
    return Framer().feed(encoded([(35, kind), (49, "V"), (56, "C"), (34, 7), (52, SENT)], body))[0]


def books(clock: str = "UTC", *, top_only: bool = True, entry_time: bool = True, **more) -> Books:
    return Books(Clock.parse(clock), **{"depth": int(top_only), "entry_time": entry_time} | more)


def snapshot(*entries, symbol: str = "EURUSD") -> Message:
    return message("W", (55, symbol), (268, len(entries)), *[field for entry in entries for field in entry])


def side(kind: int, price: object, size: object = 1, *more) -> list:
    return [(269, kind), (270, price), (271, size), *more]


def change(action: int, *fields) -> list:
    return [(279, action), *fields]


def increments(*entries) -> Message:
    return message("X", (268, len(entries)), *[field for entry in entries for field in entry])


def test_the_top_of_a_book_is_best_bid_and_ask():
    """Of a deep snapshot the best of each side counts, with all that is shown at it."""
    these = books(top_only=False)
    (raw,) = these.snapshot(snapshot(side(0, 1.1, 5), side(0, 1.2, 3), side(0, 1.2, 4), side(1, 1.3), side(1, 1.4)))
    assert (raw.symbol, raw.bid, raw.bid_quantity, raw.ask, raw.ask_quantity) == ("EURUSD", 1.2, 4.0, 1.3, 1.0)
    these = books(top_only=False)
    (raw,) = these.snapshot(snapshot(*[side(0, 1.2, n, (278, f"b{n}")) for n in (3, 4)], side(1, 1.3, 1, (278, "a"))))
    assert raw.bid_quantity == 7.0


def test_updates_by_identity_by_price_and_by_side():
    """New, change and delete find their entry by MDEntryID, else by price, else, for the top alone, by side."""
    these = books(top_only=False)
    these.snapshot(snapshot(side(0, 1.1, 1, (278, "b1")), side(1, 1.3, 1, (278, "a1"))))
    (raw,) = these.incremental(increments(change(0, *side(0, 1.2, 9, (278, "b2"), (55, "EURUSD")))))
    assert (raw.bid, raw.bid_quantity) == (1.2, 9.0)
    (raw,) = these.incremental(increments(change(1, (278, "b2"), (55, "EURUSD"), (271, 4))))
    assert (raw.bid, raw.bid_quantity) == (1.2, 4.0)
    (raw,) = these.incremental(increments(change(1, *side(0, 1.25, 2, (278, "b3"), (280, "b2"), (55, "EURUSD")))))
    assert (raw.bid, raw.bid_quantity) == (1.25, 2.0)
    (raw,) = these.incremental(increments(change(2, (278, "b3"), (55, "EURUSD"))))
    assert raw.bid == 1.1
    by_price = books(top_only=False)
    by_price.snapshot(snapshot(side(0, "1.1"), side(0, "1.2"), side(1, "1.3")))
    (raw,) = by_price.incremental(increments(change(2, (269, 0), (270, "1.2"), (55, "EURUSD"))))
    assert raw.bid == 1.1
    by_side = books()
    by_side.snapshot(snapshot(side(0, 1.1), side(1, 1.3)))
    (raw,) = by_side.incremental(increments(change(0, *side(0, 1.05), (55, "EURUSD")), change(1, *side(1, 1.06))))
    assert (raw.bid, raw.ask) == (1.05, 1.06)


def test_a_message_of_several_symbols_gives_one_quote_each():
    """An entry without a symbol is of the one before it; a message without any is no quote."""
    these = books()
    these.snapshot(snapshot(side(0, 1.1), side(1, 1.3)))
    these.snapshot(snapshot(side(0, 150), side(1, 151), symbol="USDJPY"))
    raws = these.incremental(
        increments(
            change(1, *side(0, 1.2), (55, "EURUSD")),
            change(1, *side(1, 1.21)),
            change(1, *side(0, 149), (55, "USDJPY")),
        )
    )
    assert [(raw.symbol, raw.bid, raw.ask) for raw in raws] == [("EURUSD", 1.2, 1.21), ("USDJPY", 149.0, 151.0)]
    assert these.incremental(increments(change(1, *side(0, 1.2)))) == []
    assert these.snapshot(message("W", (268, 0))) == []
    assert these.rejected == [NO_SYMBOL, NO_SYMBOL]


def test_a_side_that_is_gone_withdraws_the_quote():
    """What has one side is no price to trade on."""
    these = books()
    (raw,) = these.snapshot(snapshot(side(0, 1.1)))
    assert raw.note == WITHDRAWN
    these.snapshot(snapshot(side(0, 1.1), side(1, 1.3)))
    (raw,) = these.incremental(increments(change(2, (269, 1), (55, "EURUSD"))))
    assert raw.note == WITHDRAWN


def test_entries_that_are_none_are_told():
    """Prices that are no numbers, and entries that are not there; trades are of no interest."""
    these = books()
    these.snapshot(snapshot(side(0, "x"), side(1, 1.3)))
    these.incremental(increments(change(2, (278, "zz"), (55, "EURUSD")), change(2, (269, 0), (55, "EURUSD"))))
    assert these.rejected == [NO_PRICE, UNKNOWN_ENTRY, UNKNOWN_ENTRY]
    assert these.incremental(increments(change(0, *side(2, 1.2), (55, "EURUSD")))) == []


def test_a_gap_by_report_numbers_lasts_until_a_snapshot():
    """Exactly what is missing is counted; the symbol is GAPPED, no other is, and the snapshot heals it."""
    these = books()
    these.snapshot(snapshot(side(0, 1.1), side(1, 1.3, 1, (83, 10))))
    these.snapshot(snapshot(side(0, 150), side(1, 151), symbol="USDJPY"))

    def tick(number: int) -> list:
        return these.incremental(increments(change(1, *side(0, 1.2), (55, "EURUSD"), (83, number))))

    assert tick(11)[0].note == IN_UTC
    assert tick(14)[0].note == IN_UTC | GAPPED
    assert tick(15)[0].note == IN_UTC | GAPPED
    assert tick(15) == []
    assert (these.missing, these.broken) == (2, {"EURUSD"})
    assert these.incremental(increments(change(1, *side(0, 149), (55, "USDJPY"))))[0].note == IN_UTC
    assert these.snapshot(snapshot(side(0, 1.1), side(1, 1.3, 1, (83, 20))))[0].note == IN_UTC
    assert these.broken == set()
    assert tick(21)[0].note == IN_UTC
    these.forget()
    assert these.broken == {"EURUSD", "USDJPY"}


TAGS = st.sampled_from([55, 83, 268, 269, 270, 271, 272, 273, 278, 279, 280, 290])
VALUES = st.one_of(
    st.sampled_from(["0", "1", "2", "3", "4", "5", "EURUSD", "nan", "1_0", "1e999", "9" * 5000, "-1"]),
    st.text("01.9:", max_size=9),
)


@given(
    st.lists(
        st.tuples(st.sampled_from("WX"), st.lists(st.tuples(TAGS, VALUES.filter(bool)), max_size=12)), max_size=12
    ),
    st.sampled_from(["auto", "id", "price", "position", "slot"]),
    st.integers(0, 3),
)
def test_whatever_a_venue_sends_nothing_but_quotes_comes_of_it(messages, entry_key, depth):
    """No field of any message raises, and no price is anything but a finite number."""
    these = books(entry_key=entry_key, depth=depth)
    for kind, fields in messages:
        sent = message(kind, *fields)
        for raw in these.snapshot(sent) if kind == "W" else these.incremental(sent):
            assert math.isfinite(raw.bid)
            assert math.isfinite(raw.ask)


@pytest.mark.parametrize(
    ("fields", "clock", "expected", "note"),
    [
        ([], "UTC", SENT_NS, IN_UTC),
        ([(272, "20260102"), (273, "15:04:05.600")], "UTC", SENT_NS - 78 * MILLISECOND, 0),
        ([(273, "15:04:05.600")], "UTC", SENT_NS - 78 * MILLISECOND, 0),
        # 20:04 on a clock five hours ahead; and 01:04 of the next day on one ten hours ahead.
        ([(273, "20:04:05.678")], "UTC+05:00", SENT_NS + 5 * 3_600_000 * MILLISECOND, 0),
        ([(273, "01:04:05.678")], "UTC+10:00", SENT_NS + 10 * 3_600_000 * MILLISECOND, 0),
        ([(273, "nonsense")], "UTC", SENT_NS, IN_UTC),
    ],
)
def test_the_venue_time_is_the_entrys(fields, clock, expected, note):
    """On the venue's clock, on the day that is nearest to the SendingTime if it names none; else the SendingTime."""
    (raw,) = books(clock).snapshot(snapshot(side(0, 1.1), side(1, 1.3, 1, *fields)))
    assert (raw.venue_time, raw.note) == (expected, note)
    (raw,) = books(clock, entry_time=False).snapshot(snapshot(side(0, 1.1), side(1, 1.3, 1, *fields)))
    assert (raw.venue_time, raw.note) == (SENT_NS, IN_UTC)


def quote() -> pb.Quote:
    made = pb.Quote(instrument="EUR/USD", bid=1.1, ask=1.2, bid_quantity=5, sequence=3, health=pb.QUOTE_HEALTH_LIVE)
    made.venue_time.FromNanoseconds(SENT_NS + 123)
    return made


def test_a_quote_comes_as_protobuf_or_as_json():
    """Both say the same; names as in JSON or as in the contract."""
    binary = from_nats.read(quote().SerializeToString())
    text = from_nats.read(json_format.MessageToJson(quote()).encode())
    plain = from_nats.read(json_format.MessageToJson(quote(), preserving_proto_field_name=True).encode())
    assert binary == text == plain == ("EUR/USD", 1.1, 1.2, 5.0, 0.0, SENT_NS + 123, 3, IN_UTC)


@pytest.mark.parametrize(
    ("change", "note"),
    [({"venueTime": "2026-01-02T15:04:05.678"}, 0), ({"venueTime": "2026-01-02T17:04:05.678+02:00"}, IN_UTC)],
)
def test_a_time_without_a_zone_is_the_venues(change, note):
    """One with a zone is turned into UTC."""
    raw = from_nats.read(json.dumps({"instrument": "EUR/USD", "bid": 1, "ask": "2"} | change).encode())
    assert (raw.venue_time, raw.note, raw.ask) == (SENT_NS, note, 2.0)


def test_a_quote_that_is_not_live_withdraws():
    """A publisher that says STALE means that there is no price."""
    stale = quote()
    stale.health = pb.QUOTE_HEALTH_STALE
    assert from_nats.read(stale.SerializeToString()).note == WITHDRAWN
    assert from_nats.read(b'{"instrument": "EUR/USD", "health": "QUOTE_HEALTH_CLOSED"}').note == WITHDRAWN


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (b"", from_nats.NO_INSTRUMENT),
        (b"\xff\xff", from_nats.MALFORMED),
        (b"{", from_nats.MALFORMED),
        (b"{}", from_nats.NO_INSTRUMENT),
        (b'{"instrument": 5}', from_nats.NO_INSTRUMENT),
        (b'{"instrument": "EUR/USD", "bidd": 1}', from_nats.UNKNOWN_FIELD),
        (b'{"instrument": "EUR/USD", "bid": true}', from_nats.MALFORMED),
        (b'{"instrument": "EUR/USD", "bid": [1]}', from_nats.MALFORMED),
        (b'{"instrument": "EUR/USD", "venue_time": 5}', from_nats.MALFORMED),
        (b'{"instrument": "EUR/USD", "venue_time": "noon"}', from_nats.MALFORMED),
        (b'{"instrument": "EUR/USD", "sequence": -1}', from_nats.MALFORMED),
        (b'{"instrument": "EUR/USD", "sequence": 1e999}', from_nats.MALFORMED),
        (b'{"instrument": "EUR/USD", "health": "FINE"}', from_nats.MALFORMED),
    ],
)
def test_what_is_no_quote_has_a_reason(payload, reason):
    """Nothing raises, whatever comes."""
    assert from_nats.read(payload) == reason


def test_a_missing_price_is_none():
    """It is not zero: the normaliser says which of the two it was."""
    assert math.isnan(from_nats.read(b'{"instrument": "EUR/USD", "ask": 1}').bid)


def write(path: Path, rows: list[tuple[int, float]]) -> Path:
    """A file of quotes, times in milliseconds since the year began."""
    lines = ["time,bid,ask"]
    for time_ms, bid in rows:
        moment = np.datetime64("2026-01-02T00:00:00.000") + np.timedelta64(time_ms, "ms")
        lines.append(f"{moment}Z,{bid:.5f},{bid + 0.0001:.5f}")
    path.write_text("\n".join(lines) + "\n")
    return path


def all_rows(paths: list[Path], skip: int = 0) -> list[tuple[int, str, float]]:
    rejected: list = []
    shape = shape_of("generic")
    found = []
    for rows in merged(paths, shape, None, lambda *line: rejected.append(line), skip=skip):
        found += zip(
            rows.venue_time.tolist(), [rows.instruments[w] for w in rows.which], rows.bid.tolist(), strict=True
        )
    return found


def test_rows_of_several_files_come_in_one_order(tmp_path):
    """By time, then by file, then as they stand; a row that is late in its file keeps its turn."""
    eur = write(tmp_path / "EURUSD_1.csv", [(0, 1.1), (10, 1.2), (5, 1.3), (20, 1.4)])
    jpy = write(tmp_path / "USDJPY_1.csv", [(5, 150.0), (10, 151.0), (30, 152.0)])
    late = write(tmp_path / "EURUSD_2.csv", [(40, 1.5), (50, 1.6)])
    found = all_rows([late, jpy, eur])
    assert [(name, bid) for _, name, bid in found] == [
        ("EUR/USD", 1.1),
        ("USD/JPY", 150.0),
        ("USD/JPY", 151.0),
        ("EUR/USD", 1.2),
        ("EUR/USD", 1.3),
        ("EUR/USD", 1.4),
        ("USD/JPY", 152.0),
        ("EUR/USD", 1.5),
        ("EUR/USD", 1.6),
    ]
    for skip in range(len(found) + 2):
        assert all_rows([late, jpy, eur], skip) == found[skip:]


def test_another_run_of_the_files_is_told_apart(tmp_path):
    """Other bytes, another shape, another instrument or another name of the run: another place."""
    path, shape = write(tmp_path / "EURUSD.csv", [(0, 1.1)]), shape_of("generic")
    first = digest([path], shape, None, "")
    assert first == digest([path], shape, None, "")
    others = {
        digest([path], shape, None, "again"),
        digest([path], shape, "EUR/USD", ""),
        digest([path, path], shape, None, ""),
    }
    others.add(digest([path], shape_of("generic", clock="Europe/London"), None, ""))
    write(path, [(0, 1.2)])
    others.add(digest([path], shape, None, ""))
    assert len(others | {first}) == 6


async def test_rows_are_due_at_their_speed():
    """At ten times the speed a second of the file takes a tenth; pauses can be cut; times are those of now."""
    passed = [0]
    keys = np.array([0, 1000, 2000, 100_000_000]) * MILLISECOND
    spec = ReplayFeed(kind="replay", paths=("x",), shape="generic", speed=10.0, wait_s_max=5.0)
    pace = _Pace(spec, lambda: 7 * MILLISECOND, lambda: passed[0])
    assert await pace.due(keys) == 1
    passed[0] = 100 * MILLISECOND
    assert await pace.due(keys[1:]) == 1
    assert pace.times(keys[:3]).tolist() == [7 * MILLISECOND, 107 * MILLISECOND, 207 * MILLISECOND]
    passed[0] = 200 * MILLISECOND
    assert await pace.due(keys[2:]) == 1
    waiting = asyncio.ensure_future(pace.due(keys[3:]))
    await asyncio.sleep(0)
    passed[0] += 5_000 * MILLISECOND
    waiting.cancel()
    assert await pace.due(keys[3:]) == 1
    kept = _Pace(spec.model_copy(update={"times": "kept"}), lambda: 7, lambda: 0)
    assert kept.times(keys).tolist() == keys.tolist()
