"""A venue that speaks the v20 API, for tests: it answers in the shapes of the public docs, and fails as told."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from tests.ports import free_port

Json = dict[str, Any]
ACCOUNT, TOKEN = "101-004-1435156-001", "practice-token-of-a-test"


class Server(uvicorn.Server):
    """Leaves signals to the test."""

    @contextlib.contextmanager
    def capture_signals(self):
        """Captures none."""
        yield


class OandaServer:
    """One account. Market orders are filled at once, limit orders when told."""

    def __init__(self) -> None:
        self.transactions: list[Json] = [{"id": "6356", "type": "CREATE", "homeCurrency": "USD"}]
        self.orders: dict[str, Json] = {}
        self.filled: dict[str, int] = {}
        self.net = {"EUR_USD": 2500}
        """What the account holds; something was there before anybody followed it."""
        self.posts: list[Json] = []
        self.requests: list[str] = []
        self.heartbeat_s = 0.2
        self.streams = 0
        self.faults: list[str] = []
        """What happens to the next POSTs: "hang" (done, no answer), "lose" (nothing, no answer), "error" (done, 503),
        "429", "reject"."""
        self.told_to_stream = True
        """Otherwise the stream has heartbeats alone, and they name no new transaction."""
        self.port = free_port()
        self.token_file = Path()
        self._changed = asyncio.Condition()
        self._hanging = asyncio.Event()
        self._cut = asyncio.Event()
        here = f"/v3/accounts/{ACCOUNT}"
        routes = [
            Route(f"{here}/summary", self._summary),
            Route(f"{here}/orders", self._post, methods=["POST"]),
            Route(f"{here}/pendingOrders", self._pending),
            Route(f"{here}/openPositions", self._positions),
            Route(f"{here}/orders/{{order}}", self._order),
            Route(f"{here}/orders/{{order}}", self._put, methods=["PUT"]),
            Route(f"{here}/orders/{{order}}/cancel", self._cancel, methods=["PUT"]),
            Route(f"{here}/transactions/sinceid", self._since),
            Route(f"{here}/transactions/stream", self._stream),
        ]
        self._app = Starlette(routes=routes)
        config = uvicorn.Config(
            self.guarded,
            host="127.0.0.1",
            port=self.port,
            lifespan="off",
            interface="asgi3",
            log_config=None,
            timeout_graceful_shutdown=1,
        )
        self._server = Server(config)
        self._task: asyncio.Task[None] | None = None

    async def guarded(self, scope: Any, receive: Any, send: Any) -> None:
        """Lets in who has the token, and writes down what is asked."""
        given = dict(scope["headers"]).get(b"authorization", b"").decode()
        self.requests.append(f"{scope['method']} {scope['path']}")
        if given != f"Bearer {TOKEN}":
            refused = JSONResponse({"errorMessage": "Insufficient authorization to perform request."}, 401)
            await refused(scope, receive, send)
            return
        await self._app(scope, receive, send)

    async def __aenter__(self) -> OandaServer:
        """Listens."""
        self._task = asyncio.create_task(self._server.serve())
        while not self._server.started:
            await asyncio.sleep(0.01)
            assert not self._task.done()
        return self

    async def __aexit__(self, *_: object) -> None:
        """Ends."""
        self._server.should_exit = True
        self._hanging.set()
        self.cut()
        assert self._task is not None
        await self._task

    @property
    def last(self) -> str:
        """The newest transaction."""
        return self.transactions[-1]["id"]

    async def add(self, kind: str, **fields: Any) -> Json:
        """A transaction."""
        number = str(int(self.last) + 1)
        made = {
            "id": number,
            "time": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f000Z"),
            "userID": 1435156,
            "accountID": ACCOUNT,
            "batchID": number,
            "requestID": "42",
            "type": kind,
            **fields,
        }
        async with self._changed:
            self.transactions.append(made)
            self._changed.notify_all()
        return made

    def cut(self) -> None:
        """Breaks every stream."""
        cut, self._cut = self._cut, asyncio.Event()
        cut.set()

    async def fill(self, order: Json, units: str, price: str = "1.08500") -> Json:
        """A fill."""
        self.net[order["instrument"]] = self.net.get(order["instrument"], 0) + int(units)
        self.filled[order["id"]] = self.filled.get(order["id"], 0) + int(units)
        if self.filled[order["id"]] == int(order["units"]):
            order["state"] = "FILLED"
        return await self.add(
            "ORDER_FILL",
            orderID=order["id"],
            clientOrderID=order.get("clientExtensions", {}).get("id"),
            instrument=order["instrument"],
            units=units,
            price=price,
            fullVWAP=price,
            reason=f"{order['type']}_ORDER",
            pl="0.0000",
            financing="0.0000",
            commission="0.0000",
            accountBalance="100000.0000",
            tradeOpened={"tradeID": order["id"], "units": units},
            halfSpreadCost="0.5000",
        )

    async def enter(self, asked: Json, **more: Any) -> Json:
        """An order, also by hand."""
        fields = {key: each for key, each in asked.items() if key != "type"}
        made = await self.add(f"{asked['type']}_ORDER", **fields, reason=more.pop("reason", "CLIENT_ORDER"), **more)
        order = self.orders[made["id"]] = {"id": made["id"], "state": "PENDING", **asked}
        if asked["type"] == "MARKET":
            await self.fill(order, asked["units"])
        return made

    def named(self, specifier: str) -> Json | None:
        """An order by its id or "@" and the client's."""
        if not specifier.startswith("@"):
            return self.orders.get(specifier)
        found = [o for o in self.orders.values() if o.get("clientExtensions", {}).get("id") == specifier[1:]]
        return found[-1] if found else None

    def _ids(self) -> Json:
        return {"relatedTransactionIDs": [self.last], "lastTransactionID": self.last}

    # What is asked.

    async def _summary(self, request: Request) -> Response:
        return JSONResponse({"account": {"id": ACCOUNT, "currency": "USD"}, "lastTransactionID": self.last})

    async def _pending(self, request: Request) -> Response:
        found = [each for each in self.orders.values() if each["state"] == "PENDING"]
        return JSONResponse({"orders": found, "lastTransactionID": self.last})

    async def _positions(self, request: Request) -> Response:
        found = [
            {
                "instrument": name,
                "long": {"units": str(max(net, 0))},
                "short": {"units": str(min(net, 0))},
                "pl": "0.0000",
            }
            for name, net in self.net.items()
            if net
        ]
        return JSONResponse({"positions": found, "lastTransactionID": self.last})

    async def _hang(self) -> Response:
        await self._hanging.wait()
        return Response(status_code=503)

    async def _post(self, request: Request) -> Response:
        asked = (await request.json())["order"]
        self.posts.append(asked)
        fault = self.faults.pop(0) if self.faults else ""
        if fault == "lose":
            return await self._hang()
        if fault == "429":
            return JSONResponse({"errorMessage": "Rate limit violation."}, 429, {"retry-after": "0.1"})
        if fault == "reject":
            made = await self.add(
                f"{asked['type']}_ORDER_REJECT",
                **asked | {"type": f"{asked['type']}_ORDER_REJECT"},
                rejectReason="INSUFFICIENT_MARGIN",
            )
            body = {"orderRejectTransaction": made, "errorCode": "INSUFFICIENT_MARGIN", "errorMessage": "no margin"}
            return JSONResponse(body | self._ids(), 400)
        made = await self.enter(asked)
        if fault == "hang":
            return await self._hang()
        if fault == "error":
            return Response("Bad Gateway", 502)
        return JSONResponse({"orderCreateTransaction": made} | self._ids(), 201)

    async def _order(self, request: Request) -> Response:
        found = self.named(request.path_params["order"])
        if found is None:
            return JSONResponse({"errorCode": "NO_SUCH_ORDER", "errorMessage": "The order does not exist"}, 404)
        return JSONResponse({"order": found, "lastTransactionID": self.last})

    async def _put(self, request: Request) -> Response:
        asked = (await request.json())["order"]
        old = self.named(request.path_params["order"])
        if old is None or old["state"] != "PENDING":
            return await self._no_order(request)
        number = str(int(self.last) + 2)
        old["state"] = "CANCELLED"
        ended = await self.add(
            "ORDER_CANCEL", orderID=old["id"], reason="CLIENT_REQUEST_REPLACED", replacedByOrderID=number
        )
        made = await self.enter(
            asked, reason="REPLACEMENT", replacesOrderID=old["id"], cancellingTransactionID=ended["id"]
        )
        return JSONResponse({"orderCancelTransaction": ended, "orderCreateTransaction": made} | self._ids(), 201)

    async def _cancel(self, request: Request) -> Response:
        old = self.named(request.path_params["order"])
        if old is None or old["state"] != "PENDING":
            return await self._no_order(request)
        old["state"] = "CANCELLED"
        ended = await self.add("ORDER_CANCEL", orderID=old["id"], reason="CLIENT_REQUEST")
        return JSONResponse({"orderCancelTransaction": ended} | self._ids(), 200)

    async def _no_order(self, request: Request) -> Response:
        old = self.named(request.path_params["order"])
        made = await self.add(
            "ORDER_CANCEL_REJECT", orderID=old["id"] if old else "0", rejectReason="ORDER_DOESNT_EXIST"
        )
        body = {
            "orderCancelRejectTransaction": made,
            "errorCode": "ORDER_DOESNT_EXIST",
            "errorMessage": "no such order",
        }
        return JSONResponse(body | self._ids(), 404)

    async def _since(self, request: Request) -> Response:
        after = int(request.query_params["id"])
        found = [each for each in self.transactions if int(each["id"]) > after]
        return JSONResponse({"transactions": found, "lastTransactionID": self.last})

    async def _stream(self, request: Request) -> Response:
        cut = self._cut

        async def lines() -> AsyncIterator[bytes]:
            self.streams += 1
            told = int(self.last)
            while not cut.is_set():
                for each in [one for one in self.transactions if int(one["id"]) > told]:
                    told = int(each["id"])
                    if self.told_to_stream:
                        yield json.dumps(each).encode() + b"\n" + json.dumps(each).encode() + b"\n"
                last = self.last if self.told_to_stream else self.transactions[0]["id"]
                beat = {"type": "HEARTBEAT", "lastTransactionID": last, "time": "2026-01-01T00:00:00.0Z"}
                yield json.dumps(beat).encode() + b"\n"
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(self.heartbeat_s), self._changed:
                        await self._changed.wait()

        return StreamingResponse(lines(), media_type="application/octet-stream")
