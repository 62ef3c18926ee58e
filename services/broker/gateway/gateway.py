"""The gateway: one instance of broker listens for clients at a time, by a fenced lease."""

from __future__ import annotations

import asyncio
import contextlib
import hmac
import ssl
from pathlib import Path
from typing import Any

from crossrate.api.ledger.v1.ledger_service_pb2_grpc import LedgerServiceStub
from crossrate.api.trading.v1.trading_service_pb2_grpc import TradingServiceStub
from crossrate.fix.acceptor import Acceptor
from crossrate.fix.endpoint import Endpoint
from crossrate.fix.message import Message
from crossrate.fix.reader import Decoder
from crossrate.fix.rules import Rules
from crossrate.rpc.call_error import CallError
from crossrate.store import Database, Lease, LeaseHeld, StoreError
from crossrate.store.errors import StaleWriter
from crossrate.store.fix_store import FixStore
from services.broker.engine.hub import Hub
from services.broker.gateway.carrying import Carrying
from services.broker.gateway.client import TAKEN, Client
from services.broker.gateway.declared import FixClient, FixClients, password_of
from services.broker.gateway.kept import Kept
from services.broker.gateway.positions import Positions
from services.broker.gateway.telling import Telling

LEASE_S = 6.0
RETRY_S = 1.0


class _Taken(Exception):
    """Another instance has the lease."""


class FixGateway:
    """See the module. `run` is a task of the process."""

    def __init__(
        self,
        declared: FixClients,
        folder: Path,
        state: Path,
        database: Database,
        trading: TradingServiceStub,
        ledger: LedgerServiceStub,
        hub: Hub,
        holder: str,
        note: Any,
    ) -> None:
        self._declared = declared
        self._folder = folder
        self._database = database
        self._trading = trading
        self._ledger = ledger
        self._hub = hub
        self._holder = holder
        self._note = note
        # Read at start, so that a file that is missing is said before anybody comes.
        self._passwords = {name: password_of(state, name) for name in declared.clients}

    async def run(self) -> None:
        """Listens whenever no other instance does, until it is cancelled."""
        if not self._declared.clients:
            return
        await FixStore.prepare(self._database)
        while True:
            try:
                lease = await Lease.acquire(self._database, "fix_gateway", self._holder, ttl_s=LEASE_S)
            except LeaseHeld as held:
                await asyncio.sleep(min(max(held.remaining_s, 0.0) + 0.05, RETRY_S))
                continue
            except StoreError:
                await asyncio.sleep(RETRY_S)
                continue
            try:
                await self._listen(lease)
            except* _Taken:
                self._note.warning("another instance listens for FIX clients now")
            except* (OSError, StoreError, CallError) as error:
                why = "; ".join(str(each) for each in error.exceptions)
                self._note.warning("FIX clients are not served; trying again", why=why)
                await asyncio.sleep(RETRY_S)
            finally:
                with contextlib.suppress(StoreError):
                    await lease.release()

    async def _listen(self, lease: Lease) -> None:
        gateway = self._declared.gateway
        clients: list[Client] = []
        endpoints: dict[Endpoint, str] = {}
        for name, spec in self._declared.clients.items():
            client, endpoint = self._client(name, spec)
            clients.append(client)
            endpoints[endpoint] = name
            await client.begin()

        async def authenticate(logon: Message, endpoint: Endpoint) -> str:
            given, right = logon.text(554).encode(), self._passwords[endpoints[endpoint]].encode()
            return "" if hmac.compare_digest(given, right) else "the password is wrong"

        acceptor = Acceptor(list(endpoints), self._note, authenticate=authenticate)
        await acceptor.start(gateway.address, gateway.port, self._tls())
        self._note.info("FIX clients are served", address=gateway.address, port=gateway.port, clients=len(clients))
        wakes = [client.wake for client in clients]
        self._hub.instructions.update(wakes)
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._renew(lease))
                for client in clients:
                    group.create_task(client.run())
        finally:
            self._hub.instructions.difference_update(wakes)
            await acceptor.stop()

    def _client(self, name: str, spec: FixClient) -> tuple[Client, Endpoint]:
        kept = Kept(self._database, name)
        carrying = Carrying(kept, self._trading, spec.accounts, self._note)
        telling = Telling(kept, self._trading, spec.reports == "all", self._note)
        client = Client(spec, kept, carrying, telling, Positions(kept, self._ledger, spec.accounts, self._note))
        rules = Rules(
            self._declared.gateway.comp_id,
            spec.comp_id,
            role="acceptor",
            reset="never",
            peer_may_reset=spec.may_reset,
            clock_s=spec.clock_s,
            received_per_s_max=spec.messages_per_s_max,
        )
        store = FixStore(self._database, f"client:{name}")
        unknown = spec.unknown_fields
        decode = Decoder(TAKEN, strict=unknown != "keep", user_defined=unknown != "refuse_all")
        endpoint = Endpoint(rules, store, client, self._note, decode=decode)
        client.attach(endpoint)
        return client, endpoint

    def _tls(self) -> ssl.SSLContext | None:
        if not self._declared.gateway.certificate:
            return None
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.load_cert_chain(self._folder / self._declared.gateway.certificate)
        return context

    async def _renew(self, lease: Lease) -> None:
        while True:
            await asyncio.sleep(LEASE_S / 3)
            with contextlib.suppress(StoreError):
                try:
                    await lease.renew()
                except StaleWriter as stale:
                    raise _Taken from stale
