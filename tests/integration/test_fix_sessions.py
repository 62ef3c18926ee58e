"""Initiator and acceptor over real connections: orders, kills, failures, certificates, schedules."""

from __future__ import annotations

import asyncio
import datetime as dt
import os
import re
import signal
import ssl
import sys
import time
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from crossrate.fix.endpoint import Endpoint
from crossrate.fix.faults import NotLoggedOn, Throttled
from crossrate.fix.file_store import FileStore
from crossrate.fix.initiator import Initiator
from crossrate.fix.message import Framer, Message, encoded, utc_text
from crossrate.fix.schedule import Schedule
from crossrate.fix.store import MemoryStore, StaleNumbers
from crossrate.store import Database
from crossrate.store.fix_store import FixStore
from tests.ending import within
from tests.integration.conftest import eventually
from tests.integration.fix_stand import NOTE, stand
from tests.ports import free_port
from tests.venues.certificate import certificate
from tests.venues.fix_desk import order

pytestmark = pytest.mark.integration


async def said(port: int, *messages: bytes, tls: ssl.SSLContext | None = None) -> list[Message]:
    """What the venue answers to a client that says this, until it closes the connection."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=tls)
    framer, heard = Framer(), []
    try:
        writer.writelines(messages)
        async with asyncio.timeout(20):
            while data := await reader.read(65_536):
                heard += framer.feed(data)
    except (ConnectionError, ssl.SSLError):
        pass
    finally:
        writer.close()
    return heard


def spoken(kind: str, number: int, *body: tuple[int, Any], sender: str = "DESK") -> bytes:
    """A message of a client that is written by hand."""
    header = [(35, kind), (49, sender), (56, "VENUE"), (34, number), (52, utc_text(time.time_ns()))]
    return encoded(header, body)


async def test_what_the_readme_shows_works() -> None:
    """Its program runs as it stands, on a port that is free."""
    text = (Path(__file__).parents[2] / "libs/crossrate/fix/README.md").read_text()
    (program,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-c", program.replace("9880", str(free_port()))]
    process = await asyncio.create_subprocess_exec(*command, env=environment)
    assert await asyncio.wait_for(process.wait(), 60) == 0


async def test_an_order_is_sent_and_its_report_comes() -> None:
    """Each order of many comes once and in order, and so does each report; both sides log out in the end."""
    async with stand() as at:
        await within(at.desk.standing.wait(), "the logon")
        names = [f"o-{number}" for number in range(200)]
        for name in names:
            await at.trade(name)
        await eventually(lambda: at.reported() == names)
        assert at.venue.taken == names
        assert at.desk.reports[0].last_px == Decimal("1.08504")
    assert at.desk.reasons == ["logged out"]
    assert at.venue.reasons == ["the client logged out: the process stops"]


async def test_what_is_sent_without_a_session_waits_or_is_refused() -> None:
    """By default NotLoggedOn is raised and nothing happens; what may wait comes as a possible duplicate."""
    store = MemoryStore()
    async with stand(desk=False, desk_store=store) as at:
        with pytest.raises(NotLoggedOn, match="DESK→VENUE is not logged on"):
            await at.trade("now")
        assert store.numbers.out == 1
        await at.trade("later", offline=True)
        await at.trade("later still", offline=True)
        at.running = asyncio.create_task(Initiator(at.desk_end, "127.0.0.1", at.port, NOTE).run(at.stopping))
        await eventually(lambda: at.reported() == ["later", "later still"])
        assert at.venue.taken == ["later", "later still"]


async def test_an_error_in_a_unit_sends_nothing_and_the_session_stands() -> None:
    """A transaction that is given up takes no number."""
    async with stand() as at:
        await within(at.desk.standing.wait(), "the logon")

        async def fail() -> None:
            async with at.desk_end.unit() as unit:
                unit.send(order("lost"))
                raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            await fail()
        with pytest.raises(ValueError, match=r"NewOrderSingle\.cl_ord_id \(11\)"):
            await at.trade("a\x01b")
        await at.trade("kept")
        await eventually(lambda: at.reported() == ["kept"])
        assert at.desk_end.logons == 1


async def test_more_than_the_session_may_send_is_refused() -> None:
    """`sent_per_s_max` counts orders; the error says when the next may go."""
    async with stand(rules={"sent_per_s_max": 3.0}) as at:
        await within(at.desk.standing.wait(), "the logon")

        async def flood() -> None:
            for number in range(20):
                await at.trade(f"o-{number}")

        with pytest.raises(Throttled) as caught:
            await flood()
        assert 0 < caught.value.retry_after_s <= 1 / 3
        await eventually(lambda: len(at.desk.reports) >= 3)


async def test_more_than_the_venue_takes_ends_the_session() -> None:
    """`received_per_s_max` is told in the Logout."""
    async with stand(desk=False, rules={"received_per_s_max": 5.0}) as at:
        beats = [spoken("0", number) for number in range(2, 40)]
        heard = await said(at.port, spoken("A", 1, (98, 0), (108, 30)), *beats)
        assert heard[-1].text(58) == "more than 5 messages a second"


async def test_a_failing_application_takes_no_order_twice(postgres_server: Any) -> None:
    """It is rolled back with its report and its number, and the order comes again with the next connection."""
    database = await Database.open(postgres_server.runtime("alpha"))
    try:
        await FixStore.prepare(database)
        async with database.connection() as connection:
            await connection.execute("CREATE TABLE taken (place serial, name text)")

        async def into(connection: Any, name: str) -> None:
            await connection.execute("INSERT INTO taken (name) VALUES ($1)", name)

        async with stand(venue_store=FixStore(database, "venue"), desk_store=FixStore(database, "desk")) as at:
            at.venue.into = into
            await within(at.desk.standing.wait(), "the logon")
            at.venue.failures = 3
            names = [f"o-{number}" for number in range(20)]
            for name in names:
                await at.trade(name, offline=True)
            await eventually(lambda: len(at.desk.reports) == 20)
            assert at.reported() == names
            assert at.venue_end.logons == 4
        async with database.connection() as connection:
            rows = await connection.fetch("SELECT name FROM taken ORDER BY place")
            assert [row["name"] for row in rows] == names
    finally:
        await database.close()


async def test_the_database_may_go_and_come(postgres_server: Any) -> None:
    """While it is away nothing is sent and nothing acknowledged; when it is back all goes on, once each."""
    database = await Database.open(postgres_server.runtime("alpha"))
    try:
        await FixStore.prepare(database)
        async with stand(venue_store=FixStore(database, "venue")) as at:
            await within(at.desk.standing.wait(), "the logon")
            await at.trade("before")
            await eventually(lambda: at.reported() == ["before"])
            postgres_server.kill("postgres")
            names = [f"o-{number}" for number in range(5)]
            for name in names:
                await at.trade(name, offline=True)
            await eventually(lambda: at.venue.reasons)
            assert at.reported() == ["before"]
            await postgres_server.start_postgres()
            await eventually(lambda: at.reported() == ["before", *names], timeout_s=60)
    finally:
        await database.close()


async def test_two_processes_cannot_speak_for_one_session() -> None:
    """The one whose numbers are old is refused by the store, sends nothing, and goes on from what is stored."""
    store = MemoryStore()
    async with stand(desk_store=store) as at:
        await within(at.desk.standing.wait(), "the logon")
        await at.trade("one")
        await eventually(lambda: at.reported() == ["one"])
        store.numbers.out += 5
        with pytest.raises(StaleNumbers):
            await at.trade("two")
        await eventually(lambda: at.desk_end.logons == 2 and at.desk_end.standing)
        await at.trade("three")
        await eventually(lambda: at.reported() == ["one", "three"])


async def test_numbers_may_be_set_by_hand() -> None:
    """Without a connection, and never so that one is given twice; what is left out is filled by a gap."""
    store = MemoryStore()
    async with stand(desk=False, desk_store=store) as at:
        await at.desk_end.set_numbers(out=10, due=1)
        for out, due in ((9, 1), (10, 0)):
            with pytest.raises(ValueError, match="our next is 10"):
                await at.desk_end.set_numbers(out=out, due=due)
        at.running = asyncio.create_task(Initiator(at.desk_end, "127.0.0.1", at.port, NOTE).run(at.stopping))
        await within(at.desk.standing.wait(), "the logon")
        with pytest.raises(ValueError, match="connected: True"):
            await at.desk_end.set_numbers(out=50, due=1)
        await at.trade("one")
        await eventually(lambda: at.reported() == ["one"])
        assert store.numbers.out > 11
        assert at.desk_end.logons == 1


async def test_a_second_client_of_the_same_name_gets_no_answer() -> None:
    """The first one's session stands (case 1S-b)."""
    async with stand() as at:
        await within(at.desk.standing.wait(), "the logon")
        assert await said(at.port, spoken("A", 1, (98, 0), (108, 30))) == []
        await at.trade("one")
        await eventually(lambda: at.reported() == ["one"])


async def test_whoever_is_not_known_gets_no_answer() -> None:
    """An unknown name, something else than a Logon, bytes of nothing, and a Logon of endless length."""
    async with stand(desk=False) as at:
        for first in (
            spoken("A", 1, (98, 0), (108, 30), sender="STRANGER"),
            spoken("0", 1),
            b"GET / HTTP/1.1\r\n\r\n",
            b"8=FIX.4.4\x019=100000\x0135=A\x01",
        ):
            assert await said(at.port, first) == []
        assert not at.venue.reasons


async def test_a_password_is_judged() -> None:
    """A wrong one is told so by a Logout, and takes nothing from the session's numbers that matter."""

    async def judge(logon: Message, endpoint: Endpoint) -> str:
        return "" if (logon.text(553), logon.text(554)) == ("user", "right") else "wrong user or password"

    async with stand(authenticate=judge, username="user", password="right") as at:
        heard = await said(at.port, spoken("A", 1, (98, 0), (108, 30), (553, "user"), (554, "wrong")))
        assert [message.text(58) for message in heard] in (["wrong user or password"], [])
        await within(at.desk.standing.wait(), "the logon")
        await at.trade("one")
        await eventually(lambda: at.reported() == ["one"])


async def test_both_sides_may_have_to_show_certificates(folder: Path) -> None:
    """With TLS 1.2 or later, the venue's certificate checked by the desk and the desk's by the venue."""
    server = certificate(folder)
    server.load_verify_locations(folder / "ca.pem")
    server.verify_mode = ssl.CERT_REQUIRED
    client = ssl.create_default_context(cafile=str(folder / "ca.pem"))
    client.load_cert_chain(folder / "ca.pem", folder / "key.pem")
    async with stand(server_tls=server, client_tls=client) as at:
        await within(at.desk.standing.wait(), "the logon")
        await at.trade("one")
        await eventually(lambda: at.reported() == ["one"])
    bare = ssl.create_default_context(cafile=str(folder / "ca.pem"))
    async with stand(desk=False, server_tls=server) as at:
        assert await said(at.port, spoken("A", 1, (98, 0), (108, 30)), tls=bare) == []
        assert not at.venue_end.logons


async def test_a_session_of_the_schedule_begins_at_one() -> None:
    """At its end both sides log out; the next day's begins with number 1, and knows nothing of the day before."""
    day_s, ahead = 86_400, [0.0]
    start = dt.datetime.now(dt.UTC).replace(hour=12, minute=0, second=0, microsecond=0).timestamp()
    schedule = Schedule("UTC", dt.time(11), dt.time(13))
    begun = time.monotonic()

    def now_ns() -> int:
        return round((start + ahead[0] + time.monotonic() - begun) * 1e9)

    desk_store = MemoryStore()
    async with stand(desk_store=desk_store, schedule=schedule, now_ns=now_ns) as at:
        await within(at.desk.standing.wait(), "the logon")
        for name in ("one", "two"):
            await at.trade(name)
        await eventually(lambda: len(at.desk.reports) == 2)
        assert desk_store.numbers.out >= 4
        ahead[0] = 2 * 3_600.0
        # What is on its way wakes both sides before their timers do.
        await at.desk_end.end()
        await eventually(lambda: not at.desk_end.connected)
        with pytest.raises(NotLoggedOn):
            await at.trade("three")
        ahead[0] = float(day_s)
        at.stopping.set()
        assert at.running is not None
        await within(at.running, "the end of the initiator")
        at.stopping.clear()
        at.running = asyncio.create_task(Initiator(at.desk_end, "127.0.0.1", at.port, NOTE).run(at.stopping))
        await eventually(lambda: at.desk_end.standing)
        assert desk_store.numbers.out == 2
        await at.trade("four")
        await eventually(lambda: at.reported()[-1] == "four")


async def test_a_desk_that_is_killed_forgets_and_repeats_nothing(folder: Path) -> None:
    """Killed again and again while it sends: each order that is in its store came to the venue once, in order."""
    async with stand(desk=False) as at:
        path, orders = folder / "orders.fix", 150
        command = [sys.executable, "-m", "tests.venues.fix_desk", "--port", str(at.port), "--store", str(path)]
        command += ["--orders", str(orders)]
        environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}

        async def begin() -> asyncio.subprocess.Process:
            nothing = asyncio.subprocess.DEVNULL
            return await asyncio.create_subprocess_exec(*command, env=environment, stdout=nothing)

        for kills in range(4):
            process = await begin()
            wanted = len(at.venue.taken) + 20 + 3 * kills
            await eventually(lambda wanted=wanted: len(at.venue.taken) >= min(wanted, orders - 20))
            process.send_signal(signal.SIGKILL)
            await within(process.wait(), "the end of the desk")
            await eventually(lambda: not at.venue_end.connected)
        process = await begin()
        assert await asyncio.wait_for(process.wait(), 60) == 0
        await eventually(lambda: len(at.venue.taken) == orders)
        assert at.venue.taken == [f"order-{number}" for number in range(1, orders + 1)]
        store = FileStore(path)
        stored = [each for each in await store.sent(1, 1 << 60, 1_000) if each.kind == b"D"]
        store.close()
        assert len(stored) == orders
