"""Errors of localsum: each carries what went wrong and the next command to type.

LocalsumError
├── UsageError        the command line or an argument is wrong        (exit 2)
├── TemplateError     a template file cannot be used                  (exit 2)
├── ModelError        no usable model                                 (exit 3)
├── InputError        one document cannot be read                     (exit 1)
├── EngineError       llama.cpp or the grammar failed for a document  (exit 1)
├── StoreError        the file of kept briefs cannot be used          (exit 1)
├── PrivacyError      something wanted to leave the machine           (exit 1)
└── InterruptedRun    Ctrl-C in the middle of a run                   (exit 130)
"""

from __future__ import annotations


class LocalsumError(Exception):
    """Base of the family. `message` says what happened, `hint` ends with what to do next."""

    exit_code = 1

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class UsageError(LocalsumError):
    """An option, an argument or a setting that cannot be used."""

    exit_code = 2


class TemplateError(LocalsumError):
    """A template that cannot be used; the message names file, field and reason."""

    exit_code = 2


class ModelError(LocalsumError):
    """No model, or none that llama.cpp can use; the hint says how to get one."""

    exit_code = 3


class InputError(LocalsumError):
    """A document that cannot be read, or is too short or too long for a brief."""

    exit_code = 1


class EngineError(LocalsumError):
    """A document that could not be written: more context than there is, a grammar that failed, llama.cpp."""

    exit_code = 1


class StoreError(LocalsumError):
    """The file of kept briefs cannot be made, read or written."""

    exit_code = 1


class PrivacyError(LocalsumError):
    """Something wanted to leave the machine inside `sealed`; the message names it. Nothing was sent."""

    exit_code = 1


class InterruptedRun(LocalsumError):  # noqa: N818  (no error of anybody's)
    exit_code = 130
