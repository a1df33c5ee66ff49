"""The pages on deploying and operating name what they should."""

from __future__ import annotations

import re
from pathlib import Path

from simulator.stack.packaged import packaged_template
from simulator.stack.template import load

DOCS = Path(__file__).parents[3] / "docs"
DEPLOYING = (DOCS / "deploying.md").read_text()
OPERATIONS = (DOCS / "operations.md").read_text()
TEMPLATE = load().document
CODE = re.compile(r"`([^`\n]+)`")


def test_every_alarm_is_explained() -> None:
    """Each alarm in the template has its row: meaning and what to do."""
    names = re.findall(r'"\$\{Prefix\}(-[a-z-]+)"', packaged_template().read_text())
    assert len(names) == 5
    for name in names:
        assert re.search(rf"^\| `{name}` \| .+ \| .+ \| .+ \|$", OPERATIONS, re.MULTILINE), name


def test_console_path_leads_to_every_resource() -> None:
    """Each resource that one would create in the console is in the table of steps."""
    table = DEPLOYING[DEPLOYING.index("## The console") :]
    for name, resource in TEMPLATE["Resources"].items():
        if resource["Type"] != "AWS::CloudWatch::Alarm":
            assert f"`{name}`" in table, name


def test_parameters_that_are_named_exist() -> None:
    """A word in code that looks like one of the template's parameters is one of them, or a resource, or AWS's own."""
    known = {*TEMPLATE["Parameters"], *TEMPLATE["Resources"]}
    foreign = {"UpdateReplacePolicy", "RowsRejected", "NotificationConfiguration", "AccessDenied", "OutOfMemory"}
    for text in (DEPLOYING, OPERATIONS):
        for code in CODE.findall(text):
            for word in re.findall(r"(?<![./:\w])[A-Z][a-z]+(?:[A-Z][a-zA-Z]+)+(?=$|=| |:)", code):
                assert word in known | foreign, word


def test_commands_that_are_named_exist() -> None:
    """Each `stockpipe COMMAND` on these pages is a command."""
    commands = {file.stem.replace("_", "-") for file in (DOCS.parent / "stockpipe" / "commands").iterdir()}
    for text in (DEPLOYING, OPERATIONS):
        assert set(re.findall(r"\bstockpipe ([a-z-]+)(?= |`)", text)) <= commands
