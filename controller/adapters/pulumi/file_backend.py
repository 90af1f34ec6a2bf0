"""Where a backend of the kind `file:` keeps what it keeps."""

from pathlib import Path
from urllib.parse import unquote, urlsplit


def folder(backend_url: str, root: Path) -> Path | None:
    """The folder that holds its `.pulumi`; None for any other backend.

    `root` is where the CLI runs: a backend's relative folder lies there.
    """
    url = urlsplit(backend_url)
    return root / Path(unquote(url.netloc + url.path)).expanduser() if url.scheme == "file" else None
