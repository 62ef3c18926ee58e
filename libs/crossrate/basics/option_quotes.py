"""How options on a pair are quoted: in which currency the premium is paid, and so what a delta is.

Rules, and where they come from:

1. The premium of a pair with the dollar is paid in dollars, of other pairs with the euro in euros, of all others in the
   currency that comes first in the market's order. A premium in the base currency is taken off the delta. These are the
   rows of D. Reiswich's "FX Quoting Conventions" (fxquantresearch.com, 2010): EUR/USD and GBP/USD regular; USD/JPY,
   EUR/JPY, USD/CHF, EUR/CHF and EUR/GBP premium-adjusted. They are the same in Clark (2011), "Foreign Exchange Option
   Pricing", tables 3.1 and 3.2, whose headings we know and whose rows we have not seen.
2. If both currencies are of the OECD's markets (`SPOT_DELTA`), deltas are of spot up to and including a year, beyond of
   the forward; with any other currency they are of the forward always (econotimes.com, "Delta convention of OECD
   economies", in the words of Reiswich and Wystup 2010, "FX Volatility Smile Construction").
3. At the money is the delta-neutral straddle; a butterfly is a market strangle; a risk reversal is call less put (the
   same paper, section 2). Emerging markets are often quoted at the forward: say so with the quotes.
"""

from __future__ import annotations

from dataclasses import dataclass

from crossrate.basics.pair import DOLLAR, Pair

SPOT_DELTA = frozenset({"USD", "EUR", "JPY", "GBP", "AUD", "NZD", "CAD", "CHF", "NOK", "SEK", "DKK", "PLN"})
"""The currencies whose pairs are quoted with spot deltas up to a year."""
SWITCH_MONTHS = 12
"""The longest expiry with a spot delta, in months."""


@dataclass(frozen=True, slots=True)
class OptionQuotes:
    """A pair's market standard: the premium's currency, whether it is taken off the delta, spot or forward deltas."""

    premium_currency: str
    premium_adjusted: bool
    spot_delta: bool


def option_quotes(pair: Pair) -> OptionQuotes:
    """The market standard of a pair that is named in the market's order."""
    premium = DOLLAR if DOLLAR in pair else "EUR" if "EUR" in pair else pair.base
    return OptionQuotes(premium, premium == pair.base, pair.currencies <= SPOT_DELTA)
