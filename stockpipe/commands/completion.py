"""Completion for bash, zsh and fish: the scripts, where they go, and what may come next on a command line.

A script calls stockpipe with the words so far and `_STOCKPIPE_COMPLETE` set to the shell's name; a line comes back for
each word that may be next, with a tab and its meaning. No line means that the shell may offer files.
"""

from __future__ import annotations

import os
import re
import shlex
import textwrap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from typer.models import ArgumentInfo

from simulator.base.errors import InputError
from simulator.base.nearest import did_you_mean
from stockpipe.commands.options import Options, flag, parts

LONGEST_WORDS = 1_000
SHELLS = ("bash", "zsh", "fish")
_OPTIONS = ("--install-completion", "--show-completion")
_GENERAL = {"--version": "Print the version.", "--help": "Show the help."}
_PARAMETER = re.compile(r"  ([A-Za-z][A-Za-z0-9]*):")
_TEMPLATE_BYTES = 1024 * 1024
_MEANING_CHARACTERS = 60

_BASH = r"""_stockpipe_completion() {
    local value meaning
    COMPREPLY=()
    while IFS=$'\t' read -r value meaning; do
        COMPREPLY+=("$value")
    done < <(_STOCKPIPE_COMPLETE=bash "$1" "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
    if [[ ${COMPREPLY[0]} == *= ]]; then
        compopt -o nospace 2>/dev/null
    fi
}
complete -o default -F _stockpipe_completion stockpipe"""
_ZSH = r"""#compdef stockpipe
(( $+functions[compdef] )) || { autoload -Uz compinit && compinit }
_stockpipe_completion() {
    local value meaning
    local -a values shown
    while IFS=$'\t' read -r value meaning; do
        values+=("$value")
        shown+=("$value  $meaning")
    done < <(_STOCKPIPE_COMPLETE=zsh "${words[1]}" "${(@Q)words[2,CURRENT]}" 2>/dev/null)
    if (( ! ${#values} )); then
        _files
    elif [[ ${values[1]} == *= ]]; then
        compadd -S '' -l -d shown -a values
    else
        compadd -l -d shown -a values
    fi
}
compdef _stockpipe_completion stockpipe"""
_FISH = r"""function __stockpipe_completion
    set -l words (commandline -opc) (commandline -ct)
    set -l found (env _STOCKPIPE_COMPLETE=fish $words[1] $words[2..-1] 2>/dev/null)
    if test (count $found) -gt 0
        printf '%s\n' $found
    else
        __fish_complete_path (commandline -ct)
    end
end
complete --command stockpipe --no-files --arguments '(__stockpipe_completion)'"""
_SCRIPTS = dict(zip(SHELLS, (_BASH, _ZSH, _FISH), strict=True))


class Completable(NamedTuple):
    """What completion knows of a command."""

    kind: type[Options]
    meaning: str


def script(shell: str) -> str:
    """The completion of a shell, as text to source. Raises `InputError` for a shell that has none."""
    if shell not in SHELLS:
        raise InputError(f"there is no completion for '{shell}'", hint=did_you_mean(shell, SHELLS, ""))
    return _SCRIPTS[shell]


def install(shell: str) -> str:
    """Write the completion into the person's home, once; says where, and what makes it take effect.

    bash and zsh get a line in their own start-up file, which reads it; fish looks in its folder.
    """
    text = script(shell)
    home = Path(os.environ.get("HOME") or "")
    if not home.is_dir():
        raise InputError(
            "there is no home directory for the completion", hint="`stockpipe --show-completion` prints it"
        )
    if shell == "fish":
        file = Path(os.environ.get("XDG_CONFIG_HOME") or home / ".config") / "fish" / "completions" / "stockpipe.fish"
    else:
        file = Path(os.environ.get("XDG_DATA_HOME") or home / ".local" / "share") / "stockpipe" / f"completion.{shell}"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(f"{text}\n", encoding="utf-8")
    said = f"the completion for {shell} is in {file}"
    if shell != "fish":
        started = home / (".bashrc" if shell == "bash" else ".zshrc")
        line = f"[ -r {shlex.quote(str(file))} ] && source {shlex.quote(str(file))}  # stockpipe's completion"
        lines = started.read_text(encoding="utf-8", errors="surrogateescape") if started.is_file() else ""
        if line not in lines:
            with started.open("a", encoding="utf-8") as opened:
                opened.write(f"{'' if lines.endswith(chr(10)) or not lines else chr(10)}{line}\n")
        said += f", and {started} reads it"
    return f"{said}; open a new shell to use it"


def with_shell(words: list[str]) -> list[str]:
    """The words of a command line, with the shell in use behind an option for completion that names none."""
    for place, word in enumerate(words[:1]):
        if word in _OPTIONS and (place + 1 == len(words) or words[place + 1].startswith("-")):
            return [*words[: place + 1], _shell_in_use(), *words[place + 1 :]]
    return words


def _shell_in_use() -> str:
    try:
        import shellingham

        name = str(shellingham.detect_shell()[0])
    except Exception:  # noqa: BLE001 - none was found, in one of several ways
        name = ""
    return name if name in SHELLS else Path(os.environ.get("SHELL") or "bash").name


def offered(words: Sequence[str], offers: Mapping[str, Completable], shell: str) -> Iterator[tuple[str, str]]:
    """What may take the place of the last word, each with its meaning; nothing where a file may.

    `words` follow the program's name; the last is what is there of the one to complete, and may be empty.
    """
    *before, current = _joined(words) or [""]
    command = next((word for word in before if not word.startswith("-")), None)
    if command is None:
        names = {name: _first_line(offer.meaning) for name, offer in offers.items()}
        general = _GENERAL | dict.fromkeys(_OPTIONS, "Completion for this shell.")
        if before and before[-1] in _OPTIONS:
            general, names = {}, dict.fromkeys(SHELLS, "")
        yield from _beginning(current, general if current.startswith("-") else names)
        return
    if command not in offers:
        return
    kind = offers[command].kind
    fields = {flag(name, parts(hint)[1]): name for name, hint in kind.annotations.items()}
    option, equals, begun = current.partition("=")
    if equals and option in fields:
        lead = "" if shell == "bash" else f"{option}="  # bash completes what comes after the sign
        for value, meaning in _values(kind, fields[option], before, begun):
            yield f"{lead}{value}", meaning
    elif before[-1] in fields and not _is_switch(kind, fields[before[-1]]):
        yield from _values(kind, fields[before[-1]], before, current)
    elif current.startswith("-"):
        meanings = {
            word: info.help or ""
            for name, hint in kind.annotations.items()
            for info in [parts(hint)[1]]
            if not isinstance(info, ArgumentInfo)
            for word in _flags(name, hint)
        }
        yield from _beginning(current, {**meanings, "--help": _GENERAL["--help"]})
    else:
        for name, hint in kind.annotations.items():
            if isinstance(parts(hint)[1], ArgumentInfo):
                yield from _values(kind, name, before, current)


def _joined(words: Sequence[str]) -> list[str]:
    """The words, those that bash cuts at `=` whole again."""
    joined: list[str] = []
    for place, word in enumerate(words):
        glued = place > 0 and (word == "=" or words[place - 1] == "=")
        if glued and joined:
            joined[-1] += word
        else:
            joined.append(word)
    return joined


def _flags(name: str, hint: object) -> list[str]:
    """An option's ways to be written: on, and off."""
    info = parts(hint)[1]
    if isinstance(info.default, str) and "/" in info.default:
        return info.default.split("/")
    on = flag(name, info)
    return [on, f"--no-{on[2:]}"] if parts(hint)[0] is bool and not isinstance(info.default, str) else [on]


def _is_switch(kind: type[Options], name: str) -> bool:
    return parts(kind.annotations[name])[0] in (bool, bool | None)


def _values(kind: type[Options], name: str, before: Sequence[str], begun: str) -> Iterator[tuple[str, str]]:
    """What an option or argument may be, as far as its values have names."""
    written = parts(kind.annotations[name])[2]
    if written is not None and written.choices:
        yield from _beginning(begun, dict.fromkeys(written.choices, ""))
    elif name == "scenario":
        from simulator.run.scenario import names

        yield from _beginning(begun, dict.fromkeys((*names(), "list"), ""))
    elif name == "parameters":
        yield from _beginning(begun, {f"{each}=": "" for each in _template_parameters(before)})
    elif name == "slo":
        from simulator.load.plan.slo import FIGURES as LOAD_FIGURES
        from simulator.run.bounds import FIGURES

        figures = LOAD_FIGURES if "load-test" in before else FIGURES
        yield from _beginning(begun, {each: figure.meaning for each, figure in figures.items()})
    elif name == "page":
        from stockpipe.commands.docs import pages

        yield from _beginning(begun, dict.fromkeys(pages(), ""))


def _template_parameters(before: Sequence[str]) -> Iterable[str]:
    """The parameters of the template in use, read line by line: a parser of YAML would take longer than a keystroke."""
    if "--template" in before[:-1]:
        file = Path(before[before.index("--template") + 1])
    else:
        file = Path(__file__).resolve().parents[2] / "pipeline" / "template.yaml"
    inside = False
    with file.open(encoding="utf-8", errors="replace") as lines:
        for line in lines.readlines(_TEMPLATE_BYTES):
            if line[:1].isalpha():
                inside = line.startswith("Parameters:")
            elif inside and (found := _PARAMETER.match(line)):
                yield found[1]


def _beginning(begun: str, meanings: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    for word, meaning in meanings.items():
        if word.startswith(begun):
            yield word, textwrap.shorten(meaning, _MEANING_CHARACTERS, placeholder=" ...")


def _first_line(text: str) -> str:
    return text.strip().partition("\n")[0]
