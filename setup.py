"""What pyproject.toml cannot say: the pages of docs/ go into the package, where `stockpipe docs` finds them."""

from __future__ import annotations

from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py


class BuildWithPages(build_py):
    """The modules, and the pages beside them; an editable installation reads docs/ where it is."""

    def run(self) -> None:
        """Build."""
        super().run()
        if self.editable_mode:
            return
        target = Path(self.build_lib) / "stockpipe" / "docs"
        target.mkdir(parents=True, exist_ok=True)
        for page in (*Path("docs").glob("*.md"), *Path("docs").glob("*.json")):
            (target / page.name).write_bytes(page.read_bytes())


setup(cmdclass={"build_py": BuildWithPages})
