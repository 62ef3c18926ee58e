"""NATS and PostgreSQL start, survive crashes, and let each service touch only what is its own."""

from __future__ import annotations

import asyncio
import stat

import asyncpg
import nats
import nats.errors
import pytest
from nats.js.errors import APIError

from crossrate.node import credentials
from crossrate.runtime.place import Place
from tests.integration.conftest import TOPOLOGY, eventually

pytestmark = pytest.mark.integration


async def _connect_nats(servers, service, errors):
    secret = servers.secret(service)["nats"]

    async def note(error):
        errors.append(str(error).lower())

    return await nats.connect(
        secret["url"], nkeys_seed_str=secret["seed"], inbox_prefix=secret["inbox_prefix"], error_cb=note
    )


async def test_a_service_publishes_only_its_own_subjects(nats_server):
    """What the topology does not name is refused by NATS, whoever asks."""
    errors = []
    client = await _connect_nats(nats_server, "alpha", errors)
    await client.jetstream().publish("crossrate.alpha.v1.changed.EURUSD", b"1")
    for subject in ("crossrate.beta.v1.changed", "$KV.config.alpha", "$JS.API.STREAM.DELETE.alpha"):
        errors.clear()
        await client.publish(subject, b"x")
        await client.flush()
        await eventually(lambda: any("permissions violation" in e for e in errors))
    await client.close()


async def test_a_service_reads_only_what_it_consumes(nats_server):
    """gamma cannot listen to alpha, read alpha's stream, hear beta's answers, or create a consumer."""
    errors = []
    client = await _connect_nats(nats_server, "gamma", errors)
    for subject in ("crossrate.alpha.v1.>", "_INBOX_beta.>", ">", "$KV.config.beta", "crossrate.dead_letters.beta.>"):
        errors.clear()
        await client.subscribe(subject)
        await client.flush()
        await eventually(lambda: any("permissions violation" in e for e in errors))
    stream_api = client.jetstream(timeout=0.5)
    with pytest.raises((nats.errors.Error, APIError)):
        await stream_api.get_msg("alpha", seq=1, direct=True)
    with pytest.raises((nats.errors.Error, APIError)):
        await stream_api.pull_subscribe("crossrate.alpha.v1.>", durable="gamma", stream="alpha")
    await client.close()


@pytest.mark.xfail(
    strict=True,
    reason="within one account NATS checks no permission on the subject that a request names for its answer: a service "
    "that has been broken into can forge an event this way. One account a service closes it; see node/nats.py",
)
async def test_an_answer_cannot_be_sent_into_anothers_stream(nats_server):
    """beta may read alpha's stream, but not by having the answer delivered to a subject that the stream keeps."""
    errors = []
    alpha, beta = [await _connect_nats(nats_server, service, errors) for service in ("alpha", "beta")]
    await alpha.jetstream().publish("crossrate.alpha.v1.changed", b"1")
    await beta.publish("$JS.API.DIRECT.GET.alpha", b'{"seq": 1}', reply="crossrate.alpha.v1.forged")
    await beta.flush()
    # The answer comes when it comes: for two seconds no number of the stream may be taken by anybody else.
    for sequence in range(2, 42):
        ack = await alpha.jetstream().publish("crossrate.alpha.v1.changed", b"2")
        assert ack.seq == sequence
        await asyncio.sleep(0.05)
    await alpha.close()
    await beta.close()


async def test_nobody_enters_nats_without_a_key(nats_server):
    """A connection without an NKEY is refused."""

    async def quiet(_):
        """Refusals are expected."""

    url = nats_server.secret("alpha")["nats"]["url"]
    with pytest.raises(nats.errors.Error):
        await nats.connect(url, allow_reconnect=False, max_reconnect_attempts=0, error_cb=quiet)


async def test_a_role_sees_only_its_own_schema(postgres_server):
    """beta cannot read, write or create anything in alpha's schema, in public, or in another database."""
    dsn = {name: postgres_server.secret(name)["postgres"]["dsn"] for name in ("alpha", "beta")}
    alpha, beta = await asyncpg.connect(dsn["alpha"]), await asyncpg.connect(dsn["beta"])
    await alpha.execute("CREATE TABLE secret (a int); INSERT INTO secret VALUES (1)")
    assert await alpha.fetchval("SELECT current_schema()") == "alpha"
    for statement in (
        "SELECT * FROM alpha.secret",
        "INSERT INTO alpha.secret VALUES (2)",
        "CREATE TABLE alpha.mine (a int)",
        "CREATE TABLE public.mine (a int)",
        "CREATE SCHEMA mine",
        "CREATE TEMPORARY TABLE mine (a int)",
        "CREATE ROLE mine",
        "SET ROLE alpha",
        "DROP SCHEMA beta",
        "COPY (SELECT 1) TO '/tmp/mine'",
        "SELECT pg_read_file('/etc/passwd')",
    ):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await beta.execute(statement)
    for database in ("postgres", "template1"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await asyncpg.connect(dsn["beta"].replace("/crossrate?", f"/{database}?"))
    with pytest.raises(asyncpg.InvalidPasswordError):
        await asyncpg.connect(dsn["beta"].replace("beta:", "alpha:"))
    await alpha.close()
    await beta.close()


async def test_a_killed_postgres_starts_again_with_its_data(postgres_server):
    """After kill -9 the next start takes over at once, with the same credentials and everything that was committed."""
    before = postgres_server.secret("alpha")
    alpha = await asyncpg.connect(before["postgres"]["dsn"])
    await alpha.execute("CREATE TABLE kept (a int); INSERT INTO kept VALUES (7)")
    postgres_server.kill("postgres")
    assert (postgres_server.postgres.data / "postmaster.pid").exists()
    postgres_server.issue()
    await postgres_server.start_postgres()
    await postgres_server.postgres.provision(postgres_server.topology)
    assert postgres_server.secret("alpha") == before
    again = await asyncpg.connect(before["postgres"]["dsn"])
    assert await again.fetchval("SELECT a FROM kept") == 7
    await again.close()


async def test_a_foreign_process_id_in_the_lock_file_does_not_block(postgres_server):
    """After a reboot the id in postmaster.pid may be anybody's; the server starts all the same."""
    lock = postgres_server.postgres.data / "postmaster.pid"
    text = lock.read_text()
    postgres_server.kill("postgres")
    await asyncio.to_thread(postgres_server.postgres.prepare)
    lock.write_text("1\n" + text.split("\n", 1)[1])
    await postgres_server.start_postgres()


async def test_a_crash_while_the_data_folder_is_made_does_not_block(postgres_server):
    """A half-made data folder has another name, and the next start begins anew."""
    postgres_server.kill("postgres", 2)
    postgres_server.postgres.data.rename(postgres_server.postgres.folder / "data.new")
    await postgres_server.start_postgres()


def test_credentials_are_private_and_stay(tmp_path):
    """Files are 0600 and a second issue changes nothing but addresses."""
    place = Place(tmp_path / "state", tmp_path / "run")
    first = credentials.issue(place, TOPOLOGY, "nats://127.0.0.1:1", tmp_path)
    second = credentials.issue(place, TOPOLOGY, "nats://127.0.0.1:2", tmp_path)
    secrets = [{name: (c.nats_seed, c.password) for name, c in issued.items()} for issued in (first, second)]
    assert secrets[0] == secrets[1]
    assert second["alpha"].nats_url.endswith(":2")
    assert second["gamma"].postgres_dsn is None
    for name in first:
        assert stat.S_IMODE(place.credentials(name).stat().st_mode) == 0o600
