"""The main job ends with a trading day, on a mesh of its own that it starts and stops."""

import json
import subprocess
import sys
from decimal import Decimal

import pytest

from crossrate.node.leftovers import running_node
from tests.mesh import Mesh

pytestmark = pytest.mark.system

RUN_S_MAX = 280.0


def test_the_main_job_trades_a_day_whose_books_balance() -> None:
    """Every step holds; fills make the positions, each cause of profit is told, and the mesh is gone afterwards."""
    with Mesh() as mesh:
        done = subprocess.run(
            [sys.executable, "-m", "crossrate.cli", "run", "--once", "--json"],
            env=mesh.environment,
            capture_output=True,
            text=True,
            timeout=RUN_S_MAX,
            check=False,
        )
        told = json.loads(done.stdout)
        assert [each for each in told["steps"] if not each["ok"]] == []
        assert done.returncode == 0, done.stderr
        assert told["steps"][-1]["name"] == "audit"
        assert "the witness agrees" in told["steps"][-1]["result"]
        assert running_node(mesh.place) is None
        passwords = list((mesh.place.state / "fix").glob("*.password"))
        assert [each.stat().st_mode & 0o077 for each in passwords] == [0]
    day = told["tradingDay"]
    ways = {name.split("-")[0] for name in day["accounts"]}
    assert ways == {"trend", "carry", "desk", "fix"}
    for account in day["accounts"].values():
        assert account["orders"].get("FILLED", 0) >= 1
        assert account["profitAndLoss"]["total"]["net"]
        held: dict[str, Decimal] = {}
        for fill in account["fills"]:
            sign = 1 if fill["side"] == "BUY" else -1
            held[fill["instrument"]] = held.get(fill["instrument"], Decimal(0)) + sign * Decimal(fill["quantity"])
        positions = {each["instrument"]: Decimal(each["quantity"]) for each in account["positions"]}
        assert positions == {name: quantity for name, quantity in held.items() if quantity}
    assert len(day["rejected"]) == 3
    assert {each["finalStatus"] for each in day["certificate"]["orders"]} == {"ORDER_STATUS_CANCELLED"}
    assert day["financing"]
    assert (day["breaks"], day["proof"]["differences"]) == ([], [])
    assert Decimal(day["valueAtRisk"]["before"]) == 0 < Decimal(day["valueAtRisk"]["after"])
