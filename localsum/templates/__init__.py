"""Templates: the fields of a brief, what is asked for each, and the shape of each answer. The template is the schema.

Knows nothing of models, documents or how a field is written.
"""

from localsum.templates.advice import advice
from localsum.templates.reading import Checked, is_path, load_template, read_template, template_names
from localsum.templates.types import RESERVED, RESERVED_PARTS, Example, Extract, Field, Remark, Shape, Template

__all__ = [
    "RESERVED",
    "RESERVED_PARTS",
    "Checked",
    "Example",
    "Extract",
    "Field",
    "Remark",
    "Shape",
    "Template",
    "advice",
    "is_path",
    "load_template",
    "read_template",
    "template_names",
]
