"""The snapshot as a file: one versioned JSON document, columns as arrays, null where a value is missing.

`wire` is the format, `checks` what must hold between its columns, `file` reads and writes it. Nothing else knows JSON.
"""

from controller.adapters.snapshot_file.file import content, parsed, read, write
from controller.adapters.snapshot_file.wire import json_schema

__all__ = ["content", "json_schema", "parsed", "read", "write"]
