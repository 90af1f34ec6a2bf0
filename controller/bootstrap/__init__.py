"""The one place where settings become parts and parts are wired together; the only reader of `controller.config`."""

from controller.bootstrap.daemon import run
from controller.bootstrap.once import catalog, policy, snapshot

__all__ = ["catalog", "policy", "run", "snapshot"]
