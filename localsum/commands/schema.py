"""`localsum schema`: what briefs, digests and reports of benchmarks look like."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from localsum.commands.options import TemplateOption
from localsum.commands.say import write_out


def schema(
    template: TemplateOption = None,
    digest: Annotated[bool, typer.Option("--digest", help="Of digests, which have no template.")] = False,
    bench: Annotated[bool, typer.Option("--bench", help="Of reports of benchmarks.")] = False,
) -> None:
    """Print the JSON Schema that every JSON brief of a template satisfies, or every digest or benchmark report."""
    from localsum.bench import report
    from localsum.schema import digest_schema, json_schema
    from localsum.templates import load_template

    found = report.json_schema() if bench else digest_schema() if digest else json_schema(load_template(template))
    write_out(json.dumps(found, indent=2, ensure_ascii=False) + "\n")
