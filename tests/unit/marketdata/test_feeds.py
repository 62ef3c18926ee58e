"""The declaration of feeds: what is taken, and how what is wrong is told."""

import itertools
import random
import re
from pathlib import Path

import pytest

from services.marketdata import feeds
from services.marketdata.domain.backoff import Backoff
from services.marketdata.domain.normalise import Mapped
from services.marketdata.feeds import FeedsInvalid, FixFeed, NatsFeed, parse

FIX = """
[feeds.a]
kind = "fix"
host = "{host}"
port = 4001
sender_comp_id = "HOUSE"
target_comp_id = "VENUE"
instruments = ["EUR/USD"]
"""


def test_the_default_is_the_simulated_feed_alone():
    """What is shipped connects to nobody."""
    assert [(name, spec.kind) for name, spec in feeds.load().feeds.items()] == [("simulated", "simulated")]


def test_the_examples_in_the_file_are_right():
    """Uncommented, each example is a feed."""
    lines = feeds.DEFAULT_PATH.read_text().splitlines()
    text = "\n".join(re.sub(r"^# ?(?=\[feeds|\[daily|[a-z_]+ = )", "", line) for line in lines)
    declared = parse(text, "feeds.toml")
    assert [(name, file.layout) for name, file in declared.daily.items()] == [("fixings", "wide"), ("custody", "long")]
    found = declared.feeds
    assert [(name, spec.kind) for name, spec in found.items()] == [
        ("simulated", "simulated"),
        ("rerun", "replay"),
        ("lmax", "fix"),
        ("desk", "nats"),
    ]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("feeds = [", "f.toml: is not TOML"),
        ("", "f.toml: feeds: is missing"),
        (FIX + '[daily.d]\npath = "a"\nlayout = "wide"', "daily.d: a wide file needs `base`"),
        (
            FIX + '[daily.d]\npath = "a"\nlayout = "long"\nbas = "EUR"',
            "daily.d.bas: there is no such field; did you mean",
        ),
        (FIX + '[daily.d]\npath = "a"\nlayout = "tall"', "daily.d.layout: Input should be 'wide' or 'long'"),
        (FIX + '[daily.ecb]\npath = "a"\nlayout = "long"', "daily.ecb: the name stands for the European Central Bank"),
        (FIX + '[daily.d]\npath = "a"\nlayout = "long"\ndate_format = "%d.%m."', "it says year, month and day"),
        ("[feeds]", "f.toml: feeds: Dictionary should have at least 1 item"),
        ('[feeds.x]\nkind = "fox"', "f.toml: feeds.x.kind: 'fox' is none of simulated, replay, fix, nats"),
        ("[feeds.x]\nport = 1", "f.toml: feeds.x.kind: is missing; it is one of simulated"),
        (FIX.format(host="h") + "portt = 1", "f.toml: feeds.a.portt: there is no such field; did you mean 'port'?"),
        (
            FIX.format(host="h") + "outliers = {floor = 1}",
            "feeds.a.outliers.floor: there is no such field; did you mean",
        ),
        (
            FIX.format(host="h").replace("4001", "400100"),
            "feeds.a.port: Input should be less than or equal to 65535 (it is",
        ),
        (FIX.format(host="h").replace("EUR/USD", "EURUSD"), "feeds.a.instruments.0: String should match"),
        (FIX.format(host="h") + 'clock = "Mars/Olympus"', "feeds.a.clock: 'Mars/Olympus' is no zone"),
        (FIX.format(host="h") + 'symbol_form = "{base}"', "feeds.a: symbol_form has {base} and {counter} once each"),
        (FIX.format(host="h").replace('["EUR/USD"]', "[]"), "feeds.a: name `instruments`, or set security_list"),
        (
            FIX.format(host="venue.example") + 'password_file = "p"',
            "feeds.a: a password would go to venue.example in plain",
        ),
        ('[feeds.composite]\nkind = "nats"\nsubject = "crossrate.marketdata.v1.quotes_in.x"', "choose another"),
        ('[feeds.other]\nkind = "simulated"', "and no other, is called 'simulated'"),
        (
            '[feeds.Big]\nkind = "nats"\nsubject = "crossrate.marketdata.v1.quotes_in.x"',
            "feeds.Big: String should match",
        ),
        ('[feeds.n]\nkind = "nats"\nsubject = "crossrate.risk.v1.x"', "feeds.n.subject: it is not below"),
        ('[feeds.r]\nkind = "replay"\npaths = ["x"]\nshape = "nonsense"', "feeds.r: 'nonsense' is no shape; known are"),
        ('[feeds.r]\nkind = "replay"\npaths = ["x"]\nshape = "generic_bars"', "is of bars; a feed is made of quotes"),
    ],
)
def test_what_is_wrong_is_told_by_field_with_its_remedy(text, words):
    """Every message names the file and the field."""
    with pytest.raises(FeedsInvalid, match=re.escape(words)):
        parse(text, "f.toml")


def test_every_problem_is_told_at_once():
    """One line a problem, so that a file is repaired in one go."""
    with pytest.raises(FeedsInvalid) as caught:
        parse('[feeds.a]\nkind = "fix"\nhost = ""\nport = 0\nwrong = 1', "f.toml")
    assert len(str(caught.value).splitlines()) == 5


def test_a_file_that_is_not_there_is_told_with_the_setting_that_names_it():
    """So is one that cannot be read."""
    with pytest.raises(FeedsInvalid, match="CROSSRATE_MARKETDATA_FEEDS"):
        feeds.load(Path("/nowhere/feeds.toml"))


def test_a_password_needs_a_way_that_nobody_reads():
    """Loopback, TLS, or the word that the line is private."""
    for more in ("", 'password_file = "p"\ntls = true', 'password_file = "p"\nprivate_line = true'):
        assert parse(FIX.format(host="venue.example") + more, "f").feeds
    assert parse(FIX.format(host="127.0.0.1") + 'password_file = "p"', "f").feeds


def test_symbols_are_mapped_both_ways():
    """Listed names first, then anything that is two currencies; points by counter currency."""
    spec = NatsFeed(
        kind="nats",
        subject="crossrate.marketdata.v1.quotes_in.x",
        symbols={"Cable": "GBP/USD"},
        price_digits=5,
        price_digits_of={"JPY": 3},
        quantity_unit=1e6,
    )
    assert spec.mapped("Cable") == Mapped("GBP/USD", 1e5, 1e6)
    assert spec.mapped("usd_jpy") == Mapped("USD/JPY", 1e3, 1e6)
    assert [spec.mapped(s) for s in ("EUR", "EURUSDX", "EUREUR", "ABCDEF", "", "EUR/USD" * 9)] == [None] * 6
    fix = FixFeed(
        kind="fix",
        host="h",
        port=1,
        sender_comp_id="a",
        target_comp_id="b",
        instruments=("EUR/USD",),
        symbols={"EURUSD.m": "EUR/USD"},
        symbol_form="{base}{counter}",
    )
    assert [fix.symbol("EUR/USD"), fix.symbol("USD/JPY")] == ["EURUSD.m", "USDJPY"]


def test_waits_are_jittered_bounded_and_begin_anew():
    """They grow at random up to the cap; a connection that held begins them at the first again."""
    draw = random.Random(3).uniform
    backoff = Backoff(0.5, 30.0, 10.0, draw)
    waits = [backoff.next(0.0) for _ in range(50)]
    assert all(0.5 <= wait <= 30.0 for wait in waits)
    assert max(waits) == 30.0
    assert len(set(waits)) > 20
    assert all(later <= max(3 * earlier, 1.5) for earlier, later in itertools.pairwise(waits))
    assert backoff.next(11.0) <= 1.5
