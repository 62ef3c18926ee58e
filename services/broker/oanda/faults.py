"""What the API answers when it does not do what was asked."""

from __future__ import annotations

from services.broker.oanda.book import Json

UNAUTHORISED = "Insufficient authorization to perform request."


class Fault(Exception):
    """An answer that is an error: `errorMessage` for people, `errorCode` for programs where there is one."""

    def __init__(self, status: int, message: str, code: str = "", headers: dict[str, str] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.code = code
        self.headers = headers or {}
        self.more: Json = {}

    def body(self) -> Json:
        """As it is sent."""
        made: Json = dict(self.more)
        if self.code:
            made["errorCode"] = self.code
        made["errorMessage"] = self.message
        return made


def bad_value(field: str, why: str) -> Fault:
    """A field that is not what the API takes."""
    return Fault(400, f"Invalid value specified for '{field}': {why}")


def no_such(what: str, specifier: str) -> Fault:
    """The account has none."""
    code = {"Order": "ORDER_DOESNT_EXIST", "Trade": "NO_SUCH_TRADE", "Position": "NO_SUCH_POSITION"}.get(what, "")
    return Fault(404, f"The {what} {specifier[:64]!r} does not exist", code)


def unavailable(why: str) -> Fault:
    """Something behind this service is away: whether an order was entered can be asked by its client's id."""
    return Fault(503, f"Service unavailable: {why}", headers={"retry-after": "1"})


class Refused(Exception):
    """An order that is whole but cannot be: it is refused by a transaction, with a TransactionRejectReason."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message
