"""Templates made to do harm, or by mistake: whatever is in them, `check` says one line and ends with exit code 2."""

from __future__ import annotations

import resource
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cli import app

ROOT = Path(__file__).parents[3]
MEMORY_BYTES = 512 * 1024 * 1024
"""Of address space: a template is a megabyte, and what is made of it a few dozen."""
BOMB = "a: &a0 [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"b{level}: &a{level} [{', '.join([f'*a{level - 1}'] * 9)}]\n" for level in range(1, 10)
)


def resources(text: str) -> str:
    """A template with these resources."""
    return f"Resources:\n  Q: {{Type: AWS::SQS::Queue}}\n{text}"


def name(value: str) -> str:
    """A template with a queue of this name."""
    return resources(f"  X: {{Type: AWS::SQS::Queue, Properties: {{QueueName: {value}}}}}\n")


def number(value: str) -> str:
    """A template with a queue of this visibility timeout."""
    return resources(f"  X: {{Type: AWS::SQS::Queue, Properties: {{VisibilityTimeout: {value}}}}}\n")


def parameter(text: str) -> str:
    """A template with this parameter."""
    return f"Parameters:\n  N: {{{text}}}\n{resources('')}"


def schedule(text: str) -> str:
    """A template with this schedule of a function."""
    return resources(
        "  F: {Type: AWS::Serverless::Function, Properties: {Handler: a.b, Runtime: python3.13, "
        f"Events: {{S: {{Type: Schedule, Properties: {{{text}}}}}}}}}}}\n"
    )


def queues(properties: str, count: int) -> str:
    """A template with so many queues, `{n}` and `{before}` in their properties being numbers."""
    listed = (properties.replace("{n}", str(n)).replace("{before}", str(n - 1)) for n in range(1, count))
    return resources("  Q0: {Type: AWS::SQS::Queue}\n" + "".join(f"  {each}\n" for each in listed))


BIG = f"  Big: {{Type: String, Default: {'y' * 300_000}}}\n"
HOSTILE: dict[str, tuple[str | bytes, str]] = {
    "aliases of aliases": (BOMB, "more than 100,000 values"),
    "the same in a template": (f"{BOMB}{resources('')}", "more than 100,000 values"),
    "an alias in itself": ("Sid: &a [*a]", "contains itself"),
    "an alias of nothing": ("a: *b", "undefined alias"),
    "5,000 brackets": ("[" * 5_000, "more than 64 levels"),
    "100,000 brackets": ("[" * 100_000 + "]" * 100_000, "more than 64 levels"),
    "5,000 braces": ("{a: " * 5_000, "more than 64 levels"),
    "100,000 dashes": ("- " * 100_000, "more than 64 levels"),
    "aliases make it deep": ("a: &a " + "[" * 40 + "]" * 40 + "\nb: " + "[" * 40 + "*a" + "]" * 40, "64 levels"),
    "too many keys": ("".join(f"k{key}: 1\n" for key in range(60_000)), "more than 100,000 values"),
    "a megabyte and more": (b" " * 1_048_577, "more than 1,048,576 bytes"),
    "a merge key": ("a: &a {b: 1}\nc: {<<: *a}", "merge keys"),
    "a tag of Python": ("!!python/object:os.system x", "is not supported"),
    "a tag that does not fit": ("a: !!int x", "cannot be read as !!int"),
    "bytes": ("a: !!binary aGk=", "is not supported"),
    "a version of YAML": ("%YAML 9.9\n---\na: 1", "not YAML"),
    "many directives": ("%TAG !a! b\n" * 50_000 + "---\na: 1", "directives"),
    "two documents": ("a: 1\n---\nb: 2\n", "another document"),
    "NUL": ("a: \0", "not YAML"),
    "an escaped NUL": (name('"a\\0b"'), "cannot be used"),
    "half a surrogate pair": (name('"\\ud800"'), "cannot be used"),
    "beyond Unicode": (name('"\\U00110000"'), "outside Unicode"),
    "far beyond Unicode": (name('"\\UFFFFFFFF"'), "outside Unicode"),
    "UTF-16": ("a: 1".encode("utf-16"), "not text in UTF-8"),
    "Latin-1": (b"a: \xe9", "not text in UTF-8"),
    "a mark of byte order": ("\ufeffa: 1", "declares no Resources"),
    "nothing": ("", "not a CloudFormation template"),
    "a list as key": ("? [a]\n: b", "a key must be text"),
    "infinity": (number(".inf"), "must be a whole number"),
    "not a number": (number(".nan"), "must be a whole number"),
    "beyond floats": (number("1.0e+400"), "must be a whole number"),
    "beyond floats as text": (number("'1e400'"), "must be a whole number"),
    "10,000 digits": (number("9" * 10_000), "more than 100 characters"),
    "10,000 digits as text": (number(f"'{'9' * 10_000}'"), "must be a whole number"),
    "10,000 digits to base 60": (number("1" + ":30" * 5_000), "more than 100 characters"),
    "yes": (number("yes"), "must be a whole number"),
    "a date": (number("2020-01-01"), "must be a whole number"),
    "MinLength": (parameter("Type: String, Default: x, MinLength: abc"), "MinLength must be a number"),
    "MaxLength": (parameter("Type: String, Default: x, MaxLength: [1]"), "MaxLength must be a number"),
    "MinValue": (parameter("Type: Number, Default: 1, MinValue: .nan"), "MinValue must be a number"),
    "MaxValue": (parameter("Type: Number, Default: 1, MaxValue: .inf"), "MaxValue must be a number"),
    "a number that is none": (parameter("Type: Number, Default: 1e400"), "must be a number"),
    "AllowedValues": (parameter("Type: String, Default: x, AllowedValues: 5"), "must be a list"),
    "half a pattern": (parameter("Type: String, Default: x, AllowedPattern: '('"), "not a regular expression"),
    "a deep pattern": (
        parameter(f"Type: String, Default: x, AllowedPattern: '{'(' * 5_000}{')' * 5_000}'"),
        "not a regular expression",
    ),
    "a pattern that repeats": (
        parameter("Type: String, Default: x, AllowedPattern: 'a{99999999999999999999}'"),
        "not a regular expression",
    ),
    "conditions 1,000 deep": (
        "Conditions:\n  C0: !Equals [a, a]\n"
        + "".join(f"  C{n}: !Not [!Condition C{n - 1}]\n" for n in range(1, 1_000))
        + resources("  X: {Type: AWS::SQS::Queue, Condition: C999}\n"),
        "more than 64 levels",
    ),
    "conditions that double": (
        "Conditions:\n  C0: !Equals [a, a]\n"
        + "".join(f"  C{n}: !And [!Condition C{n - 1}, !Condition C{n - 1}]\n" for n in range(1, 30))
        + resources("  X: {Type: AWS::SQS::Queue, Condition: C29, Properties: {DelaySeconds: x}}\n"),
        "must be a whole number",
    ),
    "a condition of itself": (
        "Conditions: {A: !Not [!Condition A]}\n" + resources("  X: {Type: AWS::SQS::Queue, Condition: A}\n"),
        "refers to itself",
    ),
    "names that double": (
        queues(
            "Q{n}: {Type: AWS::SQS::Queue, Properties: "
            "{QueueName: !Sub '${Q{before}.QueueName}${Q{before}.QueueName}'}}",
            40,
        ),
        "characters of text in total",
    ),
    "a name of itself": (name("!Ref X"), "depends on itself"),
    "a Sub of 60,000 big names": (
        f"Parameters:\n{BIG}" + name(f"!Sub '{'${Big}' * 60_000}'"),
        "characters of text in total",
    ),
    "40,000 big references": (
        f"Parameters:\n{BIG}" + name(f"[{', '.join(['!Ref Big'] * 40_000)}]"),
        "characters of text in total",
    ),
    "Splits into very many parts": (
        f"Parameters:\n  Commas: {{Type: String, Default: '{',' * 300_000}'}}\n"
        + name(f"[{', '.join([chr(33) + 'Split [x, !Ref Commas]'] * 3)}]").replace("[x,", "[',',"),
        "characters of text in total",
    ),
    "Globals of 9,000 variables for 400 functions": (
        "Globals: {Function: {Handler: a.b, Runtime: python3.13, Environment: {Variables: {"
        + ", ".join(f"V{n}: a" for n in range(9_000))
        + "}}}}\n"
        + resources("".join(f"  F{n}: {{Type: AWS::Serverless::Function}}\n" for n in range(400))),
        "produce too many values",
    ),
    "Select beyond": (name("!Select [99999999999999999999, [a]]"), "there is no element"),
    "Select of a half": (name("!Select [0.5, [a]]"), "there is no element"),
    "Select from the end": (name("!Select [-1, [a]]"), "there is no element"),
    "Select of infinity": (name("!Select [.inf, [a]]"), "there is no element"),
    "Select of a letter": (name("!Select [0, abc]"), "there is no element"),
    "Split by nothing": (name("!Select [0, !Split ['', abc]]"), "Split needs a separator"),
    "Join of a text": (name("!Join [',', abc]"), "Join needs a separator and a list"),
    "Join of mappings": (name("!Join [',', [{a: b}]]"), "text is expected here"),
    "a mapping of itself": (
        "Mappings: {M: {a: {b: !FindInMap [M, a, b]}}}\n" + name("!FindInMap [M, a, b]"),
        "must be text",
    ),
    "Ref of two lines": (name('!Ref "a\\nb"'), r"'a\nb' is neither"),
    "Ref of controls": (name('!Ref "\\e[31m\\u202e\\u2028"'), r"'\x1b[31m\u202e\u2028' is neither"),
    "Properties": ("Resources: {A: {Type: AWS::S3::Bucket, Properties: [1]}}", "Properties must be a mapping"),
    "Globals": (f"Globals: {{Function: [1]}}\n{schedule('Schedule: rate(1 minute)')}", "Function must be a mapping"),
    "Globals by reference": (
        f"Globals: {{Function: !Ref AWS::Region}}\n{schedule('Schedule: rate(1 minute)')}",
        "Function must be a mapping",
    ),
    "600 resources": (queues("Q{n}: {Type: AWS::SQS::Queue}", 600), "greater than maximum allowed, 500"),
    "an input that is not JSON": (schedule("Schedule: rate(1 minute), Input: '{'"), "is not JSON"),
    "a deep input": (schedule(f"Schedule: rate(1 minute), Input: '{'[' * 5_000}'"), "nested too deeply"),
    "an input of NaN": (schedule("Schedule: rate(1 minute), Input: NaN"), "not a number in JSON"),
}  # fmt: skip


@pytest.mark.parametrize("case", HOSTILE)
def test_a_hostile_template_is_one_line(tmp_path: Path, case: str) -> None:
    """Exit code 2 and a line that says what is wrong, in bounded time and memory."""
    content, said = HOSTILE[case]
    file = tmp_path / "t.yaml"
    file.write_bytes(content if isinstance(content, bytes) else content.encode())

    ended = CliRunner().invoke(app, ["check", "--template", str(file)])

    assert isinstance(ended.exception, SystemExit), ended.exception
    assert ended.exit_code == 2
    assert said in ended.output
    if ended.stderr:
        assert ended.stderr.startswith("stockpipe: ")
        assert ended.stderr.count("\n") == 1
        assert len(ended.stderr) < 2_100


@pytest.mark.parametrize("case", ["aliases of aliases", "names that double", "40,000 big references", "5,000 brackets"])
def test_a_hostile_template_takes_little_memory(tmp_path: Path, case: str) -> None:
    """The same in a process that may have half a gigabyte."""
    file = tmp_path / "t.yaml"
    file.write_bytes(str(HOSTILE[case][0]).encode())
    ended = subprocess.run(
        [sys.executable, "-m", "stockpipe", "check", "--template", str(file)],
        capture_output=True,
        text=True,
        cwd=ROOT,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES)),
    )
    assert (ended.returncode, ended.stderr.count("\n")) == (2, 1), ended.stderr


@pytest.mark.parametrize(
    "path", ["/dev/zero", "/dev/null", "/", "/proc/self/mem", "x" * 5_000, "/nowhere", "/dev/zero/a"]
)
def test_what_is_no_file_is_one_line(path: str) -> None:
    """Devices, which may never end, directories and names that no system takes are refused at once."""
    for arguments in (("check", "--template", path), ("simulate", "--scenario", f"{path}/x.yaml"),
                      ("check", "--parameters", path), ("compare", path, path)):  # fmt: skip
        ended = CliRunner().invoke(app, [*arguments])
        assert isinstance(ended.exception, SystemExit), ended.exception
        said = [line for line in ended.stderr.splitlines() if not line.startswith("  hint: ")]
        assert (ended.exit_code, len(said)) == (2, 1), ended.output


def test_what_only_looks_bad_is_read(tmp_path: Path) -> None:
    """Numbers to other bases, `=` as a text, and a Sub whose names do not end mean something, and are taken so."""
    endless = name("!Sub '" + "${" * 200_000 + "'")
    doubled = name("!Sub ['${a}${a}', {a: " * 20 + "y" + "}]" * 20)
    for text in (number("0x10"), number("1:30"), name("="), endless, doubled):
        (tmp_path / "t.yaml").write_text(text, encoding="utf-8")
        ended = CliRunner().invoke(app, ["check", "--template", str(tmp_path / "t.yaml")])
        assert "refused by AWS, 0 advised against, " in ended.stdout
        assert ended.stderr == ""
