"""The whole order path as its node runs it, clients of several accounts, a nemesis; and one round of it.

traders ──▶ edge ──▶ trading-1, -2 ──▶ risk          followers ◀── reports
   │                     │   └──▶ broker ──▶ sim
   ▼                     ▼
 diary ──▶ checks ◀── PostgreSQL, NATS               officer ──▶ the kill switch
"""

from __future__ import annotations

import asyncio
import collections
import contextlib
import random
import shutil
import tempfile
import uuid
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import asyncpg
import grpc

from crossrate.api.ledger.v1 import account_pb2
from crossrate.api.ledger.v1 import account_service_pb2 as ledger
from crossrate.api.ledger.v1 import movement_service_pb2 as movements
from crossrate.api.ledger.v1.account_service_pb2_grpc import AccountServiceStub
from crossrate.api.ledger.v1.movement_service_pb2_grpc import MovementServiceStub
from crossrate.api.trading.v1 import order_entry_pb2 as pb
from crossrate.api.trading.v1 import order_pb2
from crossrate.api.trading.v1.trading_service_pb2_grpc import TradingServiceStub
from crossrate.events.events import Events, EventsUnavailable
from crossrate.node import credentials
from crossrate.node.postgres import PostgresServer
from crossrate.runtime import topology
from tests.chaos.books import SHOWN_MAX, Book, Books, whereabouts
from tests.chaos.checker import Broken, Problem
from tests.chaos.device import Device, obstacle
from tests.chaos.diary import Diary, Promises
from tests.chaos.ledgered import proof, trades, unapplied
from tests.chaos.nemesis import CUT, Blow, strike
from tests.chaos.node import NodeProcesses
from tests.chaos.order_checks import admitted, check_promises, dealt_far_away, reduced
from tests.chaos.points import Armory
from tests.chaos.pulse import Pulse
from tests.chaos.reserved import reserved
from tests.chaos.stand import Stuck
from tests.chaos.traders import Follower, Officer, Trader
from tests.ending import ended, within
from tests.integration.conftest import Runtime, eventually
from tests.mesh import Mesh
from tests.ports import free_port

ACCOUNTS = ("alpha", "beta", "gamma")
QUIET = "quiet"
"""Its orders rest, far from the market: it has no position to reduce, so nothing at all may pass a kill."""
VICTIMS = ("trading-1", "trading-2", "risk-1", "broker-1", "ledger-1", "node", "edge", "nats", "postgres")
HALT_EVERY = 2
"""Rounds from one with a kill switch to the next."""
CANCEL_EVERY = 2
LOADED_S = 2.0
"""How long clients work in a round at least."""
SETTLED_S_MAX = 120.0
RESERVED_S_MAX = 60.0
TRADED_S_MAX = 180.0
"""Longest time in which what clients are at comes to its end after everything is healthy again."""
CONNECTED_MS_MAX = 20_000
"""Longest time until a client's connection stands. An attempt is given up sooner, by its own deadline."""
FUNDS = "1000000000"
"""US dollars that each account is given."""


def chaos_topology(folder: Path) -> Path:
    """The platform's, with two instances of trading."""
    text = topology.DEFAULT_PATH.read_text()
    at = text.index("[services.trading]") + len("[services.trading]")
    path = folder / "topology.toml"
    path.write_text(f"{text[:at]}\ninstances = 2{text[at:]}")
    return path


class OrderStand:
    """See the module.

    Args:
        folder: where the harness keeps its own files, among them what clients were told.
        device: on which the mesh has its files, so that its power can be cut.
    """

    def __init__(self, folder: Path, seed: int, device: Device | None = None) -> None:
        self.path = chaos_topology(folder)
        self.topology = topology.load(self.path)
        services = self.topology.services
        self.victims = [name for name in VICTIMS if "-" not in name or name.partition("-")[0] in services]
        armory = Armory(folder / "points")
        # One port for the whole run: a client finds the mesh again after a power cut.
        settings = {"CROSSRATE_SETTLE_S": "0", "CROSSRATE_EDGE_PORT": str(free_port())} | armory.environment
        if device is not None:
            settings["TMPDIR"] = str(device.folder)
        self.mesh = Mesh(self.path, settings)
        self.processes = NodeProcesses(self.mesh, armory, device)
        self.diary = Diary(folder / "diary.jsonl")
        self.promises = Promises(self.diary.path)
        self.books = Books()
        self.chance = random.Random(seed)
        self.traders = [
            Trader(self.channel, account, self.diary, self.chance.getrandbits(64), resting=account == QUIET)
            for account in (*ACCOUNTS, *ACCOUNTS, QUIET)
        ]
        self.followers = [Follower(self.channel, account) for account in (*ACCOUNTS, QUIET)]
        self.officer = Officer(self.channel, self.second)
        self.settled_s_max = SETTLED_S_MAX
        self._followed: list[asyncio.Task] = []
        self._halted: list[tuple[Book, int]] = []
        self._losses: set[str] = set()
        self.reduced = 0
        """Orders that a kill let pass because they could only make a position smaller."""
        self._ways: dict[str, tuple[grpc.ChannelCredentials, int]] = {}

    def channel(self, client: str = "local") -> grpc.aio.Channel:
        """A client's channel to the edge: it repeats nothing by itself."""
        # While there is no power clients go on with what they have.
        with contextlib.suppress(OSError):
            proof = self.mesh.place.client_certificate(client).read_bytes()
            secrets = grpc.ssl_channel_credentials(self.mesh.roots, proof, proof)
            self._ways[client] = secrets, self.mesh.edge_port
        secrets, port = self._ways[client]
        options = [
            ("grpc.enable_retries", 0),
            ("grpc.use_local_subchannel_pool", 1),
            ("grpc.initial_reconnect_backoff_ms", 100),
            # gRPC gives up a connection that does not stand after so long: TLS takes its time on a busy machine.
            ("grpc.min_reconnect_backoff_ms", CONNECTED_MS_MAX),
            ("grpc.max_reconnect_backoff_ms", 500),
        ]
        return grpc.aio.secure_channel(f"localhost:{port}", secrets, options=options)

    def second(self) -> grpc.aio.Channel:
        """The other person's."""
        return self.channel("second")

    async def start(self) -> None:
        """Starts everything; returns when an order is admitted."""
        await asyncio.to_thread(self.mesh.up)
        async with self.channel() as channel:
            for name in (*ACCOUNTS, QUIET):
                account = account_pb2.Account(account=name, desk="spot", currency="USD", margin_rate="0.05")
                account.position_mode = account_pb2.POSITION_MODE_NETTING
                account.cost_method = account_pb2.COST_METHOD_FIFO
                account.status = account_pb2.ACCOUNT_STATUS_ACTIVE
                request = ledger.OpenAccountRequest(request_id=str(uuid.uuid4()), account=account)
                await AccountServiceStub(channel).OpenAccount(request)
                deposit = movements.DepositRequest(
                    request_id=str(uuid.uuid4()), account=name, currency="USD", amount=FUNDS
                )
                await MovementServiceStub(channel).Deposit(deposit)
        await self._listen()
        trader = Trader(self.channel, ACCOUNTS[0], self.diary, 0)
        await eventually(lambda: self._admits(trader), SETTLED_S_MAX)
        self._followed = [asyncio.create_task(follower.run()) for follower in self.followers]

    async def _listen(self) -> None:
        """Connects to NATS as it is now; what is there is read from the first message on."""
        if hasattr(self, "events"):
            await self.events.close()
        self.events = await Events.open(Runtime(credentials.NODE, self.mesh.place, self.topology))
        self.books.forget_stream()

    async def _admits(self, trader: Trader) -> bool:
        """Whether an order that is only looked at passes."""
        with contextlib.suppress(grpc.aio.AioRpcError):
            async with self.channel() as channel:
                request = pb.PlaceOrderRequest(request_id=str(uuid.uuid4()), order=trader.order(), validate_only=True)
                answer = await TradingServiceStub(channel).PlaceOrder(request)
                return all(check.passed for check in answer.checks)
        return False

    async def remove(self) -> None:
        """Ends everything."""
        try:
            await ended(self._followed, "followers of reports")
        finally:
            if hasattr(self, "events"):
                await self.events.close()
            self.diary.close()
            await asyncio.to_thread(self.mesh.__exit__, None, None, None)

    async def database(self) -> asyncpg.Connection:
        """A connection of the administrator.

        Raises:
            OSError, asyncpg.PostgresError: the database is away.
        """
        secret = credentials.read(self.mesh.place, credentials.NODE)
        if secret is None:
            raise OSError("the power is cut")
        folder = PostgresServer(self.mesh.place).socket_folder
        return await asyncpg.connect(
            user=credentials.ADMINISTRATOR, password=secret.password, host=str(folder), database=credentials.DATABASE
        )

    async def round(self, number: int, plan: Sequence[Blow], extra: Sequence[Trader] = ()) -> list[Problem]:
        """One round: disturbed, healed, settled, checked. Returns what is wrong.

        Raises:
            Stuck: somebody never came back, or never answered; with what the logs say at last.
        """
        self.diary.round = number
        try:
            return await self._round(number, plan, extra)
        except* (TimeoutError, AssertionError, OSError, asyncpg.PostgresError) as errors:
            raise Stuck(f"{errors.exceptions[0]!r}\n{self.processes.last_words()}") from errors

    async def _round(self, number: int, plan: Sequence[Blow], extra: Sequence[Trader]) -> list[Problem]:
        await self.processes.spare(plan)
        stopping = asyncio.Event()
        traders = [*self.traders, *extra]
        self.promises.read()
        silent = len(self.promises.silences)
        on_halt = any(blow.point and blow.point.needs == "halt" for blow in plan)
        pulse = Pulse()
        async with asyncio.TaskGroup() as together:
            together.create_task(pulse.run(stopping))
            working = [together.create_task(trader.run(stopping)) for trader in traders]
            halting = together.create_task(self._halt(on_halt)) if on_halt or number % HALT_EVERY == 0 else None
            await asyncio.gather(strike(self.processes, plan), asyncio.sleep(LOADED_S))
            await self.processes.all_ready()
            stopping.set()
            await within(asyncio.gather(*working), "the end of all traders", TRADED_S_MAX)
            if halting is not None:
                halted = await within(halting, "the halt of an account", TRADED_S_MAX)
                await self.officer.resume(halted)
        if any(blow.kind == CUT for blow in plan):
            await self._listen()
        problems = [problem for each in (*traders, self.processes) for problem in each.problems]
        for each in (*traders, self.processes):
            each.problems.clear()
        self.promises.read()
        more = self.promises.silences[silent:]
        if more and {blow.victim for blow in plan} == {"nats"} and not pulse.stood_still:
            said = ", ".join(f"{count} × {each}" for each, count in collections.Counter(more).items())
            problems.append(Problem(Broken.REFUSED, "orders without NATS", f"attempts had no outcome: {said}"))
        if number % CANCEL_EVERY == 0:
            await asyncio.gather(*(trader.cancel_all() for trader in traders))
            problems += [problem for trader in traders for problem in trader.problems]
            for trader in traders:
                trader.problems.clear()
        return problems + await self._settle(ended=number % CANCEL_EVERY == 0)

    async def _halt(self, awaited: bool) -> str:
        """Halts an account at some moment, and notes where its journal stands when that is committed. It may be
        awaited by somebody who is to end then."""
        account = self.chance.choice((*ACCOUNTS, QUIET, QUIET))
        if awaited:
            await self.processes.armed.wait()
        # The moment is the point, not a wait for something.
        await asyncio.sleep(self.chance.uniform(0.0, 1.5))
        kill_id = await self.officer.halt(account)
        head = 0
        async with asyncio.timeout(SETTLED_S_MAX):
            while True:
                with contextlib.suppress(OSError, asyncpg.PostgresError):
                    connection = await self.database()
                    try:
                        head = await connection.fetchval(
                            "SELECT coalesce(max(last_seq), 0) FROM trading.journal_head WHERE stream = $1",
                            f"accounts/{account}",
                        )
                        break
                    finally:
                        await connection.close()
                await asyncio.sleep(0.02)
        self._halted.append((self.books.book(account), head))
        return kill_id

    async def _settle(self, *, ended: bool) -> list[Problem]:
        connection = await self.database()
        try:
            problems = await self._settled(connection, ended)
            self.promises.read()
            # Read once more: the state that is checked is later than the last promise.
            await self.books.read(connection)
            problems += await self.books.check(connection)
            problems += await trades(connection, self.books.accounts.values())
        finally:
            await connection.close()
        problems += check_promises(self.promises, self.books)
        problems += dealt_far_away(self.books.book(QUIET))
        for book, head in self._halted:
            problems += admitted(book, head)
            self.reduced += reduced(book, head)
        self._halted.clear()
        for task in self._followed:
            if task.done():
                task.result()  # it never ends by itself: what ended it is an error of the harness
        for follower in self.followers:
            problems += follower.problems
            follower.problems.clear()
        problems += self._lost_by_nats()
        return problems + (await self._reserved() if ended else [])

    def _lost_by_nats(self) -> list[Problem]:
        """What a relay has said since: that NATS had acknowledged what it does not have any more."""
        said = self.processes.said("relay_stream_lost_messages")
        new, self._losses = sorted(said - self._losses), self._losses | said
        return (
            [Problem(Broken.LOST, "NATS", f"{len(new)} streams lost what was acknowledged, as {new[0]}")] if new else []
        )

    async def _reserved(self) -> list[Problem]:
        """What risk still holds for orders that have ended, when it has had time to hear of it."""
        found: list[Problem] = []

        async def nothing() -> bool:
            async with self.channel() as channel:
                found[:] = await reserved(channel, self.books.accounts.values())
            return not found

        with contextlib.suppress(TimeoutError):
            await eventually(nothing, RESERVED_S_MAX)
        return found + await proof(self.channel)

    async def _settled(self, connection: asyncpg.Connection, ended: bool) -> list[Problem]:
        """Waits until no order waits for anybody, and followers and NATS have every report."""
        problems = []
        for what, holds in (
            ("orders", lambda: self._rest(connection, ended)),
            ("followers", self._caught_up),
            ("relay", self._published),
            ("ledger", lambda: self._booked(connection)),
        ):
            try:
                await eventually(holds, self.settled_s_max)
            except TimeoutError:
                problems.append(Problem(Broken.STUCK, what, await self._where(connection, what, ended)))
        return problems

    async def _rest(self, connection: asyncpg.Connection, ended: bool) -> bool:
        await self.books.read(connection)
        return not any(book.working() if ended else book.under_way() for book in self.books.accounts.values())

    def _caught_up(self) -> bool:
        return all(follower.at >= self.books.book(follower.account).last for follower in self.followers)

    async def _published(self) -> bool:
        with contextlib.suppress(EventsUnavailable):
            await self.books.read_stream(self.events)
        return self.books.is_published()

    async def _booked(self, connection: asyncpg.Connection) -> bool:
        return not await unapplied(connection, self.books.accounts.values())

    async def _where(self, connection: asyncpg.Connection, what: str, ended: bool) -> str:
        if what == "ledger":
            return "; ".join(await unapplied(connection, self.books.accounts.values()))
        if what == "orders":
            waiting = [
                (name, order, book.orders[order].status)
                for name, book in sorted(self.books.accounts.items())
                for order in (book.working() if ended else book.under_way())
            ]
            said = [
                f"{name}/{order} is {order_pb2.OrderStatus.Name(status)}, {await whereabouts(connection, name, order)}"
                for name, order, status in waiting[:SHOWN_MAX]
            ]
            return f"{len(waiting)} wait: {'; '.join(said)}"
        there = {name: book.last for name, book in self.books.accounts.items()}
        if what == "followers":
            return f"they have { ({each.account: each.at for each in self.followers}) }, not {there}"
        return f"NATS has {dict(self.books.published)}, not {there}"


@contextlib.asynccontextmanager
async def standing(seed: int) -> AsyncIterator[OrderStand]:
    """A stand in a folder of its own; on a disk of its own, whose power can be cut, where there can be one."""
    folder = Path(tempfile.mkdtemp(prefix="xr-"))
    async with contextlib.AsyncExitStack() as stack:
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        device = None
        if not obstacle():
            device = Device()
            stack.callback(device.remove)
            await asyncio.to_thread(device.begin)
            stack.enter_context(device.temporary())
        stand = OrderStand(folder, seed, device)
        stack.push_async_callback(stand.remove)
        await stand.start()
        yield stand
