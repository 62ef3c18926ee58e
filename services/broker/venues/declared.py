"""Which venues there are, and what goes where: `mesh/venues.toml`, checked before anything is connected."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from crossrate.exchange.chance import Latency
from crossrate.exchange.terms import LastLook, PartialFills, Slippage
from services.broker import declared
from services.broker.declared import ClockSeconds, Frozen, Name, Reset

DEFAULT_PATH = Path(__file__).resolve().parents[3] / "mesh" / "venues.toml"
VENUES_MAX = 32
KINDS = ("simulated", "fix", "oanda")
ROUTES_MAX = 1000

Amount = Annotated[str, Field(pattern=r"^[0-9]{1,15}([.][0-9]{1,4})?$")]
Instruments = Annotated[str, Field(pattern=r"^([*]|[A-Z]{3}/[A-Z]{3}|[A-Z]{3}/[*]|[*]/[A-Z]{3})$")]
Accounts = Annotated[str, Field(pattern=r"^([*]|[a-z0-9][a-z0-9-]{0,31}[*]?)$")]


class VenuesInvalid(ValueError):
    """The file does not declare venues; the message names the file, and each field with its remedy."""


class Reconnect(Frozen):
    """How a venue that is away is tried again: waits grow at random from the first to the cap."""

    first_s: float = Field(default=0.5, ge=0.01, le=60)
    cap_s: float = Field(default=30.0, ge=0.01, le=3600)


class Limits(Frozen):
    """What a venue takes; what goes beyond is refused here, in words."""

    order_quantity_max: Amount = "1000000000"
    """Units of the base currency in one order."""
    open_orders_max: int = Field(default=50_000, ge=1, le=1_000_000)
    """Orders at the venue at once."""


class Delay(Frozen):
    """How long a message is on its way."""

    fixed_ms: float = Field(default=0.0, ge=0, le=60_000)
    median_ms: float = Field(default=0.0, ge=0, le=60_000)
    """Median of the random part, which is lognormal; 0 for none."""
    sigma: float = Field(default=0.5, ge=0, le=5)

    def latency(self) -> Latency:
        """As the exchange takes it."""
        return Latency(round(self.fixed_ms * 1e6), round(self.median_ms * 1e6), self.sigma)


class Look(Frozen):
    """Last look: how long orders that take liquidity are held, and what is refused then."""

    hold_ms: float = Field(ge=0, le=10_000)
    tolerance: int = Field(ge=0, le=1_000_000)
    """Ticks that the price may move against the provider."""
    symmetric: bool = True
    refuse_rate: float = Field(default=0.0, ge=0, le=1)

    def terms(self) -> LastLook:
        """As the exchange takes it."""
        return LastLook(round(self.hold_ms * 1e6), self.tolerance, self.symmetric, self.refuse_rate)


class Slip(Frozen):
    """The market moves away from a share of the orders that take liquidity."""

    rate: float = Field(default=0.0, ge=0, le=1)
    ticks: int = Field(default=0, ge=0, le=1_000_000)

    def terms(self) -> Slippage:
        """As the exchange takes it."""
        return Slippage(self.rate, self.ticks)


class Partial(Frozen):
    """Others are faster than a share of the orders that take liquidity: of it at least `share` is left."""

    rate: float = Field(default=0.0, ge=0, le=1)
    share: float = Field(default=0.0, ge=0, le=1)

    def terms(self) -> PartialFills:
        """As the exchange takes it."""
        return PartialFills(self.rate, self.share)


class Liquidity(Frozen):
    """One tier behind each quote."""

    offset: int = Field(ge=0, le=1_000_000)
    """Ticks away from the quote."""
    quantity: Amount
    """Units of the base currency on each side."""


class Reconciling(Frozen):
    """How a venue's books are compared with ours."""

    interval_s: float = Field(default=2.0, ge=0.05, le=3600)
    """How often what has come since is compared, at least; a comparison that takes long is made less often."""
    grace_s: float = Field(default=5.0, ge=0.1, le=3600)
    """How long a difference may stand before it is a break, beyond the venue's own latency where that is known."""
    statement_s: float | None = Field(default=None, ge=0, le=86_400)
    """How often a statement is asked for; unset: of the simulated exchange each time, of others every 10 s."""
    late_s: float = Field(default=30.0, ge=0.1, le=86_400)
    """How long something that was sent may be unanswered."""
    gates: bool = True
    """Whether grave breaks gate their instrument there."""


class _Venue(Frozen):
    limits: Limits = Limits()
    reconciliation: Reconciling = Reconciling()
    adopted_account: str = Field(default="adopted", pattern=r"^[a-z0-9][a-z0-9-]{0,31}$")
    """The account of orders that were placed at the venue by hand, and of fills that nobody's order had."""
    adopts: bool = True
    """Whether such orders are adopted by themselves; else each is a break until two persons say what to do."""
    unsent_s_max: float = Field(default=10.0, ge=0.1, le=3600)
    """A new order that could not be sent for so long is refused rather than sent late."""


class Faults(Frozen):
    """What the simulated exchange does wrong, each for a share of what happens, by its seed: for tests and drills."""

    lose_report: float = Field(default=0.0, ge=0, le=1)
    """Fills that are not told, but for the drop copy."""
    repeat_report: float = Field(default=0.0, ge=0, le=1)
    """Fills that are told twice, under two ids."""
    alter_quantity: float = Field(default=0.0, ge=0, le=1)
    """Fills that are told with twice their quantity."""
    alter_price: float = Field(default=0.0, ge=0, le=1)
    """Fills that are told a tick too high."""
    alter_side: float = Field(default=0.0, ge=0, le=1)
    """Fills that the drop copy has with the other side."""
    lose_copy: float = Field(default=0.0, ge=0, le=1)
    """Fills that the drop copy does not have."""
    lose_both: float = Field(default=0.0, ge=0, le=1)
    """Fills that are told nowhere: only the position has them."""
    lose_end: float = Field(default=0.0, ge=0, le=1)
    """Orders whose cancel or expiry is not told."""
    false_end: float = Field(default=0.0, ge=0, le=1)
    """Resting orders that are told to be cancelled, and are not."""
    by_hand: float = Field(default=0.0, ge=0, le=1)
    """Resting orders beside which another one is placed by hand, like them and one tick away from the market."""

    @property
    def any(self) -> bool:
        """Whether anything is done wrong at all."""
        return any(getattr(self, name) for name in type(self).model_fields)


class SimulatedVenue(_Venue):
    """The simulated exchange."""

    kind: Literal["simulated"]
    seed: int = Field(default=1, ge=0, lt=1 << 64)
    """Of all that happens by chance."""
    tiers: tuple[Liquidity, ...] = Field(default=(), max_length=50)
    quantity_unit: Amount = "1"
    """Quantities are multiples of it, and at most 2^40 times it."""
    quantity_min: Amount = "1"
    inbound: Delay = Delay()
    outbound: Delay = Delay()
    reject_rate: float = Field(default=0.0, ge=0, le=1)
    last_look: Look | None = None
    slippage: Slip = Slip()
    partial_fills: Partial = Partial()
    hours: Literal["market", "always"] = "always"
    """Whether it closes with the market; by itself the simulated quotes do not."""
    faults: Faults = Faults()
    quote_wait_s: float = Field(default=2.0, ge=0, le=60)
    """How long the first order in an instrument waits for its first quote, and one with a date for pricing's points."""
    deals: tuple[Literal["forward", "swap"], ...] = Field(default=("forward", "swap"), max_length=2)
    """What it deals beside spot, on points of pricing; nothing where the topology does not let broker call pricing."""

    @model_validator(mode="after")
    def _tiers_ascend(self) -> Self:
        offsets = [tier.offset for tier in self.tiers]
        if sorted(set(offsets)) != offsets:
            raise ValueError(f"offsets of tiers are {offsets}: they must ascend")
        if Decimal(self.quantity_unit) <= 0 or Decimal(self.quantity_min) % Decimal(self.quantity_unit):
            raise ValueError("quantity_unit must be above zero, and quantity_min a multiple of it")
        return self


class DropCopySession(Frozen):
    """A second session with a FIX venue, on which it tells the trades of all our sessions."""

    host: str = Field(default="", max_length=253)
    """Empty: that of the venue."""
    port: int = Field(ge=1, le=65_535)
    sender_comp_id: str = Field(pattern=r"^[!-~]{1,64}$")
    target_comp_id: str = Field(pattern=r"^[!-~]{1,64}$")
    username: str = Field(default="", max_length=64)
    password_file: str = ""
    tells: Literal["trade_reports", "execution_reports"] = "trade_reports"
    """AE, which are subscribed to by AD; or copies of 8, which come by themselves."""


class FixVenue(_Venue):
    """A venue that speaks FIX 4.4; numbers go on over reconnections."""

    kind: Literal["fix"]
    host: str = Field(min_length=1, max_length=253)
    port: int = Field(ge=1, le=65_535)
    sender_comp_id: str = Field(pattern=r"^[!-~]{1,64}$")
    target_comp_id: str = Field(pattern=r"^[!-~]{1,64}$")
    username: str = Field(default="", max_length=64)
    password_file: str = ""
    """A file that its owner alone may read; relative to the folder of the venues' file."""
    tls: bool = False
    ca_file: str = ""
    """Roots that the venue's certificate is checked against; empty: the system's."""
    server_name: str = ""
    """The name in the venue's certificate, if it is not `host`."""
    heartbeat_s: int = Field(default=30, ge=1, le=3600)
    clock_s: ClockSeconds = 120.0
    may_reset: bool = True
    """Whether a Logon with ResetSeqNumFlag (141=Y) that the venue sends while the session stands is followed; what was
    not answered is asked for then. An answer to our Logon that resets without being asked is refused in any case."""
    reset: Reset = "never"
    reconnect: Reconnect = Reconnect()
    symbol_form: str = Field(default="{base}/{counter}", max_length=40)
    """How the venue writes a pair: {base}{counter}, {base}.{counter}."""
    accounts: dict[str, str] = Field(default={})
    """The venue's account (1) by the platform's; others are sent without one."""
    drop_copy: DropCopySession | None = None
    """Where the venue tells its trades a second time; without it fills are compared with nothing."""
    positions: tuple[Annotated[str, Field(pattern=r"^[!-~]{1,64}$")], ...] = Field(default=(), max_length=100)
    """Its accounts whose positions it is asked for (AN), to be compared with all that it has told before; empty for one
    that reports none, or only those of the end of the day."""
    deals: tuple[Literal["forward", "swap"], ...] = Field(default=(), max_length=2)
    """What it deals beside spot; what it does not is routed elsewhere, or refused here in words."""
    messages_per_s_max: float = Field(default=0.0, ge=0, le=100_000)
    """What the venue takes; 0 for no bound."""
    resend_s_max: float = Field(default=2.0, ge=0, le=3600)
    """A new order that the venue asks for again later than this after it was sent is left out, and refused."""

    @model_validator(mode="after")
    def _can_be_reached(self) -> Self:
        if self.password_file and not self.tls and self.host not in ("127.0.0.1", "::1", "localhost"):
            raise ValueError(f"a password would go to {self.host} in plain text: set tls = true")
        if self.ca_file and not self.tls:
            raise ValueError("ca_file means nothing without tls = true")
        return self


class OandaVenue(_Venue):
    """A venue that speaks the OANDA v20 REST API."""

    kind: Literal["oanda"]
    environment: Literal["practice", "live", "other"] = "practice"
    """OANDA's two hosts, or another one."""
    url: str = Field(default="", max_length=253)
    """Of another one: https://host or https://host:port."""
    stream_url: str = Field(default="", max_length=253)
    """Where its streams are, if not there."""
    ca_file: str = ""
    """Roots that its certificate is checked against; empty: the system's. Relative to the venues' file."""
    token_file: str = Field(min_length=1)
    """A file that its owner alone may read; relative to the folder of the venues' file."""
    account_id: str = Field(pattern=r"^[A-Za-z0-9-]{1,64}$")
    """The venue's account of orders whose account is not in `accounts`."""
    accounts: dict[str, Annotated[str, Field(pattern=r"^[A-Za-z0-9-]{1,64}$")]] = Field(default={})
    """The venue's account by the platform's."""
    commission_currency: str = Field(default="USD", pattern=r"^[A-Z]{3}$")
    """The currency of the venue's accounts, in which it tells commissions."""
    requests_per_s_max: float = Field(default=100.0, gt=0, le=10_000)
    """What the venue takes."""
    connections_max: int = Field(default=4, ge=1, le=64)
    answer_s_max: float = Field(default=10.0, ge=0.1, le=60)
    """After this time without an answer a request's outcome is unknown, and is asked for."""
    unknown_s_max: float = Field(default=30.0, ge=1, le=3600)
    """So long an order that the venue does not know of may still be on its way; then it never came."""
    reconnect: Reconnect = Reconnect()

    @model_validator(mode="after")
    def _can_be_reached(self) -> Self:
        if (self.environment == "other") != bool(self.url):
            raise ValueError('url: give it with environment = "other", and only then')
        for field in ("url", "stream_url"):
            value = getattr(self, field)
            plain = value.startswith("http://") and value.split("/")[2].rpartition(":")[0] in _LOOPBACK
            if value and not plain and not value.startswith("https://"):
                raise ValueError(f"{field}: {value} would send the token in plain text: https://…")
        return self

    def token(self, folder: Path) -> str:
        """Its token.

        Raises:
            VenuesInvalid: the file is not there, is empty, or may be read by others.
        """
        path = folder / self.token_file
        found = declared.secret(path, "write the venue's token there", VenuesInvalid)
        if not found or not found.isascii() or not found.isprintable():
            raise VenuesInvalid(f"{path}: has no token in it")
        return found


_LOOPBACK = ("127.0.0.1", "[::1]", "localhost")


class Route(Frozen):
    """What goes where."""

    instruments: tuple[Instruments, ...] = Field(default=("*",), min_length=1, max_length=500)
    accounts: tuple[Accounts, ...] = Field(default=("*",), min_length=1, max_length=1000)
    venues: tuple[Name, ...] = Field(min_length=1, max_length=VENUES_MAX)
    """In the order in which they are tried; a next one only while the order was not sent."""


Spec = Annotated[SimulatedVenue | FixVenue | OandaVenue, Field(discriminator="kind")]


class Venues(Frozen):
    """All venues and routes."""

    venues: dict[Name, Spec] = Field(min_length=1, max_length=VENUES_MAX)
    routes: tuple[Route, ...] = Field(min_length=1, max_length=ROUTES_MAX)

    @model_validator(mode="after")
    def _routes_lead_somewhere(self) -> Self:
        for number, route in enumerate(self.routes):
            for name in route.venues:
                if name not in self.venues:
                    known = ", ".join(self.venues)
                    raise ValueError(f"routes[{number}].venues: there is no venue {name!r}; declared are {known}")
        return self


def load(path: Path = DEFAULT_PATH) -> Venues:
    """Reads and checks the file.

    Raises:
        VenuesInvalid: it is not there, no TOML, or does not declare venues.
    """
    return parse(declared.read(path, "CROSSRATE_BROKER_VENUES", VenuesInvalid), str(path))


def parse(text: str, source: str) -> Venues:
    """Checks the text of a file.

    Raises:
        VenuesInvalid: it is no TOML, or does not declare venues.
    """
    return declared.checked(Venues, text, source, VenuesInvalid, _in_the_file)


def without_points(venues: Venues) -> Venues:
    """The same where pricing cannot be asked: simulated exchanges deal spot alone."""
    found = {
        name: spec.model_copy(update={"deals": ()}) if isinstance(spec, SimulatedVenue) else spec
        for name, spec in venues.venues.items()
    }
    return venues.model_copy(update={"venues": found})


def _in_the_file(path: Sequence[str]) -> list[str]:
    """The chosen kind is told as a step of the path; it is none in the file."""
    return [part for at, part in enumerate(path) if at != 2 or part not in KINDS]
