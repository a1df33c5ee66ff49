"""What Lambda offers to run on, and which wheels and requirements are for it."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from simulator.base.errors import InputError
from stockpipe.deploy import targets
from stockpipe.deploy.targets import Target, default_python, select_requirements


def test_requirements_of_older_pythons_are_judged_by_the_target() -> None:
    """A marker is judged for the package's Python, whichever one builds it; other kinds of line are refused."""
    text = '# comment\n\na==1 ; python_version < "3.13"\nb==2  # why # again\n'
    assert select_requirements(text, "3.12") == ("a==1", "b==2")
    assert select_requirements(text, "3.13") == ("b==2",)
    with pytest.raises(InputError, match="'a>=1' is not name==version"):
        select_requirements("a>=1", "3.13")


@pytest.mark.parametrize(
    ("python", "architecture", "newest", "machine"),
    [("3.11", "x86_64", 26, "x86_64"), ("3.12", "x86_64", 34, "x86_64"), ("3.13", "arm64", 34, "aarch64")],
)
def test_amazon_linux_2_gets_older_wheels(python: str, architecture: str, newest: int, machine: str) -> None:
    """Python 3.11 runs on glibc 2.26, later ones on 2.34; every older wheel is accepted, and no newer one."""
    platforms = Target(python, architecture).platforms
    assert platforms == (
        *(f"manylinux_2_{minor}_{machine}" for minor in reversed(range(17, newest + 1))),
        f"manylinux2014_{machine}",
    )


def test_unknown_targets_are_refused() -> None:
    """A Python or processor that Lambda does not offer is refused, with a list of those it does."""
    with pytest.raises(InputError, match=r"Python '3\.9'; choose one of 3\.11"):
        Target("3.9", "arm64")
    with pytest.raises(InputError, match="choose arm64 or x86_64"):
        Target("3.13", "riscv")


@pytest.mark.parametrize(("minor", "chosen"), [(10, "3.13"), (11, "3.11"), (14, "3.14"), (15, "3.13")])
def test_the_python_that_runs_is_the_default_where_lambda_offers_it(
    monkeypatch: pytest.MonkeyPatch, minor: int, chosen: str
) -> None:
    """Otherwise it is the template's."""
    monkeypatch.setattr(targets, "sys", SimpleNamespace(version_info=SimpleNamespace(major=3, minor=minor)))
    assert default_python() == chosen
