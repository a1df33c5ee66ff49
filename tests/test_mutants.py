"""The changes that `make mutants` tries, and the reasons in docs/mutants.md."""

from __future__ import annotations

from pathlib import Path

from mutants.changes import mutants_of
from mutants.scope import ROOT, reasons, targets

SOURCE = '''
LIMIT: int = 3

@decorated(limit=1)
def decide(size: int, flag: bool = False) -> str:
    """A text about 5."""
    if size >= LIMIT and not flag:
        raise ValueError(f"{size + 1} is too much")
    return max(size, 0) * "x"[1:]
'''


def test_decisions_are_changed_and_wordings_are_not(tmp_path: Path) -> None:
    """Each change once, with what it says before and after; nothing of texts, messages, types or decorators."""
    (tmp_path / "example.py").write_text(SOURCE, encoding="utf-8")
    found = [(mutant.scope, mutant.before, mutant.after) for mutant in mutants_of(tmp_path, "example.py")]
    assert found == [
        ("module", "LIMIT: int = 3", "LIMIT: int = 4"),
        ("decide", "size: int, flag: bool=False", "size: int, flag: bool=True"),
        ("decide", "size >= LIMIT and (not flag)", "not flag"),
        ("decide", "size >= LIMIT and (not flag)", "size >= LIMIT"),
        ("decide", "size >= LIMIT", "size > LIMIT"),
        ("decide", "size >= LIMIT and (not flag)", "size >= LIMIT and flag"),
        ("decide", "raise ValueError(f'{size + 1} is too much')", "pass"),
        ("decide", "return max(size, 0) * 'x'[1:]", "return"),
        ("decide", "max(size, 0) * 'x'[1:]", "max(size, 0) / 'x'[1:]"),
        ("decide", "max(size, 0)", "min(size, 0)"),
        ("decide", "max(size, 0)", "max(size, 1)"),
        ("decide", "'x'[1:]", "'x'[:]"),
        ("decide", "'x'[1:]", "'x'[2:]"),
    ]


def test_a_change_is_one_change(tmp_path: Path) -> None:
    """Each mutant compiles and differs from its original; making one leaves nothing of it in the next."""
    (tmp_path / "example.py").write_text(SOURCE, encoding="utf-8")
    found = mutants_of(tmp_path, "example.py")
    original = compile(SOURCE, str(tmp_path / "example.py"), "exec")
    codes = [mutant.apply() for mutant in found]
    assert original not in codes
    assert len(set(codes)) == len(codes)
    assert [mutant.apply() for mutant in found] == codes


def test_every_reason_is_for_a_change_that_can_be_made() -> None:
    """What docs/mutants.md explains is in the sources as it stands there; `make mutants` says whether it survives."""
    possible = {mutant.key for file in targets() for mutant in mutants_of(ROOT, file)}
    assert reasons() - possible == set()
