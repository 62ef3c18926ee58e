"""What becomes of a log that an instance looks into for a place which it has not come to."""

from services.marketdata.quote_log import LogUnavailable


async def never() -> None:
    """Nobody should look."""
    raise AssertionError("the log was asked for what the instance has")


async def away() -> None:
    """The log does not answer.

    Raises:
        LogUnavailable: always.
    """
    raise LogUnavailable("nobody answers")


async def nothing() -> None:
    """The log has nothing more."""
