"""Ansible's vault, as much of it as this program needs: which secrets it keeps, and whether the password opens it.

Format: https://docs.ansible.com/ansible/latest/vault_guide/vault_using_encrypted_content.html (AES256, 1.1 and 1.2).
"""

import binascii
import contextlib
import os
import re
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, hmac, padding
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.kdf.pbkdf2 import PBKDF2HMAC

from controller.errors import InputError

_HEADER = re.compile(r"\$ANSIBLE_VAULT;[\d.]+;AES256(?:;[^\s]*)?\s+((?:[0-9a-f]+[ \t\r]*(?:\n\s*|\Z|(?=[\"'])))+)")
"""A vault is whole lines of hexadecimal digits: the key after it may begin with some, too."""

_MARK = b"$ANSIBLE_VAULT"
_FOREIGN = frozenset({"ansible_collections", ".git", ".venv"})
"""Folders of others' files, which may be many."""

_ROUNDS = 10_000


class _Loader(yaml.SafeLoader):
    """Reads any tag as plain data."""


def _plain(loader: _Loader, _suffix: str, node: yaml.Node) -> Any:
    if isinstance(node, yaml.ScalarNode):
        return loader.construct_scalar(node)
    if isinstance(node, yaml.SequenceNode):
        return loader.construct_sequence(node, deep=True)
    return loader.construct_mapping(node, deep=True)  # type: ignore[arg-type]


_Loader.add_multi_constructor("!", _plain)


def secrets(folders: tuple[Path, ...], password: str | None) -> frozenset[str]:
    """Every value that the vaults below these folders keep, as text.

    Raises `InputError` where there is a vault and no password, or the wrong one.
    """
    found: set[str] = set()
    for path in _files(folders):
        # What this process may not read Ansible cannot read either.
        with contextlib.suppress(UnicodeDecodeError, PermissionError, FileNotFoundError):
            content = path.read_bytes()
            text = content.decode() if _MARK in content else ""
            for match in _HEADER.finditer(text):
                if password is None:
                    raise InputError(
                        "is encrypted, and no vault password is given",
                        where=str(path),
                        remedy="name it in ansible.vault or ansible.vault_command",
                    )
                opened = _opened(match[1], password, path)
                found.update(_values(opened) if text.startswith("$ANSIBLE_VAULT") else {opened})
    return frozenset(found)


@contextlib.contextmanager
def handed_over(private: Path, password: str | None) -> Iterator[Path | None]:
    """A pipe from which Ansible reads the password once; nothing of it is ever on a disk."""
    if password is None:
        yield None
        return
    pipe = private / "vault"
    os.mkfifo(pipe, 0o600)
    writer = threading.Thread(target=_write, args=(pipe, password), name="vault", daemon=True)
    writer.start()
    try:
        yield pipe
    finally:
        # Whoever waits for a reader that never came is let go.
        reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
        writer.join()
        os.close(reader)
        pipe.unlink()


def _write(pipe: Path, password: str) -> None:
    with contextlib.suppress(BrokenPipeError), pipe.open("w", encoding="utf-8") as end:
        end.write(password + "\n")


def _files(folders: tuple[Path, ...]) -> Iterator[Path]:
    """Every file below the folders, each once; links are followed, as Ansible follows them."""
    walked: set[str] = set()
    for folder in folders:
        for where, below, names in os.walk(folder, followlinks=True):
            real = os.path.realpath(where)
            below[:] = sorted(name for name in below if name not in _FOREIGN)
            if real in walked:
                below.clear()
                continue
            walked.add(real)
            yield from (path for name in sorted(names) if (path := Path(where, name)).is_file())


def _opened(payload: str, password: str, path: Path) -> str:
    salt, mac, ciphertext = _parts(payload, path)
    keys = PBKDF2HMAC(hashes.SHA256(), length=80, salt=salt, iterations=_ROUNDS).derive(password.encode())
    check = hmac.HMAC(keys[32:64], hashes.SHA256())
    check.update(ciphertext)
    try:
        check.verify(mac)
    except InvalidSignature as error:
        raise InputError("the vault's password does not open it", where=str(path)) from error
    decryptor = Cipher(algorithms.AES(keys[:32]), modes.CTR(keys[64:80])).decryptor()
    padded = decryptor.update(ciphertext) + decryptor.finalize()
    unpadder = padding.PKCS7(128).unpadder()
    return (unpadder.update(padded) + unpadder.finalize()).decode("utf-8", errors="replace")


def _parts(payload: str, path: Path) -> tuple[bytes, bytes, bytes]:
    try:
        inner = binascii.unhexlify("".join(payload.split())).split(b"\n")
        salt, mac, ciphertext = map(binascii.unhexlify, inner)
    except ValueError as error:
        what, remedy = "is damaged: it begins as a vault and cannot be read as one", "restore it"
        raise InputError(what, where=str(path), remedy=remedy) from error
    return salt, mac, ciphertext


def _values(text: str) -> set[str]:
    """The scalars of a whole file that was encrypted; the text itself where it is no YAML."""
    try:
        return set(_scalars(yaml.load(text, Loader=_Loader)))  # noqa: S506 - a SafeLoader that knows tags
    except yaml.YAMLError:
        return {text}


def _scalars(value: Any) -> Iterator[str]:
    match value:
        case dict():
            for each in value.values():
                yield from _scalars(each)
        case list():
            for each in value:
                yield from _scalars(each)
        case None | bool():
            return
        case _:
            yield str(value)
