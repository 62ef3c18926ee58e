"""Limits, dead-man leases, block allocations and margin as a desk's operators use them: with every real service."""

import json
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from crossrate.api.ledger.v1 import balance_pb2
from crossrate.client import CallError, Client, OrderRejected
from tests.mesh import Mesh
from tests.system.test_orders import account, bid, funded, patiently

pytestmark = pytest.mark.system


@pytest.fixture(scope="module")
def trader(mesh: Mesh) -> Iterator[Client]:
    """A trader who waits."""
    with Client(f"localhost:{mesh.edge_port}", ca=mesh.roots, client=mesh.place.client_certificate("local")) as client:
        yield client


def waited(found: Callable[[], Any]) -> Any:
    """What is found in the end."""
    for _ in patiently():
        if value := found():
            return value
    raise AssertionError("it does not come")


def position_of(client: Client, name: str) -> str:
    """What risk says that an account holds of EUR/USD; empty for nothing."""
    usages = client.risk.ListLimitUsage(scope=f"account:{name}").usages
    return next((each.value for each in usages if each.name == "EUR/USD"), "")


def standing_of(client: Client, name: str) -> Any:
    """How an account stands to its margin."""
    return client.risk.GetMarginStanding(account=name).standing


def test_limits_by_the_command_line(mesh: Mesh, trader: Client) -> None:
    """Proposed by one, refused to the same person, approved by another, used, in the history, and gone again."""
    name = funded(trader, account(mesh, "limited"))
    scope = f"account:{name}"
    asked = ("limits", "propose", "order-notional", "200000", "--unit", "usd", "--scope", scope, "-m", "a test")
    assert "nothing was kept" in mesh.command(*asked, "--dry-run")
    proposal = mesh.json(*asked)["proposal"]["proposalId"]
    assert "somebody else" in mesh.refused("limits", "approve", proposal)
    version = mesh.json("limits", "approve", "last", "--client", "second")["version"]
    (limit,) = mesh.json("limits", "list", "--scope", scope)["limits"]
    assert (limit["kind"], limit["value"], limit["unit"]) == ("CHECK_KIND_ORDER_NOTIONAL", "200000", "USD")
    with pytest.raises(OrderRejected, match="200000"):
        trader.place(name, "EUR/USD", "buy", 500_000)
    trader.place(name, "EUR/USD", "buy", 100_000)

    assert waited(lambda: position_of(trader, name)) == "100000"
    assert "100,000" in mesh.command("limits", "usage", "--scope", scope)
    goes = mesh.json("limits", "propose", "order-notional", "--remove", "--scope", scope, "-m", "over")
    mesh.command("limits", "approve", goes["proposal"]["proposalId"], "--client", "second")
    history = mesh.json("limits", "history")
    assert [each["version"] for each in history["versions"]][:2] == [str(int(version) + 1), version]
    assert {goes["proposal"]["proposalId"], proposal} <= {each["proposalId"] for each in history["proposals"]}
    assert "did you mean order-notional?" in mesh.refused("limits", "propose", "order-notionl", "1", "-m", "x")
    assert "put[0].value" in mesh.refused("limits", "propose", "position", "-m", "x")
    kept = mesh.json("limits", "propose", "open-orders", "7", "--scope", scope, "-m", "x")["proposal"]["proposalId"]
    assert mesh.json("limits", "withdraw", kept)["state"] == "LIMIT_PROPOSAL_STATE_WITHDRAWN"
    assert "no proposal waits" in mesh.refused("limits", "approve", "last")


@pytest.mark.long
def test_a_lease_that_is_held_stops_nothing_and_silence_does(mesh: Mesh, trader: Client) -> None:
    """Ctrl-C and SIGTERM release it; a holder that is killed is silent, and its account is stopped."""
    name = funded(trader, account(mesh, "leased"))
    scope = f"account:{name}"
    assert "no mode" in mesh.refused("kill", "lease", "register", "stop", "--scope", scope)
    made = mesh.json("kill", "lease", "register", "halt", "--scope", scope, "--silence", "600")
    assert made["leaseId"] in [each["leaseId"] for each in mesh.json("kill", "lease", "list")]
    assert mesh.json("kill", "lease", "renew", made["leaseId"])["leaseId"] == made["leaseId"]
    mesh.command("kill", "lease", "release", made["leaseId"])
    assert made["leaseId"] not in mesh.command("kill", "lease", "list")
    assert "register anew" in mesh.refused("kill", "lease", "renew", made["leaseId"])
    for ending, stopped in ((signal.SIGINT, False), (signal.SIGTERM, False), (signal.SIGKILL, True)):
        lease_id = held_until(mesh, trader, scope, ending)

        def kills(lease_id: str = lease_id) -> bool:
            return any(each.kill_id == lease_id for each in trader.risk.GetState().state.kills)

        if stopped:
            assert waited(kills)
            proposal = mesh.json("kill", "resume", lease_id, "-m", "over")["proposalId"]
            mesh.command("kill", "approve", proposal, "--client", "second")
        else:
            assert lease_id not in mesh.command("kill", "lease", "list")
            assert not kills()


def held_until(mesh: Mesh, client: Client, scope: str, ending: int) -> str:
    """The id of a lease of some seconds that a process holds until a signal; it lives for more than its silence."""
    command = ("kill", "lease", "hold", "halt", "--scope", scope, "--silence", "8", "--json")
    argv = [sys.executable, "-m", "crossrate.cli", *command]
    pipe = subprocess.PIPE
    with subprocess.Popen(argv, stdout=pipe, stderr=pipe, env=mesh.environment, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stderr is not None
        text = ""
        while not text.rstrip().endswith("}"):
            text += holder.stdout.readline()
        lease_id = json.loads(text)["leaseId"]

        def runs_out_ns() -> int:
            leases = client.risk.GetState().state.leases
            return next((each.expire_time.ToNanoseconds() for each in leases if each.lease_id == lease_id), 0)

        first = runs_out_ns()
        try:
            # Each answer reckons the time anew, and so is off by some nanoseconds; a renewal adds seconds.
            assert waited(lambda: runs_out_ns() > first + 1_000_000_000 > 1_000_000_000)
            holder.send_signal(ending)
            code = holder.wait(timeout=60)
            assert code == (-ending if ending == signal.SIGKILL else 0), holder.stderr.read()
        finally:
            holder.kill()
    return lease_id


@pytest.mark.long
def test_a_block_is_shared_and_counts_at_once(mesh: Mesh, trader: Client) -> None:
    """Shares are positions of their accounts in the ledger and in risk's limits; the block account's is smaller; what
    is allocated can be closed."""
    block, share = (funded(trader, account(mesh, name)) for name in ("block", "share"))
    placed = trader.place(block, "EUR/USD", "buy", 300_000).order

    def fills() -> list[Any]:
        page = trader.trading.ListExecutions(account=block, page_size=100)
        return [each.fill for each in page.reports if each.fill.venue_exec_id]

    (fill, *_) = waited(lambda: fills() if sum(int(each.quantity) for each in fills()) == 300_000 else [])
    assert placed.terms.account == block

    def booked(name: str) -> list[str]:
        return [each.quantity for each in trader.ledger.ListPositions(account=name).positions]

    assert waited(lambda: booked(block) == ["300000"])
    asked = ("accounts", "allocate", block, fill.venue_exec_id, f"{share}=200,000")
    assert "100,000 of the block" in mesh.command(*asked, "--dry-run")
    answer = mesh.json(*asked, "--id", str(uuid.uuid4()))
    assert [each["account"] for each in answer["entries"]] == [block, share]
    assert "no share" in mesh.refused("accounts", "allocate", block, fill.venue_exec_id, share)
    assert "100000 of the block" in mesh.refused(*asked)

    assert waited(lambda: (position_of(trader, share), position_of(trader, block)) == ("200000", "100000"))
    standing = mesh.json("accounts", "margin", share)[0]
    assert float(standing["marginUsed"]) > 200_000 * 0.04
    sold = mesh.json("orders", "place", share, "sell", "200000", "EUR/USD")["order"]
    assert sold["status"] == "ORDER_STATUS_FILLED"
    assert waited(lambda: not booked(share))


@pytest.mark.long
def test_a_close_out_brings_an_account_back_above_its_level(mesh: Mesh, trader: Client) -> None:
    """A level that the account is below closes so much of its position as is needed: what could add is cancelled and
    refused meanwhile, its orders say why they were made, and the account goes on after it."""
    name = funded(trader, account(mesh, "margin"))
    trader.place(name, "EUR/USD", "buy", 1_000_000)
    rests = trader.place(name, "EUR/USD", "buy", 100_000, limit_price=bid(trader)).order
    assert "call 1" in mesh.command("accounts", "levels", name)
    level = float(waited(lambda: standing_of(trader, name).level))
    assert 15 < level < 20
    assert "above the call" in mesh.refused("accounts", "levels", name, "--call", "2", "--close-out", "3")
    mesh.command("accounts", "levels", name, "--call", "40", "--close-out", "30")

    def ended() -> str:
        found = trader.risk.ListCloseOuts(account=name).close_outs
        return found[0].close_out_id if found and found[0].HasField("end_time") else ""

    close_out_id = waited(ended)
    assert close_out_id in mesh.command("accounts", "close-outs", name)
    (whole,) = mesh.json("accounts", "close-outs", close_out_id)
    assert "above the close-out level 30" in whole["endText"]
    standing = mesh.json("accounts", "margin", name)[0]
    assert standing["state"] == "MARGIN_STATE_CALL"
    assert float(standing["level"]) > 30
    sold = [each for each in whole["steps"] if each["clientOrderId"]]
    assert 400_000 < -sum(int(each["quantity"]) for each in sold) < 600_000
    first = sold[0]["clientOrderId"]
    assert f"margin close-out {close_out_id}" in mesh.command("orders", "explain", name, first)
    cancelled = trader.trading.GetOrder(account=name, order=rests.order_id).order
    assert cancelled.reason == "KILL_SWITCH"
    listed = {each["account"]: each["margin"] for each in mesh.json("accounts", "list")}
    assert listed[name]["state"] == "MARGIN_STATE_CALL"
    assert name in mesh.command("accounts", "margin", "--called")
    mesh.command("accounts", "levels", name, "--call", "none", "--close-out", "none")
    waited(lambda: standing_of(trader, name).state == balance_pb2.MARGIN_STATE_OK)
    for _ in patiently():
        try:
            trader.place(name, "EUR/USD", "buy", 1_000)
        except (OrderRejected, CallError):
            time.sleep(0.1)
        else:
            return
    raise AssertionError("the account does not go on")
