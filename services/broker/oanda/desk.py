"""One account's orders: entered, cancelled, replaced; each answer is of what is committed."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from crossrate.api.trading.v1 import order_entry_pb2 as entry
from crossrate.api.trading.v1 import order_pb2 as pb
from crossrate.api.trading.v1.trading_service_pb2_grpc import TradingServiceStub
from crossrate.rpc.call import new_request_id
from crossrate.rpc.call_error import CallError
from services.broker.oanda import asking, words
from services.broker.oanda.asking import Asked
from services.broker.oanda.book import PENDING, Book, Json
from services.broker.oanda.faults import Fault, Refused, bad_value, no_such, unavailable
from services.broker.oanda.fold import described
from services.broker.oanda.following import Follower

SETTLE_S_MAX = 1.5
"""How long an answer waits for what an order does at its venue: programs wait for two seconds."""
CANCEL_S_MAX = 5.0
FINAL = (
    "INVALID_REQUEST", "UNKNOWN_FIELD", "NOT_FOUND", "REQUEST_ID_REUSED", "CALLER_NOT_ALLOWED", "WRONG_STATE",
    "VERSION_CONFLICT", "ALREADY_EXISTS", "OUTSIDE_CALENDAR", "NO_QUOTE",
)  # fmt: skip
"""Reasons that a repetition does not mend."""
_FIELDS = {
    "quantity": "UNITS_INVALID",
    "limit_price": "PRICE_INVALID",
    "stop_price": "PRICE_INVALID",
    "price_bound": "PRICE_BOUND_INVALID",
    "trailing_distance": "PRICE_DISTANCE_INVALID",
    "take_profit_price": "TAKE_PROFIT_ON_FILL_PRICE_INVALID",
    "stop_loss_price": "STOP_LOSS_ON_FILL_PRICE_INVALID",
    "expire_time": "TIME_IN_FORCE_GTD_TIMESTAMP_INVALID",
    "account": "ACCOUNT_NOT_ACTIVE",
    "instrument": "INSTRUMENT_NOT_TRADEABLE",
}


class Desk:
    """See the module."""

    def __init__(self, follower: Follower, trading: TradingServiceStub) -> None:
        self.follower = follower
        self.kept = follower.kept
        self._trading = trading

    # Entry.

    async def place(self, asked: Asked, request_id: str, reason: str = "CLIENT_ORDER", again: bool = False) -> Json:
        """Enters an order, and the answer when its venue has said what became of it, or after a while.

        Args:
            again: the same order may have been entered before: then it is told of.

        Raises:
            Fault: it was refused, or trading cannot be reached.
        """
        asked.content |= {"reason": reason, "requestID": request_id}
        await self._remember(asked, again)
        try:
            request = entry.PlaceOrderRequest(request_id=new_request_id(), order=asked.order)
            answer = await self._trading.PlaceOrder(request)
        except CallError as error:
            raise await self._not_entered(asked, error) from error
        return await self._entered(asked, answer.order)

    async def place_linked(self, group: list[Asked], request_id: str) -> list[Json]:
        """The same of several orders of which one cancels the others, all or none. They may be entered again."""
        for asked in group:
            asked.content |= {"reason": "CLIENT_ORDER", "requestID": request_id}
            await self._remember(asked, again=True)
        request = entry.PlaceOrdersRequest(
            request_id=words.same_id(self.kept.account, *(asked.order.client_order_id for asked in group)),
            account=self.kept.account,
            orders=[asked.order for asked in group],
            atomic=True,
            contingency=pb.CONTINGENCY_TYPE_OCO,
        )
        try:
            answer = await self._trading.PlaceOrders(request)
        except CallError as error:
            raise await self._not_entered(group[0], error) from error
        pairs = zip(group, answer.results, strict=True)
        return [await self._entered(asked, result.order) for asked, result in pairs]

    async def _remember(self, asked: Asked, again: bool = False) -> None:
        content = {k: v for k, v in asked.content.items() if k != "requestID"}
        digest = hashlib.sha256(asked.order.SerializeToString(deterministic=True)).hexdigest()
        kept = {**asked.content, "_digest": digest}
        earlier = await self.kept.ask(asked.order.client_order_id, asked.client_id, kept)
        if earlier is None or again:
            return
        same = {k: v for k, v in earlier.items() if k not in ("requestID", "_digest", "_root")} == content
        root = earlier["_root"]
        # What was asked for in the same words and never entered, because this service ended in between, goes on.
        if not same or earlier["_digest"] != digest or await self._known(root):
            raise await self.refuse(
                asked,
                Refused(
                    "CLIENT_ORDER_ID_ALREADY_EXISTS",
                    f"clientExtensions.id: {asked.client_id!r} is that of an earlier order; ids are used once for ever",
                ),
            )

    async def _known(self, root: str) -> bool:
        return bool(await self.kept.orders_of(root) or await self.kept.refused(root))

    async def refuse(self, asked: Asked | None, refused: Refused, body: Any = None) -> Fault:
        """The transaction that refuses an order which trading never saw, and the answer.

        Args:
            body: what was asked for, where it did not become an order.
        """
        given = body if isinstance(body, dict) else {}

        def change(book: Book) -> Json:
            if asked is None:
                fields = {key: each for key, each in given.items() if key in _SHOWN}
                kind = given["type"] if given.get("type") in asking.FIELDS else "MARKET"
            else:
                fields = described(book, pb.Order(terms=asked.order), asked.content)
                fields |= {key: asked.content[key] for key in ("reason", "requestID") if key in asked.content}
                kind = fields.pop("type")
            return book.add(f"{kind}_ORDER_REJECT", words.now_ns(), **fields, rejectReason=refused.reason)

        made = await self.follower.append(change)
        fault = Fault(400, refused.message, refused.reason)
        fault.more = {"orderRejectTransaction": made} | self.ids([made["id"]])
        return fault

    async def _not_entered(self, asked: Asked, error: CallError) -> Fault:
        if error.reason not in FINAL:
            return unavailable(f"the order may have been entered: ask for it by its client's id ({error.message})")
        if error.reason in ("ALREADY_EXISTS", "REQUEST_ID_REUSED"):
            reason = "CLIENT_ORDER_ID_ALREADY_EXISTS"
        else:
            last = error.violations[0].field.rpartition(".")[2] if error.violations else ""
            reason = _FIELDS.get(last, "INSTRUMENT_NOT_TRADEABLE" if error.reason == "NO_QUOTE" else "ORDER_INVALID")
        return await self.refuse(asked, Refused(reason, error.message))

    async def _entered(self, asked: Asked, order: pb.Order) -> Json:
        root = asked.order.client_order_id

        async def decided() -> Json | None:
            found = await self.kept.orders_of(root)
            if found:
                return found[0] if found[0].get("_settled") else None
            refused = await self.kept.refused(root)
            return refused[0] if refused else None

        await self.follower.until(decided, SETTLE_S_MAX)
        found = await self.kept.orders_of(root)
        if not found:
            refused = await self.kept.refused(root)
            if refused:
                raise self._rejected(refused[0])
            await self.follower.reached(order.sequence, CANCEL_S_MAX)
            found = await self.kept.orders_of(root)
        if not found:
            raise unavailable("the order was entered and its transactions are late: ask for it by its client's id")
        return await self.told(found[0])

    def _rejected(self, refused: Json) -> Fault:
        text = refused.get("_text") or refused["rejectReason"]
        fault = Fault(400, text, refused["rejectReason"])
        ids = [refused["id"]]
        fault.more = {"orderRejectTransaction": refused, "relatedTransactionIDs": ids, "lastTransactionID": ids[-1]}
        return fault

    async def told(self, order: Json) -> Json:
        """What has happened to an order since it was created."""
        about = await self.kept.about(int(order["id"]))
        made: Json = {}
        for each in about:
            if each["id"] == order["id"]:
                made["orderCreateTransaction"] = each
            elif each["type"] == "ORDER_FILL":
                made.setdefault("orderFillTransaction", each)
            elif each["type"] == "ORDER_CANCEL":
                made["orderCancelTransaction"] = each
        return made | self.ids([each["id"] for each in about])

    def ids(self, related: list[str]) -> Json:
        """What every answer says of transactions."""
        last = max([self.follower.last_transaction, *(int(each) for each in related)])
        return {"relatedTransactionIDs": related, "lastTransactionID": str(last)}

    # Cancel.

    async def order(self, specifier: str) -> Json:
        """An order by its id or "@" and the client's.

        Raises:
            Fault: there is none.
        """
        found = await self.kept.order(specifier)
        if found is None:
            raise no_such("Order", specifier)
        return found

    async def cancel(self, specifier: str, request_id: str) -> Json:
        """Cancels an order, and the answer when it is cancelled.

        Raises:
            Fault: there is none, it has ended, or its venue has not answered yet.
        """
        order = await self.kept.order(specifier)
        if order is None or order["state"] != PENDING:
            raise await self._not_cancelled(order, specifier, request_id)
        after = self.follower.last_transaction
        request = entry.CancelOrderRequest(
            request_id=new_request_id(), account=self.kept.account, client_order_id=order["_root"]
        )
        try:
            await self._trading.CancelOrder(request)
        except CallError as error:
            if error.reason not in FINAL:
                raise unavailable(error.message) from error
        ended = await self._ended(order, after)
        if "ORDER_CANCEL" not in ended:
            raise await self._not_cancelled(order, specifier, request_id)
        return {"orderCancelTransaction": ended["ORDER_CANCEL"]} | self.ids([ended["ORDER_CANCEL"]["id"]])

    async def _ended(self, order: Json, after: int) -> dict[str, Json]:
        """The transactions about an order after one, by type, when it has ended or its cancel was refused."""

        async def over() -> dict[str, Json]:
            about = [each for each in await self.kept.about(int(order["id"])) if int(each["id"]) > after]
            found = {each["type"]: each for each in about}
            now = await self.kept.order(order["id"])
            return found if now is None or now["state"] != PENDING or "ORDER_CANCEL_REJECT" in found else {}

        found = await self.follower.until(over, CANCEL_S_MAX)
        if not found:
            now = await self.kept.order(order["id"])
            if now is not None and now["state"] == PENDING:
                raise unavailable("its venue has not answered yet; ask for the order")
        return found

    async def _not_cancelled(self, order: Json | None, specifier: str, request_id: str) -> Fault:
        linked = {"orderID": order["id"] if order else specifier.lstrip("@") if specifier.isdecimal() else "0"}
        if specifier.startswith("@"):
            linked["clientOrderID"] = specifier[1:]

        def change(book: Book) -> Json:
            reason = {"rejectReason": "ORDER_DOESNT_EXIST", "requestID": request_id}
            return book.add("ORDER_CANCEL_REJECT", words.now_ns(), **linked, **reason)

        made = await self.follower.append(change)
        fault = no_such("Order", specifier)
        fault.more = {"orderCancelRejectTransaction": made} | self.ids([made["id"]])
        return fault

    # Replacement.

    async def replace(self, specifier: str, body: Any, request_id: str, trade: Json | None = None) -> Json:
        """Replaces an order: at its venue it is amended, so that it never deals twice.

        Raises:
            Fault: there is none, it cannot be replaced so, or its venue refuses.
        """
        old = await self.order(specifier)
        if old["state"] != PENDING:
            raise await self._not_cancelled(old, specifier, request_id)
        if "tradeID" in old and trade is None:
            trade = await self.kept.trade(old["tradeID"])
        try:
            asked = asking.order_of(self.kept.account, body, trade if "tradeID" in old else None)
            request = _amendment(old, asked)
        except Refused as refused:
            raise await self.refuse(None, refused, body) from refused
        if asked.client_id and asked.client_id != old.get("clientExtensions", {}).get("id"):
            await self._remember(asked)
        await self.follower.append(_pending(old["id"], asked.content))
        after = self.follower.last_transaction
        try:
            await self._trading.AmendOrder(request)
        except CallError as error:
            await self.follower.append(_pending(old["id"], None))
            if error.reason not in FINAL:
                raise unavailable(error.message) from error
            raise Fault(400, error.message, "ORDER_INVALID") from error
        ended = await self._ended(old, after)
        if "ORDER_CANCEL" not in ended or "replacedByOrderID" not in ended["ORDER_CANCEL"]:
            raise await self._not_cancelled(old, specifier, request_id)
        cancelled = ended["ORDER_CANCEL"]
        made = await self.told(await self.order(cancelled["replacedByOrderID"]))
        related = [cancelled["id"], *made["relatedTransactionIDs"]]
        return made | {"orderCancelTransaction": cancelled, "relatedTransactionIDs": related}

    async def name(self, specifier: str, given: Json, request_id: str) -> Json:
        """Other client extensions of an order, or of the trade that it will open."""
        order = await self.order(specifier)
        if order["state"] != PENDING:
            raise no_such("Order", specifier)
        own = asking.extensions(given.get("clientExtensions", {}))
        trades = asking.extensions(given.get("tradeClientExtensions", {}), "tradeClientExtensions")
        if own.get("id") and own["id"] != order.get("clientExtensions", {}).get("id"):
            content = {"type": order["type"], "clientExtensions": own}
            if await self.kept.ask(asking.root_of(own["id"]), own["id"], content) is not None:
                raise Fault(
                    400,
                    f"clientExtensions.id: {own['id']!r} is that of another order",
                    "CLIENT_ORDER_ID_ALREADY_EXISTS",
                )

        def change(book: Book) -> Json:
            now = book.orders.get(order["id"])
            if now is None:
                raise no_such("Order", specifier)
            for key, values in (("clientExtensions", own), ("tradeClientExtensions", trades)):
                if values:
                    now[key] = now.get(key, {}) | values
            book.put_order(now)
            more = {"clientExtensionsModify": own or None, "tradeClientExtensionsModify": trades or None}
            made = {"orderID": order["id"], "requestID": request_id, **more}
            return book.add("ORDER_CLIENT_EXTENSIONS_MODIFY", words.now_ns(), **made)

        made = await self.follower.append(change)
        return {"orderClientExtensionsModifyTransaction": made} | self.ids([made["id"]])


_SHOWN = frozenset().union(*asking.FIELDS.values()) - {"type"}


def _pending(order_id: str, content: Json | None) -> Callable[[Book], None]:
    def change(book: Book) -> None:
        order = book.orders.get(order_id)
        if order is None:
            return
        if content is None:
            order.pop("_replacement", None)
        else:
            order["_replacement"] = {k: v for k, v in content.items() if k not in ("type", "reason", "requestID")}
        book.put_order(order)

    return change


def _amendment(old: Json, asked: Asked) -> entry.AmendOrderRequest:
    """What changes, as an amendment.

    Raises:
        Fault: it changes what cannot be changed.
    """
    new = asked.order
    for field, was, wanted in (
        ("type", old["type"], asked.content["type"]),
        ("instrument", old["_instrument"], new.instrument),
        ("units", old["_side"], new.side),
        ("timeInForce", old["timeInForce"], _force(new)),
        ("positionFill", old.get("positionFill"), asked.content.get("positionFill")),
        ("triggerCondition", old.get("triggerCondition", "DEFAULT"), asked.content.get("triggerCondition", "DEFAULT")),
        ("priceBound", old.get("priceBound", ""), new.price_bound),
        *((key, old.get(key), asked.content.get(key)) for key in _KEPT_ON_FILL),
    ):
        if was != wanted:
            raise bad_value(f"order.{field}", "a replacement has that of the order before; cancel it and enter another")
    made = entry.AmendOrderRequest(
        request_id=new_request_id(),
        account=new.account,
        client_order_id=old["_root"],
        limit_price=new.limit_price,
        stop_price=new.stop_price,
        trailing_distance=new.trailing_distance,
    )
    if "tradeID" not in old:
        made.quantity = _whole(old, new.quantity)
    if new.HasField("expire_time"):
        made.expire_time.CopyFrom(new.expire_time)
    return made


_KEPT_ON_FILL = ("takeProfitOnFill", "stopLossOnFill", "trailingStopLossOnFill")


def _force(order: pb.NewOrder) -> str:
    return words.FORCE_WORDS[order.time_in_force]


def _whole(old: Json, units: str) -> str:
    """The quantity with what was filled already: the replacement's units come on top of it."""
    return words.number(Decimal(units) + Decimal(old.get("_cum") or "0"))
