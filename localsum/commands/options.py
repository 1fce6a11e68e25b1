"""Arguments and options that more than one command has, or that are long to write down."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from localsum.commands.names import installed_models, templates

FormatName = Literal["terminal", "md", "html", "json", "jsonl"]
InputName = Literal["text", "markdown", "html", "feed", "mail", "mbox", "pdf", "jsonl", "csv", "subtitles"]
StyleName = Literal["extractive", "written"]

_KINDS = "text, Markdown, HTML, PDF, subtitles, a mail; or many: a feed, a mailbox, JSONL, CSV."
FileArgument = Annotated[
    str,
    typer.Argument(
        metavar="FILE",
        help=f"Article to read: {_KINDS} Perhaps packed by gzip; - for standard input.",
    ),
]
PathsArgument = Annotated[
    list[str],
    typer.Argument(
        metavar="PATH...",
        help=f"Files and folders of articles: {_KINDS} Perhaps packed by gzip; - for standard input.",
    ),
]
FolderArgument = Annotated[
    str,
    typer.Argument(metavar="DIR", help=f"Folder to watch. What arrives may be: {_KINDS} Perhaps packed by gzip."),
]
RecursiveOption = Annotated[
    bool, typer.Option("--recursive", "-r", help="Of folders, read what is in their folders as well.")
]
GlobOption = Annotated[
    str | None,
    typer.Option(
        "--glob",
        metavar="PATTERN",
        help="Of folders, read the files with such names: '*.html'. [default: all with a known ending]",
    ),
]
InputOption = Annotated[
    InputName | None,
    typer.Option("--format-in", help="Format of the files. [default: by content and name]"),
]
TextFieldOption = Annotated[
    str | None, typer.Option("--text-field", metavar="NAME", help="Field of JSONL or CSV that holds the text.")
]
TitleFieldOption = Annotated[
    str | None, typer.Option("--title-field", metavar="NAME", help="Field of JSONL or CSV that holds the title.")
]
IdFieldOption = Annotated[
    str | None, typer.Option("--id-field", metavar="NAME", help="Field of JSONL or CSV that tells documents apart.")
]
FormatOption = Annotated[
    FormatName | None,
    typer.Option(
        *("--format", "-f"),
        envvar="LOCALSUM_FORMAT",
        help="Form of the output. [default: terminal on a terminal, else md]",
    ),
]
OutputOption = Annotated[
    str | None,
    typer.Option(
        "--output",
        "-o",
        metavar="PATH",
        help="Write to this file; or, if it is a folder or ends with /, a file for each document and an index into it.",
    ),
]
FileOption = Annotated[
    str | None, typer.Option("--output", "-o", metavar="FILE", help="Write to this file, which appears whole or not.")
]
OpenOption = Annotated[
    bool,
    typer.Option("--open", help="Make a page of HTML, and open it in your browser when done."),
]
FootnotesOption = Annotated[
    bool, typer.Option("--footnotes", help="Of Markdown: what each claim rests on, as footnotes.")
]
FrontMatterOption = Annotated[
    bool, typer.Option("--front-matter", help="Of Markdown: title, source, categories and model on top, as YAML.")
]
ModelOption = Annotated[
    str | None,
    typer.Option(
        *("--model", "-m"),
        envvar="LOCALSUM_MODEL",
        metavar="NAME|PATH",
        autocompletion=installed_models,
        help="Model: a name of the registry or a GGUF file.",
    ),
]
TemplateOption = Annotated[
    str | None,
    typer.Option(
        *("--template", "-t"),
        envvar="LOCALSUM_TEMPLATE",
        metavar="NAME|PATH",
        autocompletion=templates,
        help="Template: which fields the brief has. [default: brief]",
    ),
]
StyleOption = Annotated[
    StyleName | None,
    typer.Option(
        "--style", help="From the article's own sentences, or written freely and checked. [default: by the model]"
    ),
]
LanguageOption = Annotated[
    str | None,
    typer.Option(
        *("--language", "-l"),
        envvar="LOCALSUM_LANGUAGE",
        metavar="CODE|NAME",
        help="Language to write in: de, pt-BR, German. Instruct models only. [default: the article's own]",
    ),
]
StoreOption = Annotated[
    str | None,
    typer.Option(
        "--store",
        envvar="LOCALSUM_STORE",
        metavar="PATH",
        help="File of kept briefs. [default: in the user's data folder]",
    ),
]
ThreadsOption = Annotated[
    int | None,
    typer.Option(
        "--threads", envvar="LOCALSUM_THREADS", min=1, max=512, help="Threads to use. [default: by the processor]"
    ),
]
ContextOption = Annotated[
    int | None,
    typer.Option(
        "--context",
        envvar="LOCALSUM_CONTEXT",
        min=1024,
        max=1_048_576,
        help="Tokens of context to hold in memory. [default: what fits]",
    ),
]
SeedOption = Annotated[int, typer.Option("--seed", min=0, max=2**31 - 1, help="Seed of all sampling.")]
ReproducibleOption = Annotated[
    bool,
    typer.Option(
        "--reproducible", help="Write each request by itself: the same article then gives the same brief always."
    ),
]
QuietOption = Annotated[bool, typer.Option("--quiet", "-q", help="No progress and no hints; errors only.")]
NoStoreOption = Annotated[bool, typer.Option("--no-store", help="Neither keep briefs nor use kept ones.")]
FreshOption = Annotated[bool, typer.Option("--fresh", help="Write briefs that are kept already anew.")]
StatsOption = Annotated[
    bool, typer.Option("--stats", help="Print one JSON object of counts and seconds to standard error.")
]
LimitOption = Annotated[int, typer.Option("--limit", "-n", min=1, max=100_000, help="How many to show at most.")]
