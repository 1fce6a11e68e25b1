"""`localsum config`: which settings hold, and where each comes from."""

from __future__ import annotations

import os

from localsum.commands.say import note, write_out


def config() -> None:
    """Print the settings: what holds, and whether a variable, the settings file or nobody said so."""
    from localsum.render.clean import one_line
    from localsum.settings import SETTINGS, read_settings, settings_path, variable_of

    path, said = settings_path(), read_settings()
    width = max(map(len, SETTINGS))
    for name, setting in SETTINGS.items():
        value, source = setting.default, "default"
        if os.environ.get(variable_of(name)):
            value, source = os.environ[variable_of(name)], variable_of(name)
        elif name in said:
            value, source = str(said[name]), str(path)
        write_out(f"{name:<{width}}  {one_line(value)}  ({one_line(source)})\n")
    note(f"settings are in {path}{'' if path.exists() else ', which is not there yet'}, one a line: threads = 4")
    note("an option of a command overrides them: localsum brief PATH --threads 4")
