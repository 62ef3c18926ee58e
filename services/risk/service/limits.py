"""LimitService."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from typing import Any

from crossrate.api.risk.v1 import limit_pb2
from crossrate.api.risk.v1 import limit_service_pb2 as pb
from crossrate.api.risk.v1.limit_service_pb2_grpc import LimitServiceServicer, LimitServiceStub
from crossrate.rpc import errors
from crossrate.store.errors import OutcomeUnknown
from crossrate.store.requests import body_of
from services.risk.decider import Decider, Deciding
from services.risk.domain.pretrade import usage
from services.risk.domain.pretrade.amounts import text_of
from services.risk.domain.pretrade.limits import Check, Limit, Limits
from services.risk.domain.refusal import Refused
from services.risk.messages.limits import limit_message, limit_of, limits_of
from services.risk.service.deciding import Deciding as Where
from services.risk.service.deciding import principal
from services.risk.service.kept import kept, token_of
from services.risk.service.seeing import sees

PAGE_SIZE_DEFAULT = 20
USAGES_DEFAULT = 100
EFFECTS_MAX = 1000
LIMITS_MAX = 10_000
PENDING, APPROVED, WITHDRAWN = (
    limit_pb2.LIMIT_PROPOSAL_STATE_PENDING,
    limit_pb2.LIMIT_PROPOSAL_STATE_APPROVED,
    limit_pb2.LIMIT_PROPOSAL_STATE_WITHDRAWN,
)


class LimitService(LimitServiceServicer):
    """Answers every call of the contract.

    Args:
        where: whether this instance decides, and which does.
        decider: what the term has.
        now_ns: the clock, ns since 1970, UTC.
        new_id: makes UUIDs.
    """

    def __init__(self, where: Where, decider: Decider, now_ns: Callable[[], int], new_id: Callable[[], str]) -> None:
        self._where = where
        self._decider = decider
        self._store = decider.limits
        self._now_ns = now_ns
        self._new_id = new_id
        self._turn = asyncio.Lock()

    async def GetLimits(self, request: pb.GetLimitsRequest, context: Any) -> pb.GetLimitsResponse:
        """See the contract."""
        with kept():
            found = await self._store.get(request.version)
        if found is None:
            if not request.version:
                raise errors.dependency_unavailable("risk", 0.2)
            raise errors.not_found("limits", str(request.version), "ListLimitVersions has those that are")
        shown = [each for each in found.limits if sees(each.scope)]
        if len(shown) < len(found.limits):
            del found.limits[:]
            found.limits.extend(shown)
        return pb.GetLimitsResponse(limits=found)

    async def ListLimitVersions(
        self, request: pb.ListLimitVersionsRequest, context: Any
    ) -> pb.ListLimitVersionsResponse:
        """See the contract."""
        size = request.page_size or PAGE_SIZE_DEFAULT
        with kept():
            found = await self._store.versions(token_of(request.page_token), size + 1)
        token = str(found[size - 1].version) if len(found) > size else ""
        return pb.ListLimitVersionsResponse(versions=found[:size], next_page_token=token)

    async def ListLimitProposals(
        self, request: pb.ListLimitProposalsRequest, context: Any
    ) -> pb.ListLimitProposalsResponse:
        """See the contract."""
        size = request.page_size or PAGE_SIZE_DEFAULT
        with kept():
            found = await self._store.proposals(token_of(request.page_token), size + 1, request.pending)
        token = str(found[size - 1][0]) if len(found) > size else ""
        return pb.ListLimitProposalsResponse(proposals=[each for _, each in found[:size]], next_page_token=token)

    async def ListLimitUsage(self, request: pb.ListLimitUsageRequest, context: Any) -> pb.ListLimitUsageResponse:
        """See the contract."""
        if request.scope and not sees(request.scope):
            return pb.ListLimitUsageResponse()
        now = self._decider.now
        if now is None or not self._where.authorises:
            # The deciding instance takes the call for its operator's: what this client may see is chosen here.
            answer = await self._where.hand_on(LimitServiceStub, "ListLimitUsage", request, context)
            return pb.ListLimitUsageResponse(usages=[each for each in answer.usages if sees(each.scope)])
        found = usage.usages(now.book, now.engine.authoriser, now.book.limits, request.scope)
        size = request.page_size or USAGES_DEFAULT
        return pb.ListLimitUsageResponse(usages=[_usage_message(e) for e in found if sees(e.scope)][:size])

    async def ProposeLimits(self, request: pb.ProposeLimitsRequest, context: Any) -> pb.ProposeLimitsResponse:
        """See the contract."""
        now = self._decider.now
        if now is None or not self._where.here:
            return await self._where.hand_on(LimitServiceStub, "ProposeLimits", request, context)
        put, limits = self._proposed(now, request)
        effects = self._effects(now, put, limits)
        proposal = limit_pb2.LimitProposal(
            proposal_id="" if request.validate_only else self._new_id(),
            put=map(limit_message, put),
            remove=request.remove,
            base_version=now.book.limits.version,
            state=PENDING,
            proposed_by=principal(context),
            comment=request.comment,
        )
        proposal.create_time.FromNanoseconds(self._now_ns())
        if not request.validate_only:
            with kept(request.request_id):
                content = await self._store.propose(now.term, request.request_id, body_of(request), proposal)
            proposal = limit_pb2.LimitProposal.FromString(content)
        return pb.ProposeLimitsResponse(proposal=proposal, effects=effects)

    async def ApproveLimits(self, request: pb.ApproveLimitsRequest, context: Any) -> pb.ApproveLimitsResponse:
        """See the contract."""
        now = self._decider.now
        if now is None or not self._where.here:
            return await self._where.hand_on(LimitServiceStub, "ApproveLimits", request, context)
        approver = principal(context)

        def decided(proposal: limit_pb2.LimitProposal, newest: limit_pb2.LimitSet) -> limit_pb2.LimitSet:
            _check_pending(proposal)
            if proposal.proposed_by == approver:
                words = f"{approver} proposed it: somebody else has to approve"
                raise errors.wrong_state("SAME_PERSON", words)
            if proposal.base_version != newest.version:
                words = f"it was made for version {proposal.base_version}, and {newest.version} holds: propose anew"
                raise errors.wrong_state("OUTDATED", words)
            proposal.state, proposal.decided_by = APPROVED, approver
            proposal.decide_time.FromNanoseconds(self._now_ns())
            return _applied(newest, proposal)

        if request.validate_only:
            proposal, newest = await self._looked_up(request.proposal_id)
            return pb.ApproveLimitsResponse(limits=decided(proposal, newest))
        async with self._turn:
            content = await self._decide(now, request, decided)
            made = limit_pb2.LimitSet.FromString(content)
            if made.version > now.book.limits.version:
                # At once: the next order is checked by these.
                now.book.rebuild(Limits(made.version, limits_of(made.limits)))
        return pb.ApproveLimitsResponse(limits=made)

    async def WithdrawLimits(self, request: pb.WithdrawLimitsRequest, context: Any) -> pb.WithdrawLimitsResponse:
        """See the contract."""
        now = self._decider.now
        if now is None or not self._where.here:
            return await self._where.hand_on(LimitServiceStub, "WithdrawLimits", request, context)

        def decided(proposal: limit_pb2.LimitProposal, newest: limit_pb2.LimitSet) -> None:
            _check_pending(proposal)
            proposal.state, proposal.decided_by = WITHDRAWN, principal(context)
            proposal.decide_time.FromNanoseconds(self._now_ns())

        if request.validate_only:
            proposal, newest = await self._looked_up(request.proposal_id)
            decided(proposal, newest)
            return pb.WithdrawLimitsResponse(proposal=proposal)
        content = await self._decide(now, request, decided)
        return pb.WithdrawLimitsResponse(proposal=limit_pb2.LimitProposal.FromString(content))

    async def _decide(self, now: Deciding, request: Any, decided: Callable[..., Any]) -> bytes:
        with kept(request.request_id):
            try:
                return await self._store.decide(
                    now.term, request.request_id, body_of(request), request.proposal_id, decided, self._now_ns()
                )
            except LookupError:
                raise _no_proposal(request.proposal_id) from None
            except OutcomeUnknown:
                # What holds is not known for certain: another term reads it anew.
                self._decider.failed.set()
                raise

    async def _looked_up(self, proposal_id: str) -> tuple[limit_pb2.LimitProposal, limit_pb2.LimitSet]:
        with kept():
            proposal, newest = await self._store.proposal(proposal_id), await self._store.get(0)
        if proposal is None or newest is None:
            raise _no_proposal(proposal_id)
        return proposal, newest

    def _proposed(self, now: Deciding, request: pb.ProposeLimitsRequest) -> tuple[list[Limit], Limits]:
        """The limits of a proposal, and all as they would be."""
        version = now.book.limits.version
        if request.base_version and request.base_version != version:
            raise errors.version_conflict(request.base_version, version)
        if not request.put and not request.remove:
            raise errors.invalid(("put", "is empty, and so is remove: a proposal changes something"))
        with kept():
            put = [limit_of(each, f"put[{place}]") for place, each in enumerate(request.put)]
            for place, each in enumerate(put):
                _check_names(now, each, f"put[{place}]")
        after = dict(now.book.limits.by_key)
        seen: set[tuple[str, Check, str]] = set()
        for place, key in enumerate(request.remove):
            name = key.scope, Check(key.kind), key.instrument
            if name not in after:
                raise errors.invalid((f"remove[{place}]", f"{key.scope} has no limit of {name[1].name} to remove"))
            seen.add(name)
            del after[name]
        for place, each in enumerate(put):
            if each.key in seen:
                raise errors.invalid((f"put[{place}]", f"{each.scope} has {each.kind.name} twice: name each once"))
            seen.add(each.key)
            after[each.key] = each
        if len(after) > LIMITS_MAX:
            raise errors.invalid(("put", f"there would be {len(after)} limits, and {LIMITS_MAX} are kept"))
        return put, Limits(version, after.values())

    def _effects(self, now: Deciding, put: Iterable[Limit], limits: Limits) -> list[limit_pb2.LimitUsage]:
        if not self._where.authorises:
            return []
        found = usage.of_limits(usage.usages(now.book, now.engine.authoriser, limits), put)
        return [_usage_message(each) for each in found[:EFFECTS_MAX]]


def _check_names(now: Deciding, limit: Limit, field: str) -> None:
    instruments = now.book.market.instruments
    names = [limit.instrument]
    if limit.scope_kind == "instrument" and not limit.scope.endswith("*"):
        names.append(limit.scope.partition(":")[2])
    for name in names:
        if name and name not in instruments:
            raise Refused(field, f"{name} is none of the instruments, which are as EUR/USD")


def _check_pending(proposal: limit_pb2.LimitProposal) -> None:
    if proposal.state != PENDING:
        state = limit_pb2.LimitProposalState.Name(proposal.state).removeprefix("LIMIT_PROPOSAL_STATE_")
        raise errors.wrong_state(state, f"the proposal is {state} already, by {proposal.decided_by}")


def _applied(newest: limit_pb2.LimitSet, proposal: limit_pb2.LimitProposal) -> limit_pb2.LimitSet:
    """The next version of the limits."""
    after = {(each.scope, each.kind, each.instrument): each for each in newest.limits}
    for key in proposal.remove:
        after.pop((key.scope, key.kind, key.instrument), None)
    for each in proposal.put:
        after[each.scope, each.kind, each.instrument] = each
    return limit_pb2.LimitSet(
        version=newest.version + 1,
        limits=[after[key] for key in sorted(after)],
        proposed_by=proposal.proposed_by,
        approved_by=proposal.decided_by,
        comment=proposal.comment,
        create_time=proposal.decide_time,
    )


def _usage_message(each: usage.Usage) -> limit_pb2.LimitUsage:
    unknown = each.value >= usage.UNKNOWN
    return limit_pb2.LimitUsage(
        limit=limit_message(each.limit),
        scope=each.scope,
        name=each.name,
        value="" if unknown else text_of(each.value),
        headroom="" if unknown else text_of(each.allowed - each.value),
        breached=each.value > each.allowed,
    )


def _no_proposal(proposal_id: str) -> errors.Failure:
    return errors.not_found("proposal", proposal_id, "ListLimitProposals has those that are")
