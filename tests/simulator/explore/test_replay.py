"""A finding as a file: whatever a world has comes back, and whatever is no such file is refused in one line."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from simulator.base.errors import InputError
from simulator.explore import replay
from simulator.explore.case import WorldCase
from simulator.explore.replay import RecordedWorld
from simulator.faults.plane import Fault
from simulator.run.sources import TimedPut

FAULTS = (Fault("s3.GetObject", 3, "s3-slow", 7.25), Fault("invoke.F", 0, "lambda-crash", 2.0))
PUTS = (
    TimedPut(0.0, "stocks/a b+c=ü.csv", "\ufeffticker,name\r\nACME,Bücher\n\0".encode(), "named"),
    TimedPut(1.25, "stocks/z.csv.gz", gzip.compress(b"x", mtime=0), "gzip"),
    TimedPut(2.0, "empty", b"", ""),
)
FULL = RecordedWorld(
    WorldCase(7, 600.5, PUTS, ('{"a": "ü"}', "", "two\nlines"), 4, faults=FAULTS),
    "invariant checks:a",
    "it is lost",
    {"FileCount": "1", "BatchWriter": "signed"},
    "app.yaml",
    "src",
    ("checks:a", "checks:b"),
    "my-bucket",
    "Queue",
)
EMPTY = RecordedWorld(WorldCase(0, 0.0, faults=()), "lost", "", {}, None, None, ())


def written(folder: Path, content: str | bytes) -> Path:
    """A file with this content."""
    file = folder / "world-7.json"
    file.write_bytes(content.encode() if isinstance(content, str) else content)
    return file


@pytest.mark.parametrize("recording", [FULL, EMPTY])
def test_a_recording_comes_back(recording: RecordedWorld, tmp_path: Path) -> None:
    """Text and binary objects, messages, faults and settings; the packaged template, and no load at all."""
    assert replay.read(written(tmp_path, replay.text(recording))) == recording


def test_text_can_be_read_by_people() -> None:
    """Only what is no text is encoded; the variant and the shares of a search are not needed."""
    content = json.loads(replay.text(FULL))
    assert content["schema"] == "stockpipe.world/1"
    assert [sorted(held.keys() & {"text", "base64"}) for held in content["objects"]] == [["text"], ["base64"], ["text"]]
    assert "Bücher" in replay.text(FULL)
    assert not {"variant", "shares"} & content.keys()


def test_a_variant_is_its_parameters(tmp_path: Path) -> None:
    """The world of the second variant is the first one of its own parameters."""
    case = WorldCase(7, 600.0, variant=7, shares={"s3-slow": 0.5}, faults=FAULTS)
    recording = RecordedWorld(case, "lost", "", {"BatchWriter": "aiobotocore"}, None, None, ())
    found = replay.read(written(tmp_path, replay.text(recording)))
    assert found.case == WorldCase(7, 600.0, faults=FAULTS)
    assert found.parameters == recording.parameters


def refused(file: Path) -> str:
    """The one line with which a file is refused."""
    with pytest.raises(InputError) as error:
        replay.read(file)
    said = str(error.value)
    assert said.startswith("--replay: ")
    assert str(file) in said
    first, *hint = [line for text in error.value.lines for line in text.splitlines()]
    assert len(hint) <= 1
    assert all(line.startswith("  hint: ") for line in hint)
    assert "Traceback" not in first
    return said


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    """Its name is said; a directory is none either."""
    assert "there is no file" in refused(tmp_path / "none.json")
    assert "is a directory" in refused(tmp_path)


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"\xff\xfe", b"[]", b"null", b"7", b'"stockpipe.world/1"', b"{}", b'{"schema": null}', b"[" * 100_000],
)
def test_what_is_no_recording_is_refused(content: bytes, tmp_path: Path) -> None:
    """Nothing, something else, and what is nested without end."""
    refused(written(tmp_path, content))


@pytest.mark.parametrize("schema", ["stockpipe.world/2", "stockpipe.explore/1", "stockpipe.world", "", 1, None])
def test_a_file_of_another_schema_is_refused(schema: object, tmp_path: Path) -> None:
    """Even if all the rest is as it should be."""
    content = json.loads(replay.text(FULL)) | {"schema": schema}
    assert "is not a world that explore wrote" in refused(written(tmp_path, json.dumps(content)))


KEYS = sorted(json.loads(replay.text(FULL)).keys() - {"versions"})


@pytest.mark.parametrize("key", KEYS)
def test_a_file_without_a_part_is_refused(key: str, tmp_path: Path) -> None:
    """Whichever it is; only the versions are for people."""
    content = json.loads(replay.text(FULL))
    del content[key]
    refused(written(tmp_path, json.dumps(content)))
    whole = json.loads(replay.text(FULL))
    del whole["versions"]
    assert replay.read(written(tmp_path, json.dumps(whole))) == FULL


def at(*path: str | int, value: object) -> Callable[[Any], None]:
    """Sets what is at a place of the content."""

    def change(content: Any) -> None:
        for step in path[:-1]:
            content = content[step]
        content[path[-1]] = value

    return change


def gone(*path: str | int) -> Callable[[Any], None]:
    """Takes away what is at a place of the content."""

    def change(content: Any) -> None:
        for step in path[:-1]:
            content = content[step]
        del content[path[-1]]

    return change


MUTATIONS: dict[str, Callable[[Any], None]] = {
    "a seed that is no number": at("seed", value="many"),
    "no seed": at("seed", value=None),
    "a seed without end": at("seed", value=float("inf")),
    "a seed that is a list": at("seed", value=[]),
    "a storm that is no number": at("storm_s", value="long"),
    "a storm without end": at("storm_s", value=float("inf")),
    "a storm that ends before it begins": at("storm_s", value=-1),
    "ticks that are none": at("ticks", value={}),
    "ticks below zero": at("ticks", value=-1),
    "faults that are no list": at("faults", value=7),
    "faults that are text": at("faults", value="s3-slow"),
    "a fault that is text": at("faults", 0, value="s3-slow"),
    "a fault that is nothing": at("faults", 0, value=None),
    "a kind that there is not": at("faults", 0, "kind", value="s3-slov"),
    "a kind that is no text": at("faults", 0, "kind", value=7),
    "a fault without a site": gone("faults", 0, "site"),
    "a fault without an ordinal": gone("faults", 0, "ordinal"),
    "a fault without a kind": gone("faults", 0, "kind"),
    "a fault without an argument": gone("faults", 0, "argument"),
    "an ordinal that is no number": at("faults", 0, "ordinal", value="third"),
    "an ordinal below zero": at("faults", 0, "ordinal", value=-1),
    "a part of an ordinal": at("faults", 0, "ordinal", value=1.5),
    "a fault at a site where it cannot strike": at("faults", 0, "site", value="dynamodb.BatchWriteItem"),
    "a fault at a site that there is not": at("faults", 0, "site", value="GetObject"),
    "an argument without end": at("faults", 0, "argument", value=float("inf")),
    "an ordinal without end": at("faults", 0, "ordinal", value=float("inf")),
    "an argument that is no number": at("faults", 0, "argument", value="a little"),
    "an argument that is a list": at("faults", 0, "argument", value=[1]),
    "objects that are no list": at("objects", value=7),
    "an object that is text": at("objects", 0, value="a.csv"),
    "an object without a key": gone("objects", 0, "key"),
    "an object without a time": gone("objects", 0, "at_s"),
    "an object without what it is": gone("objects", 0, "what"),
    "an object without content": gone("objects", 0, "text"),
    "a time before the beginning": at("objects", 0, "at_s", value=-0.5),
    "a time that is no number": at("objects", 0, "at_s", value="soon"),
    "content that is no base64": at("objects", 1, "base64", value="%%%"),
    "content that is cut off": at("objects", 1, "base64", value="QUJ"),
    "content that is a number": at("objects", 1, "base64", value=7),
    "messages that are no list": at("messages", value=7),
    "messages that are one text": at("messages", value="hello"),
    "invariants that are no list": at("invariants", value=None),
    "invariants that are one text": at("invariants", value="checks:a"),
    "parameters that are a list": at("parameters", value=["FileCount"]),
    "parameters that are nothing": at("parameters", value=None),
}


@pytest.mark.parametrize("change", MUTATIONS.values(), ids=MUTATIONS.keys())
def test_a_malformed_file_is_refused(change: Callable[[Any], None], tmp_path: Path) -> None:
    """In one line with the file's name; never with a traceback, and never half read."""
    content = json.loads(replay.text(FULL))
    change(content)
    assert content != json.loads(replay.text(FULL))
    refused(written(tmp_path, json.dumps(content)))


def test_a_kind_is_named_with_the_one_that_may_be_meant(tmp_path: Path) -> None:
    """A file from a later version may have a kind that this one has not."""
    content = json.loads(replay.text(FULL))
    content["faults"][0]["kind"] = "s3-slov"
    assert "did you mean 's3-slow'" in refused(written(tmp_path, json.dumps(content)))
