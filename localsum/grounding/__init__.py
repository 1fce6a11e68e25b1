"""Grounding: whether the document supports a text, with reasons and evidence.

`Source.of(document)` prepares a document once; `check(text, source)` then takes a millisecond or two for a sentence.
"""

from localsum.grounding.case import Case, Finding, Rule
from localsum.grounding.check import check
from localsum.grounding.source import Source

__all__ = ["Case", "Finding", "Rule", "Source", "check"]
