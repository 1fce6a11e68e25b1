"""`localsum schema`: what briefs look like."""

from __future__ import annotations

import json

from localsum.commands.options import TemplateOption
from localsum.commands.say import write_out


def schema(template: TemplateOption = None) -> None:
    """Print the JSON Schema that every JSON brief of a template satisfies."""
    from localsum.schema import json_schema
    from localsum.templates import load_template

    write_out(json.dumps(json_schema(load_template(template)), indent=2, ensure_ascii=False) + "\n")
