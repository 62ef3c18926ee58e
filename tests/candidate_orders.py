"""A candidate for tests: the real program of `trading`, that takes orders of one pair for far larger than they are, so
that risk refuses them; a business fault without any error of a call."""

from __future__ import annotations

from crossrate.runtime.process import run
from services.trading import main as program
from services.trading.service.trading import TradingService

PAIR, QUANTITY = "USD/JPY", "900000000"


def main() -> None:
    """Plants the fault and runs the program."""
    place = TradingService.PlaceOrder

    async def wrong(self: TradingService, request, context):
        if request.order.instrument == PAIR:
            request.order.quantity = QUANTITY
        return await place(self, request, context)

    TradingService.PlaceOrder = wrong  # type: ignore[method-assign]
    run(program.serve)


if __name__ == "__main__":
    main()
