"""What pyproject.toml cannot say: the pages of docs/ go into the package, where `stockpipe docs` finds them."""

from __future__ import annotations

import shutil
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
        shutil.rmtree(target, ignore_errors=True)  # an earlier build's pages may be gone
        target.mkdir(parents=True)
        for page in (*Path("docs").glob("*.md"), *Path("docs").glob("*.json")):
            shutil.copy(page, target)


setup(cmdclass={"build_py": BuildWithPages})
