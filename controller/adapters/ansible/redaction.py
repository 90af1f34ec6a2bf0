"""Takes known secrets out of whatever is shown or kept."""

import base64
import json
import re
from collections.abc import Iterable
from typing import Any

HIDDEN = "<secret>"

SHORTEST = 6
"""Characters below which a value is no secret: to hide `yes` or `8443` would hide half the text."""


class Redactor:
    """Replaces secrets by `HIDDEN`, also as JSON, YAML and base64 write them, and each line of a longer one."""

    def __init__(self, secrets: Iterable[str]) -> None:
        forms = {form for secret in secrets for form in _forms(secret)}
        longest_first = sorted(forms, key=lambda form: (-len(form), form))
        self._pattern = re.compile("|".join(map(re.escape, longest_first))) if longest_first else None

    def text(self, text: str) -> str:
        """The same without a secret in it."""
        return text if self._pattern is None else self._pattern.sub(HIDDEN, text)

    def data(self, value: Any) -> Any:
        """JSON data of any shape, without a secret in it."""
        match value:
            case str():
                return self.text(value)
            case dict():
                return {self.data(key): self.data(each) for key, each in value.items()}
            case list() | tuple():
                return [self.data(each) for each in value]
            case int() | float() if not isinstance(value, bool):
                return HIDDEN if self.text(str(value)) != str(value) else value
            case _:
                return value


def _forms(secret: str) -> Iterable[str]:
    whole = secret.strip()
    for part in {whole, *(line.strip() for line in whole.splitlines())}:
        if len(part) >= SHORTEST:
            yield part
            yield part.replace("'", "''")
            yield json.dumps(part)[1:-1]
            yield json.dumps(part, ensure_ascii=False)[1:-1]
            yield base64.b64encode(part.encode()).decode().rstrip("=")
