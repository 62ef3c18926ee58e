"""GrantService: what persons and clients may do, and desks."""

from __future__ import annotations

from crossrate.api.identity.v1 import grant_service_pb2 as pb
from crossrate.api.identity.v1.grant_service_pb2_grpc import GrantServiceServicer
from crossrate.rpc import errors
from services.identity.messages import access_message, access_of, timestamp
from services.identity.service.calls import caller, once, told
from services.identity.store import grants
from services.identity.store.writing import Change, Writer


class GrantService(GrantServiceServicer):
    """Answers every call of the contract."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer

    async def GrantAccess(self, request: pb.GrantAccessRequest, context) -> pb.GrantAccessResponse:
        """See the contract."""
        more = access_of(request.access)
        if not more:
            raise errors.invalid(("access", "names nothing to grant: give roles, accounts or instruments"))

        async def work(change: Change) -> pb.GrantAccessResponse:
            subject, comment = request.subject, request.comment
            access = await grants.change_access(change, subject, caller(), more=more, comment=comment)
            return pb.GrantAccessResponse(access=access_message(access))

        return await once(self._writer, request, work, pb.GrantAccessResponse)

    async def RevokeAccess(self, request: pb.RevokeAccessRequest, context) -> pb.RevokeAccessResponse:
        """See the contract."""
        less = access_of(request.access)
        if not less:
            raise errors.invalid(("access", "names nothing to take away: give roles, accounts or instruments"))

        async def work(change: Change) -> pb.RevokeAccessResponse:
            subject, comment = request.subject, request.comment
            access = await grants.change_access(change, subject, caller(), less=less, comment=comment)
            return pb.RevokeAccessResponse(access=access_message(access))

        return await once(self._writer, request, work, pb.RevokeAccessResponse)

    async def GetAccess(self, request: pb.GetAccessRequest, context) -> pb.GetAccessResponse:
        """See the contract."""
        with told():
            async with self._writer.database.connection() as connection:
                access, desk, time = await grants.access_of_subject(connection, request.subject)
        return pb.GetAccessResponse(access=access_message(access), desk=desk, change_time=timestamp(time))

    async def CreateDesk(self, request: pb.CreateDeskRequest, context) -> pb.CreateDeskResponse:
        """See the contract."""

        async def work(change: Change) -> pb.CreateDeskResponse:
            desk = request.desk
            made = await grants.create_desk(change, desk.name, desk.display_name)
            answer = pb.Desk(name=desk.name, display_name=desk.display_name, create_time=timestamp(made))
            return pb.CreateDeskResponse(desk=answer)

        return await once(self._writer, request, work, pb.CreateDeskResponse)

    async def ListDesks(self, request: pb.ListDesksRequest, context) -> pb.ListDesksResponse:
        """See the contract."""
        with told():
            async with self._writer.database.connection() as connection:
                rows = await grants.desks(connection)
        return pb.ListDesksResponse(
            desks=[
                pb.Desk(name=r["name"], display_name=r["display_name"], create_time=timestamp(r["create_time"]))
                for r in rows
            ]
        )
