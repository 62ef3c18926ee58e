"""Everything of one term: made when this instance begins to decide, thrown away when it does not any more."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any

from crossrate.api.risk.v1 import limit_pb2
from crossrate.rpc.call import new_request_id
from crossrate.rpc.client import CallError
from crossrate.store.errors import StaleWriter, StoreError, StoreUnavailable
from services.risk.certificates import Certificates
from services.risk.days import Days
from services.risk.domain.pretrade.accounts import Book
from services.risk.domain.pretrade.amounts import SCALE
from services.risk.domain.pretrade.authorise import Authoriser
from services.risk.domain.pretrade.checks import Plans
from services.risk.domain.pretrade.limits import BEGINNING, Limits
from services.risk.domain.pretrade.market import Market
from services.risk.flatten import Flattener
from services.risk.kill_switch import KillSwitch
from services.risk.margin_watch import MarginWatch
from services.risk.messages.limits import limit_message, limits_of
from services.risk.messages.orders import take_state
from services.risk.pretrade import PreTrade
from services.risk.settings import Settings
from services.risk.slices import Slices
from services.risk.store import KillStore, LimitStore, MarginStore, Term
from services.risk.store.margins import Kept as Margins
from services.risk.trading_peer import Trading


@dataclass(slots=True)
class Deciding:
    """What one term has."""

    term: Term
    book: Book
    engine: PreTrade
    kills: KillSwitch
    certificates: Certificates
    margins: MarginWatch
    tasks: list[asyncio.Task[None]]


class Decider:
    """See the module.

    Args:
        market: the market as it is followed, whoever decides.
        install_accounts: writes what the ledger has said into a new book.
        now_ns: the clock, ns since 1970, UTC.
    """

    def __init__(
        self,
        limits: LimitStore,
        kills: KillStore,
        margins: MarginStore,
        trading: Trading,
        market: Market,
        settings: Settings,
        note: Any,
        install_accounts: Callable[[], None],
        now_ns: Callable[[], int],
    ) -> None:
        self.limits = limits
        self.kills = kills
        self.margins = margins
        self._trading = trading
        self._market = market
        self._settings = settings
        self._note = note
        self._install_accounts = install_accounts
        self._now_ns = now_ns
        self._idle = Book(market, Limits(0, ()))
        self.now: Deciding | None = None
        """What the term has; None while this instance does not decide."""
        self.failed = asyncio.Event()
        """A task of a term broke for a reason that is none of its neighbours': the process has to be started anew."""

    def book(self) -> Book:
        """The book of the term; while there is none, an empty one that nothing is decided by."""
        return self.now.book if self.now is not None else self._idle

    def engine(self) -> PreTrade | None:
        """The state of Authorise; None while this instance does not decide."""
        return self.now.engine if self.now is not None else None

    async def begin(self, term: Term) -> None:
        """Loads limits and kills. The gate has a new version then, which trading has to commit.

        Raises:
            StoreError: the database is away, or another instance has taken the lease.
        """
        kept_limits = await self.limits.begin(term, first_limits(self._now_ns()))
        kept = await self.kills.begin(term)
        margins = await self.margins.begin(term)
        book = Book(self._market, Limits(kept_limits.version, limits_of(kept_limits.limits)))
        days = Days(self.limits, term, book, self._market, self._note, self._now_ns)
        await days.begin()
        authoriser = Authoriser(book, Plans(book))
        engine = PreTrade(book, authoriser, self._now_ns, round(self._settings.value_interval_s * 1e9))
        certificates = Certificates(term, self.kills, kept.certificates, self._trading, book, self._note, self._now_ns)
        kills = KillSwitch(
            term,
            self.kills,
            kept,
            self._trading,
            authoriser,
            book,
            certificates,
            self._note,
            self._now_ns,
            self.failed.set,
        )
        slices = self._slices(book)
        interval_s = self._settings.flatten_interval_s
        flattener = Flattener(kills, certificates, book, slices, self._note, interval_s=interval_s)
        watch = self._watch(term, margins, kills, book, slices)
        self.now = Deciding(term, book, engine, kills, certificates, watch, [])
        self._install_accounts()
        for work in (kills.run(), certificates.run(), flattener.run(), watch.run(), days.run()):
            self.now.tasks.append(asyncio.create_task(self._watched(work)))

    def _slices(self, book: Book) -> Slices:
        return Slices(
            book,
            self._trading,
            self._now_ns,
            slice_max=round(self._settings.flatten_slice * SCALE),
            bound_bp=self._settings.flatten_bound_bp,
        )

    def _watch(self, term: Term, kept: Margins, kills: KillSwitch, book: Book, slices: Slices) -> MarginWatch:
        return MarginWatch(
            term,
            self.margins,
            kept,
            kills,
            book,
            slices,
            self._trading,
            self._note,
            self._now_ns,
            new_request_id,
            self.failed.set,
            hysteresis=round(self._settings.margin_hysteresis * SCALE),
            dwell_s=self._settings.margin_dwell_s,
            interval_s=self._settings.margin_interval_s,
        )

    async def read(self) -> None:
        """Has trading commit the gate, and reads every account after that.

        Raises:
            CallError: trading does not answer.
        """
        now = self.now
        assert now is not None, "a term has begun"
        await now.kills.apply()
        async for state in self._trading.states():
            account = now.book.account(state.account)
            if not account.known or state.sequence >= account.sequence:
                take_state(now.book, account, state, set())

    def end(self) -> None:
        """The term is over."""
        if self.now is not None:
            for task in self.now.tasks:
                task.cancel()
            self.now = None

    async def _watched(self, work: Coroutine[Any, Any, None]) -> None:
        try:
            await work
        except StaleWriter as error:
            # The lease's own renewal finds that out and ends the term.
            self._note.warning("another instance decides", why=str(error))
        except (StoreUnavailable, StoreError, CallError) as error:
            self._note.error("a part of the term ended", why=str(error))
            self.failed.set()
        except asyncio.CancelledError:
            raise
        except BaseException:
            self.failed.set()
            raise


def first_limits(now_ns: int) -> limit_pb2.LimitSet:
    """The limits of a new platform."""
    limits = [limit_message(each) for each in sorted(BEGINNING, key=lambda each: each.key)]
    made = limit_pb2.LimitSet(version=1, limits=limits, proposed_by="crossrate", approved_by="crossrate")
    made.comment = "what a new platform begins with"
    made.create_time.FromNanoseconds(now_ns)
    return made
