"""What changes an account: works, which are done at the next commit, and entries, which risk admits first."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from crossrate.api.common.v1 import check_pb2
from crossrate.api.risk.v1 import pretrade_service_pb2 as risk_pb
from crossrate.api.trading.v1 import order_entry_pb2 as pb
from crossrate.rpc import errors
from crossrate.rpc.frames import element
from services.trading import messages
from services.trading.admission import Admission
from services.trading.domain import lists, reduction
from services.trading.domain.account import Account, Step
from services.trading.domain.lifecycle import Exec, Reason, Status
from services.trading.domain.order import Amendment, Contingency, Order, Terms
from services.trading.store import Batch
from services.trading.store.batch import Entered, Request

ATTEMPTS_MAX = 8


@dataclass(eq=False)
class Work:
    """A change that needs nobody's leave. `do` is called with the account as it stands; it may be called again if the
    commit did not happen. What it raises before it has changed anything goes to whoever waits.

    Attributes:
        of: the account as it was claimed when this was made, for what means nothing once it is claimed anew: a report
            whose predecessors may be missing. It is then left out, and claims nothing. None for what always counts.
        size: about how many steps it takes.
    """

    account: str
    do: Callable[[Account, Batch], Any]
    future: asyncio.Future[Any]
    attempts: int = 0
    of: Account | None = None
    size: int = 1


@dataclass(eq=False)
class NewEntry:
    """One order on its way in: what was entered, and its message ready to be numbered."""

    new: Any
    terms: Terms
    order_id: str
    image: Any
    digest: bytes
    key: tuple[str, str]

    def order(self) -> Order:
        """A fresh order: an attempt that failed leaves nothing in the next one."""
        image = type(self.image)()
        image.CopyFrom(self.image)
        made = Order(self.order_id, self.key[0], self.key[1], image.terms.instrument, self.terms, image)
        made.session, made.position_id = image.session, image.position_id
        return made


@dataclass(frozen=True, slots=True)
class Placed:
    """The answer to an order, a PlaceOrderResponse that is encoded already, with what a session tells of it."""

    client_order_id: str
    order_id: str
    status: Status
    sequence: int
    encoded: bytes

    def SerializeToString(self) -> bytes:
        """The answer's bytes."""
        return self.encoded


class Group:
    """What is admitted together, and done at one commit.

    `future` gets the answer, or the failure.
    """

    def __init__(self, account: str, future: asyncio.Future[Any]) -> None:
        self.account = account
        self.future = future
        self.attempts = 0

    keys: Sequence[tuple[str, str]] = ()
    """Accounts and clients' ids of the orders that it enters."""
    order_ids: Sequence[str] = ()
    atomic = False

    def to_admit(self, account: Account) -> list[risk_pb.OrderToAuthorise]:
        """The orders as risk checks them.

        Raises:
            Failure: it cannot be done; nobody is asked.
        """
        raise NotImplementedError

    def do(self, account: Account, batch: Batch, admissions: Sequence[Admission]) -> Any:
        """Does it and returns the answer.

        Raises:
            Failure: it cannot be done; nothing was changed.
        """
        raise NotImplementedError


@dataclass(frozen=True, slots=True)
class ListTerms:
    """How the orders of one request depend on each other."""

    atomic: bool = False
    each_alone: bool = False
    """What is wrong with one is told in its place, and is nothing to the others."""
    contingency: Contingency = Contingency.NONE
    list_id: str = ""
    request: Request | None = None


class Entry(Group):
    """New orders of one request."""

    def __init__(self, account: str, orders: Sequence[NewEntry], terms: ListTerms, future: asyncio.Future[Any]) -> None:
        super().__init__(account, future)
        self.orders = list(orders)
        self.terms = terms
        self.atomic = terms.atomic
        self.keys = [each.key for each in orders]
        self.order_ids = [each.order_id for each in orders]
        self._made_ready: list[Order] = []
        self.known: dict[tuple[str, str], pb.PlaceOrderResponse | errors.Failure] = {}
        """Answers of those among its orders that were entered before, or why one is refused for that."""

    def to_admit(self, account: Account) -> list[risk_pb.OrderToAuthorise]:
        """See Group."""
        self._made_ready = [self._made(each, account, i) for i, each in enumerate(self.orders)]
        return [risk_pb.OrderToAuthorise(order=order.image) for order in self._made_ready]

    def _made(self, entry: NewEntry, account: Account, place: int) -> Order:
        order = entry.order()
        order.contingency, order.list_id = self.terms.contingency, self.terms.list_id
        if self.terms.contingency is Contingency.OTO and place:
            order.parent_id = self.orders[0].order_id
        reduction.cut(account, order)
        order.status = lists.first_status(order)
        messages.refresh(order, messages.ns_of(order.image.create_time))
        order.status = Status.NONE
        return order

    def do(
        self, account: Account, batch: Batch, admissions: Sequence[Admission]
    ) -> list[Placed | pb.PlaceOrderResponse | errors.Failure]:
        """See Group."""
        # What risk was asked about serves once: a failed attempt has changed it, and a fill what there is to reduce.
        ready, self._made_ready = self._made_ready, []
        if not ready or any(order.terms.reduce_only for order in ready):
            ready = [self._made(each, account, i) for i, each in enumerate(self.orders)]
        orders = ready
        refusals = _refusals(account, orders, admissions, atomic=self.atomic)
        answers: list[Placed | pb.PlaceOrderResponse | errors.Failure] = []
        for entry, order, admission, refusal in zip(self.orders, orders, admissions, refusals, strict=True):
            if entry.key in self.known:
                answers.append(self.known[entry.key])
                continue
            order.gate_version = admission.gate_version
            batch.entered[order.order_id] = Entered(entry.digest, admission.kept)
            if refusal is not None:
                reason, text = refusal
                step = Step(Exec.REJECTED, entry.key[1], reason, text, None, "", admission)
                account.enter(order, Status.REJECTED, step, batch)
            else:
                status = lists.first_status(order)
                exec_type = {Status.PENDING_NEW: Exec.PENDING_NEW, Status.NEW: Exec.NEW}.get(status, Exec.SUSPENDED)
                account.enter(order, status, Step(exec_type, entry.key[1], None, "", None, "", admission), batch)
            encoded = element(1, batch.content(order)) + admission.answered
            answers.append(Placed(entry.key[1], order.order_id, order.status, order.sequence, encoded))
        if self.terms.request is not None:
            batch.requests.append(self.terms.request)
        return answers

    def as_if(self, account: Account, said: risk_pb.AuthoriseResponse) -> list[pb.PlaceOrderResponse]:
        """The answers that `do` would give, without doing it."""
        answers = []
        orders = [self._made(each, account, i) for i, each in enumerate(self.orders)]
        admissions = [Admission(checked, said.gate_version) for checked in said.authorisations]
        refusals = _refusals(account, orders, admissions, atomic=self.atomic)
        for order, admission, refusal in zip(orders, admissions, refusals, strict=True):
            answer = pb.PlaceOrderResponse.FromString(admission.answered)
            order.status = lists.first_status(order)
            if refusal is not None:
                order.status, (order.reason, order.reason_text) = Status.REJECTED, refusal
            answer.order.CopyFrom(messages.refresh(order, messages.ns_of(order.image.create_time)))
            answer.order.order_id = ""
            answers.append(answer)
        return answers


class Change(Group):
    """An amendment that adds something, which risk has to admit."""

    def __init__(
        self,
        account: str,
        find: Callable[[Account], Order],
        amendment: Amendment,
        request: Request,
        future: asyncio.Future[Any],
    ) -> None:
        super().__init__(account, future)
        self._find = find
        self._amendment = amendment
        self._request = request

    def to_admit(self, account: Account) -> list[risk_pb.OrderToAuthorise]:
        """See Group: the order as it would be."""
        order = self._find(account)
        image = type(order.image)()
        image.CopyFrom(order.image)
        messages.put_terms(image.terms, self._amendment)
        return [risk_pb.OrderToAuthorise(order=image, amends=True)]

    def do(self, account: Account, batch: Batch, admissions: Sequence[Admission]) -> pb.AmendOrderResponse:
        """See Group."""
        order, admission = self._find(account), admissions[0]
        if not admission.authorised:
            raise refused_by_risk(admission)
        step = Step(Exec.PENDING_REPLACE, self._request.request_id, None, "", None, "", admission)
        account.ask_amend(order, self._amendment, self._request.request_id, batch, step)
        answer = admission.amended(order.image)
        self._request.answer = answer.SerializeToString()
        batch.requests.append(self._request)
        return answer


def refused_by_risk(admission: Admission) -> errors.Failure:
    """Why risk does not admit an amendment: the order is as it was."""
    failed = next((c for c in admission.checks if not c.passed), None)
    words = failed.text if failed is not None else "risk does not admit it"
    return errors.wrong_state("RISK", f"the amendment is refused, the order is as it was: {words}")


def _refusals(
    account: Account, orders: Sequence[Order], admissions: Sequence[Admission], *, atomic: bool
) -> list[tuple[Reason, str] | None]:
    """Why each order is refused. Of a list that is all or nothing, those that are not wrong themselves say so: risk
    names no check of theirs."""
    made = [_refusal(account, order, admission) for order, admission in zip(orders, admissions, strict=True)]
    if atomic and any(refusal not in (None, _UNSAID) for refusal in made):
        return [_OTHERS if refusal in (None, _UNSAID) else refusal for refusal in made]
    return made


_UNSAID = (Reason.RISK, "risk does not admit it")
_OTHERS = (Reason.CONTINGENCY, "another order of its list was refused: none of them was entered")


def _refusal(account: Account, order: Order, admission: Admission) -> tuple[Reason, str] | None:
    named = order.terms.position_id
    if named and not account.net(order.instrument, named):
        words = f"there is no position {named} of {order.instrument}: leave position_id empty to open one"
        return Reason.REDUCE_ONLY, words
    if order.terms.reduce_only and order.terms.quantity <= 0:
        own = "position_id" if named else "reduce_only"
        return Reason.REDUCE_ONLY, f"there is no position for it to reduce: leave out {own} to open one"
    if not admission.authorised:
        failed = next((c for c in admission.checks if not c.passed), None)
        reason = Reason.RISK
        if failed is not None and failed.kind == check_pb2.CHECK_KIND_KILL_SWITCH:
            reason = Reason.KILL_SWITCH
        elif failed is not None and failed.kind == check_pb2.CHECK_KIND_SELF_TRADE:
            reason = Reason.SELF_TRADE
        return (reason, failed.text) if failed is not None else _UNSAID
    return None


@dataclass
class Admitted:
    """Groups with what risk said of each of their orders, on their way to the commit."""

    groups: list[tuple[Group, list[Admission]]] = field(default_factory=list)
    gate_version: int = 0


def retrieved(future: asyncio.Future[Any]) -> None:
    """Nobody may wait for it: then its failure was logged where it happened."""
    if not future.cancelled():
        future.exception()


def resolve(future: asyncio.Future[Any], answer: Any) -> None:
    """Ends a future, unless it has ended: by an answer, or by what was raised."""
    if not future.done():
        if isinstance(answer, BaseException):
            future.set_exception(answer)
        else:
            future.set_result(answer)


def fail(waiting: Sequence[Work | Group], error: BaseException) -> None:
    """Tells all who wait that it failed."""
    for each in waiting:
        resolve(each.future, error)
