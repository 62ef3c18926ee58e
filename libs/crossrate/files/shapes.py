"""The shapes of well-known vendors. `source` says where each is described; `generic` is the begin of one's own."""

from __future__ import annotations

from functools import cache

from crossrate.files.shape import ASK_SIDE, BID_SIDE, ONE_SIDE, Column, Container, Header, Kind, Role, Shape, Stamp

_HISTDATA = "histdata.com, F.A.Q., data files detailed specification"
_LEAN = "github.com/QuantConnect/Lean, Data/forex/readme.md"
_DUKASCOPY = "dukascopy.com, historical data export and data feed"
_METATRADER = "MetaTrader 5, Symbols, export of bars and ticks"
_PAIR = r"(?P<instrument>[A-Za-z]{3}[/_-]?[A-Za-z]{3})"


def _columns(*roles: Role) -> tuple[Column, ...]:
    return tuple(Column(role=role) for role in roles)


def _histdata() -> list[Shape]:
    """New York without daylight saving: UTC-5 all year. Archives also hold a report of the gaps, a .txt."""
    return [
        Shape(
            name="histdata_tick",
            title="HistData, generic ASCII, ticks",
            source=_HISTDATA,
            columns=_columns(Role.TIME, Role.BID, Role.ASK, Role.IGNORE),
            times=("%Y%m%d %H%M%S%f",),
            clock="UTC-05:00",
            file_name=rf"DAT_(ASCII|NT)_{_PAIR}_T_\d{{6}}.*",
            members=r".*\.csv",
        ),
        Shape(
            name="histdata_m1",
            title="HistData, generic ASCII, bars of a minute by bid",
            source=_HISTDATA,
            kind=Kind.BARS,
            columns=_columns(Role.TIME, *ONE_SIDE, Role.VOLUME),
            delimiter=";",
            times=("%Y%m%d %H%M%S",),
            clock="UTC-05:00",
            file_name=rf"DAT_ASCII_{_PAIR}_M1_\d{{4,6}}.*",
            members=r".*\.csv",
            interval_s=60,
        ),
        Shape(
            name="histdata_mt",
            title="HistData for MetaTrader, bars of a minute by bid",
            source=_HISTDATA,
            kind=Kind.BARS,
            columns=_columns(Role.DATE, Role.TIME, *ONE_SIDE, Role.VOLUME),
            dates=("%Y.%m.%d",),
            times=("%H:%M",),
            clock="UTC-05:00",
            file_name=rf"DAT_MT_{_PAIR}_M1_\d{{4,6}}.*",
            members=r".*\.csv",
            interval_s=60,
        ),
    ]


def _dukascopy() -> list[Shape]:
    """GMT, or local time with its offset in every row. Quantities are in millions of the base currency."""
    times = ("%d.%m.%Y %H:%M:%S.%f", "%d.%m.%Y %H:%M:%S.%f GMT%z", "%Y-%m-%dT%H:%M:%S.%fZ", "%Y-%m-%d %H:%M:%S.%f")
    return [
        Shape(
            name="dukascopy_tick",
            title="Dukascopy, export of ticks",
            source=_DUKASCOPY,
            columns=_columns(Role.TIME, Role.ASK, Role.BID, Role.ASK_QUANTITY, Role.BID_QUANTITY),
            header=Header.PRESENT,
            times=times,
            quantity_unit=1e6,
            file_name=rf"{_PAIR}_Ticks_.*",
        ),
        Shape(
            name="dukascopy_bars",
            title="Dukascopy, export of candles of one side (bid unless `side` says otherwise)",
            source=_DUKASCOPY,
            kind=Kind.BARS,
            columns=_columns(Role.TIME, *ONE_SIDE, Role.VOLUME),
            header=Header.PRESENT,
            times=times,
            quantity_unit=1e6,
            file_name=rf"{_PAIR}_Candlestick_.*_BID_.*",
        ),
        Shape(
            name="dukascopy_bi5",
            title="Dukascopy, one hour of ticks: EURUSD/2014/04/08/13h_ticks.bi5 is of 8 May, months count from 00",
            source=_DUKASCOPY,
            container=Container.BI5,
            columns=_columns(Role.TIME, Role.ASK, Role.BID, Role.ASK_QUANTITY, Role.BID_QUANTITY),
            times=("day_ms",),
            price_digits=5,
            price_digits_of={"JPY": 3, "RUB": 3},
            quantity_unit=1e6,
            file_name=rf"{_PAIR}/(?P<year>\d{{4}})/(?P<month>\d{{2}})/(?P<day>\d{{2}})/(?P<hour>\d{{2}})h_ticks\.bi5",
        ),
    ]


def _lean() -> list[Shape]:
    """OANDA's quotes are in UTC; FXCM's are five hours behind all year: give `clock="UTC-05:00"`."""
    both = (*BID_SIDE, Role.IGNORE, *ASK_SIDE, Role.IGNORE)
    return [
        Shape(
            name="lean_tick",
            title="QuantConnect Lean, forex ticks of a day",
            source=_LEAN,
            columns=_columns(Role.TIME, Role.BID, Role.ASK),
            times=("day_ms",),
            file_name=rf"(?P<date>\d{{8}})_{_PAIR}_tick_quote\.csv",
        ),
        *(
            Shape(
                name=f"lean_{name}",
                title=f"QuantConnect Lean, forex bars of a {name}, one day",
                source=_LEAN,
                kind=Kind.BARS,
                columns=_columns(Role.TIME, *both),
                times=("day_ms",),
                file_name=rf"(?P<date>\d{{8}})_{_PAIR}_{name}_quote\.csv",
                interval_s=interval,
            )
            for name, interval in (("second", 1), ("minute", 60))
        ),
        Shape(
            name="lean_hour",
            title="QuantConnect Lean, forex bars of an hour, all years",
            source=_LEAN,
            kind=Kind.BARS,
            columns=_columns(Role.TIME, *both),
            times=("%Y%m%d %H:%M",),
            file_name=rf"{_PAIR}\.csv",
            interval_s=3600,
        ),
    ]


def _metatrader() -> list[Shape]:
    """The broker's server clock, most often `New York + 7 h`, which ends its days at 17:00 New York."""
    clock = "America/New_York+07:00"
    times = ("%H:%M:%S.%f", "%H:%M:%S", "%H:%M")
    return [
        Shape(
            name="metatrader_tick",
            title="MetaTrader 5, export of ticks: an empty price did not change",
            source=_METATRADER,
            columns=_columns(Role.DATE, Role.TIME, Role.BID, Role.ASK, *[Role.IGNORE] * 3),
            delimiter="\t",
            header=Header.EITHER,
            dates=("%Y.%m.%d",),
            times=times,
            clock=clock,
            carry=True,
            file_name=rf"{_PAIR}[^/]*",
        ),
        Shape(
            name="metatrader_bars",
            title="MetaTrader 5, export of bars by bid",
            source=_METATRADER,
            kind=Kind.BARS,
            columns=(
                *_columns(Role.DATE, Role.TIME, *ONE_SIDE),
                Column(role=Role.VOLUME),
                *_columns(*[Role.IGNORE] * 2),
            ),
            delimiter="\t",
            header=Header.EITHER,
            dates=("%Y.%m.%d",),
            times=times,
            clock=clock,
            file_name=rf"{_PAIR}[^/]*",
        ),
        Shape(
            name="broker_points",
            title="bars of a broker in integer points: Date, open, high, low, close, tick_volume",
            source="github.com/ejtraderLabs/historical-data",
            kind=Kind.BARS,
            columns=_columns(Role.TIME, *ONE_SIDE, Role.VOLUME),
            header=Header.PRESENT,
            times=("%Y-%m-%d %H:%M:%S",),
            clock=clock,
            price_digits=5,
            price_digits_of={"JPY": 3},
            file_name=rf"{_PAIR}(m|h|d)\d+\.csv.*",
        ),
    ]


def _others() -> list[Shape]:
    iso = ("%Y-%m-%dT%H:%M:%S.%fZ", "%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%d %H:%M:%S.%f", "%Y-%m-%d %H:%M:%S")
    return [
        Shape(
            name="truefx_tick",
            title="TrueFX, ticks of a month",
            source="truefx.com, historical downloads",
            columns=_columns(Role.INSTRUMENT, Role.TIME, Role.BID, Role.ASK),
            times=("%Y%m%d %H:%M:%S.%f",),
            file_name=rf"{_PAIR}-\d{{4}}-\d{{2}}.*",
        ),
        Shape(
            name="fxcm_tick",
            title="FXCM, ticks of a week",
            source="github.com/fxcm/MarketData, TickData/README.md (UTC)",
            columns=_columns(Role.TIME, Role.BID, Role.ASK),
            header=Header.EITHER,
            times=("%m/%d/%Y %H:%M:%S.%f", "%m/%d/%Y %H:%M:%S"),
            file_name=rf"({_PAIR}[_/-])?.*",
        ),
        Shape(
            name="fxcm_bars",
            title="FXCM, bars of a minute or an hour of a week, bid and ask",
            source="github.com/fxcm/MarketData, TimeSeriesData (UTC)",
            kind=Kind.BARS,
            columns=_columns(Role.TIME, *BID_SIDE, *ASK_SIDE, Role.VOLUME),
            header=Header.PRESENT,
            times=("%m/%d/%Y %H:%M:%S.%f", "%m/%d/%Y %H:%M:%S"),
            file_name=rf"({_PAIR}[_/-])?.*",
        ),
        Shape(
            name="oanda_tick",
            title="OANDA, quotes with RFC 3339 times",
            source="developer.oanda.com, v20 REST API, pricing definitions: DateTime",
            columns=_columns(Role.TIME, Role.BID, Role.ASK),
            header=Header.EITHER,
            times=(*iso, "%s.%f", "%s"),
            file_name=rf"({_PAIR}[._-])?.*",
        ),
        Shape(
            name="generic",
            title="time, bid, ask by the names of a header, ISO 8601 times in UTC",
            columns=_columns(Role.TIME, Role.BID, Role.ASK, Role.BID_QUANTITY, Role.ASK_QUANTITY, Role.INSTRUMENT),
            header=Header.PRESENT,
            times=iso,
            file_name=rf"({_PAIR}[._-])?.*",
        ),
        Shape(
            name="generic_bars",
            title="time, open, high, low, close by the names of a header, ISO 8601 times in UTC",
            kind=Kind.BARS,
            columns=_columns(Role.TIME, *ONE_SIDE, Role.VOLUME),
            header=Header.PRESENT,
            times=iso,
            stamp=Stamp.BEGIN,
            file_name=rf"({_PAIR}[._-])?.*",
        ),
        Shape(
            name="parquet",
            title="Parquet with columns for time, bid and ask; times are timestamps or nanoseconds",
            source="parquet.apache.org",
            container=Container.PARQUET,
            columns=_columns(Role.TIME, Role.BID, Role.ASK, Role.BID_QUANTITY, Role.ASK_QUANTITY, Role.SEQUENCE),
            header=Header.PRESENT,
            times=("epoch_ns",),
            file_name=rf"({_PAIR}[._-])?.*",
        ),
    ]


@cache
def shapes() -> dict[str, Shape]:
    """Every known shape by name."""
    every = [*_histdata(), *_dukascopy(), *_lean(), *_metatrader(), *_others()]
    return {shape.name: shape for shape in every}


def shape_of(name: str, **changes: object) -> Shape:
    """A known shape, with some fields changed: `shape_of("lean_tick", clock="UTC-05:00")`.

    Raises:
        ValueError: there is none of that name, or a change is not valid.
    """
    known = shapes()
    if name not in known:
        raise ValueError(f"{name!r} is no shape; known are {', '.join(sorted(known))}")
    return Shape.model_validate({**known[name].model_dump(), **changes})
