"""What a brief is of, as YAML front matter, which note-taking programs and localsum itself read."""

from __future__ import annotations

from localsum.brief import Brief
from localsum.render.clean import one_line
from localsum.render.index import row


def front_matter(brief: Brief, *, unicode: bool = True) -> str:
    """Title, source, categories and model between lines of dashes, and an empty line; what is not known is left out."""
    import yaml

    document, seen = brief.document, row("", brief)
    facts = {
        "title": seen.title,
        "author": document.author,
        "published": document.published,
        "url": document.url,
        "source": document.path,
        "categories": list(seen.categories),
        "model": brief.model.get("name"),
        "template": brief.template.get("name"),
    }
    known = {name: one_line(value) if isinstance(value, str) else value for name, value in facts.items() if value}
    return f"---\n{yaml.safe_dump(known, allow_unicode=unicode, sort_keys=False, width=10_000_000)}---\n\n"
