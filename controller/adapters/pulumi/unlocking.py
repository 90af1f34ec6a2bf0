"""Who holds a stack's lock, in any backend, and the end of a lock that nobody needs any more."""

from controller.adapters.pulumi import locks, urns
from controller.adapters.pulumi.tool import Tool, last_words
from controller.errors import InputError
from inventory.names import PROJECT

_EMPTY = "no resource named"
"""What the CLI says of the root of a stack that holds nothing, once it has the lock."""


def held(tool: Tool, stack: str) -> tuple[locks.Lock, ...]:
    """The locks on a stack: read where the backend is a directory, else told by a call that needs the lock.

    That call is a refresh of the stack's root alone: it asks the cloud nothing, and leaves what a killed run created.
    Raises `InputError` where it ends for another reason.
    """
    url = tool.env.get("PULUMI_BACKEND_URL", "")
    if url.startswith("file:"):
        return locks.in_files(url, PROJECT, tool.root).get(stack, ())
    root = f"urn:pulumi:{stack}::{PROJECT}::{urns.STACK}::{PROJECT}-{stack}"
    words = ("--yes", "--skip-preview", "--skip-pending-creates", "--target", root, "--stack", stack)
    done = tool.tried("refresh", *words)
    found = locks.told(done.stderr)
    if done.returncode != 0 and not found and _EMPTY not in done.stderr:
        raise InputError(f"cannot tell whether it is locked: {last_words(done.stderr)}", where=stack)
    return found


def unlock(tool: Tool, stack: str) -> tuple[locks.Lock, ...]:
    """Takes a stack's locks away and gives whose they were; none where it is not locked.

    Raises `InputError` where a lock's process still runs on this machine, and with the CLI's words.
    """
    found = held(tool, stack)
    living = [lock for lock in found if locks.lives(lock)]
    if living:
        raise InputError(f"{living[0]}, and that process still runs: the lock stays", where=stack)
    if found:
        tool.call("cancel", "--yes", "--stack", stack)
    return found
