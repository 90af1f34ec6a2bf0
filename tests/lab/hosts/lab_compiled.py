"""Keeps what a lab host's Python compiles of the modules that Ansible sends it, each time in another zip file.

Compiling takes half of the processor's time of most tasks. What is kept is found by its source alone. Every Python of
the host imports this as it begins, so it imports nothing that was not there already.
"""

import _imp
import marshal
import posix
import sys
import zipimport
from _io import FileIO

KEPT = "/var/cache/lab-compiled"
_compiled = zipimport._compile_source


def _kept(pathname, source):
    name = pathname.rpartition("/")[2]
    file = f"{KEPT}/{name}-{sys.hexversion:x}-{_imp.source_hash(1, source).hex()}"
    try:
        with FileIO(file) as there:
            return marshal.loads(there.readall())
    except (OSError, EOFError, ValueError, TypeError):
        code = _compiled(pathname, source)
        _keep(file, marshal.dumps(code))
        return code


def _keep(file, content):
    part = f"{file}.{posix.uname().nodename}-{posix.getpid()}"
    try:
        with FileIO(part, "w") as new:
            new.write(content)
        posix.replace(part, file)
    except OSError:
        pass


zipimport._compile_source = _kept
