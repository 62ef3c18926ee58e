"""Margin calls and close-outs of one term: looked at again and again, decided by LIVE prices, written down first.

    look ──▶ state by levels ──worse for a while, or better by the hysteresis──▶ decision, fact ──▶ stream
                                                                    │ CLOSE_OUT
             a kill REDUCE_ONLY of the account ◀────────────────────┘
             slices of the position that uses most margin ──▶ look, until the level is passed ──▶ the kill ends

What is under way is in the database before anything is done about it, so that a successor goes on where this one
stopped. Two persons may end the kill as any other: then nothing more is closed until the account has recovered and
falls again.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from crossrate.api.common.v1 import gate_pb2
from crossrate.api.risk.v1 import kill_switch_pb2, margin_call_pb2
from crossrate.rpc.client import CallError
from crossrate.store.errors import OutcomeUnknown, StoreUnavailable
from services.risk.domain.pretrade.accounts import Account, Book
from services.risk.domain.pretrade.amounts import text_of
from services.risk.domain.pretrade.standing import Levels, State, Untold, Worth, worth_of
from services.risk.kill_switch import KillSwitch
from services.risk.messages.gates import MARGIN
from services.risk.slices import Held, Record, Slices, held_by
from services.risk.store import Term
from services.risk.store.margins import Kept, MarginStore
from services.risk.trading_peer import Trading

LOOKED_AT_ONCE_MAX = 200
"""Accounts that are looked at before others are served."""


class MarginWatch:
    """See the module.

    Args:
        hysteresis: how far beyond a level an account is let go on, in ten-thousandths of it.
        dwell_s: for how long a worse state has to last before it is decided.
        interval_s: time between two looks.
        now_ns: the clock, ns since 1970, UTC.
        new_id: makes UUIDs.
        doubt: called when it cannot be known whether something was committed; the term has to be begun anew.
    """

    def __init__(
        self,
        term: Term,
        store: MarginStore,
        kept: Kept,
        kills: KillSwitch,
        book: Book,
        slices: Slices,
        trading: Trading,
        note: Any,
        now_ns: Callable[[], int],
        new_id: Callable[[], str],
        doubt: Callable[[], None],
        *,
        hysteresis: int,
        dwell_s: float,
        interval_s: float,
    ) -> None:
        self._term = term
        self._store = store
        self._kills = kills
        self._book = book
        self._slices = slices
        self._trading = trading
        self._note = note
        self._now_ns = now_ns
        self._new_id = new_id
        self._doubt = doubt
        self._hysteresis = hysteresis
        self._dwell_s = dwell_s
        self._interval_s = interval_s
        self._decided = {each.account: each for each in kept.standings}
        self._open = {each.account: each for each in kept.close_outs}
        self._stopped: set[str] = set()
        """Close-outs whose kill was engaged for certain."""
        self._worse: dict[str, tuple[State, float]] = {}
        """By account a worse state, and since when it has lasted."""
        self._changed = asyncio.Event()
        self.changes: dict[str, int] = {}
        """By account the number of its last change in this term."""
        self.change = 0

    # What stands.

    def standing(self, account: Account) -> margin_call_pb2.MarginStanding:
        """How an account stands now, and what was decided last."""
        try:
            return self._standing(account, worth_of(account, self._book.market, self._now_ns()))
        except Untold as why:
            return self._standing(account, None, str(why))

    def standings(self) -> list[margin_call_pb2.MarginStanding]:
        """Those of all accounts that hold something or were called, by account."""
        watched = sorted(self._watched(), key=lambda each: each.name)
        return [self.standing(account) for account in watched]

    async def changed(self, seen: int) -> None:
        """Returns when `change` is not `seen` any more."""
        while self.change == seen:
            await self._changed.wait()

    def _watched(self) -> Iterator[Account]:
        for account in list(self._book.accounts.values()):
            if account.positions or account.movements or account.name in self._decided:
                yield account

    def _levels(self, account: Account) -> Levels:
        return Levels(account.call_level, account.close_out_level, self._hysteresis)

    def _state(self, name: str) -> State:
        known = self._decided.get(name)
        return State(known.state) if known is not None else State.OK

    def _standing(self, account: Account, worth: Worth | None, why: str = "") -> margin_call_pb2.MarginStanding:
        made = margin_call_pb2.MarginStanding(
            account=account.name,
            desk=account.desk,
            currency=account.currency,
            call_level=text_of(account.call_level),
            close_out_level=text_of(account.close_out_level),
            state=self._state(account.name).value,
            unknown=why[:500],
        )
        if worth is not None:
            made.equity, made.margin_used = text_of(worth.equity), text_of(worth.used)
            made.margin_free = text_of(worth.equity - worth.used)
            made.level = text_of(worth.level) if worth.level is not None else ""
        if (known := self._decided.get(account.name)) is not None:
            made.since_time.CopyFrom(known.since_time)
        if (close_out := self._open.get(account.name)) is not None:
            made.close_out_id = close_out.close_out_id
        return made

    # What goes on by itself.

    async def run(self) -> None:
        """Looks, until it is cancelled."""
        while True:
            try:
                await self._let_go()
                await self.look()
            except StoreUnavailable as error:
                self._note.warning("margin is not watched while the database is away", why=str(error))
            await asyncio.sleep(self._interval_s)

    async def _let_go(self) -> None:
        """Ends kills whose close-out is over: of a process that ended in between as well."""
        under_way = {each.close_out_id for each in self._open.values()}
        for kill in self._kills.kills:
            if kill.engaged_by.startswith(MARGIN) and kill.kill_id not in under_way:
                with self._certain():
                    await self._kills.lift(kill.kill_id, kill.engaged_by)

    async def look(self) -> None:
        """Looks at every account once.

        Raises:
            StoreUnavailable, StaleWriter: a decision could not be written down.
        """
        for number, account in enumerate(self._watched(), 1):
            if number % LOOKED_AT_ONCE_MAX == 0:
                await asyncio.sleep(0)
            if account.call_level or account.close_out_level:
                await self._look_at(account)

    async def _look_at(self, account: Account) -> None:
        name, state = account.name, self._state(account.name)
        try:
            worth = worth_of(account, self._book.market, self._now_ns())
        except Untold:
            self._worse.pop(name, None)
            return
        wanted = self._levels(account).state(state, worth)
        if wanted <= state:
            self._worse.pop(name, None)
        if wanted < state or (wanted > state and self._lasts(name, wanted)):
            await self._decide(account, state, wanted, worth)
        close_out = self._open.get(name)
        if close_out is None:
            return
        try:
            await self._close(account, close_out, worth)
        except CallError as error:
            self._note.warning("a close-out waits for trading; trying again", account=name, why=str(error))

    def _lasts(self, name: str, wanted: State) -> bool:
        now = time.monotonic()
        known, since = self._worse.get(name, (None, now))
        if known is not wanted:
            self._worse[name] = wanted, now
            since = now
        return now - since >= self._dwell_s

    async def _decide(self, account: Account, state: State, wanted: State, worth: Worth) -> None:
        """Writes a decision down, with the close-out that begins or ends with it."""
        name, now_ns = account.name, self._now_ns()
        close_out = self._open.get(name)
        made = self._standing(account, worth)
        made.state = wanted.value
        made.since_time.FromNanoseconds(now_ns)
        if wanted is State.CLOSE_OUT:
            close_out = margin_call_pb2.CloseOut(close_out_id=self._new_id(), account=name)
            made.close_out_id = close_out.close_out_id
            close_out.begun.CopyFrom(made)
            close_out.begin_time.FromNanoseconds(now_ns)
        elif close_out is not None:
            level = f"the level is {made.level}" if made.level else "nothing is open any more"
            self._end(close_out, f"{level}, above the close-out level {made.close_out_level}")
            made.close_out_id = ""
        with self._certain():
            await self._store.change(self._term, made, state.value, close_out, now_ns)
        self._decided[name] = made
        self._worse.pop(name, None)
        if wanted is State.CLOSE_OUT and close_out is not None:
            self._open[name] = close_out
        else:
            self._open.pop(name, None)
        self._tell(name)
        self._note.warning(
            "margin", account=name, state=wanted.name, before=state.name, level=made.level, equity=made.equity
        )
        await self._let_go()

    def _end(self, close_out: margin_call_pb2.CloseOut, words: str) -> None:
        close_out.end_time.FromNanoseconds(self._now_ns())
        close_out.end_text = words

    def _tell(self, name: str) -> None:
        self.change += 1
        self.changes[name] = self.change
        self._changed.set()
        self._changed = asyncio.Event()

    # Closing.

    async def _close(self, account: Account, close_out: margin_call_pb2.CloseOut, worth: Worth) -> None:
        """One step: the account is stopped, then what stands in the way is cancelled, then one slice is closed."""
        if not await self._is_stopped(close_out):
            return
        record = Record(
            "closeout",
            close_out.close_out_id[-12:],
            f"margin close-out {close_out.close_out_id}: the level was {close_out.begun.level}, "
            f"the close-out level is {close_out.begun.close_out_level}",
            close_out.steps,
            partial(self._store.keep, self._term, close_out),
        )
        with self._certain():
            if not await self._slices.settled(record):
                return
            excess = self._levels(account).excess(worth)
            worst_first = sorted(held_by(account), key=lambda each: -worth.by_instrument.get(each.instrument, 0))
            for held in worst_first:
                if await self._clear(account, held):
                    return
                if await self._slices.close(record, held, _share(held, worth, excess)):
                    return

    async def _is_stopped(self, close_out: margin_call_pb2.CloseOut) -> bool:
        """Whether the account's kill holds in trading too; engages it first. One that two persons ended, ends."""
        kill_id = close_out.close_out_id
        if kill_id not in self._stopped:
            with self._certain():
                await self._kills.engage(f"{MARGIN}{kill_id}", kill_id.encode(), self._kill(close_out))
            self._stopped.add(kill_id)
        kills = {kill.kill_id: kill for kill in self._kills.kills}
        if kill_id not in kills:
            self._end(close_out, "two persons ended its kill")
            with self._certain():
                await self._store.keep(self._term, close_out)
            self._open.pop(close_out.account, None)
            self._tell(close_out.account)
            return False
        if any(kill.mode == gate_pb2.KILL_MODE_FLATTEN and self._covers(kill, close_out) for kill in kills.values()):
            return False  # a person closes all of it already
        return self._kills.applied_version >= kills[kill_id].gate_version

    def _covers(self, kill: kill_switch_pb2.Kill, close_out: margin_call_pb2.CloseOut) -> bool:
        scope, account = kill.scope, self._book.account(close_out.account)
        return scope.kind == "platform" or (scope.kind, scope.name) in (
            ("account", account.name),
            ("desk", account.desk),
        )

    def _kill(self, close_out: margin_call_pb2.CloseOut) -> kill_switch_pb2.Kill:
        begun = close_out.begun
        kill = kill_switch_pb2.Kill(
            kill_id=close_out.close_out_id,
            certificate_id=close_out.close_out_id,
            scope=gate_pb2.KillScope(kind="account", name=close_out.account),
            mode=gate_pb2.KILL_MODE_REDUCE_ONLY,
            engaged_by=f"{MARGIN}{close_out.close_out_id}",
            comment=f"equity {begun.equity} over margin used {begun.margin_used} {begun.currency} is {begun.level}, "
            f"the close-out level is {begun.close_out_level}",
        )
        kill.engage_time.FromNanoseconds(self._now_ns())
        return kill

    async def _clear(self, account: Account, held: Held) -> bool:
        """Cancels what works on the closing side: it would take the place of the slice. Whether there was something."""
        slot = account.group.slots.get(held.instrument)
        sells = held.quantity > 0
        if slot is None or not (slot.sells if sells else slot.buys):
            return False
        await self._trading.cancel_all(account.name, held.instrument, sells=sells)
        return True

    @contextlib.contextmanager
    def _certain(self) -> Iterator[None]:
        try:
            yield
        except OutcomeUnknown:
            self._doubt()
            raise


def _share(held: Held, worth: Worth, excess: int) -> int | None:
    """How much of a position has to go for so much less margin, rounded up; None for all of it."""
    used = worth.by_instrument.get(held.instrument, 0)
    if excess >= used or not used:
        return None
    return -(-abs(held.quantity) * excess // used)
