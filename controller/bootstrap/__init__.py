"""The one place where settings become parts and parts are wired together; the only reader of `controller.config`."""
