"""Group commit: whatever queued during one commit is the next.

    entries ─► risk admits them, a batch at a time ─┐
                                                    ├─► one transaction ─► answers, reports, instructions
    cancels, venues' reports, triggers ─────────────┘

While a batch is committed, risk is asked about the next one. A lone order waits for nobody.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import time
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from prometheus_client import Counter, Histogram

from crossrate.rpc import errors
from crossrate.store.errors import OutcomeUnknown, SequenceConflict, StoreError, StoreUnavailable
from services.trading.admission import Admission
from services.trading.domain.account import Account, Refused
from services.trading.engine.accounts import Accounts
from services.trading.engine.filling import Filling
from services.trading.engine.risk import Risk
from services.trading.engine.work import ATTEMPTS_MAX, Admitted, Entry, Group, Work, fail, resolve, retrieved
from services.trading.store import Batch, Duplicate, GateIsNewer, Store, TakenOver

ORDERS_MAX = 500
"""Orders that risk is asked about at once."""
WORKS_MAX = 2_000
"""Steps of works in one commit, about."""
GATHER_S = 0.02
"""Venues' reports wait so long for orders that risk is being asked about: one commit costs little more than half of
two."""
DOUBTED_S = 60.0
"""How long all orders of an account are looked for among those of before, once one of them was a repetition that nobody
remembered: nobody can have the commits of others fail again and again."""
SETTLE_S_MAX = 5.0
TAKEN_PAUSE_S, TAKEN_PAUSE_S_MAX = 0.002, 0.2
"""What another instance has taken over is tried again after a random part of a pause that doubles with each attempt."""
"""How long the outcome of a broken commit is asked for."""

ORDERS = Counter("crossrate_trading_orders_total", "Orders entered and committed, refused ones among them")
REPORTS = Counter("crossrate_trading_reports_total", "Execution reports committed")
COMMIT_SECONDS = Histogram(
    "crossrate_trading_commit_seconds",
    "Time of a commit with its fsync",
    buckets=(0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5),
)

After = Callable[[Batch], None]
Replay = Callable[[Sequence[Entry]], Awaitable[dict[int, Any]]]


class Writer:
    """See the module. `run_admission` and `run_commits` are tasks of the process.

    Args:
        replay: finds among entries, by `id`, those that were answered before: their answers or failures.
        settle: brings lists and reductions to what they should be after the steps of a batch.
    """

    def __init__(
        self,
        accounts: Accounts,
        store: Store,
        replay: Replay,
        settle: Callable[[Account, Batch], None],
        note: Any,
        clock_ns: Callable[[], int] = time.time_ns,
    ) -> None:
        self._accounts = accounts
        self._store = store
        self._replay = replay
        self._settle = settle
        self._note = note
        self._clock_ns = clock_ns
        self._entries: deque[Group] = deque()
        self._works: deque[Work] = deque()
        self._pressing = 0
        """Works that wait for nothing: all but venues' reports."""
        self._asking = False
        """Whether risk is being asked."""
        self._entered = asyncio.Event()
        self._filling = Filling(self._entries, self._entered, ORDERS_MAX)
        self._wake = asyncio.Event()
        self._admitted: asyncio.Queue[Admitted] = asyncio.Queue(1)
        self._after: list[After] = []
        self._on_the_way: dict[str, None] = {}
        self._doubted: dict[str, float] = {}
        """Accounts whose commit had something that was there already: until when all of theirs is looked for first."""
        self.settled = asyncio.Lock()
        """Held while memory is ahead of the database."""
        self.risk: Risk
        self.inflight: dict[tuple[str, str], Entry] = {}
        """Entries that were not answered yet, by account and client's id."""

    def on_committed(self, call: After) -> None:
        """Registers what follows each commit."""
        self._after.append(call)

    def on_the_way(self) -> list[str]:
        """Ids of orders that were admitted and are not committed yet."""
        return list(self._on_the_way)

    def enter(self, group: Group) -> None:
        """A group that risk has to admit."""
        if isinstance(group, Entry):
            for key in group.keys:
                self.inflight[key] = group
        group.future.add_done_callback(lambda _: self._answered(group))
        self._filling.came()
        self._entries.append(group)
        self._entered.set()

    def _answered(self, group: Group) -> None:
        self._filling.answered()
        for key in group.keys:
            if self.inflight.get(key) is group:
                del self.inflight[key]

    def work(
        self, account: str, do: Callable[[Account, Batch], Any], of: Account | None = None, size: int = 1
    ) -> asyncio.Future[Any]:
        """A change that needs nobody's leave; its answer comes once it is committed. For the rest see `Work`."""
        work = Work(account, do, asyncio.get_running_loop().create_future(), of=of, size=size)
        work.future.add_done_callback(retrieved)
        self._works.append(work)
        self._pressing += of is None
        self._wake.set()
        return work.future

    async def run_admission(self) -> None:
        """Asks risk about what is entered, until it is cancelled."""
        while True:
            await self._entered.wait()
            self._entered.clear()
            while self._entries:
                self._asking = True
                await self._filling.wait()
                groups, orders = [], 0
                while self._entries and (not groups or orders + max(1, len(self._entries[0].keys)) <= ORDERS_MAX):
                    groups.append(self._entries.popleft())
                    orders += max(1, len(groups[-1].keys))
                try:
                    admitted = await self._admit(groups)
                except (errors.Failure, StoreError) as error:
                    fail(groups, error)
                    continue
                finally:
                    self._asking = False
                    self._wake.set()
                if admitted.groups:
                    await self._admitted.put(admitted)
                    # Two batches at work, one at risk and one in the database, are larger ones than three.
                    await self._admitted.join()

    async def _admit(self, groups: list[Group]) -> Admitted:
        await self._accounts.ensure({group.account for group in groups})
        asked: list[tuple[Group, int]] = []
        orders, numbers = [], []
        for number, group in enumerate(groups, start=1):
            account = self._accounts.held.get(group.account)
            if account is None:  # lost while another one was claimed
                self._entries.append(group)
                continue
            try:
                wanted = group.to_admit(account)
            except (errors.Failure, Refused) as error:
                fail([group], error)
                continue
            asked.append((group, len(wanted)))
            orders += wanted
            numbers += [number if group.atomic else 0] * len(wanted)
        if not asked:
            return Admitted()
        entries = [group for group, _ in asked if isinstance(group, Entry)]
        repeated = [group for group in entries if self._may_be_repeated(group)]
        known, said = await asyncio.gather(
            self._replay(repeated), self.risk.authorise(orders, numbers), return_exceptions=True
        )
        if isinstance(known, BaseException):
            raise known
        if isinstance(said, BaseException):
            known |= await self._replay([group for group in entries if group not in repeated])
        for group in entries:
            if id(group) in known:
                resolve(group.future, known[id(group)])
        if isinstance(said, BaseException):
            # What was answered before is answered again whether risk is there or not.
            fail([group for group, _ in asked if id(group) not in known], said)
            return Admitted()
        admitted, at = Admitted(gate_version=said.gate_version), 0
        for group, count in asked:
            of_group = said.authorisations[at : at + count]
            at += count
            if id(group) not in known:
                admissions = [Admission(each, said.gate_version) for each in of_group]
                admitted.groups.append((group, admissions))
                self._on_the_way.update(dict.fromkeys(group.order_ids))
        return admitted

    def _may_be_repeated(self, entry: Entry) -> bool:
        """Whether its orders are looked for among those of before. What is repeated otherwise is found by the commit,
        of which then nothing is done, and looked for after that."""
        if entry.attempts or self._doubted.get(entry.account, 0.0) > time.monotonic():
            return True
        account = self._accounts.held.get(entry.account)
        return account is None or any(key[1] in account.recent for key in entry.keys)

    async def run_commits(self) -> None:
        """Commits what is ready, until it is cancelled."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            while self._works or not self._admitted.empty():
                await self._gather()
                admitted = None
                if not self._admitted.empty():
                    admitted = self._admitted.get_nowait()
                    self._admitted.task_done()
                works, steps = [], 0
                while self._works and (not works or steps + self._works[0].size <= WORKS_MAX):
                    works.append(self._works.popleft())
                    steps += works[-1].size
                self._pressing -= sum(work.of is None for work in works)
                await self._commit(works, admitted)

    async def _gather(self) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(GATHER_S):
                while self._asking and not self._pressing and self._admitted.empty():
                    self._wake.clear()
                    await self._wake.wait()

    def _counts(self, work: Work) -> bool:
        """Whether a change still means something; if not, nobody waits for it any more."""
        if work.of is None or self._accounts.held.get(work.account) is work.of:
            return True
        resolve(work.future, None)
        return False

    async def _commit(self, works: list[Work], admitted: Admitted | None) -> None:
        groups = admitted.groups if admitted is not None else []
        works = [work for work in works if self._counts(work)]
        waiting: list[Work | Group] = [*works, *(group for group, _ in groups)]
        try:
            await self._accounts.ensure({each.account for each in waiting})
        except StoreError as error:
            fail(waiting, error)
            self._left(groups)
            return
        async with self.settled:
            batch = Batch(self._clock_ns())
            answers = self._apply(batch, works, groups, admitted)
            if batch.empty:
                outcome = None
            else:
                outcome = await self._committed(batch)
        self._left(groups)
        if outcome is None:
            self._finish(batch, answers)
        else:
            self._again(batch, answers, groups, outcome)

    def _apply(
        self,
        batch: Batch,
        works: list[Work],
        groups: list[tuple[Group, list[Admission]]],
        admitted: Admitted | None,
    ) -> list[tuple[Work | Group, Any]]:
        answers: list[tuple[Work | Group, Any]] = []
        held = self._accounts.held
        for work in works:
            if not self._counts(work):
                continue
            try:
                answers.append((work, work.do(held[work.account], batch)))
            except (errors.Failure, Refused) as error:
                fail([work], error)
        for group, admissions in groups:
            try:
                answers.append((group, group.do(held[group.account], batch, admissions)))
            except (errors.Failure, Refused) as error:
                fail([group], error)
            else:
                assert admitted is not None
                batch.admitted_version = admitted.gate_version
        for account in list(batch.accounts.values()):
            self._settle(account, batch)
        return answers

    async def _committed(self, batch: Batch) -> StoreError | None:
        """Nothing if the batch is committed, else why it is not."""
        try:
            for name in batch.bases:
                assert name in self._accounts.epochs
            for request in batch.requests:
                batch.holds(self._accounts.held[request.account])
            with self._filling.commit(), COMMIT_SECONDS.time():
                await self._store.commit(batch, self._accounts.epochs)
        except OutcomeUnknown as error:
            return await self._what_stands(batch, error)
        except StoreError as error:
            return error
        return None

    async def _what_stands(self, batch: Batch, unknown: OutcomeUnknown) -> StoreError | None:
        """Reads whether a commit was done whose connection broke."""
        ends = {name: account.sequence for name, account in batch.accounts.items()}
        grown = {name: end for name, end in ends.items() if end > batch.bases[name]}
        epochs = {name: self._accounts.epochs[name] for name in ends}
        self._accounts.drop(ends)
        deadline = time.monotonic() + SETTLE_S_MAX
        while time.monotonic() < deadline:
            try:
                # Claiming raises the epoch: a commit that is still on its way is either in what is read, or refused.
                await self._accounts.ensure(ends)
                if grown and await self._store.wrote(grown, epochs):
                    return None
            except StoreError:
                await asyncio.sleep(0.05)
                continue
            return StoreUnavailable("the connection broke before the commit; nothing was done")
        return unknown

    def _finish(self, batch: Batch, answers: list[tuple[Work | Group, Any]]) -> None:
        ORDERS.inc(len(batch.entered))
        REPORTS.inc(len(batch.reported))
        for call in self._after:
            call(batch)
        for each, answer in answers:
            resolve(each.future, answer)
        for order in batch.orders:
            if order.order_id in batch.entered and (account := self._accounts.held.get(order.account)) is not None:
                account.entered(order.client_order_id)
            if order.final and (account := self._accounts.held.get(order.account)) is not None:
                account.forget_final(order)

    def _again(
        self,
        batch: Batch,
        answers: list[tuple[Work | Group, Any]],
        groups: list[tuple[Group, list[Admission]]],
        error: StoreError,
    ) -> None:
        """Memory is ahead of the database: forgets it, and tries what was not done once more where that may help."""
        names = list(batch.bases)
        self._accounts.drop(names)
        if isinstance(error, Duplicate):
            now_s = time.monotonic()
            self._doubted = {name: until_s for name, until_s in self._doubted.items() if until_s > now_s}
            self._doubted.update(dict.fromkeys(names, now_s + DOUBTED_S))
        # Whoever took an account over looks after it; taking it back would go on for ever.
        self._accounts.want(set(names).difference(error.accounts if isinstance(error, TakenOver) else ()))
        retry = isinstance(error, TakenOver | GateIsNewer | Duplicate | SequenceConflict)
        if not isinstance(error, GateIsNewer):
            self._note.warning("a commit was not done", accounts=len(names), why=str(error), again=retry)
        again: list[Work | Group] = []
        for each, _ in answers:
            each.attempts += 1
            if retry and each.attempts < ATTEMPTS_MAX and not each.future.done():
                again.append(each)
            else:
                fail([each], error)
        if again and isinstance(error, TakenOver):
            # Two instances that take an account from each other in step would go on like that.
            longest_s = min(TAKEN_PAUSE_S_MAX, TAKEN_PAUSE_S * 2 ** max(each.attempts for each in again))
            asyncio.get_running_loop().call_later(random.uniform(0.0, longest_s), self._back, again)
        else:
            self._back(again)

    def _back(self, again: list[Work | Group]) -> None:
        works = [each for each in again if isinstance(each, Work)]
        self._works.extendleft(reversed(works))
        self._pressing += sum(work.of is None for work in works)
        self._entries.extendleft(each for each in reversed(again) if isinstance(each, Group))
        if self._works:
            self._wake.set()
        if self._entries:
            self._entered.set()

    def _left(self, groups: Sequence[tuple[Group, Any]]) -> None:
        for group, _ in groups:
            for order_id in group.order_ids:
                self._on_the_way.pop(order_id, None)
