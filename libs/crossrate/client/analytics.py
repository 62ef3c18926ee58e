"""Options and books as arrays: prices, Greeks, implied volatilities, value at risk."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from google.protobuf.descriptor import Descriptor

from buf.validate import validate_pb2
from crossrate.client.requests import request_of
from crossrate.rpc.call_error import CallError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import ArrayLike

    from crossrate.api.risk.v1.book_pb2 import Book
    from crossrate.api.risk.v1.measure_pb2 import VarResult

IN_FLIGHT_MAX = 4
"""Calls under way at once, for what does not fit into one."""
PUT_OR_CALL = {"put": 0, "call": 1}
KINDS = {"put": 0, "call": 1, "forward": 2}


class Greeks(NamedTuple):
    """Worth of one unit of the base currency, bought, and its changes; arrays of the shape that was asked for.

    - `price`: premium for value today, counter per base;
    - `delta`: spot delta, base currency; `gamma`: its change for 1.00 of the spot rate;
    - `vega`: for 1.00 of volatility; `theta`: for one year that passes;
    - `rho_domestic`, `rho_foreign`: for 1.00 of that rate.
    """

    price: np.ndarray
    delta: np.ndarray
    gamma: np.ndarray
    vega: np.ndarray
    theta: np.ndarray
    rho_domestic: np.ndarray
    rho_foreign: np.ndarray


class Analytics:
    """The part of `AsyncClient` that computes."""

    pricing: Any
    risk: Any

    async def price_options(
        self,
        put_or_call: Any,
        strike: ArrayLike,
        time: ArrayLike,
        *,
        spot: ArrayLike | None = None,
        volatility: ArrayLike | None = None,
        domestic_rate: ArrayLike | None = None,
        foreign_rate: ArrayLike | None = None,
        snapshot_id: str = "",
        instrument: Any = None,
        timeout: float | None = None,
    ) -> Greeks:
        """Premiums and Greeks of European options. Arguments are broadcast against each other as numpy does it; what
        does not fit into one call is sent in several.

        Args:
            put_or_call: "put" or "call", 0 or 1, or an array of them; of the base currency.
            strike: counter per base.
            time: years to expiry.
            spot: counter per base; with `volatility` (0.1 is ten percent), `domestic_rate` (of the counter currency)
                and `foreign_rate` (of the base currency), continuously compounded per year.
            snapshot_id: in place of these four: a snapshot of pricing, with `instrument` ("EUR/USD", or an array).
            timeout: of each call, in seconds.

        Raises:
            TypeError: neither a whole market nor a snapshot is given, or both.
            ValueError: the shapes do not go together.
            CallError: an element is refused, with its name and index.
        """
        import numpy as np

        market = {"spot": spot, "volatility": volatility, "domestic_rate": domestic_rate, "foreign_rate": foreign_rate}
        given = {name: value for name, value in market.items() if value is not None}
        columns: dict[str, Any] = {"put_or_call": _coded(put_or_call, PUT_OR_CALL), "strike": strike, "time": time}
        if snapshot_id and not given and instrument is not None:
            names, place = np.unique(np.asarray(instrument, dtype=str), return_inverse=True)
            columns["instrument_index"] = place.reshape(np.shape(instrument)).astype(np.uint32)
            snapshot = {"snapshot_id": snapshot_id, "instruments": names.tolist()}
            nested = {"instrument_index": "snapshot"}
            fixed: dict[str, Any] = {"snapshot": snapshot}
        elif len(given) == len(market) and not snapshot_id and instrument is None:
            columns |= given
            nested, fixed = dict.fromkeys(given, "given"), {}
        else:
            words = "spot, volatility, domestic_rate and foreign_rate, or snapshot_id and instrument"
            raise TypeError(f"the market of the options is not whole, or given twice: give {words}")
        answers, shape = await _in_parts(self.pricing.PriceBatch, columns, nested, fixed, timeout)
        return Greeks(*(_joined(answers, name, shape) for name in Greeks._fields))

    async def imply_volatility(
        self,
        put_or_call: Any,
        strike: ArrayLike,
        time: ArrayLike,
        price: ArrayLike,
        *,
        spot: ArrayLike,
        domestic_rate: ArrayLike,
        foreign_rate: ArrayLike,
        skip_unsolved: bool = False,
        timeout: float | None = None,
    ) -> np.ndarray:
        """Volatilities that give the premiums, as `price_options` has them; NaN where none does and `skip_unsolved`.

        Args:
            price: premium for value today, counter per base for one unit of the base currency.

        Raises:
            CallError: no volatility gives a premium, which is named with its index.
        """
        columns = {
            "put_or_call": _coded(put_or_call, PUT_OR_CALL),
            "strike": strike,
            "time": time,
            "price": price,
            "spot": spot,
            "domestic_rate": domestic_rate,
            "foreign_rate": foreign_rate,
        }
        fixed = {"skip_unsolved": skip_unsolved}
        answers, shape = await _in_parts(self.pricing.ImplyVolatility, columns, {}, fixed, timeout)
        return _joined(answers, "volatility", shape)

    async def value_at_risk(
        self,
        book: Book | Mapping[str, Any],
        *,
        confidence: Iterable[float] = (0.99,),
        method: str | int = "plain",
        on_progress: Callable[[float], None] | None = None,
        **scenarios: Any,
    ) -> VarResult:
        """Value at risk and expected shortfall of a book; a calculation whose connection breaks is begun anew.

        Args:
            book: made by `risk_book`, or the fields of one.
            confidence: 0.99 is 99 percent.
            method: "plain", "age_weighted" …: a word of VarMethod.
            on_progress: called with the share that is done, 0 to 1; without asyncio in a thread of the client's.
            scenarios: `historical`, `given`, `simulated` or `covariance`, and the other fields of CalculateVarRequest:
                `include_components`, `include_profits`, `decay` …
        """
        asked = self.risk.CalculateVar.request(book=book, confidence=confidence, method=method, **scenarios)
        result = None
        async for message in self.risk.CalculateVar.follow(asked):
            if message.HasField("result"):
                result = message.result
            elif on_progress is not None and message.progress.scenarios_total:
                on_progress(message.progress.scenarios_done / message.progress.scenarios_total)
        assert result is not None, "a calculation that is complete has a result"
        return result


def risk_book(
    instrument: Any,
    kind: Any,
    strike: ArrayLike,
    time: ArrayLike,
    notional: ArrayLike,
    *,
    reporting_currency: str,
    domestic_rate: ArrayLike,
    foreign_rate: ArrayLike,
    volatility: ArrayLike = 0.0,
    spot: Mapping[str, float] | None = None,
    conversion: Mapping[str, float] | None = None,
) -> Book:
    """A book of options and forwards for the methods of risk; columns of a pandas or polars frame do as well.

    Args:
        instrument: pair of each position, or one for all: "EUR/USD".
        kind: "put", "call" or "forward", or 0, 1, 2, of each or of all.
        strike: counter per base; of a forward the rate at which it buys.
        time: years to expiry.
        notional: base currency, bought if positive, sold if negative.
        reporting_currency: in which everything is reported.
        domestic_rate: of the counter currency, continuously compounded per year.
        foreign_rate: of the base currency.
        volatility: 0.1 is ten percent; of no effect on forwards.
        spot: spot rates by pair; the newest daily reference rate for those that are not named.
        conversion: units of the reporting currency for one of the counter currency, by pair; likewise.

    Raises:
        ValueError: the columns have different lengths, a word is none, or a rate is of a pair that is not in the book.
    """
    import numpy as np

    from crossrate.api.risk.v1.book_pb2 import Book

    names, place = np.unique(np.atleast_1d(np.asarray(instrument, dtype=str)), return_inverse=True)
    columns: dict[str, Any] = {
        "kind": _coded(kind, KINDS),
        "market": place.reshape(-1).astype(np.uint32),
        "strike": strike,
        "time": time,
        "volatility": volatility,
        "domestic_rate": domestic_rate,
        "foreign_rate": foreign_rate,
        "notional": notional,
    }
    columns = {name: np.atleast_1d(np.asarray(column)) for name, column in columns.items()}
    count = max(len(column) for column in columns.values())
    wrong = {name: column.shape for name, column in columns.items() if column.shape not in ((1,), (count,))}
    if wrong:
        raise ValueError(f"a book of {count} positions takes columns of that length or of one element, not {wrong}")
    columns["notional"] = np.broadcast_to(columns["notional"], (count,))
    spots, conversions = dict(spot or {}), dict(conversion or {})
    if unknown := (spots.keys() | conversions.keys()) - set(names.tolist()):
        raise ValueError(f"{', '.join(sorted(unknown))}: no position of the book is in it")
    markets = [{"instrument": n, "spot": spots.get(n), "conversion": conversions.get(n)} for n in names.tolist()]
    return request_of(Book, {"markets": markets, "reporting_currency": reporting_currency, **columns})


def _coded(value: Any, words: Mapping[str, int]) -> np.ndarray:
    """Words or numbers as numbers."""
    import numpy as np

    array = np.asarray(value)
    if array.dtype.kind not in "OUST":
        return array
    texts = array.astype(str)
    known = np.array(list(words))
    lowered = np.char.lower(texts)
    if not np.isin(lowered, known).all():
        wrong = str(texts[~np.isin(lowered, known)].ravel()[0])
        raise ValueError(f"{wrong!r} is none of {', '.join(words)}")
    order = np.argsort(known)
    codes = np.array(list(words.values()), dtype=np.int32)[order]
    return codes[np.searchsorted(known[order], lowered)]


def _rows_max(request: Descriptor) -> int:
    """How many options the contract allows in one call."""
    return request.fields_by_name["strike"].GetOptions().Extensions[validate_pb2.field].repeated.max_items


async def _in_parts(
    method: Any, columns: Mapping[str, Any], nested: Mapping[str, str], fixed: Mapping[str, Any], timeout: float | None
) -> tuple[list[Any], tuple[int, ...]]:
    """The answers of as many calls as it takes, in order, and the shape that they make together.

    Args:
        columns: arguments of one shape or another, by field.
        nested: the message in which a field stands, for those that do not stand in the request itself.
        fixed: what is the same in every call.
    """
    import numpy as np

    arrays = {name: np.asarray(value) for name, value in columns.items()}
    try:
        shape = np.broadcast_shapes(*(array.shape for array in arrays.values()))
    except ValueError:
        shapes = ", ".join(f"{name} {array.shape}" for name, array in arrays.items())
        raise ValueError(f"the shapes do not go together: {shapes}") from None
    count = int(np.prod(shape))
    # Strikes say how many options there are; one element of anything else stands for all.
    flat = {
        name: array.reshape(1) if array.size == 1 and name != "strike" else np.broadcast_to(array, shape).reshape(-1)
        for name, array in arrays.items()
    }
    room, rows_max = asyncio.Semaphore(IN_FLIGHT_MAX), _rows_max(method.contract.input)

    async def call(begin: int) -> Any:
        fields = {name: dict(value) if isinstance(value, dict) else value for name, value in fixed.items()}
        for name, column in flat.items():
            part = column if column.size == 1 else column[begin : begin + rows_max]
            target = fields.setdefault(nested[name], {}) if name in nested else fields
            target[name] = part
        async with room:
            try:
                return await method(timeout=timeout, **fields)
            except CallError as error:
                if begin:
                    error.add_note(f"counted from option {begin}: the {count} options were sent in several calls")
                raise

    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(call(begin)) for begin in range(0, count, rows_max)]
    except BaseExceptionGroup as failed:
        # The others were cancelled because of the first.
        raise failed.exceptions[0] from None
    return [task.result() for task in tasks], shape


def _joined(answers: list[Any], name: str, shape: tuple[int, ...]) -> np.ndarray:
    import numpy as np

    from crossrate.rpc import arrays

    parts = [arrays.get(answer, name) for answer in answers]
    return (np.concatenate(parts) if parts else np.empty(0)).reshape(shape)
