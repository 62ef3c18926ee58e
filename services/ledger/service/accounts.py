"""AccountService."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal

from crossrate.api.ledger.v1 import account_pb2
from crossrate.api.ledger.v1 import account_service_pb2 as pb
from crossrate.api.ledger.v1.account_service_pb2_grpc import AccountServiceServicer
from crossrate.rpc import errors
from crossrate.rpc.call import granted_accounts, granted_desk
from crossrate.store.errors import OutcomeUnknown, RequestIdReused, StaleWriter, StoreUnavailable
from crossrate.store.requests import body_of
from services.ledger.domain.account import currency_fault
from services.ledger.service.balances import platform_levels
from services.ledger.service.failures import failures
from services.ledger.settings import Settings
from services.ledger.store.accounts import AccountExists, Accounts, ChangeRefused, NoSuchAccount, VersionPassed
from services.ledger.store.desks import Desks

PAGE_SIZE_DEFAULT = 100


class AccountService(AccountServiceServicer):
    """Answers every call of the contract."""

    def __init__(self, accounts: Accounts, desks: Desks, settings: Settings, clock: Callable[[], datetime]) -> None:
        self._accounts = accounts
        self._desks = desks
        self._settings = settings
        self._clock = clock

    async def OpenAccount(self, request: pb.OpenAccountRequest, context) -> pb.OpenAccountResponse:
        """See the contract."""
        account = _new(request.account)
        try:
            if request.validate_only:
                return await self._as_if_opened(account)
            answer = await self._accounts.open(request.request_id, account, body_of(request), self._clock())
        except AccountExists:
            raise _exists(account) from None
        except RequestIdReused:
            raise errors.request_id_reused(request.request_id) from None
        except OutcomeUnknown:
            raise errors.outcome_unknown(request.request_id) from None
        except (StoreUnavailable, StaleWriter) as error:
            raise errors.dependency_unavailable("postgres") from error
        return pb.OpenAccountResponse.FromString(answer)

    async def ChangeAccount(self, request: pb.ChangeAccountRequest, context) -> pb.ChangeAccountResponse:
        """See the contract."""
        account = request.account
        if fault := currency_fault(account.currency):
            raise errors.invalid(("account.currency", fault))
        _check_rate(account.margin_rate)
        _check_levels("account.margin_levels", account.margin_levels)
        try:
            if request.validate_only:
                return pb.ChangeAccountResponse(account=await self._accounts.rehearse(account))
            answer = await self._accounts.change(request.request_id, account, body_of(request), self._clock())
        except NoSuchAccount:
            raise errors.not_found("account", account.account, "OpenAccount opens it") from None
        except VersionPassed as passed:
            raise errors.version_conflict(passed.expected, passed.actual) from None
        except ChangeRefused as refused:
            raise errors.wrong_state(refused.state, str(refused)) from None
        except RequestIdReused:
            raise errors.request_id_reused(request.request_id) from None
        except OutcomeUnknown:
            raise errors.outcome_unknown(request.request_id) from None
        except (StoreUnavailable, StaleWriter) as error:
            raise errors.dependency_unavailable("postgres") from error
        return pb.ChangeAccountResponse.FromString(answer)

    async def SetDeskMargin(self, request: pb.SetDeskMarginRequest, context) -> pb.SetDeskMarginResponse:
        """See the contract."""
        wanted = request.desk_margin
        _check_levels("desk_margin.levels", wanted.levels)
        try:
            with failures(request.request_id):
                if request.validate_only:
                    return pb.SetDeskMarginResponse(desk_margin=await self._desks.rehearse(wanted))
                answer = await self._desks.put(request.request_id, wanted, body_of(request), self._clock())
        except VersionPassed as passed:
            raise errors.version_conflict(passed.expected, passed.actual) from None
        return pb.SetDeskMarginResponse.FromString(answer)

    async def ListDeskMargins(self, request: pb.ListDeskMarginsRequest, context) -> pb.ListDeskMarginsResponse:
        """See the contract."""
        with failures():
            found = await self._desks.all()
        return pb.ListDeskMarginsResponse(desk_margins=found, platform=platform_levels(self._settings))

    async def GetAccount(self, request: pb.GetAccountRequest, context) -> pb.GetAccountResponse:
        """See the contract."""
        try:
            account = await self._accounts.get(request.account)
        except StoreUnavailable as error:
            raise errors.dependency_unavailable("postgres") from error
        if account is None or granted_desk("") not in ("", account.desk):
            raise errors.not_found("account", request.account, "OpenAccount opens it")
        return pb.GetAccountResponse(account=account)

    async def ListAccounts(self, request: pb.ListAccountsRequest, context) -> pb.ListAccountsResponse:
        """See the contract."""
        size = request.page_size or PAGE_SIZE_DEFAULT
        try:
            desk, granted = granted_desk(request.desk), granted_accounts()
            found = await self._accounts.page(desk, request.page_token, size + 1, granted)
        except StoreUnavailable as error:
            raise errors.dependency_unavailable("postgres") from error
        more = len(found) > size
        return pb.ListAccountsResponse(accounts=found[:size], next_page_token=found[size - 1].account if more else "")

    async def _as_if_opened(self, account: account_pb2.Account) -> pb.OpenAccountResponse:
        known = await self._accounts.get(account.account)
        if known is not None:
            account.version = known.version
            account.create_time.CopyFrom(known.create_time)
            if known != account:
                raise _exists(account)
        return pb.OpenAccountResponse(account=account)


def _new(asked: account_pb2.Account) -> account_pb2.Account:
    account = account_pb2.Account()
    account.CopyFrom(asked)
    account.ClearField("version")
    account.ClearField("create_time")
    if fault := currency_fault(account.currency):
        raise errors.invalid(("account.currency", fault))
    _check_rate(account.margin_rate)
    _check_levels("account.margin_levels", account.margin_levels)
    if account.status != account_pb2.ACCOUNT_STATUS_ACTIVE:
        raise errors.invalid(("account.status", "a new account is ACCOUNT_STATUS_ACTIVE"))
    return account


def _check_rate(rate: str) -> None:
    """Refuses a rate by which no position needs margin."""
    if not Decimal(rate):
        raise errors.invalid(("account.margin_rate", f"is {rate}: give one above 0, as 0.05 for a leverage of 20"))


def _check_levels(field: str, levels: account_pb2.MarginLevels) -> None:
    """Refuses levels of which nothing could come in between."""
    call, close_out = (Decimal(each or "-1") for each in (levels.call, levels.close_out))
    if call == 0:
        raise errors.invalid((f"{field}.call", "is 0: a call at nothing is none; leave it empty for the desk's level"))
    if call > 0 and close_out > call:
        words = f"is {levels.close_out}, above the call at {levels.call}: positions would be closed without a call"
        raise errors.invalid((f"{field}.close_out", words))


def _exists(account: account_pb2.Account) -> errors.Failure:
    return errors.already_exists("account", account.account, "with other terms; GetAccount tells them")
