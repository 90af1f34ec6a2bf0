"""What nova-compute understands of its configuration, read by Nova's own parser.

    python - PID DECLARED < effective_options.py

PID of the nova-compute whose command line counts, 0 for one started without arguments. DECLARED is JSON: section,
option, value. Prints JSON: for each that differs its name, what is declared and what was found.
"""

import json
import pathlib
import sys

import nova.conf
from oslo_config import cfg

CONF = nova.conf.CONF


def arguments(pid: int) -> list[str]:
    """The --config-file and --config-dir arguments of a process."""
    if not pid:
        return []
    words = pathlib.Path(f"/proc/{pid}/cmdline").read_bytes().decode().rstrip("\0").split("\0")
    first = next((n for n, word in enumerate(words) if word.startswith("--")), len(words))
    return words[first:]


def effective(section: str, option: str) -> tuple[object, cfg.Opt]:
    """An option's value and its definition; one that Nova itself does not define is read as text."""
    group = None if section == "DEFAULT" else section
    known = CONF._groups[section]._opts if group in CONF._groups else CONF._opts
    if option not in known:
        CONF.register_opt(cfg.StrOpt(option), group=group)
        known = CONF._groups[section]._opts if group else CONF._opts
    value = CONF[section][option] if group else CONF[option]
    return value, known[option]["opt"]


def differences(declared: dict[str, dict[str, object]]) -> list[dict[str, str]]:
    found = []
    for section, options in declared.items():
        for option, wanted in options.items():
            value, definition = effective(section, option)
            if value != definition.type(str(wanted)):
                found.append({"option": f"[{section}] {option}", "declared": str(wanted), "found": str(value)})
    return found


def main() -> None:
    CONF(arguments(int(sys.argv[1])), project="nova", prog="nova-compute")
    json.dump(differences(json.loads(sys.argv[2])), sys.stdout)


if __name__ == "__main__":
    main()
