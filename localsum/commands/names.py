"""Names that a shell completes: models and templates, with what they are beside them. Nothing heavy is loaded.

A shell asks in the middle of a line, so nothing that goes wrong here is ever said: there is then nothing to complete.
Paths are completed by the shell itself, where no name begins as the word does.
"""

from __future__ import annotations

from localsum.errors import LocalsumError

Names = list[tuple[str, str]]  # each with what is said beside it


def installed_models(incomplete: str) -> Names:
    """For what runs a model: those that are here; where none is, all."""
    from localsum.models import present, registry

    try:
        rows = registry()
        here = [entry for entry in rows if present(entry)]
    except (LocalsumError, OSError):
        return []
    return [(entry.name, f"{entry.role}, {entry.bytes / 1e6:,.0f} MB") for entry in here or rows]


def all_models(incomplete: str) -> Names:
    """For what is about models: all of the registry."""
    from localsum.models import present, registry

    try:
        return [(entry.name, "installed" if present(entry) else "not installed") for entry in registry()]
    except (LocalsumError, OSError):
        return []


def templates(incomplete: str) -> Names:
    from localsum.templates import load_template, template_names

    found = []
    for name in template_names():
        try:
            found.append((name, load_template(name).description))
        except (LocalsumError, OSError):
            continue
    return found
