"""The SDK's services in types, generated from the contracts by scripts/generate.

There is no module of it: methods are made when a client is made.
"""

from typing import Any

from crossrate.api.audit.v1 import audit_service_pb2 as audit_audit_service
from crossrate.api.audit.v1 import leaf_pb2 as audit_leaf
from crossrate.api.broker.v1 import break_pb2 as broker_break
from crossrate.api.broker.v1 import reconciliation_service_pb2 as broker_reconciliation_service
from crossrate.api.broker.v1 import venue_service_pb2 as broker_venue_service
from crossrate.api.control.v1 import control_service_pb2 as control_control_service
from crossrate.api.control.v1 import fault_service_pb2 as control_fault_service
from crossrate.api.control.v1 import observability_service_pb2 as control_observability_service
from crossrate.api.control.v1 import release_service_pb2 as control_release_service
from crossrate.api.control.v1 import tap_pb2 as control_tap
from crossrate.api.identity.v1 import client_pb2 as identity_client
from crossrate.api.identity.v1 import client_service_pb2 as identity_client_service
from crossrate.api.identity.v1 import grant_service_pb2 as identity_grant_service
from crossrate.api.identity.v1 import session_service_pb2 as identity_session_service
from crossrate.api.identity.v1 import user_pb2 as identity_user
from crossrate.api.identity.v1 import user_service_pb2 as identity_user_service
from crossrate.api.ledger.v1 import account_pb2 as ledger_account
from crossrate.api.ledger.v1 import account_service_pb2 as ledger_account_service
from crossrate.api.ledger.v1 import balance_pb2 as ledger_balance
from crossrate.api.ledger.v1 import entry_pb2 as ledger_entry
from crossrate.api.ledger.v1 import ledger_service_pb2 as ledger_ledger_service
from crossrate.api.ledger.v1 import movement_service_pb2 as ledger_movement_service
from crossrate.api.marketdata.v1 import bar_service_pb2 as marketdata_bar_service
from crossrate.api.marketdata.v1 import book_service_pb2 as marketdata_book_service
from crossrate.api.marketdata.v1 import daily_pb2 as marketdata_daily
from crossrate.api.marketdata.v1 import feed_list_pb2 as marketdata_feed_list
from crossrate.api.marketdata.v1 import history_pb2 as marketdata_history
from crossrate.api.marketdata.v1 import history_service_pb2 as marketdata_history_service
from crossrate.api.marketdata.v1 import marketdata_service_pb2 as marketdata_marketdata_service
from crossrate.api.pipeline.v1 import dataset_pb2 as pipeline_dataset
from crossrate.api.pipeline.v1 import job_pb2 as pipeline_job
from crossrate.api.pipeline.v1 import pipeline_service_pb2 as pipeline_pipeline_service
from crossrate.api.pricing.v1 import price_stream_service_pb2 as pricing_price_stream_service
from crossrate.api.pricing.v1 import pricing_service_pb2 as pricing_pricing_service
from crossrate.api.pricing.v1 import quoting_service_pb2 as pricing_quoting_service
from crossrate.api.pricing.v1 import snapshot_list_pb2 as pricing_snapshot_list
from crossrate.api.pricing.v1 import snapshot_service_pb2 as pricing_snapshot_service
from crossrate.api.pricing.v1 import strike_pb2 as pricing_strike
from crossrate.api.reference.v1 import instrument_pb2 as reference_instrument
from crossrate.api.reference.v1 import reference_service_pb2 as reference_reference_service
from crossrate.api.risk.v1 import backtest_pb2 as risk_backtest
from crossrate.api.risk.v1 import dead_man_lease_pb2 as risk_dead_man_lease
from crossrate.api.risk.v1 import kill_switch_pb2 as risk_kill_switch
from crossrate.api.risk.v1 import kill_switch_service_pb2 as risk_kill_switch_service
from crossrate.api.risk.v1 import limit_pb2 as risk_limit
from crossrate.api.risk.v1 import limit_service_pb2 as risk_limit_service
from crossrate.api.risk.v1 import margin_call_pb2 as risk_margin_call
from crossrate.api.risk.v1 import margin_call_service_pb2 as risk_margin_call_service
from crossrate.api.risk.v1 import margin_pb2 as risk_margin
from crossrate.api.risk.v1 import risk_service_pb2 as risk_risk_service
from crossrate.api.risk.v1 import stress_pb2 as risk_stress
from crossrate.api.risk.v1 import volatility_pb2 as risk_volatility
from crossrate.api.trading.v1 import execution_pb2 as trading_execution
from crossrate.api.trading.v1 import order_entry_pb2 as trading_order_entry
from crossrate.api.trading.v1 import order_history_pb2 as trading_order_history
from crossrate.api.trading.v1 import order_pb2 as trading_order
from crossrate.api.trading.v1 import session_pb2 as trading_session
from crossrate.client.blocking import BlockingFollow, BlockingMethod, BlockingPages, BlockingStream
from crossrate.client.methods import Method, PagedMethod, StreamMethod

class Audit:
    ExportLog: StreamMethod[audit_audit_service.ExportLogRequest, audit_audit_service.ExportLogResponse]
    """The log as kept: leaves, tiles and checkpoints in the order in which they are checked, up to the newest checkpoint."""
    GetAuditStatus: Method[audit_audit_service.GetAuditStatusRequest, audit_audit_service.GetAuditStatusResponse]
    """How the log is: size, checkpoint, witness, alarms, how far behind each stream it is."""
    GetCheckpoint: Method[audit_audit_service.GetCheckpointRequest, audit_audit_service.GetCheckpointResponse]
    """The newest checkpoint, or the newest of at most a size, with the log's signatures and the witness's; keys of the log, and how the witness is."""
    GetConsistencyProof: Method[audit_audit_service.GetConsistencyProofRequest, audit_audit_service.GetConsistencyProofResponse]
    """Proof that the tree of `old_size` facts is the beginning of that of `size` (RFC 9162, section 2.1.4)."""
    GetFact: Method[audit_audit_service.GetFactRequest, audit_audit_service.GetFactResponse]
    """One fact with its payload and the bytes that are hashed."""
    GetInclusionProof: Method[audit_audit_service.GetInclusionProofRequest, audit_audit_service.GetInclusionProofResponse]
    """Proof that a fact stands in the tree of a checkpoint (RFC 9162, section 2.1.3), with the checkpoint."""
    RotateSigningKey: Method[audit_audit_service.RotateSigningKeyRequest, audit_audit_service.RotateSigningKeyResponse]
    """Signs checkpoints with a new key from now on."""
    SearchFacts: PagedMethod[audit_audit_service.SearchFactsRequest, audit_audit_service.SearchFactsResponse, audit_leaf.Fact]
    """Facts by person, account, order, request, type and time, all that are given at once, page by page, the newest first."""
    WatchCheckpoints: StreamMethod[audit_audit_service.WatchCheckpointsRequest, audit_audit_service.WatchCheckpointsResponse]
    """Checkpoints as they are signed, at most one a second: at once the newest, then each newer one, those between left out for a slow reader."""

class Broker:
    ApproveCorrection: Method[broker_reconciliation_service.ApproveCorrectionRequest, broker_reconciliation_service.ApproveCorrectionResponse]
    """Approves or rejects what was proposed; CALLER_NOT_ALLOWED for who proposed it."""
    GetBreak: Method[broker_reconciliation_service.GetBreakRequest, broker_reconciliation_service.GetBreakResponse]
    """One break with its history."""
    GetVenue: Method[broker_venue_service.GetVenueRequest, broker_venue_service.GetVenueResponse]
    """One venue."""
    ListBreaks: PagedMethod[broker_reconciliation_service.ListBreaksRequest, broker_reconciliation_service.ListBreaksResponse, broker_break.Break]
    """Breaks, those that changed last first, a page at a time, and the newest run at each venue."""
    ListVenues: Method[broker_venue_service.ListVenuesRequest, broker_venue_service.ListVenuesResponse]
    """All venues, by name."""
    ProposeCorrection: Method[broker_reconciliation_service.ProposeCorrectionRequest, broker_reconciliation_service.ProposeCorrectionResponse]
    """Proposes what is to be done about a break."""
    RunReconciliation: Method[broker_reconciliation_service.RunReconciliationRequest, broker_reconciliation_service.RunReconciliationResponse]
    """Compares a venue's books now, and answers when that is done."""
    SetVenueState: Method[broker_venue_service.SetVenueStateRequest, broker_venue_service.SetVenueStateResponse]
    """Enables a venue, drains it, or disables it."""
    WatchBreaks: StreamMethod[broker_reconciliation_service.WatchBreaksRequest, broker_reconciliation_service.WatchBreaksResponse]
    """Breaks as they open, change and close: first those that are not closed, or with a cursor every change after it."""

class Control:
    AbortRelease: Method[control_release_service.AbortReleaseRequest, control_release_service.AbortReleaseResponse]
    """Takes a release back: when it answers, every connected proxy sends all calls to the stable version."""
    AddFault: Method[control_fault_service.AddFaultRequest, control_fault_service.AddFaultResponse]
    """Puts a fault in force, and answers when every connected proxy has it."""
    ApplyRoute: Method[control_control_service.ApplyRouteRequest, control_control_service.ApplyRouteResponse]
    """Puts a GRPCRoute in place of the one that the topology renders for its service, and answers when every connected proxy has acknowledged it."""
    ExplainCall: Method[control_observability_service.ExplainCallRequest, control_observability_service.ExplainCallResponse]
    """The way of one call through the mesh: each hop, its version and times, what let it in or refused it."""
    GetConfig: Method[control_control_service.GetConfigRequest, control_control_service.GetConfigResponse]
    """A service's live configuration."""
    GetMeshStatus: Method[control_control_service.GetMeshStatusRequest, control_control_service.GetMeshStatusResponse]
    """Every proxy and instance with its health, identity, certificate and configuration version."""
    GetRelease: Method[control_release_service.GetReleaseRequest, control_release_service.GetReleaseResponse]
    """A release with its decisions and what was seen of its calls."""
    GetReleaseReport: Method[control_release_service.GetReleaseReportRequest, control_release_service.GetReleaseReportResponse]
    """A release as a report that control has signed: what was specified, decided, seen and judged."""
    GetShadowReport: Method[control_release_service.GetShadowReportRequest, control_release_service.GetShadowReportResponse]
    """What the shadow of a release has found: which fields of which method's answers differ, how often, and examples."""
    ListCertificates: Method[control_control_service.ListCertificatesRequest, control_control_service.ListCertificatesResponse]
    """Certificates in use: for each identity its serial, issuer and times."""
    ListConfigVersions: Method[control_control_service.ListConfigVersionsRequest, control_control_service.ListConfigVersionsResponse]
    """Versions of a service's live configuration, newest first."""
    ListEdges: Method[control_observability_service.ListEdgesRequest, control_observability_service.ListEdgesResponse]
    """Who calls whom: rate, success, latency by caller, method and version."""
    ListFaults: Method[control_fault_service.ListFaultsRequest, control_fault_service.ListFaultsResponse]
    """The faults in force, the newest first."""
    ListProcesses: Method[control_observability_service.ListProcessesRequest, control_observability_service.ListProcessesResponse]
    """What each process takes: processor, memory, calls, failures, delays."""
    ListReleases: Method[control_release_service.ListReleasesRequest, control_release_service.ListReleasesResponse]
    """Releases, newest first."""
    ListRoutes: Method[control_control_service.ListRoutesRequest, control_control_service.ListRoutesResponse]
    """Routes as Gateway API GRPCRoute objects: the ones that the topology renders, and those that replace them."""
    ListSnapshots: Method[control_control_service.ListSnapshotsRequest, control_control_service.ListSnapshotsResponse]
    """Snapshots of the proxies' configuration, newest first: when, why, and what each proxy said to it."""
    PauseRelease: Method[control_release_service.PauseReleaseRequest, control_release_service.PauseReleaseResponse]
    """Has a release stay at its step."""
    PromoteRelease: Method[control_release_service.PromoteReleaseRequest, control_release_service.PromoteReleaseResponse]
    """Goes on to the next step now; from the last one, makes the candidate the service."""
    RemoveFault: Method[control_fault_service.RemoveFaultRequest, control_fault_service.RemoveFaultResponse]
    """Ends a fault before its time, or all of them."""
    ResumeRelease: Method[control_release_service.ResumeReleaseRequest, control_release_service.ResumeReleaseResponse]
    """Has a paused release go on by the clock."""
    RotateCertificates: Method[control_control_service.RotateCertificatesRequest, control_control_service.RotateCertificatesResponse]
    """Issues new certificates for all identities, or begins or ends the overlap of a new root, and answers when every connected proxy has acknowledged them."""
    SetConfig: Method[control_control_service.SetConfigRequest, control_control_service.SetConfigResponse]
    """Changes values of a service's live configuration."""
    StartRelease: Method[control_release_service.StartReleaseRequest, control_release_service.StartReleaseResponse]
    """Starts the release that mesh/releases/<name>.toml specifies."""
    Tap: Method[control_tap.TapRequest, Any]
    """Requests and answers as they pass through every instance, decoded, with fields hidden as their policies say."""
    TapHeaders: Method[control_tap.TapHeadersRequest, Any]
    """The same without bodies: who calls what, with which outcome, sizes and times."""
    WatchRelease: StreamMethod[control_release_service.WatchReleaseRequest, control_release_service.WatchReleaseResponse]
    """A release as it is now, then at each decision and each second until it is over."""

class Identity:
    CreateApiKey: Method[identity_client_service.CreateApiKeyRequest, identity_client_service.CreateApiKeyResponse]
    """Makes an API key for a person or a client."""
    CreateClient: Method[identity_client_service.CreateClientRequest, identity_client_service.CreateClientResponse]
    """Registers a program: one that acts for itself and proves a key, or one through which persons log in."""
    CreateDesk: Method[identity_grant_service.CreateDeskRequest, identity_grant_service.CreateDeskResponse]
    """Opens a desk (tenant)."""
    CreateUser: Method[identity_user_service.CreateUserRequest, identity_user_service.CreateUserResponse]
    """Enters a person and makes an invitation, by which the person sets a password."""
    GetAccess: Method[identity_grant_service.GetAccessRequest, identity_grant_service.GetAccessResponse]
    """What a person or a client may do."""
    GetClient: Method[identity_client_service.GetClientRequest, identity_client_service.GetClientResponse]
    """One client."""
    GetUser: Method[identity_user_service.GetUserRequest, identity_user_service.GetUserResponse]
    """One person."""
    GrantAccess: Method[identity_grant_service.GrantAccessRequest, identity_grant_service.GrantAccessResponse]
    """Adds roles, accounts and instruments to what a person or a client may do."""
    Introspect: Method[identity_session_service.IntrospectRequest, identity_session_service.IntrospectResponse]
    """What a token says and whether it is good now: signature, times, session, grants (RFC 7662)."""
    ListApiKeys: Method[identity_client_service.ListApiKeysRequest, identity_client_service.ListApiKeysResponse]
    """API keys of a person or a client, newest first."""
    ListClients: PagedMethod[identity_client_service.ListClientsRequest, identity_client_service.ListClientsResponse, identity_client.Client]
    """Clients in order of name, page by page."""
    ListDesks: Method[identity_grant_service.ListDesksRequest, identity_grant_service.ListDesksResponse]
    """Every desk in order of name, at most 1,000."""
    ListSessions: PagedMethod[identity_session_service.ListSessionsRequest, identity_session_service.ListSessionsResponse, identity_session_service.Session]
    """Sessions that are open, newest first, page by page."""
    ListSigningKeys: Method[identity_session_service.ListSigningKeysRequest, identity_session_service.ListSigningKeysResponse]
    """The keys that tokens are signed with: what was, is and will be."""
    ListUsers: PagedMethod[identity_user_service.ListUsersRequest, identity_user_service.ListUsersResponse, identity_user.User]
    """Persons in order of name, page by page."""
    ResetUser: Method[identity_user_service.ResetUserRequest, identity_user_service.ResetUserResponse]
    """Takes what a person has lost away and lets them in again: a lock after wrong passwords always; the password and all sessions, with a recovery link in the answer; the second factors."""
    RevokeAccess: Method[identity_grant_service.RevokeAccessRequest, identity_grant_service.RevokeAccessResponse]
    """Takes some of it away; what was not granted is passed over."""
    RevokeApiKey: Method[identity_client_service.RevokeApiKeyRequest, identity_client_service.RevokeApiKeyResponse]
    """Ends an API key and its session."""
    RevokeSession: Method[identity_session_service.RevokeSessionRequest, identity_session_service.RevokeSessionResponse]
    """Ends a session: its refresh tokens at once, its access tokens and open streams within ten seconds."""
    RevokeSessions: Method[identity_session_service.RevokeSessionsRequest, identity_session_service.RevokeSessionsResponse]
    """Ends every session of a person or a client."""
    RotateSigningKeys: Method[identity_session_service.RotateSigningKeysRequest, identity_session_service.RotateSigningKeysResponse]
    """Makes a new key."""
    SetClientKeys: Method[identity_client_service.SetClientKeysRequest, identity_client_service.SetClientKeysResponse]
    """Replaces the public keys with which a client proves itself."""
    SetClientState: Method[identity_client_service.SetClientStateRequest, identity_client_service.SetClientStateResponse]
    """Lets a client in or not."""
    SetUserState: Method[identity_user_service.SetUserStateRequest, identity_user_service.SetUserStateResponse]
    """Lets a person log in or not."""
    UpdateUser: Method[identity_user_service.UpdateUserRequest, identity_user_service.UpdateUserResponse]
    """Changes what is said of a person."""

class Ledger:
    AllocateBlock: Method[ledger_movement_service.AllocateBlockRequest, ledger_movement_service.AllocateBlockResponse]
    """Gives shares of a block trade to accounts, each at the block's average price and with its value date; the block account's position shrinks by their sum."""
    ApproveCorrection: Method[ledger_movement_service.ApproveCorrectionRequest, ledger_movement_service.ApproveCorrectionResponse]
    """Books a proposed correction, or rejects it."""
    ChangeAccount: Method[ledger_account_service.ChangeAccountRequest, ledger_account_service.ChangeAccountResponse]
    """Changes desk, status, margin rate or display name, and before its first entry the rest but its name."""
    Deposit: Method[ledger_movement_service.DepositRequest, ledger_movement_service.DepositResponse]
    """Books money that came in."""
    GetAccount: Method[ledger_account_service.GetAccountRequest, ledger_account_service.GetAccountResponse]
    """An account."""
    GetBalances: Method[ledger_ledger_service.GetBalancesRequest, ledger_ledger_service.GetBalancesResponse]
    """Cash by currency and value date, and what it is worth in the account's currency with its positions: equity, margin used and free, margin call."""
    GetProfitAndLoss: Method[ledger_ledger_service.GetProfitAndLossRequest, ledger_ledger_service.GetProfitAndLossResponse]
    """Profit and loss by currency and in the account's currency: realised, unrealised, commissions, financing; since the account was opened or since a moment."""
    GetStatement: Method[ledger_ledger_service.GetStatementRequest, ledger_ledger_service.GetStatementResponse]
    """The account as it stood at a past moment: cash, positions and what had been earned, from the journal alone, with the number of the last entry that counts."""
    ListAccounts: PagedMethod[ledger_account_service.ListAccountsRequest, ledger_account_service.ListAccountsResponse, ledger_account.Account]
    """Accounts by name, a page at a time."""
    ListCorrections: Method[ledger_movement_service.ListCorrectionsRequest, ledger_movement_service.ListCorrectionsResponse]
    """Corrections, newest first, at most 1000."""
    ListDeskMargins: Method[ledger_account_service.ListDeskMarginsRequest, ledger_account_service.ListDeskMarginsResponse]
    """The margin levels of desks that have some, by name."""
    ListEquity: PagedMethod[ledger_ledger_service.ListEquityRequest, ledger_ledger_service.ListEquityResponse, ledger_balance.Equity]
    """For checks before a trade: cash of accounts and what of it no execution report tells, and the number of the last report that is in it."""
    ListPositions: Method[ledger_ledger_service.ListPositionsRequest, ledger_ledger_service.ListPositionsResponse]
    """Open positions of an account, valued at the side at which they would be closed."""
    ListPostings: PagedMethod[ledger_ledger_service.ListPostingsRequest, ledger_ledger_service.ListPostingsResponse, ledger_entry.Entry]
    """Entries of an account with their postings, oldest first, a page at a time."""
    OpenAccount: Method[ledger_account_service.OpenAccountRequest, ledger_account_service.OpenAccountResponse]
    """Opens an account."""
    ProposeCorrection: Method[ledger_movement_service.ProposeCorrectionRequest, ledger_movement_service.ProposeCorrectionResponse]
    """Proposes a correction; nothing is booked until another person approves it."""
    RollDay: Method[ledger_movement_service.RollDayRequest, ledger_movement_service.RollDayResponse]
    """Ends a trade date: carries positions to the next spot date and books their financing."""
    SetDeskMargin: Method[ledger_account_service.SetDeskMarginRequest, ledger_account_service.SetDeskMarginResponse]
    """Sets the margin levels of a desk's accounts that have none of their own."""
    StreamBalances: StreamMethod[ledger_ledger_service.StreamBalancesRequest, ledger_ledger_service.StreamBalancesResponse]
    """Equity and margin as quotes and entries change them: at once, then at most once in the interval asked for."""
    VerifyBooks: Method[ledger_movement_service.VerifyBooksRequest, ledger_movement_service.VerifyBooksResponse]
    """Proves the books: reads the whole journal, adds up every entry by currency, books it again, and compares what comes out with what is kept, byte for byte."""
    Withdraw: Method[ledger_movement_service.WithdrawRequest, ledger_movement_service.WithdrawResponse]
    """Books money that goes out."""

class Marketdata:
    GetBook: Method[marketdata_book_service.GetBookRequest, marketdata_book_service.GetBookResponse]
    """The book of an instrument as it stands, however old: its health says whether it may be traded on."""
    GetHistoryStatus: Method[marketdata_history_service.GetHistoryStatusRequest, marketdata_history_service.GetHistoryStatusResponse]
    """How far the quotes of the feeds are stored."""
    GetQuote: Method[marketdata_marketdata_service.GetQuoteRequest, marketdata_marketdata_service.GetQuoteResponse]
    """The newest quote of an instrument, however old: its health says whether it may be traded on."""
    GetTieredPrices: Method[marketdata_book_service.GetTieredPricesRequest, marketdata_book_service.GetTieredPricesResponse]
    """Prices for amounts: what filling each of them against the book as it stands costs, at the prices of its levels."""
    ListCoverage: PagedMethod[marketdata_history_service.ListCoverageRequest, marketdata_history_service.ListCoverageResponse, marketdata_history.Coverage]
    """What is stored of each instrument and source, in the order of source, then instrument."""
    ListDailyRates: PagedMethod[marketdata_marketdata_service.ListDailyRatesRequest, marketdata_marketdata_service.ListDailyRatesResponse, marketdata_daily.DailyRate]
    """Daily rates of a pair, ascending by date, page by page, from the European Central Bank, which publishes them against the euro since 1999, or from a declared file; every pair that the source does not have is the quotient of two rates."""
    ListDailySources: Method[marketdata_marketdata_service.ListDailySourcesRequest, marketdata_marketdata_service.ListDailySourcesResponse]
    """Every source of daily rates: its days and currencies, when it was read, and what was wrong with its file."""
    ListFeeds: Method[marketdata_feed_list.ListFeedsRequest, marketdata_feed_list.ListFeedsResponse]
    """Every feed: whether it delivers, why not, and what came through it."""
    QueryBars: PagedMethod[marketdata_bar_service.QueryBarsRequest, marketdata_bar_service.QueryBarsResponse, marketdata_history.Bar]
    """Bars of an instrument from one source, page by page: those that begin in the range."""
    QueryTicks: PagedMethod[marketdata_history_service.QueryTicksRequest, marketdata_history_service.QueryTicksResponse, Any]
    """Quotes of an instrument from one source, page by page."""
    Replay: StreamMethod[marketdata_history_service.ReplayRequest, marketdata_history_service.ReplayResponse]
    """Stored quotes as they came, in the messages of a quote stream, at a multiple of their own speed or as fast as the reader takes them."""
    StreamBars: StreamMethod[marketdata_bar_service.StreamBarsRequest, marketdata_bar_service.StreamBarsResponse]
    """Bars as they are over: first those since `start_time` or the cursor, then each once a quote or the clock has passed its end."""
    StreamBook: StreamMethod[marketdata_book_service.StreamBookRequest, marketdata_book_service.StreamBookResponse]
    """Books as they change: first whole, then what changes in them."""
    StreamHealth: StreamMethod[marketdata_feed_list.StreamHealthRequest, marketdata_feed_list.StreamHealthResponse]
    """Health of feeds and of instruments as it changes: first everything as it is, or with a cursor every change after it that is still kept (else OUT_OF_RANGE with CURSOR_EXPIRED)."""
    StreamQuotes: StreamMethod[marketdata_marketdata_service.StreamQuotesRequest, marketdata_marketdata_service.StreamQuotesResponse]
    """Quotes as they change: first the newest of each instrument, or with a cursor everything after it that is still kept (else OUT_OF_RANGE with CURSOR_EXPIRED)."""
    StreamTicks: StreamMethod[marketdata_history_service.StreamTicksRequest, marketdata_history_service.StreamTicksResponse]
    """The same as a stream of columns, or of Arrow IPC, for bulk."""

class Pipeline:
    CancelJob: Method[pipeline_pipeline_service.CancelJobRequest, pipeline_pipeline_service.CancelJobResponse]
    """Ends a job that waits or runs."""
    DeleteDataset: Method[pipeline_pipeline_service.DeleteDatasetRequest, pipeline_pipeline_service.DeleteDatasetResponse]
    """Takes all rows of a dataset out of the store; its files may then be loaded again."""
    GetDataset: Method[pipeline_pipeline_service.GetDatasetRequest, pipeline_pipeline_service.GetDatasetResponse]
    """One dataset: what was loaded, and the first and the last rows of each instrument as the store has them."""
    GetDatasetReport: PagedMethod[pipeline_pipeline_service.GetDatasetReportRequest, pipeline_pipeline_service.GetDatasetReportResponse, pipeline_dataset.QualityReport]
    """What the rows of a dataset are like: one report for each file and instrument that is loaded, in order of loading, page by page."""
    GetJob: Method[pipeline_pipeline_service.GetJobRequest, pipeline_pipeline_service.GetJobResponse]
    """One job."""
    GetQualityReport: PagedMethod[pipeline_pipeline_service.GetQualityReportRequest, pipeline_pipeline_service.GetQualityReportResponse, pipeline_dataset.QualityReport]
    """What the files of a job are like: one report for each file and instrument, page by page, also of what was quarantined."""
    ListDatasetFiles: PagedMethod[pipeline_pipeline_service.ListDatasetFilesRequest, pipeline_pipeline_service.ListDatasetFilesResponse, pipeline_dataset.DatasetFile]
    """Where a dataset comes from: each file that was loaded into it, in order of loading, page by page."""
    ListDatasets: PagedMethod[pipeline_pipeline_service.ListDatasetsRequest, pipeline_pipeline_service.ListDatasetsResponse, pipeline_dataset.Dataset]
    """Datasets in order of name, page by page."""
    ListJobFiles: PagedMethod[pipeline_pipeline_service.ListJobFilesRequest, pipeline_pipeline_service.ListJobFilesResponse, pipeline_job.JobFile]
    """The files of a job in their order, page by page."""
    ListJobs: PagedMethod[pipeline_pipeline_service.ListJobsRequest, pipeline_pipeline_service.ListJobsResponse, pipeline_job.Job]
    """Jobs, the newest first, page by page."""
    ListRejectedRows: PagedMethod[pipeline_pipeline_service.ListRejectedRowsRequest, pipeline_pipeline_service.ListRejectedRowsResponse, pipeline_dataset.RejectedRow]
    """Lines of a job's files that are no rows, with number, text and reason, page by page."""
    ListVacuums: Method[pipeline_pipeline_service.ListVacuumsRequest, pipeline_pipeline_service.ListVacuumsResponse]
    """What vacuums deleted, the newest first, at most 1,000: those that were asked for, and those that came by themselves."""
    StartJob: Method[pipeline_pipeline_service.StartJobRequest, pipeline_pipeline_service.StartJobResponse]
    """Checks a specification and accepts it as a job, which a worker then carries out; `WatchJob` follows it."""
    VacuumHistory: Method[pipeline_pipeline_service.VacuumHistoryRequest, pipeline_pipeline_service.VacuumHistoryResponse]
    """Deletes files of the store that no commit names: what loads left behind that were killed, and what compaction took out."""
    WatchJob: StreamMethod[pipeline_pipeline_service.WatchJobRequest, pipeline_pipeline_service.WatchJobResponse]
    """How a job goes on: first as it stands, then each change, at most twice a second; ends with COMPLETE when the job is done."""

class Pricing:
    CancelQuote: Method[pricing_quoting_service.CancelQuoteRequest, pricing_quoting_service.CancelQuoteResponse]
    """Withdraws a quote: from ACTIVE to CANCELLED."""
    GetCurve: Method[pricing_snapshot_service.GetCurveRequest, pricing_snapshot_service.GetCurveResponse]
    """Interest of a currency in a snapshot at any times."""
    GetMarket: Method[pricing_snapshot_service.GetMarketRequest, pricing_snapshot_service.GetMarketResponse]
    """One version of a market."""
    GetQuoteTerms: Method[pricing_quoting_service.GetQuoteTermsRequest, pricing_quoting_service.GetQuoteTermsResponse]
    """Everything that executing a quote needs, and where the quote stands by the database's clock."""
    GetSnapshot: Method[pricing_snapshot_service.GetSnapshotRequest, pricing_snapshot_service.GetSnapshotResponse]
    """One snapshot."""
    GetSurface: Method[pricing_snapshot_service.GetSurfaceRequest, pricing_snapshot_service.GetSurfaceResponse]
    """Volatilities of a pair in a snapshot, with the forwards that they go with."""
    ImplyVolatility: Method[pricing_pricing_service.ImplyVolatilityRequest, pricing_pricing_service.ImplyVolatilityResponse]
    """The volatilities that premiums imply, of up to 100,000 European options, as arrays."""
    ListMarkets: PagedMethod[pricing_snapshot_list.ListMarketsRequest, pricing_snapshot_list.ListMarketsResponse, pricing_snapshot_list.MarketSummary]
    """Versions of markets, the newest first."""
    ListSnapshots: PagedMethod[pricing_snapshot_list.ListSnapshotsRequest, pricing_snapshot_list.ListSnapshotsResponse, pricing_snapshot_list.SnapshotSummary]
    """Snapshots, the one that was taken last first."""
    Price: Method[pricing_pricing_service.PriceRequest, pricing_pricing_service.PriceResponse]
    """The worth of one product with its sensitivities, from a snapshot or from a flat market that the request gives."""
    PriceBatch: Method[pricing_pricing_service.PriceBatchRequest, pricing_pricing_service.PriceBatchResponse]
    """Premiums and sensitivities of up to 100,000 European options, as arrays."""
    PriceProducts: Method[pricing_pricing_service.PriceProductsRequest, pricing_pricing_service.PriceProductsResponse]
    """The worth of up to 1,000 products, mixed as they come: for each its price, or why it has none."""
    PutMarket: Method[pricing_snapshot_service.PutMarketRequest, pricing_snapshot_service.PutMarketResponse]
    """Puts the next version of a market: all of its curves and surfaces."""
    RequestQuote: Method[pricing_quoting_service.RequestQuoteRequest, pricing_quoting_service.RequestQuoteResponse]
    """Quotes a product, two-way or one side, and keeps the quote with its snapshot of the market until it expires."""
    SolveStrike: Method[pricing_strike.SolveStrikeRequest, pricing_strike.SolveStrikeResponse]
    """The strikes of up to 100,000 deltas or of what is at the money, as arrays."""
    StreamPrices: StreamMethod[pricing_price_stream_service.StreamPricesRequest, pricing_price_stream_service.StreamPricesResponse]
    """The worth of up to 50 products as the market moves: on the curves and surfaces of a market, of which the newest version is followed, and on live quotes."""
    TakeSnapshot: Method[pricing_snapshot_service.TakeSnapshotRequest, pricing_snapshot_service.TakeSnapshotResponse]
    """Takes a snapshot: the spot rates of some pairs, from the live quotes or as given, with a version of a market."""

class Reference:
    GetInstrument: Method[reference_reference_service.GetInstrumentRequest, reference_reference_service.GetInstrumentResponse]
    """One instrument."""
    GetTradingSession: Method[reference_reference_service.GetTradingSessionRequest, reference_reference_service.GetTradingSessionResponse]
    """The trading day in which a moment falls, and whether the market is open then."""
    ListCurrencies: Method[reference_reference_service.ListCurrenciesRequest, reference_reference_service.ListCurrenciesResponse]
    """All currencies in order of code."""
    ListInstruments: PagedMethod[reference_reference_service.ListInstrumentsRequest, reference_reference_service.ListInstrumentsResponse, reference_instrument.Instrument]
    """Instruments in order of name, page by page."""
    ListSettlementDays: Method[reference_reference_service.ListSettlementDaysRequest, reference_reference_service.ListSettlementDaysResponse]
    """The days on which a currency settles, and why the other weekdays are holidays."""
    ListValueDates: Method[reference_reference_service.ListValueDatesRequest, reference_reference_service.ListValueDatesResponse]
    """Spot and forward value dates of a trade: spot lag with the holiday rules of both currencies and of the dollar, modified following, end of month."""
    SetInstrumentStatus: Method[reference_reference_service.SetInstrumentStatusRequest, reference_reference_service.SetInstrumentStatusResponse]
    """Halts an instrument, lets only reductions through, or opens it again."""

class Risk:
    ApproveLimits: Method[risk_limit_service.ApproveLimitsRequest, risk_limit_service.ApproveLimitsResponse]
    """Approves a proposal of somebody else: its limits hold from the next order on."""
    ApproveResume: Method[risk_kill_switch_service.ApproveResumeRequest, risk_kill_switch_service.ApproveResumeResponse]
    """Ends a kill that somebody else proposed to end."""
    Backtest: StreamMethod[risk_backtest.BacktestRequest, risk_backtest.BacktestResponse]
    """Whether value at risk is exceeded as often, and as independently, as it claims: of forecasts that the caller has, or of a book over days of the past."""
    CalculateMargin: Method[risk_margin.CalculateMarginRequest, risk_margin.CalculateMarginResponse]
    """What has to be deposited for a book: of the whole, by account and by pair, from a grid of scenarios in the manner of SPAN or from tiers of notional amounts."""
    CalculateVar: StreamMethod[risk_risk_service.CalculateVarRequest, risk_risk_service.CalculateVarResponse]
    """Value at risk and expected shortfall over one day."""
    Engage: Method[risk_kill_switch_service.EngageRequest, risk_kill_switch_service.EngageResponse]
    """Stops a scope at once."""
    EstimateVolatility: Method[risk_volatility.EstimateVolatilityRequest, risk_volatility.EstimateVolatilityResponse]
    """Volatilities and correlations of pairs from daily reference rates: of the sample, exponentially weighted, or GARCH."""
    Exposure: Method[risk_risk_service.ExposureRequest, risk_risk_service.ExposureResponse]
    """What a book is exposed to: amounts by currency and by pair, of the whole and by account."""
    GetCertificate: Method[risk_kill_switch_service.GetCertificateRequest, risk_kill_switch_service.GetCertificateResponse]
    """The certificate of a kill."""
    GetCloseOut: Method[risk_margin_call_service.GetCloseOutRequest, risk_margin_call_service.GetCloseOutResponse]
    """A close-out with its steps."""
    GetLimits: Method[risk_limit_service.GetLimitsRequest, risk_limit_service.GetLimitsResponse]
    """The limits that hold, or held."""
    GetMarginStanding: Method[risk_margin_call_service.GetMarginStandingRequest, risk_margin_call_service.GetMarginStandingResponse]
    """How an account stands."""
    GetState: Method[risk_kill_switch_service.GetStateRequest, risk_kill_switch_service.GetStateResponse]
    """What is stopped now."""
    ListCertificates: PagedMethod[risk_kill_switch_service.ListCertificatesRequest, risk_kill_switch_service.ListCertificatesResponse, risk_kill_switch.KillCertificate]
    """Certificates, newest first, without their orders and steps, a page at a time."""
    ListCloseOuts: PagedMethod[risk_margin_call_service.ListCloseOutsRequest, risk_margin_call_service.ListCloseOutsResponse, risk_margin_call.CloseOut]
    """Close-outs, newest first, without their steps."""
    ListLimitProposals: PagedMethod[risk_limit_service.ListLimitProposalsRequest, risk_limit_service.ListLimitProposalsResponse, risk_limit.LimitProposal]
    """Proposals, newest first, a page at a time."""
    ListLimitUsage: Method[risk_limit_service.ListLimitUsageRequest, risk_limit_service.ListLimitUsageResponse]
    """How much of each limit is used now, the fullest first."""
    ListLimitVersions: PagedMethod[risk_limit_service.ListLimitVersionsRequest, risk_limit_service.ListLimitVersionsResponse, risk_limit.LimitSet]
    """All versions, newest first, a page at a time."""
    ListMarginStandings: Method[risk_margin_call_service.ListMarginStandingsRequest, risk_margin_call_service.ListMarginStandingsResponse]
    """How all accounts stand that hold something or were called, the lowest level first."""
    ProposeLimits: Method[risk_limit_service.ProposeLimitsRequest, risk_limit_service.ProposeLimitsResponse]
    """Proposes a change."""
    ProposeResume: Method[risk_kill_switch_service.ProposeResumeRequest, risk_kill_switch_service.ProposeResumeResponse]
    """Proposes that a kill ends."""
    RegisterLease: Method[risk_dead_man_lease.RegisterLeaseRequest, risk_dead_man_lease.RegisterLeaseResponse]
    """Registers a dead-man lease: if it is neither renewed nor released in time, its mode is engaged for its scope."""
    ReleaseLease: Method[risk_dead_man_lease.ReleaseLeaseRequest, risk_dead_man_lease.ReleaseLeaseResponse]
    """Ends a lease in order: nothing is engaged."""
    RenewLease: Method[risk_dead_man_lease.RenewLeaseRequest, risk_dead_man_lease.RenewLeaseResponse]
    """Is alive: the lease holds for another `silence_max`."""
    ScenarioLadder: Method[risk_stress.ScenarioLadderRequest, risk_stress.ScenarioLadderResponse]
    """What a book would make on a grid of moves of spot rates and volatilities."""
    StreamMarginCalls: StreamMethod[risk_margin_call_service.StreamMarginCallsRequest, risk_margin_call_service.StreamMarginCallsResponse]
    """Accounts that are called or closed out, and again each that changes its state."""
    StreamState: StreamMethod[risk_kill_switch_service.StreamStateRequest, risk_kill_switch_service.StreamStateResponse]
    """The state, and again with each change."""
    StressTest: Method[risk_stress.StressTestRequest, risk_stress.StressTestResponse]
    """What a book would make in crises of the past and in scenarios that the caller gives."""
    WithdrawLimits: Method[risk_limit_service.WithdrawLimitsRequest, risk_limit_service.WithdrawLimitsResponse]
    """Withdraws or refuses a pending proposal."""

class Trading:
    AmendOrder: Method[trading_order_entry.AmendOrderRequest, trading_order_entry.AmendOrderResponse]
    """Changes quantity, prices or time of a working order (cancel-replace, FIX G)."""
    CancelAll: Method[trading_order_entry.CancelAllRequest, trading_order_entry.CancelAllResponse]
    """Cancels every working order of an account that the scope holds (FIX q)."""
    CancelOrder: Method[trading_order_entry.CancelOrderRequest, trading_order_entry.CancelOrderResponse]
    """Cancels a working order (FIX F)."""
    ExplainOrder: Method[trading_order_history.ExplainOrderRequest, trading_order_history.ExplainOrderResponse]
    """Why an order is where it is: the quote that was seen, each check, the route, what the venue said, the fills and what the ledger booked, in the order in which it happened."""
    GetOrder: Method[trading_order_history.GetOrderRequest, trading_order_history.GetOrderResponse]
    """An order by the client's id or by the platform's."""
    ListExecutions: PagedMethod[trading_order_history.ListExecutionsRequest, trading_order_history.ListExecutionsResponse, trading_execution.ExecutionReport]
    """Execution reports of an account after a number, oldest first, a page at a time."""
    ListOrders: PagedMethod[trading_order_history.ListOrdersRequest, trading_order_history.ListOrdersResponse, trading_order.Order]
    """Orders of an account, newest first, a page at a time."""
    PlaceOrder: Method[trading_order_entry.PlaceOrderRequest, trading_order_entry.PlaceOrderResponse]
    """Enters one order."""
    PlaceOrders: Method[trading_order_entry.PlaceOrdersRequest, trading_order_entry.PlaceOrdersResponse]
    """Enters a list of orders of one account, in order, in one commit: all or none of them, or each by itself."""
    StreamExecutions: StreamMethod[trading_order_history.StreamExecutionsRequest, trading_order_history.StreamExecutionsResponse]
    """Execution reports as they are committed (drop copy): all of an account after a number, without a gap."""
    TradeSession: Any

class AuditBlocking:
    ExportLog: BlockingFollow[audit_audit_service.ExportLogRequest, audit_audit_service.ExportLogResponse]
    """The log as kept: leaves, tiles and checkpoints in the order in which they are checked, up to the newest checkpoint."""
    GetAuditStatus: BlockingMethod[audit_audit_service.GetAuditStatusRequest, audit_audit_service.GetAuditStatusResponse]
    """How the log is: size, checkpoint, witness, alarms, how far behind each stream it is."""
    GetCheckpoint: BlockingMethod[audit_audit_service.GetCheckpointRequest, audit_audit_service.GetCheckpointResponse]
    """The newest checkpoint, or the newest of at most a size, with the log's signatures and the witness's; keys of the log, and how the witness is."""
    GetConsistencyProof: BlockingMethod[audit_audit_service.GetConsistencyProofRequest, audit_audit_service.GetConsistencyProofResponse]
    """Proof that the tree of `old_size` facts is the beginning of that of `size` (RFC 9162, section 2.1.4)."""
    GetFact: BlockingMethod[audit_audit_service.GetFactRequest, audit_audit_service.GetFactResponse]
    """One fact with its payload and the bytes that are hashed."""
    GetInclusionProof: BlockingMethod[audit_audit_service.GetInclusionProofRequest, audit_audit_service.GetInclusionProofResponse]
    """Proof that a fact stands in the tree of a checkpoint (RFC 9162, section 2.1.3), with the checkpoint."""
    RotateSigningKey: BlockingMethod[audit_audit_service.RotateSigningKeyRequest, audit_audit_service.RotateSigningKeyResponse]
    """Signs checkpoints with a new key from now on."""
    SearchFacts: BlockingPages[audit_audit_service.SearchFactsRequest, audit_audit_service.SearchFactsResponse, audit_leaf.Fact]
    """Facts by person, account, order, request, type and time, all that are given at once, page by page, the newest first."""
    WatchCheckpoints: BlockingFollow[audit_audit_service.WatchCheckpointsRequest, audit_audit_service.WatchCheckpointsResponse]
    """Checkpoints as they are signed, at most one a second: at once the newest, then each newer one, those between left out for a slow reader."""

class BrokerBlocking:
    ApproveCorrection: BlockingMethod[broker_reconciliation_service.ApproveCorrectionRequest, broker_reconciliation_service.ApproveCorrectionResponse]
    """Approves or rejects what was proposed; CALLER_NOT_ALLOWED for who proposed it."""
    GetBreak: BlockingMethod[broker_reconciliation_service.GetBreakRequest, broker_reconciliation_service.GetBreakResponse]
    """One break with its history."""
    GetVenue: BlockingMethod[broker_venue_service.GetVenueRequest, broker_venue_service.GetVenueResponse]
    """One venue."""
    ListBreaks: BlockingPages[broker_reconciliation_service.ListBreaksRequest, broker_reconciliation_service.ListBreaksResponse, broker_break.Break]
    """Breaks, those that changed last first, a page at a time, and the newest run at each venue."""
    ListVenues: BlockingMethod[broker_venue_service.ListVenuesRequest, broker_venue_service.ListVenuesResponse]
    """All venues, by name."""
    ProposeCorrection: BlockingMethod[broker_reconciliation_service.ProposeCorrectionRequest, broker_reconciliation_service.ProposeCorrectionResponse]
    """Proposes what is to be done about a break."""
    RunReconciliation: BlockingMethod[broker_reconciliation_service.RunReconciliationRequest, broker_reconciliation_service.RunReconciliationResponse]
    """Compares a venue's books now, and answers when that is done."""
    SetVenueState: BlockingMethod[broker_venue_service.SetVenueStateRequest, broker_venue_service.SetVenueStateResponse]
    """Enables a venue, drains it, or disables it."""
    WatchBreaks: BlockingFollow[broker_reconciliation_service.WatchBreaksRequest, broker_reconciliation_service.WatchBreaksResponse]
    """Breaks as they open, change and close: first those that are not closed, or with a cursor every change after it."""

class ControlBlocking:
    AbortRelease: BlockingMethod[control_release_service.AbortReleaseRequest, control_release_service.AbortReleaseResponse]
    """Takes a release back: when it answers, every connected proxy sends all calls to the stable version."""
    AddFault: BlockingMethod[control_fault_service.AddFaultRequest, control_fault_service.AddFaultResponse]
    """Puts a fault in force, and answers when every connected proxy has it."""
    ApplyRoute: BlockingMethod[control_control_service.ApplyRouteRequest, control_control_service.ApplyRouteResponse]
    """Puts a GRPCRoute in place of the one that the topology renders for its service, and answers when every connected proxy has acknowledged it."""
    ExplainCall: BlockingMethod[control_observability_service.ExplainCallRequest, control_observability_service.ExplainCallResponse]
    """The way of one call through the mesh: each hop, its version and times, what let it in or refused it."""
    GetConfig: BlockingMethod[control_control_service.GetConfigRequest, control_control_service.GetConfigResponse]
    """A service's live configuration."""
    GetMeshStatus: BlockingMethod[control_control_service.GetMeshStatusRequest, control_control_service.GetMeshStatusResponse]
    """Every proxy and instance with its health, identity, certificate and configuration version."""
    GetRelease: BlockingMethod[control_release_service.GetReleaseRequest, control_release_service.GetReleaseResponse]
    """A release with its decisions and what was seen of its calls."""
    GetReleaseReport: BlockingMethod[control_release_service.GetReleaseReportRequest, control_release_service.GetReleaseReportResponse]
    """A release as a report that control has signed: what was specified, decided, seen and judged."""
    GetShadowReport: BlockingMethod[control_release_service.GetShadowReportRequest, control_release_service.GetShadowReportResponse]
    """What the shadow of a release has found: which fields of which method's answers differ, how often, and examples."""
    ListCertificates: BlockingMethod[control_control_service.ListCertificatesRequest, control_control_service.ListCertificatesResponse]
    """Certificates in use: for each identity its serial, issuer and times."""
    ListConfigVersions: BlockingMethod[control_control_service.ListConfigVersionsRequest, control_control_service.ListConfigVersionsResponse]
    """Versions of a service's live configuration, newest first."""
    ListEdges: BlockingMethod[control_observability_service.ListEdgesRequest, control_observability_service.ListEdgesResponse]
    """Who calls whom: rate, success, latency by caller, method and version."""
    ListFaults: BlockingMethod[control_fault_service.ListFaultsRequest, control_fault_service.ListFaultsResponse]
    """The faults in force, the newest first."""
    ListProcesses: BlockingMethod[control_observability_service.ListProcessesRequest, control_observability_service.ListProcessesResponse]
    """What each process takes: processor, memory, calls, failures, delays."""
    ListReleases: BlockingMethod[control_release_service.ListReleasesRequest, control_release_service.ListReleasesResponse]
    """Releases, newest first."""
    ListRoutes: BlockingMethod[control_control_service.ListRoutesRequest, control_control_service.ListRoutesResponse]
    """Routes as Gateway API GRPCRoute objects: the ones that the topology renders, and those that replace them."""
    ListSnapshots: BlockingMethod[control_control_service.ListSnapshotsRequest, control_control_service.ListSnapshotsResponse]
    """Snapshots of the proxies' configuration, newest first: when, why, and what each proxy said to it."""
    PauseRelease: BlockingMethod[control_release_service.PauseReleaseRequest, control_release_service.PauseReleaseResponse]
    """Has a release stay at its step."""
    PromoteRelease: BlockingMethod[control_release_service.PromoteReleaseRequest, control_release_service.PromoteReleaseResponse]
    """Goes on to the next step now; from the last one, makes the candidate the service."""
    RemoveFault: BlockingMethod[control_fault_service.RemoveFaultRequest, control_fault_service.RemoveFaultResponse]
    """Ends a fault before its time, or all of them."""
    ResumeRelease: BlockingMethod[control_release_service.ResumeReleaseRequest, control_release_service.ResumeReleaseResponse]
    """Has a paused release go on by the clock."""
    RotateCertificates: BlockingMethod[control_control_service.RotateCertificatesRequest, control_control_service.RotateCertificatesResponse]
    """Issues new certificates for all identities, or begins or ends the overlap of a new root, and answers when every connected proxy has acknowledged them."""
    SetConfig: BlockingMethod[control_control_service.SetConfigRequest, control_control_service.SetConfigResponse]
    """Changes values of a service's live configuration."""
    StartRelease: BlockingMethod[control_release_service.StartReleaseRequest, control_release_service.StartReleaseResponse]
    """Starts the release that mesh/releases/<name>.toml specifies."""
    Tap: BlockingStream[control_tap.TapRequest, control_tap.TapResponse]
    """Requests and answers as they pass through every instance, decoded, with fields hidden as their policies say."""
    TapHeaders: BlockingStream[control_tap.TapHeadersRequest, control_tap.TapHeadersResponse]
    """The same without bodies: who calls what, with which outcome, sizes and times."""
    WatchRelease: BlockingFollow[control_release_service.WatchReleaseRequest, control_release_service.WatchReleaseResponse]
    """A release as it is now, then at each decision and each second until it is over."""

class IdentityBlocking:
    CreateApiKey: BlockingMethod[identity_client_service.CreateApiKeyRequest, identity_client_service.CreateApiKeyResponse]
    """Makes an API key for a person or a client."""
    CreateClient: BlockingMethod[identity_client_service.CreateClientRequest, identity_client_service.CreateClientResponse]
    """Registers a program: one that acts for itself and proves a key, or one through which persons log in."""
    CreateDesk: BlockingMethod[identity_grant_service.CreateDeskRequest, identity_grant_service.CreateDeskResponse]
    """Opens a desk (tenant)."""
    CreateUser: BlockingMethod[identity_user_service.CreateUserRequest, identity_user_service.CreateUserResponse]
    """Enters a person and makes an invitation, by which the person sets a password."""
    GetAccess: BlockingMethod[identity_grant_service.GetAccessRequest, identity_grant_service.GetAccessResponse]
    """What a person or a client may do."""
    GetClient: BlockingMethod[identity_client_service.GetClientRequest, identity_client_service.GetClientResponse]
    """One client."""
    GetUser: BlockingMethod[identity_user_service.GetUserRequest, identity_user_service.GetUserResponse]
    """One person."""
    GrantAccess: BlockingMethod[identity_grant_service.GrantAccessRequest, identity_grant_service.GrantAccessResponse]
    """Adds roles, accounts and instruments to what a person or a client may do."""
    Introspect: BlockingMethod[identity_session_service.IntrospectRequest, identity_session_service.IntrospectResponse]
    """What a token says and whether it is good now: signature, times, session, grants (RFC 7662)."""
    ListApiKeys: BlockingMethod[identity_client_service.ListApiKeysRequest, identity_client_service.ListApiKeysResponse]
    """API keys of a person or a client, newest first."""
    ListClients: BlockingPages[identity_client_service.ListClientsRequest, identity_client_service.ListClientsResponse, identity_client.Client]
    """Clients in order of name, page by page."""
    ListDesks: BlockingMethod[identity_grant_service.ListDesksRequest, identity_grant_service.ListDesksResponse]
    """Every desk in order of name, at most 1,000."""
    ListSessions: BlockingPages[identity_session_service.ListSessionsRequest, identity_session_service.ListSessionsResponse, identity_session_service.Session]
    """Sessions that are open, newest first, page by page."""
    ListSigningKeys: BlockingMethod[identity_session_service.ListSigningKeysRequest, identity_session_service.ListSigningKeysResponse]
    """The keys that tokens are signed with: what was, is and will be."""
    ListUsers: BlockingPages[identity_user_service.ListUsersRequest, identity_user_service.ListUsersResponse, identity_user.User]
    """Persons in order of name, page by page."""
    ResetUser: BlockingMethod[identity_user_service.ResetUserRequest, identity_user_service.ResetUserResponse]
    """Takes what a person has lost away and lets them in again: a lock after wrong passwords always; the password and all sessions, with a recovery link in the answer; the second factors."""
    RevokeAccess: BlockingMethod[identity_grant_service.RevokeAccessRequest, identity_grant_service.RevokeAccessResponse]
    """Takes some of it away; what was not granted is passed over."""
    RevokeApiKey: BlockingMethod[identity_client_service.RevokeApiKeyRequest, identity_client_service.RevokeApiKeyResponse]
    """Ends an API key and its session."""
    RevokeSession: BlockingMethod[identity_session_service.RevokeSessionRequest, identity_session_service.RevokeSessionResponse]
    """Ends a session: its refresh tokens at once, its access tokens and open streams within ten seconds."""
    RevokeSessions: BlockingMethod[identity_session_service.RevokeSessionsRequest, identity_session_service.RevokeSessionsResponse]
    """Ends every session of a person or a client."""
    RotateSigningKeys: BlockingMethod[identity_session_service.RotateSigningKeysRequest, identity_session_service.RotateSigningKeysResponse]
    """Makes a new key."""
    SetClientKeys: BlockingMethod[identity_client_service.SetClientKeysRequest, identity_client_service.SetClientKeysResponse]
    """Replaces the public keys with which a client proves itself."""
    SetClientState: BlockingMethod[identity_client_service.SetClientStateRequest, identity_client_service.SetClientStateResponse]
    """Lets a client in or not."""
    SetUserState: BlockingMethod[identity_user_service.SetUserStateRequest, identity_user_service.SetUserStateResponse]
    """Lets a person log in or not."""
    UpdateUser: BlockingMethod[identity_user_service.UpdateUserRequest, identity_user_service.UpdateUserResponse]
    """Changes what is said of a person."""

class LedgerBlocking:
    AllocateBlock: BlockingMethod[ledger_movement_service.AllocateBlockRequest, ledger_movement_service.AllocateBlockResponse]
    """Gives shares of a block trade to accounts, each at the block's average price and with its value date; the block account's position shrinks by their sum."""
    ApproveCorrection: BlockingMethod[ledger_movement_service.ApproveCorrectionRequest, ledger_movement_service.ApproveCorrectionResponse]
    """Books a proposed correction, or rejects it."""
    ChangeAccount: BlockingMethod[ledger_account_service.ChangeAccountRequest, ledger_account_service.ChangeAccountResponse]
    """Changes desk, status, margin rate or display name, and before its first entry the rest but its name."""
    Deposit: BlockingMethod[ledger_movement_service.DepositRequest, ledger_movement_service.DepositResponse]
    """Books money that came in."""
    GetAccount: BlockingMethod[ledger_account_service.GetAccountRequest, ledger_account_service.GetAccountResponse]
    """An account."""
    GetBalances: BlockingMethod[ledger_ledger_service.GetBalancesRequest, ledger_ledger_service.GetBalancesResponse]
    """Cash by currency and value date, and what it is worth in the account's currency with its positions: equity, margin used and free, margin call."""
    GetProfitAndLoss: BlockingMethod[ledger_ledger_service.GetProfitAndLossRequest, ledger_ledger_service.GetProfitAndLossResponse]
    """Profit and loss by currency and in the account's currency: realised, unrealised, commissions, financing; since the account was opened or since a moment."""
    GetStatement: BlockingMethod[ledger_ledger_service.GetStatementRequest, ledger_ledger_service.GetStatementResponse]
    """The account as it stood at a past moment: cash, positions and what had been earned, from the journal alone, with the number of the last entry that counts."""
    ListAccounts: BlockingPages[ledger_account_service.ListAccountsRequest, ledger_account_service.ListAccountsResponse, ledger_account.Account]
    """Accounts by name, a page at a time."""
    ListCorrections: BlockingMethod[ledger_movement_service.ListCorrectionsRequest, ledger_movement_service.ListCorrectionsResponse]
    """Corrections, newest first, at most 1000."""
    ListDeskMargins: BlockingMethod[ledger_account_service.ListDeskMarginsRequest, ledger_account_service.ListDeskMarginsResponse]
    """The margin levels of desks that have some, by name."""
    ListEquity: BlockingPages[ledger_ledger_service.ListEquityRequest, ledger_ledger_service.ListEquityResponse, ledger_balance.Equity]
    """For checks before a trade: cash of accounts and what of it no execution report tells, and the number of the last report that is in it."""
    ListPositions: BlockingMethod[ledger_ledger_service.ListPositionsRequest, ledger_ledger_service.ListPositionsResponse]
    """Open positions of an account, valued at the side at which they would be closed."""
    ListPostings: BlockingPages[ledger_ledger_service.ListPostingsRequest, ledger_ledger_service.ListPostingsResponse, ledger_entry.Entry]
    """Entries of an account with their postings, oldest first, a page at a time."""
    OpenAccount: BlockingMethod[ledger_account_service.OpenAccountRequest, ledger_account_service.OpenAccountResponse]
    """Opens an account."""
    ProposeCorrection: BlockingMethod[ledger_movement_service.ProposeCorrectionRequest, ledger_movement_service.ProposeCorrectionResponse]
    """Proposes a correction; nothing is booked until another person approves it."""
    RollDay: BlockingMethod[ledger_movement_service.RollDayRequest, ledger_movement_service.RollDayResponse]
    """Ends a trade date: carries positions to the next spot date and books their financing."""
    SetDeskMargin: BlockingMethod[ledger_account_service.SetDeskMarginRequest, ledger_account_service.SetDeskMarginResponse]
    """Sets the margin levels of a desk's accounts that have none of their own."""
    StreamBalances: BlockingFollow[ledger_ledger_service.StreamBalancesRequest, ledger_ledger_service.StreamBalancesResponse]
    """Equity and margin as quotes and entries change them: at once, then at most once in the interval asked for."""
    VerifyBooks: BlockingMethod[ledger_movement_service.VerifyBooksRequest, ledger_movement_service.VerifyBooksResponse]
    """Proves the books: reads the whole journal, adds up every entry by currency, books it again, and compares what comes out with what is kept, byte for byte."""
    Withdraw: BlockingMethod[ledger_movement_service.WithdrawRequest, ledger_movement_service.WithdrawResponse]
    """Books money that goes out."""

class MarketdataBlocking:
    GetBook: BlockingMethod[marketdata_book_service.GetBookRequest, marketdata_book_service.GetBookResponse]
    """The book of an instrument as it stands, however old: its health says whether it may be traded on."""
    GetHistoryStatus: BlockingMethod[marketdata_history_service.GetHistoryStatusRequest, marketdata_history_service.GetHistoryStatusResponse]
    """How far the quotes of the feeds are stored."""
    GetQuote: BlockingMethod[marketdata_marketdata_service.GetQuoteRequest, marketdata_marketdata_service.GetQuoteResponse]
    """The newest quote of an instrument, however old: its health says whether it may be traded on."""
    GetTieredPrices: BlockingMethod[marketdata_book_service.GetTieredPricesRequest, marketdata_book_service.GetTieredPricesResponse]
    """Prices for amounts: what filling each of them against the book as it stands costs, at the prices of its levels."""
    ListCoverage: BlockingPages[marketdata_history_service.ListCoverageRequest, marketdata_history_service.ListCoverageResponse, marketdata_history.Coverage]
    """What is stored of each instrument and source, in the order of source, then instrument."""
    ListDailyRates: BlockingPages[marketdata_marketdata_service.ListDailyRatesRequest, marketdata_marketdata_service.ListDailyRatesResponse, marketdata_daily.DailyRate]
    """Daily rates of a pair, ascending by date, page by page, from the European Central Bank, which publishes them against the euro since 1999, or from a declared file; every pair that the source does not have is the quotient of two rates."""
    ListDailySources: BlockingMethod[marketdata_marketdata_service.ListDailySourcesRequest, marketdata_marketdata_service.ListDailySourcesResponse]
    """Every source of daily rates: its days and currencies, when it was read, and what was wrong with its file."""
    ListFeeds: BlockingMethod[marketdata_feed_list.ListFeedsRequest, marketdata_feed_list.ListFeedsResponse]
    """Every feed: whether it delivers, why not, and what came through it."""
    QueryBars: BlockingPages[marketdata_bar_service.QueryBarsRequest, marketdata_bar_service.QueryBarsResponse, marketdata_history.Bar]
    """Bars of an instrument from one source, page by page: those that begin in the range."""
    QueryTicks: BlockingPages[marketdata_history_service.QueryTicksRequest, marketdata_history_service.QueryTicksResponse, Any]
    """Quotes of an instrument from one source, page by page."""
    Replay: BlockingFollow[marketdata_history_service.ReplayRequest, marketdata_history_service.ReplayResponse]
    """Stored quotes as they came, in the messages of a quote stream, at a multiple of their own speed or as fast as the reader takes them."""
    StreamBars: BlockingFollow[marketdata_bar_service.StreamBarsRequest, marketdata_bar_service.StreamBarsResponse]
    """Bars as they are over: first those since `start_time` or the cursor, then each once a quote or the clock has passed its end."""
    StreamBook: BlockingFollow[marketdata_book_service.StreamBookRequest, marketdata_book_service.StreamBookResponse]
    """Books as they change: first whole, then what changes in them."""
    StreamHealth: BlockingFollow[marketdata_feed_list.StreamHealthRequest, marketdata_feed_list.StreamHealthResponse]
    """Health of feeds and of instruments as it changes: first everything as it is, or with a cursor every change after it that is still kept (else OUT_OF_RANGE with CURSOR_EXPIRED)."""
    StreamQuotes: BlockingFollow[marketdata_marketdata_service.StreamQuotesRequest, marketdata_marketdata_service.StreamQuotesResponse]
    """Quotes as they change: first the newest of each instrument, or with a cursor everything after it that is still kept (else OUT_OF_RANGE with CURSOR_EXPIRED)."""
    StreamTicks: BlockingFollow[marketdata_history_service.StreamTicksRequest, marketdata_history_service.StreamTicksResponse]
    """The same as a stream of columns, or of Arrow IPC, for bulk."""

class PipelineBlocking:
    CancelJob: BlockingMethod[pipeline_pipeline_service.CancelJobRequest, pipeline_pipeline_service.CancelJobResponse]
    """Ends a job that waits or runs."""
    DeleteDataset: BlockingMethod[pipeline_pipeline_service.DeleteDatasetRequest, pipeline_pipeline_service.DeleteDatasetResponse]
    """Takes all rows of a dataset out of the store; its files may then be loaded again."""
    GetDataset: BlockingMethod[pipeline_pipeline_service.GetDatasetRequest, pipeline_pipeline_service.GetDatasetResponse]
    """One dataset: what was loaded, and the first and the last rows of each instrument as the store has them."""
    GetDatasetReport: BlockingPages[pipeline_pipeline_service.GetDatasetReportRequest, pipeline_pipeline_service.GetDatasetReportResponse, pipeline_dataset.QualityReport]
    """What the rows of a dataset are like: one report for each file and instrument that is loaded, in order of loading, page by page."""
    GetJob: BlockingMethod[pipeline_pipeline_service.GetJobRequest, pipeline_pipeline_service.GetJobResponse]
    """One job."""
    GetQualityReport: BlockingPages[pipeline_pipeline_service.GetQualityReportRequest, pipeline_pipeline_service.GetQualityReportResponse, pipeline_dataset.QualityReport]
    """What the files of a job are like: one report for each file and instrument, page by page, also of what was quarantined."""
    ListDatasetFiles: BlockingPages[pipeline_pipeline_service.ListDatasetFilesRequest, pipeline_pipeline_service.ListDatasetFilesResponse, pipeline_dataset.DatasetFile]
    """Where a dataset comes from: each file that was loaded into it, in order of loading, page by page."""
    ListDatasets: BlockingPages[pipeline_pipeline_service.ListDatasetsRequest, pipeline_pipeline_service.ListDatasetsResponse, pipeline_dataset.Dataset]
    """Datasets in order of name, page by page."""
    ListJobFiles: BlockingPages[pipeline_pipeline_service.ListJobFilesRequest, pipeline_pipeline_service.ListJobFilesResponse, pipeline_job.JobFile]
    """The files of a job in their order, page by page."""
    ListJobs: BlockingPages[pipeline_pipeline_service.ListJobsRequest, pipeline_pipeline_service.ListJobsResponse, pipeline_job.Job]
    """Jobs, the newest first, page by page."""
    ListRejectedRows: BlockingPages[pipeline_pipeline_service.ListRejectedRowsRequest, pipeline_pipeline_service.ListRejectedRowsResponse, pipeline_dataset.RejectedRow]
    """Lines of a job's files that are no rows, with number, text and reason, page by page."""
    ListVacuums: BlockingMethod[pipeline_pipeline_service.ListVacuumsRequest, pipeline_pipeline_service.ListVacuumsResponse]
    """What vacuums deleted, the newest first, at most 1,000: those that were asked for, and those that came by themselves."""
    StartJob: BlockingMethod[pipeline_pipeline_service.StartJobRequest, pipeline_pipeline_service.StartJobResponse]
    """Checks a specification and accepts it as a job, which a worker then carries out; `WatchJob` follows it."""
    VacuumHistory: BlockingMethod[pipeline_pipeline_service.VacuumHistoryRequest, pipeline_pipeline_service.VacuumHistoryResponse]
    """Deletes files of the store that no commit names: what loads left behind that were killed, and what compaction took out."""
    WatchJob: BlockingFollow[pipeline_pipeline_service.WatchJobRequest, pipeline_pipeline_service.WatchJobResponse]
    """How a job goes on: first as it stands, then each change, at most twice a second; ends with COMPLETE when the job is done."""

class PricingBlocking:
    CancelQuote: BlockingMethod[pricing_quoting_service.CancelQuoteRequest, pricing_quoting_service.CancelQuoteResponse]
    """Withdraws a quote: from ACTIVE to CANCELLED."""
    GetCurve: BlockingMethod[pricing_snapshot_service.GetCurveRequest, pricing_snapshot_service.GetCurveResponse]
    """Interest of a currency in a snapshot at any times."""
    GetMarket: BlockingMethod[pricing_snapshot_service.GetMarketRequest, pricing_snapshot_service.GetMarketResponse]
    """One version of a market."""
    GetQuoteTerms: BlockingMethod[pricing_quoting_service.GetQuoteTermsRequest, pricing_quoting_service.GetQuoteTermsResponse]
    """Everything that executing a quote needs, and where the quote stands by the database's clock."""
    GetSnapshot: BlockingMethod[pricing_snapshot_service.GetSnapshotRequest, pricing_snapshot_service.GetSnapshotResponse]
    """One snapshot."""
    GetSurface: BlockingMethod[pricing_snapshot_service.GetSurfaceRequest, pricing_snapshot_service.GetSurfaceResponse]
    """Volatilities of a pair in a snapshot, with the forwards that they go with."""
    ImplyVolatility: BlockingMethod[pricing_pricing_service.ImplyVolatilityRequest, pricing_pricing_service.ImplyVolatilityResponse]
    """The volatilities that premiums imply, of up to 100,000 European options, as arrays."""
    ListMarkets: BlockingPages[pricing_snapshot_list.ListMarketsRequest, pricing_snapshot_list.ListMarketsResponse, pricing_snapshot_list.MarketSummary]
    """Versions of markets, the newest first."""
    ListSnapshots: BlockingPages[pricing_snapshot_list.ListSnapshotsRequest, pricing_snapshot_list.ListSnapshotsResponse, pricing_snapshot_list.SnapshotSummary]
    """Snapshots, the one that was taken last first."""
    Price: BlockingMethod[pricing_pricing_service.PriceRequest, pricing_pricing_service.PriceResponse]
    """The worth of one product with its sensitivities, from a snapshot or from a flat market that the request gives."""
    PriceBatch: BlockingMethod[pricing_pricing_service.PriceBatchRequest, pricing_pricing_service.PriceBatchResponse]
    """Premiums and sensitivities of up to 100,000 European options, as arrays."""
    PriceProducts: BlockingMethod[pricing_pricing_service.PriceProductsRequest, pricing_pricing_service.PriceProductsResponse]
    """The worth of up to 1,000 products, mixed as they come: for each its price, or why it has none."""
    PutMarket: BlockingMethod[pricing_snapshot_service.PutMarketRequest, pricing_snapshot_service.PutMarketResponse]
    """Puts the next version of a market: all of its curves and surfaces."""
    RequestQuote: BlockingMethod[pricing_quoting_service.RequestQuoteRequest, pricing_quoting_service.RequestQuoteResponse]
    """Quotes a product, two-way or one side, and keeps the quote with its snapshot of the market until it expires."""
    SolveStrike: BlockingMethod[pricing_strike.SolveStrikeRequest, pricing_strike.SolveStrikeResponse]
    """The strikes of up to 100,000 deltas or of what is at the money, as arrays."""
    StreamPrices: BlockingFollow[pricing_price_stream_service.StreamPricesRequest, pricing_price_stream_service.StreamPricesResponse]
    """The worth of up to 50 products as the market moves: on the curves and surfaces of a market, of which the newest version is followed, and on live quotes."""
    TakeSnapshot: BlockingMethod[pricing_snapshot_service.TakeSnapshotRequest, pricing_snapshot_service.TakeSnapshotResponse]
    """Takes a snapshot: the spot rates of some pairs, from the live quotes or as given, with a version of a market."""

class ReferenceBlocking:
    GetInstrument: BlockingMethod[reference_reference_service.GetInstrumentRequest, reference_reference_service.GetInstrumentResponse]
    """One instrument."""
    GetTradingSession: BlockingMethod[reference_reference_service.GetTradingSessionRequest, reference_reference_service.GetTradingSessionResponse]
    """The trading day in which a moment falls, and whether the market is open then."""
    ListCurrencies: BlockingMethod[reference_reference_service.ListCurrenciesRequest, reference_reference_service.ListCurrenciesResponse]
    """All currencies in order of code."""
    ListInstruments: BlockingPages[reference_reference_service.ListInstrumentsRequest, reference_reference_service.ListInstrumentsResponse, reference_instrument.Instrument]
    """Instruments in order of name, page by page."""
    ListSettlementDays: BlockingMethod[reference_reference_service.ListSettlementDaysRequest, reference_reference_service.ListSettlementDaysResponse]
    """The days on which a currency settles, and why the other weekdays are holidays."""
    ListValueDates: BlockingMethod[reference_reference_service.ListValueDatesRequest, reference_reference_service.ListValueDatesResponse]
    """Spot and forward value dates of a trade: spot lag with the holiday rules of both currencies and of the dollar, modified following, end of month."""
    SetInstrumentStatus: BlockingMethod[reference_reference_service.SetInstrumentStatusRequest, reference_reference_service.SetInstrumentStatusResponse]
    """Halts an instrument, lets only reductions through, or opens it again."""

class RiskBlocking:
    ApproveLimits: BlockingMethod[risk_limit_service.ApproveLimitsRequest, risk_limit_service.ApproveLimitsResponse]
    """Approves a proposal of somebody else: its limits hold from the next order on."""
    ApproveResume: BlockingMethod[risk_kill_switch_service.ApproveResumeRequest, risk_kill_switch_service.ApproveResumeResponse]
    """Ends a kill that somebody else proposed to end."""
    Backtest: BlockingFollow[risk_backtest.BacktestRequest, risk_backtest.BacktestResponse]
    """Whether value at risk is exceeded as often, and as independently, as it claims: of forecasts that the caller has, or of a book over days of the past."""
    CalculateMargin: BlockingMethod[risk_margin.CalculateMarginRequest, risk_margin.CalculateMarginResponse]
    """What has to be deposited for a book: of the whole, by account and by pair, from a grid of scenarios in the manner of SPAN or from tiers of notional amounts."""
    CalculateVar: BlockingFollow[risk_risk_service.CalculateVarRequest, risk_risk_service.CalculateVarResponse]
    """Value at risk and expected shortfall over one day."""
    Engage: BlockingMethod[risk_kill_switch_service.EngageRequest, risk_kill_switch_service.EngageResponse]
    """Stops a scope at once."""
    EstimateVolatility: BlockingMethod[risk_volatility.EstimateVolatilityRequest, risk_volatility.EstimateVolatilityResponse]
    """Volatilities and correlations of pairs from daily reference rates: of the sample, exponentially weighted, or GARCH."""
    Exposure: BlockingMethod[risk_risk_service.ExposureRequest, risk_risk_service.ExposureResponse]
    """What a book is exposed to: amounts by currency and by pair, of the whole and by account."""
    GetCertificate: BlockingMethod[risk_kill_switch_service.GetCertificateRequest, risk_kill_switch_service.GetCertificateResponse]
    """The certificate of a kill."""
    GetCloseOut: BlockingMethod[risk_margin_call_service.GetCloseOutRequest, risk_margin_call_service.GetCloseOutResponse]
    """A close-out with its steps."""
    GetLimits: BlockingMethod[risk_limit_service.GetLimitsRequest, risk_limit_service.GetLimitsResponse]
    """The limits that hold, or held."""
    GetMarginStanding: BlockingMethod[risk_margin_call_service.GetMarginStandingRequest, risk_margin_call_service.GetMarginStandingResponse]
    """How an account stands."""
    GetState: BlockingMethod[risk_kill_switch_service.GetStateRequest, risk_kill_switch_service.GetStateResponse]
    """What is stopped now."""
    ListCertificates: BlockingPages[risk_kill_switch_service.ListCertificatesRequest, risk_kill_switch_service.ListCertificatesResponse, risk_kill_switch.KillCertificate]
    """Certificates, newest first, without their orders and steps, a page at a time."""
    ListCloseOuts: BlockingPages[risk_margin_call_service.ListCloseOutsRequest, risk_margin_call_service.ListCloseOutsResponse, risk_margin_call.CloseOut]
    """Close-outs, newest first, without their steps."""
    ListLimitProposals: BlockingPages[risk_limit_service.ListLimitProposalsRequest, risk_limit_service.ListLimitProposalsResponse, risk_limit.LimitProposal]
    """Proposals, newest first, a page at a time."""
    ListLimitUsage: BlockingMethod[risk_limit_service.ListLimitUsageRequest, risk_limit_service.ListLimitUsageResponse]
    """How much of each limit is used now, the fullest first."""
    ListLimitVersions: BlockingPages[risk_limit_service.ListLimitVersionsRequest, risk_limit_service.ListLimitVersionsResponse, risk_limit.LimitSet]
    """All versions, newest first, a page at a time."""
    ListMarginStandings: BlockingMethod[risk_margin_call_service.ListMarginStandingsRequest, risk_margin_call_service.ListMarginStandingsResponse]
    """How all accounts stand that hold something or were called, the lowest level first."""
    ProposeLimits: BlockingMethod[risk_limit_service.ProposeLimitsRequest, risk_limit_service.ProposeLimitsResponse]
    """Proposes a change."""
    ProposeResume: BlockingMethod[risk_kill_switch_service.ProposeResumeRequest, risk_kill_switch_service.ProposeResumeResponse]
    """Proposes that a kill ends."""
    RegisterLease: BlockingMethod[risk_dead_man_lease.RegisterLeaseRequest, risk_dead_man_lease.RegisterLeaseResponse]
    """Registers a dead-man lease: if it is neither renewed nor released in time, its mode is engaged for its scope."""
    ReleaseLease: BlockingMethod[risk_dead_man_lease.ReleaseLeaseRequest, risk_dead_man_lease.ReleaseLeaseResponse]
    """Ends a lease in order: nothing is engaged."""
    RenewLease: BlockingMethod[risk_dead_man_lease.RenewLeaseRequest, risk_dead_man_lease.RenewLeaseResponse]
    """Is alive: the lease holds for another `silence_max`."""
    ScenarioLadder: BlockingMethod[risk_stress.ScenarioLadderRequest, risk_stress.ScenarioLadderResponse]
    """What a book would make on a grid of moves of spot rates and volatilities."""
    StreamMarginCalls: BlockingFollow[risk_margin_call_service.StreamMarginCallsRequest, risk_margin_call_service.StreamMarginCallsResponse]
    """Accounts that are called or closed out, and again each that changes its state."""
    StreamState: BlockingFollow[risk_kill_switch_service.StreamStateRequest, risk_kill_switch_service.StreamStateResponse]
    """The state, and again with each change."""
    StressTest: BlockingMethod[risk_stress.StressTestRequest, risk_stress.StressTestResponse]
    """What a book would make in crises of the past and in scenarios that the caller gives."""
    WithdrawLimits: BlockingMethod[risk_limit_service.WithdrawLimitsRequest, risk_limit_service.WithdrawLimitsResponse]
    """Withdraws or refuses a pending proposal."""

class TradingBlocking:
    AmendOrder: BlockingMethod[trading_order_entry.AmendOrderRequest, trading_order_entry.AmendOrderResponse]
    """Changes quantity, prices or time of a working order (cancel-replace, FIX G)."""
    CancelAll: BlockingMethod[trading_order_entry.CancelAllRequest, trading_order_entry.CancelAllResponse]
    """Cancels every working order of an account that the scope holds (FIX q)."""
    CancelOrder: BlockingMethod[trading_order_entry.CancelOrderRequest, trading_order_entry.CancelOrderResponse]
    """Cancels a working order (FIX F)."""
    ExplainOrder: BlockingMethod[trading_order_history.ExplainOrderRequest, trading_order_history.ExplainOrderResponse]
    """Why an order is where it is: the quote that was seen, each check, the route, what the venue said, the fills and what the ledger booked, in the order in which it happened."""
    GetOrder: BlockingMethod[trading_order_history.GetOrderRequest, trading_order_history.GetOrderResponse]
    """An order by the client's id or by the platform's."""
    ListExecutions: BlockingPages[trading_order_history.ListExecutionsRequest, trading_order_history.ListExecutionsResponse, trading_execution.ExecutionReport]
    """Execution reports of an account after a number, oldest first, a page at a time."""
    ListOrders: BlockingPages[trading_order_history.ListOrdersRequest, trading_order_history.ListOrdersResponse, trading_order.Order]
    """Orders of an account, newest first, a page at a time."""
    PlaceOrder: BlockingMethod[trading_order_entry.PlaceOrderRequest, trading_order_entry.PlaceOrderResponse]
    """Enters one order."""
    PlaceOrders: BlockingMethod[trading_order_entry.PlaceOrdersRequest, trading_order_entry.PlaceOrdersResponse]
    """Enters a list of orders of one account, in order, in one commit: all or none of them, or each by itself."""
    StreamExecutions: BlockingFollow[trading_order_history.StreamExecutionsRequest, trading_order_history.StreamExecutionsResponse]
    """Execution reports as they are committed (drop copy): all of an account after a number, without a gap."""
