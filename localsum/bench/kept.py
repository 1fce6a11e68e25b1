"""Where reports are kept on this machine: one JSON file each, in `bench` of the user's data folder."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

from localsum.bench.report import Report, read_report, to_dict
from localsum.errors import InputError, UsageError
from localsum.files import make_folder, write_atomically
from localsum.folders import data_folder


def reports_folder() -> Path:
    """LOCALSUM_BENCH, else in the user's data folder; it need not exist."""
    chosen = os.environ.get("LOCALSUM_BENCH")
    return Path(os.path.abspath(os.path.expanduser(chosen))) if chosen else data_folder() / "bench"


def keep(report: Report) -> Path:
    """Writes the report under its name. Raises UsageError."""
    path = reports_folder() / f"{report.name}.json"
    make_folder(path.parent)
    write_atomically(path, as_json(report))
    return path


def as_json(report: Report) -> str:
    return json.dumps(to_dict(report), indent=1) + "\n"


def kept() -> Iterator[Report | InputError]:
    """The reports that are kept, the oldest first; what is none comes as the error that says so."""
    for path in sorted(reports_folder().glob("*.json")):
        try:
            yield read_report(path)
        except InputError as error:
            yield error


def find(name: str) -> Report:
    """The report in a file, or kept under a name, of which the beginning is enough. Raises InputError, UsageError."""
    if name.endswith(".json") or os.sep in name or "/" in name:
        return read_report(Path(os.path.expanduser(name)))
    names = sorted(path.stem for path in reports_folder().glob("*.json"))
    fitting = [name] if name in names else [each for each in names if each.startswith(name)]
    if len(fitting) != 1:
        many = f"{len(fitting)} reports begin with" if fitting else "no report is called"
        raise UsageError(f"{many} {name[:100]!r}", "all reports: localsum bench list")
    return read_report(reports_folder() / f"{fitting[0]}.json")
