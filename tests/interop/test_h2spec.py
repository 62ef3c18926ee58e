"""HTTP/2 and HPACK as their RFCs say: h2spec attacks the transport, through a relay from TCP to its Unix socket."""

from __future__ import annotations

import asyncio
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

from tests.interop.relay import tcp_relay
from tests.interop.stand import TRANSPORTS, stand
from tests.ports import free_ports

pytestmark = pytest.mark.integration

RUN_S_MAX = 300.0
ANSWER_S_MAX = 2
"""How long h2spec waits for what it expects."""
TESTS_MIN = 140
"""A report with fewer tests is not the whole of it."""
_TABLE = "h2spec encodes with a header table although a table of 0 bytes was agreed: COMPRESSION_ERROR is the answer"
EXPECTED: dict[str, dict[str, str]] = {
    "lean": {"generic/5/14": _TABLE, "generic/5/15": _TABLE, "http2/6.10/1": _TABLE},
}
"""What a transport does not do as h2spec wants it, by the test's id, and why that is right or does not matter.

grpc.aio is not in it: it is not ours, resets every request that is not a POST, and so leaves most tests unanswered.
"""


def results(report: Path) -> dict[str, str | None]:
    """What failed of each test that was not skipped, or None; its id is that of h2spec's command line: http2/6.5/3."""
    found: dict[str, str | None] = {}
    for suite in ElementTree.parse(report).getroot():
        for number, case in enumerate(suite.iter("testcase"), start=1):
            if case.find("skipped") is None:
                problem = case.find("failure") if case.find("failure") is not None else case.find("error")
                text = None if problem is None else f"{case.get('classname')}: {' '.join(problem.itertext())}"
                found[f"{suite.get('package')}/{number}"] = text
    return found


async def run(h2spec: Path, transport: str, report: Path, *tests: str) -> dict[str, str | None]:
    """The results of the tests, or of all, also the strict ones; the transport holds no call afterwards."""
    (port,) = free_ports(1)
    arguments = [*tests, "--strict", f"--port={port}", "--path=/grpc.testing.TestService/EmptyCall"]
    arguments += [f"--timeout={ANSWER_S_MAX}", f"--junit-report={report}"]
    async with stand(transport, envoy=False) as made:
        async with tcp_relay(made.socket, port):
            process = await asyncio.create_subprocess_exec(
                h2spec, *arguments, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
            )
            try:
                async with asyncio.timeout(RUN_S_MAX):
                    said, _ = await process.communicate()
            finally:
                if process.returncode is None:
                    process.kill()
                    await process.wait()
        await made.settled()
    assert report.exists(), said.decode()
    return results(report)


@pytest.mark.parametrize("transport", [name for name in EXPECTED if name in TRANSPORTS])
async def test_the_transport_speaks_http2(h2spec, tmp_path, transport):
    """Every test passes but those in EXPECTED, and those fail; no attack leaves a call behind."""
    found = await run(h2spec, transport, tmp_path / "report.xml")
    assert len(found) >= TESTS_MIN
    failed = {name: problem for name, problem in found.items() if problem is not None}
    unexpected = [f"{name}: {problem}" for name, problem in failed.items() if name not in EXPECTED[transport]]
    if unexpected:
        pytest.fail("\n".join(unexpected), pytrace=False)
    assert failed.keys() == EXPECTED[transport].keys(), "passes by now"


async def test_h2spec_is_asked_and_its_report_read(h2spec, tmp_path):
    """What grpc.aio does well is a pass and what it does not a failure that says why: nothing is lost on the way."""
    found = await run(h2spec, "grpc.aio", tmp_path / "report.xml", "http2/3.5", "http2/8.1.2/1", "hpack/6.1")
    problem = found.pop("http2/8.1.2/1")
    assert problem is not None
    assert "uppercase" in problem
    assert found == {"http2/3.5/1": None, "http2/3.5/2": None, "hpack/6.1/1": None}
