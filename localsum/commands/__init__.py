"""The commands, one small file each. They and cli.py alone import typer; what is heavy is imported when a command runs.

`options` holds the options that commands share, `say` writes to standard output and standard error.
"""
