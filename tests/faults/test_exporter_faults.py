"""Exporters that misbehave on the wire."""

import asyncio
import ipaddress
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from controller.adapters.exporters.fetch import HttpFetch
from controller.adapters.exporters.textformat import PageError
from controller.errors import InputError

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
RELEASED = web.AppKey("released", asyncio.Event)
SOON = timedelta(seconds=1)
"""Long enough for whoever answers, on a busy machine too."""


async def _cut_short(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Length": "1000"})
    await response.prepare(request)
    await response.write(b"node_memory_MemTotal_bytes 1\n")
    assert request.transport is not None
    request.transport.close()
    return response


async def _endless(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse()
    await response.prepare(request)
    try:
        while True:
            await response.write(b"x" * 65536)
    except ConnectionError:
        return response


async def _trickling(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse()
    await response.prepare(request)
    await response.write(b"node_memory_MemTotal_bytes 1\n")
    await request.app[RELEASED].wait()
    return response


async def _redirecting(request: web.Request) -> web.StreamResponse:
    return web.Response(status=302, headers={"Location": "http://127.0.0.1:1/"})


async def _forbidding(request: web.Request) -> web.StreamResponse:
    return web.Response(status=401)


async def _well(request: web.Request) -> web.StreamResponse:
    return web.Response(text="node_memory_MemTotal_bytes 1\n")


@pytest.fixture
async def fetch() -> AsyncIterator[HttpFetch]:
    fetch = HttpFetch(max_body_bytes=1 << 20)
    await fetch.open()
    yield fetch
    await fetch.close()


async def _fetched(fetch: HttpFetch, handler: Handler) -> bytes:
    app = web.Application()
    app.router.add_get("/metrics", handler)
    app[RELEASED] = asyncio.Event()
    server = TestServer(app)
    await server.start_server()
    try:
        return await fetch.page(f"{server.host}:{server.port}", SOON)
    finally:
        app[RELEASED].set()
        await server.close()


async def test_a_page_is_fetched_whole(fetch: HttpFetch) -> None:
    assert await _fetched(fetch, _well) == b"node_memory_MemTotal_bytes 1\n"


@pytest.mark.parametrize(
    ("handler", "reason"),
    [
        (_cut_short, "truncated"),
        (_endless, "truncated"),
        (_trickling, "timeout"),
        (_redirecting, "http"),
        (_forbidding, "auth"),
    ],
)
async def test_a_bad_page_is_refused_with_its_reason(fetch: HttpFetch, handler: Handler, reason: str) -> None:
    with pytest.raises(PageError) as refused:
        await _fetched(fetch, handler)
    assert refused.value.reason == reason


def certificate(folder: Path) -> tuple[Path, ssl.SSLContext]:
    """A certificate of 127.0.0.1 that is its own authority, and a server's context with it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "exporters")])
    now = datetime.now(UTC)
    signed = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    file, whole = folder / "ca.pem", folder / "server.pem"
    file.write_bytes(signed.public_bytes(Encoding.PEM))
    whole.write_bytes(
        key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()) + signed.public_bytes(Encoding.PEM)
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(whole)
    return file, context


async def test_over_tls_the_authority_is_checked_and_the_token_sent(tmp_path: Path) -> None:
    seen: list[str | None] = []

    async def guarded(request: web.Request) -> web.StreamResponse:
        seen.append(request.headers.get("Authorization"))
        return web.Response(text="node_memory_MemTotal_bytes 1\n")

    ca_file, context = certificate(tmp_path)
    app = web.Application()
    app.router.add_get("/metrics", guarded)
    server = TestServer(app)
    await server.start_server(ssl=context)
    trusting = HttpFetch(tls=True, ca_file=ca_file, authorization=lambda: "Bearer s3cret")
    wary = HttpFetch(tls=True, authorization=lambda: "Bearer s3cret")
    try:
        for fetch in (trusting, wary):
            await fetch.open()
        address = f"127.0.0.1:{server.port}"
        assert await trusting.page(address, timedelta(seconds=5)) == b"node_memory_MemTotal_bytes 1\n"
        with pytest.raises(PageError) as refused:
            await wary.page(address, timedelta(seconds=5))
    finally:
        await trusting.close()
        await wary.close()
        await server.close()
    assert (refused.value.reason, seen) == ("http", ["Bearer s3cret"])


async def test_a_secret_that_cannot_be_read_asks_nobody() -> None:
    def unreadable() -> str:
        raise InputError("the secret cannot be read", where="/run/secrets/exporters")

    fetch = HttpFetch(authorization=unreadable)
    await fetch.open()
    with pytest.raises(PageError, match="secret cannot be read") as refused:
        await fetch.page("127.0.0.1:1", SOON)
    await fetch.close()
    assert refused.value.reason == "auth"


async def test_a_ca_file_that_is_none_is_bad_input(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="CA file"):
        await HttpFetch(tls=True, ca_file=tmp_path / "none.pem").open()


@pytest.mark.parametrize("address", ["127.0.0.1:1", "not an address", "127.0.0.1:99999"])
async def test_an_exporter_that_is_not_there_is_refused(fetch: HttpFetch, address: str) -> None:
    with pytest.raises(PageError) as refused:
        await fetch.page(address, SOON)
    assert refused.value.reason == "http"
