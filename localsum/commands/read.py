"""`localsum read`: the text of documents, as offsets count it."""

from __future__ import annotations

from pathlib import Path

from localsum.commands.options import FileArgument, IdFieldOption, InputOption, TextFieldOption, TitleFieldOption
from localsum.commands.say import failure, write_out
from localsum.errors import LocalsumError


def read(
    file: FileArgument,
    format_in: InputOption = None,
    text_field: TextFieldOption = None,
    title_field: TitleFieldOption = None,
    id_field: IdFieldOption = None,
) -> None:
    """Print the text of an article exactly as briefs count it: offsets in a brief are code points into this.

    Of a file with many articles, each has a line with its name above it.
    """
    from localsum.readers import read as read_documents
    from localsum.readers import shown

    failed: list[LocalsumError] = []
    number = 0
    path = None if file == "-" else Path(file)
    documents = read_documents(
        path, format_in=format_in, text_field=text_field, title_field=title_field, id_field=id_field
    )
    for number, document in enumerate(documents, 1):
        if isinstance(document, LocalsumError):
            failed.append(document)
        elif document.path in (None, shown(file)):
            write_out(document.text)
        else:
            write_out(f"{chr(10) * (number > 1)}==> {document.path} <==\n\n{document.text}\n")
    if failed:
        raise failure(failed, number)
