"""The `crossrate` command as a user runs it, and the SDK, against a real server with TLS and a Unix socket."""

import asyncio
import datetime
import ipaddress
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

import grpc
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from crossrate.api.marketdata.v1 import marketdata_service_pb2 as marketdata
from crossrate.api.marketdata.v1 import marketdata_service_pb2_grpc as marketdata_grpc
from crossrate.api.reference.v1 import reference_service_pb2 as reference
from crossrate.api.reference.v1 import reference_service_pb2_grpc as reference_grpc
from crossrate.client import AsyncClient, CallError, Client, NoMesh
from crossrate.runtime.place import Place
from tests.ports import free_port


class Platform(reference_grpc.ReferenceServiceServicer, marketdata_grpc.MarketDataServiceServicer):
    """Two methods of the platform."""

    async def GetInstrument(self, request, context):
        if request.base == "XXX":
            await context.abort(grpc.StatusCode.NOT_FOUND, "no such pair")
        answer = reference.GetInstrumentResponse()
        answer.instrument.name = f"{request.base}/{request.counter}"
        return answer

    async def StreamQuotes(self, request, context):
        for sequence in range(1, 1000):
            message = marketdata.StreamQuotesResponse()
            message.position.cursor = str(sequence)
            message.quotes.quotes.add(instrument="EUR/USD", sequence=sequence, bid=1.1)
            yield message
            await asyncio.sleep(0.001)


def certificate() -> tuple[bytes, bytes]:
    """A key and a certificate of localhost that is its own root, PEM."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test")])
    now = datetime.datetime.now(datetime.UTC)
    names = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(minutes=1))
        .not_valid_after(now + datetime.timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return private, made.public_bytes(serialization.Encoding.PEM)


@pytest.fixture
async def mesh(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Place]:
    """A place in which a platform serves: an edge with TLS and the instance reference-1."""
    folder = Path(tempfile.mkdtemp(prefix="crossrate-cli-"))
    where = Place((folder / "state").resolve(), folder / "run").make()
    private, public = certificate()
    # Without SO_REUSEPORT a port is this server's alone.
    server = grpc.aio.server(options=[("grpc.so_reuseport", 0)])
    reference_grpc.add_ReferenceServiceServicer_to_server(Platform(), server)
    marketdata_grpc.add_MarketDataServiceServicer_to_server(Platform(), server)
    server.add_insecure_port(f"unix:{where.service_socket('reference-1')}")
    credentials = grpc.ssl_server_credentials([(private, public)])
    port = server.add_secure_port(f"127.0.0.1:{free_port()}", credentials)
    await server.start()
    where.ports.write_text(json.dumps({"edge": port}))
    where.ca_bundle.write_bytes(public)
    where.registration("reference-1").write_text("{}")
    monkeypatch.setenv("CROSSRATE_STATE", str(where.state))
    monkeypatch.setenv("CROSSRATE_RUN", str(where.run))
    yield where
    await server.stop(None)
    shutil.rmtree(folder)


async def crossrate(*arguments: str, text: str | None = None) -> tuple[int, str, str]:
    """Runs the command; returns its exit code and what it wrote to both outputs."""

    def run() -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "crossrate.cli", *arguments],
            input=text,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
            env=os.environ | {"COLUMNS": "200"},
        )

    done = await asyncio.to_thread(run)
    return done.returncode, done.stdout, done.stderr


EURUSD = '{"base": "EUR", "counter": "USD"}'


@pytest.mark.parametrize("way", [[], ["--local", "reference-1"]])
async def test_call_prints_one_document(mesh: Place, way: list[str]) -> None:
    """Through the edge and on the instance's own socket, the answer is JSON with every field."""
    code, out, err = await crossrate("call", "GetInstrument", EURUSD, *way)
    assert code == 0, err
    assert json.loads(out)["instrument"]["name"] == "EUR/USD"
    assert json.loads(out)["instrument"]["nonDeliverable"] is False


async def test_call_reads_standard_input(mesh: Place) -> None:
    """A request may come through a pipe."""
    code, out, _ = await crossrate("call", "GetInstrument", "-", text=EURUSD)
    assert code == 0
    assert json.loads(out)["instrument"]["name"] == "EUR/USD"


async def test_streams_are_json_lines(mesh: Place) -> None:
    """Each message is one line, and --max ends the stream."""
    code, out, _ = await crossrate("call", "StreamQuotes", '{"instruments": ["EUR/USD"]}', "--max", "3")
    assert code == 0
    assert [json.loads(line)["quotes"]["quotes"][0]["sequence"] for line in out.splitlines()] == ["1", "2", "3"]


async def test_a_failed_call_says_why_and_what_next(mesh: Place) -> None:
    """The exit code is 1, standard output stays empty, the error is JSON when JSON was asked for."""
    code, out, err = await crossrate("call", "GetInstrument", '{"base": "XXX"}', "--json")
    assert (code, out) == (1, "")
    assert json.loads(err)["error"]["code"] == "NOT_FOUND"
    assert json.loads(err)["error"]["message"] == "no such pair"


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["call", "GetInstrument", '{"bas": "EUR"}'], 1, "did you mean base?"),
        (["call", "GetInstrumen", "{}"], 1, "did you mean"),
        (["call", "GetInstrument", EURUSD, "--local", "ledger-1"], 1, "there are reference-1"),
        (["call", "GetInstrument", EURUSD, "--as", "nobody"], 1, "there is no service 'nobody'"),
        (["call", "GetInstrument", EURUSD, "--as", "marketdata"], 1, "crossrate up"),
        (["status"], 1, "crossrate up"),
        (["certs"], 1, "the control plane does not serve now"),
        (["nonsense"], 2, "No such command"),
    ],
)
async def test_errors_say_what_to_do_next(mesh: Place, arguments: list[str], code: int, words: str) -> None:
    """A mistake ends with its code and a remedy, never with a traceback."""
    found, _, err = await crossrate(*arguments)
    assert found == code, err
    assert words in err
    assert "Traceback" not in err


@pytest.mark.parametrize("command", [["routes"], ["authz"], ["authz", "GetQuote"], ["explain", "GetQuote"]])
async def test_what_needs_no_mesh_answers_without_one(command: list[str]) -> None:
    """Routes, rights and policies are read from the contracts; as JSON they are one document."""
    code, out, err = await crossrate(*command, "--json")
    assert code == 0, err
    assert json.loads(out)
    assert (await crossrate(*command))[0] == 0


async def test_help_is_there_at_once() -> None:
    """--help takes less than 0.3 s of processor time and shows the commands under their headings."""
    took_s = []
    for _ in range(5):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        code, out, _ = await crossrate("--help")
        took_s.append(resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before.ru_utime)
        assert code == 0
        assert out.index("Run:") < out.index("Call:") < out.index("Explain:") < out.index("Operate:")
        # A machine that is shared gives a process less in its second of processor time; once is enough.
        if took_s[-1] < 0.3:
            break
    assert min(took_s) < 0.3


async def test_the_clients_find_the_mesh(mesh: Place) -> None:
    """Both clients take fields by name, raise typed errors and stream quotes, without being told where the mesh is."""

    def blocking() -> list[int]:
        with Client() as client:
            assert client.reference.GetInstrument(base="EUR", counter="USD").instrument.name == "EUR/USD"
            with pytest.raises(CallError, match="no such pair"):
                client.reference.GetInstrument(base="XXX")
            messages = client.marketdata.StreamQuotes(instruments=["EUR/USD"])
            assert next(messages).quotes.quotes[0].sequence == 1
            messages.close()
            stream = client.stream_quotes(["EUR/USD"])
            return [next(stream).sequence for _ in range(3)]

    assert await asyncio.to_thread(blocking) == [1, 2, 3]
    async with AsyncClient() as client:
        request = reference.GetInstrumentRequest(base="EUR", counter="USD")
        assert (await client.reference.GetInstrument(request)).instrument.name == "EUR/USD"
        with pytest.raises(TypeError, match="not both"):
            client.reference.GetInstrument(request, base="EUR")
        async for quote in client.stream_quotes(["EUR/USD"]):
            assert quote.sequence == 1
            break


async def test_no_mesh_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a mesh and without a target the client says how to start one."""
    monkeypatch.setenv("CROSSRATE_STATE", str(tmp_path))
    monkeypatch.setenv("CROSSRATE_RUN", str(tmp_path / "run"))
    with pytest.raises(NoMesh, match="crossrate up"):
        Client()
