"""Functions in both forms: where their code is, what their layers are, and whose they are."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from simulator.stack.model import Stack
from simulator.stack.packaged import packaged_template
from simulator.stack.template import TemplateError

Load = Callable[..., Stack]


def sam(properties: str, globals_: str = "") -> str:
    """A SAM function F."""
    return (
        f"Globals: {{Function: {{Handler: app.handler, Runtime: python3.13{globals_}}}}}\n"
        f"Resources:\n  F: {{Type: AWS::Serverless::Function, Properties: {{{properties}}}}}\n"
    )


def plain(properties: str) -> str:
    """A function F without SAM."""
    return f"Resources:\n  F: {{Type: AWS::Lambda::Function, Properties: {{{properties}}}}}\n"


@pytest.mark.parametrize(
    ("text", "code", "source"),
    [
        (sam("CodeUri: src/"), "src", None),
        (sam("CodeUri: ./dist/code.zip"), "dist/code.zip", None),
        (sam(""), ".", None),
        (sam("", ", CodeUri: shared"), "shared", None),
        (sam("CodeUri: s3://bucket/key"), None, None),
        (sam("CodeUri: {Bucket: b, Key: k}"), None, None),
        (sam("InlineCode: 'def handler(*_): 1'"), None, "def handler(*_): 1"),
        (plain("Handler: a.b, Runtime: python3.13, Code: src"), "src", None),
        (plain("Handler: a.b, Runtime: python3.13, Code: {ZipFile: 'x = 1'}"), None, "x = 1"),
        (plain("Handler: a.b, Runtime: python3.13, Code: {S3Bucket: b, S3Key: k}"), None, None),
        (plain("Handler: a.b, Runtime: python3.13"), None, None),
    ],
)
def test_code_is_beside_the_template_or_in_it(
    load_text: Load, tmp_path: Path, text: str, code: str | None, source: str | None
) -> None:
    """Paths are relative to the template's folder; code in a bucket is not at hand."""
    function = load_text(text).functions["F"]
    assert function.code == (None if code is None else tmp_path / code)
    assert function.source == source


@pytest.mark.parametrize(
    "text", [sam("PackageType: Image"), sam("ImageUri: x"), plain("Code: {ImageUri: x}"), plain("PackageType: Image")]
)
def test_a_container_image_needs_neither_handler_nor_runtime(load_text: Load, text: str) -> None:
    """It is read, so that the rest of its template can be used."""
    function = load_text(text.replace("Handler: app.handler, Runtime: python3.13", "")).functions["F"]
    assert (function.handler, function.runtime, function.code, function.source) == ("", "", None, None)


def test_other_functions_need_both(load_text: Load) -> None:
    """The handler and the runtime of a zip are required."""
    for text, missing in ((plain("Runtime: python3.13"), "Handler"), (plain("Handler: a.b"), "Runtime")):
        with pytest.raises(TemplateError, match=f"{missing} is required"):
            load_text(text)


def test_layers_are_folders_or_arns(load_text: Load, tmp_path: Path) -> None:
    """A layer of the template is its folder; one in a bucket, or of somebody else, is its ARN."""
    text = sam("Layers: [!Ref Own, !Ref Plain, !Ref Remote, 'arn:aws:lambda:us-east-1:1:layer:theirs:7']") + (
        "  Own: {Type: AWS::Serverless::LayerVersion, Properties: {ContentUri: layers/own}}\n"
        "  Plain: {Type: AWS::Lambda::LayerVersion, Properties: {Content: layers/plain}}\n"
        "  Remote: {Type: AWS::Lambda::LayerVersion, Properties: {Content: {S3Bucket: b, S3Key: k}}}\n"
    )
    stack = load_text(text)
    assert stack.functions["F"].layers == (
        tmp_path / "layers/own",
        tmp_path / "layers/plain",
        "arn:aws:lambda:us-east-1:123456789012:stockpipe-Remote",
        "arn:aws:lambda:us-east-1:1:layer:theirs:7",
    )
    assert stack.ignored == ()


def test_globals_are_merged_as_sam_does(load_text: Load) -> None:
    """Lists are joined, the shared ones first; mappings merge; anything else is the function's own, if it has one."""
    shared = ", Layers: [shared], Timeout: 9, MemorySize: 512, Environment: {Variables: {A: shared, B: shared}}"
    own = "Layers: [own], Timeout: 7, Environment: {Variables: {B: own, C: own}}"
    function = load_text(sam(own, shared)).functions["F"]
    assert (function.layers, function.timeout_s, function.memory_mb) == (("shared", "own"), 7, 512)
    assert function.environment == {"A": "shared", "B": "own", "C": "own"}


def test_a_plain_functions_dead_letter_queue_is_read(load_text: Load) -> None:
    """CloudFormation calls it DeadLetterConfig."""
    text = plain("Handler: a.b, Runtime: python3.13, DeadLetterConfig: {TargetArn: 'arn:x'}")
    assert load_text(text).functions["F"].asynchronous.dead_letter_arn == "arn:x"


OWN = "Handler: pipeline.consumer.handler, Runtime: python3.13, CodeUri: code"


def test_the_pipelines_handler_is_recognised(load_text: Load, tmp_path: Path) -> None:
    """A function is the pipeline's under the contract's id, without code of that name, or with this very code."""
    theirs = tmp_path / "code/pipeline/consumer.py"
    assert load_text(sam(OWN)).functions["F"].is_own
    theirs.parent.mkdir(parents=True)
    theirs.symlink_to(packaged_template().with_name("consumer.py"))
    assert load_text(sam(OWN)).functions["F"].is_own
    theirs.unlink()
    shutil.copy(packaged_template().with_name("consumer.py"), theirs)
    assert not load_text(sam(OWN)).functions["F"].is_own
    assert load_text(sam(OWN).replace("F:", "ConsumerLambda:")).functions["ConsumerLambda"].is_own
    assert not load_text(sam("CodeUri: code")).functions["F"].is_own
