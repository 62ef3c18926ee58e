"""What a new account must be."""

from __future__ import annotations

from crossrate.basics.currency import CURRENCIES


def currency_fault(code: str) -> str:
    """Why an account cannot be kept in a currency; "" if it can."""
    currency = CURRENCIES.get(code)
    if currency is None:
        return f"{code} is none of the platform's currencies: ListCurrencies names them"
    if not currency.alive:
        return f"{code} is no more; it became {currency.successor}"
    return ""
