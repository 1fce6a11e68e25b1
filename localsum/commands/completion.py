"""`localsum completion`: what a shell needs to complete commands, options and names. It is printed, nothing is changed.

The answers to the shell come from the command line's own table (typer) and names.py: the shell runs `localsum` with
a variable that holds what was typed so far.
"""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from localsum.commands.say import note, write_out

VARIABLE = "_LOCALSUM_COMPLETE"  # set by the shell's script when it asks
_INTO = {
    "bash": '~/.bashrc: eval "$(localsum completion bash)"',
    "zsh": '~/.zshrc, after compinit: eval "$(localsum completion zsh)"',
    "fish": "~/.config/fish/config.fish: localsum completion fish | source",
    "powershell": "the file $PROFILE: localsum completion powershell | Out-String | Invoke-Expression",
}
# typer's own scripts do not complete `--model=ge`: bash makes three words of it, zsh one. bash 3.2 (macOS) will do.
_OWN = {
    "bash": f"""\
_localsum_completion() {{
    local IFS=$'\\n' word words=()
    for word in "${{COMP_WORDS[@]:0:COMP_CWORD+1}}"; do
        [ "$word" = "=" ] || words+=("$word")
    done
    [ "$word" = "=" ] && words+=("")
    local last=$((${{#words[@]}} - 1))
    COMPREPLY=( $(COMP_WORDS="${{words[*]}}" COMP_CWORD=$last {VARIABLE}=complete_bash "$1" 2>/dev/null) )
}}
complete -o default -F _localsum_completion localsum
""",
    "zsh": f"""\
#compdef localsum
_localsum_completion() {{
    local typed="${{words[1,$CURRENT]}}"
    compset -P 1 '--*='
    eval $(_TYPER_COMPLETE_ARGS="$typed" {VARIABLE}=complete_zsh $words[1] 2>/dev/null)
}}
compdef _localsum_completion localsum
""",
}


def completion(
    shell: Annotated[
        Literal["bash", "zsh", "fish", "powershell"],
        typer.Argument(metavar="SHELL", help="bash, zsh, fish, powershell."),
    ],
) -> None:
    """Print the script by which a shell completes commands, options, and names of models and templates."""
    from typer.completion import get_completion_script  # type: ignore[attr-defined]  # no other way to them

    made = get_completion_script(prog_name="localsum", complete_var=VARIABLE, shell=shell) + "\n"
    write_out(_OWN.get(shell, made))
    note(f"note: to have it in every {shell}, add this line to {_INTO[shell]}")
