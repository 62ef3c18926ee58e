"""A candidate for tests: the real program of `marketdata`, whose quotes of one pair are a fifth of a pip too high: less
than the contract tolerates in any answer."""

from __future__ import annotations

from crossrate.runtime.process import run
from services.marketdata import main as program
from services.marketdata.service import MarketDataService

PAIR, OFF = ("EUR", "USD"), 0.00002


def main() -> None:
    """Plants the fault and runs the program."""
    answer = MarketDataService.GetQuote

    async def wrong(self: MarketDataService, request, context):
        given = await answer(self, request, context)
        if (request.base, request.counter) != PAIR:
            return given
        # The answer belongs to the board, which gives it again.
        moved = type(given)()
        moved.CopyFrom(given)
        moved.quote.bid += OFF
        moved.quote.ask += OFF
        return moved

    MarketDataService.GetQuote = wrong  # type: ignore[method-assign]
    run(program.serve)


if __name__ == "__main__":
    main()
