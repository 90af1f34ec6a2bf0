"""A PostgreSQL server that lets every session in and answers nothing from then on, as one whose disk hangs does."""

import contextlib
import socket
import struct
import threading
from collections.abc import Iterator

_STATUS = (b"server_version\x0015.0\x00", b"client_encoding\x00UTF8\x00")


@contextlib.contextmanager
def silent_postgres() -> Iterator[str]:
    """Its address on loopback. Messages: postgresql.org/docs/current/protocol-message-formats.html"""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        accepting = threading.Thread(target=_accept, args=(listener,), daemon=True)
        accepting.start()
        yield f"postgresql://gdcc@127.0.0.1:{listener.getsockname()[1]}/gdcc?sslmode=disable&gssencmode=disable"
        listener.shutdown(socket.SHUT_RDWR)
        accepting.join()


def _accept(listener: socket.socket) -> None:
    with contextlib.ExitStack() as sessions:
        while True:
            try:
                session, _ = listener.accept()
            except OSError:
                return
            _let_in(sessions.enter_context(session))


def _let_in(session: socket.socket) -> None:
    (length,) = struct.unpack("!I", session.recv(4, socket.MSG_WAITALL))
    session.recv(length - 4, socket.MSG_WAITALL)
    let_in = _message(b"R", struct.pack("!I", 0))
    told = b"".join(_message(b"S", status) for status in _STATUS)
    session.sendall(let_in + told + _message(b"K", struct.pack("!II", 1, 1)) + _message(b"Z", b"I"))


def _message(kind: bytes, body: bytes) -> bytes:
    return kind + struct.pack("!I", len(body) + 4) + body
