"""`localsum schema` and `localsum models`: what briefs look like, and which models there are."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from localsum.commands.options import TemplateOption
from localsum.commands.say import note, write_out


def schema(
    template: TemplateOption = None,
    digest: Annotated[bool, typer.Option("--digest", help="Of digests, which have no template.")] = False,
) -> None:
    """Print the JSON Schema that every JSON brief of a template satisfies, or every digest."""
    from localsum.schema import digest_schema, json_schema
    from localsum.templates import load_template

    found = digest_schema() if digest else json_schema(load_template(template))
    write_out(json.dumps(found, indent=2, ensure_ascii=False) + "\n")


def models() -> None:
    """List the models of the registry, the installed ones first, and how to get the others."""
    from localsum.models import how_to_get, models_dir, present, registry

    rows = sorted(registry(), key=lambda entry: not present(entry))
    width = max(len(entry.name) for entry in rows)
    lines = []
    for entry in rows:
        state = "installed" if present(entry) else how_to_get(entry)
        lines.append(f"{entry.name:<{width}}  {entry.bytes / 1e6:>6,.0f} MB  {entry.licence:<20}  {state}\n")
    write_out("".join(lines))
    note(f"models folder: {models_dir()}")
