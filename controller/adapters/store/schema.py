"""The journal's schema: brought up to date on purpose, by one call at start, never as a side effect."""

import functools
from datetime import timedelta
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine

from controller.adapters.store import engine as engines
from controller.adapters.store import failures
from controller.errors import PermanentError

_PATIENCE = timedelta(minutes=10)
"""How long a revision may take."""

_SCRIPTS = Path(__file__).parent / "migrations"


def upgrade(url: str) -> None:
    """Creates the journal or brings its tables up to this program's. Call it holding the journal's lock.

    Raises `PermanentError` for a journal that a newer version wrote, and `failures`' errors.
    """
    address = engines.journal_url(url)
    engine = engines.open_engine(address, busy=_PATIENCE)
    try:
        _refuse_newer(engine, engines.place(address))
        with failures.translated(engines.place(address)), engine.begin() as connection:
            config = _config()
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
    finally:
        engine.dispose()


def begun(url: str) -> bool:
    """Whether a journal was ever opened to be written at this address. Raises what `upgrade` raises."""
    address = engines.journal_url(url)
    if address.get_backend_name() == "sqlite" and not Path(str(address.database)).exists():
        return False
    engine = engines.open_engine(address, read_only=True)
    try:
        return _refuse_newer(engine, engines.place(address)) is not None
    finally:
        engine.dispose()


def require_current(engine: Engine, where: str) -> None:
    """Raises `PermanentError` unless the journal's tables are exactly this program's."""
    revision = _refuse_newer(engine, where)
    if revision != _head():
        raise PermanentError(
            f"the journal's schema is {revision or 'empty'}, this version needs {_head()}",
            where=where,
            remedy="start the daemon once, which brings it up to date",
        )


def _refuse_newer(engine: Engine, where: str) -> str | None:
    with failures.translated(where), engine.connect() as connection:
        revision = MigrationContext.configure(connection).get_current_revision()
    if revision is not None and revision not in _known():
        raise PermanentError(
            f"the journal was written by a newer version (schema {revision}, this one knows up to {_head()})",
            where=where,
            remedy="run that version or a later one",
        )
    return revision


def _head() -> str:
    return _known()[0]


@functools.cache
def _known() -> tuple[str, ...]:
    """This program's revisions, newest first."""
    return tuple(script.revision for script in ScriptDirectory.from_config(_config()).walk_revisions())


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(_SCRIPTS).replace("%", "%%"))
    return config
