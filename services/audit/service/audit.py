"""The gRPC surface of `audit`."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import asyncpg

from crossrate.api.audit.v1 import audit_service_pb2 as pb
from crossrate.api.audit.v1 import checkpoint_pb2, export_pb2
from crossrate.api.audit.v1.audit_service_pb2_grpc import AuditServiceServicer
from crossrate.api.common.v1 import stream_pb2
from crossrate.rpc import errors
from crossrate.rpc.call import current
from crossrate.store.requests import RequestLog, body_of
from crossrate.transparency.tree import ProofError, consistency_ranges, inclusion_ranges, verify_inclusion
from services.audit import messages
from services.audit.consumer import Reader
from services.audit.domain import key
from services.audit.keys import Keys
from services.audit.service.failures import failures
from services.audit.signing import Signing
from services.audit.store.log import Log
from services.audit.store.reading import Criteria, Reading
from services.audit.store.tree import LogChanged, proof_of, root_at
from services.audit.witnessing import Witnessing

PAGE_SIZE = 50
HEARTBEAT_S = 5.0
SEARCH_MARGIN_S = 0.5
LOOK_S = 1.0
"""How often another instance's checkpoints are looked for."""


class AuditService(AuditServiceServicer):
    """Answers every call of the contract."""

    def __init__(
        self,
        log: Log,
        reading: Reading,
        reader: Reader,
        signing: Signing,
        keys: Keys,
        witnessing: Witnessing | None,
        requests: RequestLog,
        origin: str,
    ) -> None:
        self._log = log
        self._reading = reading
        self._reader = reader
        self._signing = signing
        self._keys = keys
        self._witnessing = witnessing
        self._requests = requests
        self._origin = origin

    async def GetCheckpoint(self, request: pb.GetCheckpointRequest, context) -> pb.GetCheckpointResponse:
        """See the contract."""
        with failures():
            checkpoint = await self._checkpoint(request.size_max)
            keys = await self._keys.known()
        return pb.GetCheckpointResponse(checkpoint=checkpoint, witness=self._witness(), keys=keys)

    async def _checkpoint(self, size_max: int = 0) -> checkpoint_pb2.Checkpoint:
        row = await self._reading.checkpoint(size_max)
        if row is None:
            raise errors.not_found("checkpoint", str(size_max) if size_max else "newest", "one is signed each second")
        return messages.checkpoint_message(row)

    def _witness(self) -> checkpoint_pb2.Witness:
        return messages.witness_message(self._witnessing.seen if self._witnessing is not None else None)

    async def WatchCheckpoints(
        self, request: pb.WatchCheckpointsRequest, context
    ) -> AsyncIterator[pb.WatchCheckpointsResponse]:
        """See the contract."""
        ending = current().ending
        heartbeat_s = request.heartbeat_interval.ToTimedelta().total_seconds() or HEARTBEAT_S
        size, sequence, silent_s = int(request.resume_cursor or 0), 0, 0.0
        while not ending.is_set():
            news = self._signing.news
            with failures():
                row = await self._reading.checkpoint()
            answer = pb.WatchCheckpointsResponse()
            if row is not None and row["size"] > size:
                size = row["size"]
                answer.checkpoint.CopyFrom(messages.checkpoint_message(row))
            elif silent_s >= heartbeat_s:
                answer.heartbeat.server_time.GetCurrentTime()
            if answer.WhichOneof("event"):
                sequence, silent_s = sequence + 1, 0.0
                answer.position.CopyFrom(stream_pb2.StreamPosition(sequence=sequence, cursor=str(size)))
                yield answer
                continue
            wait_s = min(LOOK_S, heartbeat_s)
            silent_s += wait_s
            try:
                async with asyncio.timeout(wait_s):
                    await news.wait()
            except TimeoutError:
                pass

    async def GetInclusionProof(self, request: pb.GetInclusionProofRequest, context) -> pb.GetInclusionProofResponse:
        """See the contract."""
        with failures():
            checkpoint = await self._checkpoint(request.size)
            if request.size and checkpoint.size != request.size:
                raise errors.not_found("checkpoint", str(request.size), "checkpoints have the sizes that were signed")
            if request.index >= checkpoint.size:
                raise errors.not_found("fact", str(request.index), f"the checkpoint covers {checkpoint.size}")
            row = await self._reading.fact(request.index)
            if row is None:
                raise LogChanged(f"fact {request.index} is not there")
            async with self._log.database.connection() as connection:
                hashes = await proof_of(connection, inclusion_ranges(request.index, checkpoint.size))
            try:
                verify_inclusion(request.index, checkpoint.size, row["hash"], hashes, checkpoint.root)
            except ProofError as error:
                raise LogChanged(str(error)) from None
        return pb.GetInclusionProofResponse(
            leaf_hash=row["hash"], leaf_data=row["data"], hashes=hashes, checkpoint=checkpoint
        )

    async def GetConsistencyProof(
        self, request: pb.GetConsistencyProofRequest, context
    ) -> pb.GetConsistencyProofResponse:
        """See the contract."""
        with failures():
            newest = await self._checkpoint()
            size = request.size or newest.size
            if size > newest.size:
                raise errors.invalid(("size", f"the newest checkpoint has {newest.size}"))
            if request.old_size > size:
                raise errors.invalid(("old_size", f"must not be above size, {size}"))
            async with self._log.database.connection() as connection:
                hashes = await proof_of(connection, consistency_ranges(request.old_size, size))
                root = await root_at(connection, size)
        return pb.GetConsistencyProofResponse(hashes=hashes, size=size, root=root)

    async def SearchFacts(self, request: pb.SearchFactsRequest, context) -> pb.SearchFactsResponse:
        """See the contract."""
        criteria, size = _criteria(request), request.page_size or PAGE_SIZE
        before = int(request.page_token) if request.page_token else 1 << 62
        with failures():
            try:
                limit_s = max(0.1, current().remaining_s() - SEARCH_MARGIN_S)
                rows = await self._reading.search(criteria, before, size + 1, limit_s)
            except TimeoutError:
                raise errors.deadline_exceeded("SearchFacts", limit_s) from None
            facts = [messages.fact_message(row) for row in rows[:size]]
        token = str(rows[size - 1]["index"]) if len(rows) > size else ""
        return pb.SearchFactsResponse(facts=facts, next_page_token=token)

    async def GetFact(self, request: pb.GetFactRequest, context) -> pb.GetFactResponse:
        """See the contract."""
        with failures():
            row = await self._reading.fact(request.index)
            if row is None:
                raise errors.not_found("fact", str(request.index))
            return pb.GetFactResponse(fact=messages.fact_message(row))

    async def ExportLog(self, request: pb.ExportLogRequest, context) -> AsyncIterator[pb.ExportLogResponse]:
        """See the contract."""
        ending = current().ending
        with failures():
            if request.resume_cursor:
                first, size = (int(each) for each in request.resume_cursor.split("."))
            else:
                first, size = request.first_index, (await self._checkpoint()).size
            if first > size:
                raise errors.invalid(("first_index", f"the newest checkpoint covers {size} facts"))
            header = export_pb2.ExportHeader(
                origin=self._origin,
                first_index=first,
                size=size,
                frontier=await self._reading.frontier(first),
                keys=await self._keys.known(),
                without_payloads=request.without_payloads,
            )
            header.time.GetCurrentTime()
        sequence = 1
        yield pb.ExportLogResponse(position=_at(sequence, first, size), header=header)
        with failures():
            pages = self._reading.export(first, size, without_payloads=request.without_payloads)
            async for past, batch in pages:
                if ending.is_set():
                    return
                sequence += 1
                yield pb.ExportLogResponse(position=_at(sequence, past, size), batch=batch)
        end = stream_pb2.StreamEnd(reason=stream_pb2.STREAM_END_REASON_COMPLETE)
        yield pb.ExportLogResponse(position=_at(sequence + 1, size, size), end=end)

    async def GetAuditStatus(self, request: pb.GetAuditStatusRequest, context) -> pb.GetAuditStatusResponse:
        """See the contract."""
        with failures():
            row = await self._reading.checkpoint()
        streams = []
        for stream in self._reader.streams:
            last = await self._reader.end_of(stream)
            streams.append(pb.ConsumedStream(stream=stream.name, position=stream.position, last=last))
        return pb.GetAuditStatusResponse(
            origin=self._origin,
            size=self._log.committed[0].size,
            checkpoint=messages.checkpoint_message(row) if row is not None else None,
            witness=self._witness(),
            alarms=[f"{kind}: {text}" for kind, text in self._signing.alarms.items()],
            streams=streams,
            missing=self._log.missing,
            error=self._reader.error or self._signing.error,
        )

    async def RotateSigningKey(self, request: pb.RotateSigningKeyRequest, context) -> pb.RotateSigningKeyResponse:
        """See the contract."""
        if request.validate_only:
            return pb.RotateSigningKeyResponse()
        body = body_of(request)
        with failures(request.request_id):
            known = await self._requests.known(request.request_id, body)
            if known is not None:
                return pb.RotateSigningKeyResponse.FromString(known)

            async def keep(connection: asyncpg.Connection, made: checkpoint_pb2.VerifierKey) -> None:
                if await self._requests.claim(connection, request.request_id, body) is not None:
                    raise errors.outcome_unknown(request.request_id)
                answer = pb.RotateSigningKeyResponse(key=made).SerializeToString()
                await self._requests.answer(connection, request.request_id, answer)

            made = await self._keys.rotate(current().principal, request.comment, keep)
        return pb.RotateSigningKeyResponse(key=made)


def _at(sequence: int, past: int, size: int) -> stream_pb2.StreamPosition:
    return stream_pb2.StreamPosition(sequence=sequence, cursor=f"{past}.{size}")


def _criteria(request: pb.SearchFactsRequest) -> Criteria:
    fields = {"person": request.person, "account": request.account, "order": request.order}
    keys = [key(kind, value) for kind, value in (fields | {"request": request.request_id}).items() if value]
    try:
        start_ns = request.start_time.ToNanoseconds() if request.HasField("start_time") else 0
        end_ns = request.end_time.ToNanoseconds() if request.HasField("end_time") else 0
    except (ValueError, OverflowError) as error:
        raise errors.invalid(("start_time", f"is no time: {error}")) from None
    found = Criteria(tuple(keys), request.type, request.service, start_ns, end_ns)
    if found == Criteria():
        raise errors.invalid(
            ("person", "give at least one of person, account, order, request_id, type, service, a time")
        )
    return found
