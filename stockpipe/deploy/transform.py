"""The template as a document to send: YAML with short intrinsics -> plain JSON, code locations, the SAM transform.

`simulator.stack.template` owns what a template means; here it is only rewritten, value for value.
"""

from __future__ import annotations

import copy
import json
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from simulator.base.errors import InputError

FUNCTION_TYPE = "AWS::Serverless::Function"
_BARE_NAMES = ("Ref", "Condition")


class _LongForm(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """Reads `!GetAtt a.b` as `{"Fn::GetAtt": ["a", "b"]}`; a date stays text, as CloudFormation has it."""


def _intrinsic(loader: yaml.SafeLoader, suffix: str, node: yaml.Node) -> dict[str, Any]:
    argument: Any
    if isinstance(node, yaml.ScalarNode):
        argument = loader.construct_scalar(node)
        if suffix == "GetAtt":
            argument = argument.split(".", 1)
    elif isinstance(node, yaml.SequenceNode):
        argument = loader.construct_sequence(node, deep=True)
    else:
        assert isinstance(node, yaml.MappingNode)  # noqa: S101 (there is no fourth kind)
        argument = loader.construct_mapping(node, deep=True)
    return {suffix if suffix in _BARE_NAMES else f"Fn::{suffix}": argument}


_LongForm.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_LongForm.add_multi_constructor("!", _intrinsic)


def read_template(path: Path) -> dict[str, Any]:
    """The template as plain mappings, intrinsic functions in their long form. Raises `InputError`."""
    try:
        document = yaml.load(path.read_text(encoding="utf-8"), Loader=_LongForm)  # noqa: S506 (a SafeLoader)
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path} cannot be read: {getattr(error, 'strerror', None) or error}") from None
    except yaml.YAMLError as error:
        raise InputError(f"{path} is not YAML: {' '.join(str(error).split())}") from None
    if not isinstance(document, dict) or not isinstance(document.get("Resources"), dict):
        raise InputError(f"{path} is not a CloudFormation template: it declares no Resources")
    return document


def with_code(template: Mapping[str, Any], bucket: str, key: str) -> dict[str, Any]:
    """A copy in which every function takes its code from `s3://bucket/key`, and `sam build` has nothing left to do."""
    result = copy.deepcopy(dict(template))
    for resource in result["Resources"].values():
        if resource.get("Type") == FUNCTION_TYPE:
            resource["Properties"]["CodeUri"] = {"Bucket": bucket, "Key": key}
            resource.pop("Metadata", None)
    return result


def body(template: Mapping[str, Any]) -> str:
    """The document as the shortest JSON."""
    return json.dumps(template, separators=(",", ":"))


def translate(template: Mapping[str, Any], parameters: Mapping[str, str], region: str) -> dict[str, Any]:
    """What CloudFormation's serverless transform makes of a SAM template, for engines that do not have it.

    Needs the package aws-sam-translator. Raises `InputError` with the translator's own words.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the translator's own dependencies warn at import
            import boto3
            from samtranslator.model.exceptions import InvalidDocumentException
            from samtranslator.parser.parser import Parser
            from samtranslator.translator.translator import Translator
    except ImportError:
        raise InputError("the local transform needs the SAM translator: pip install aws-sam-translator") from None
    defaults = {
        name: str(definition["Default"])
        for name, definition in template.get("Parameters", {}).items()
        if "Default" in definition
    }
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        # Keys only: no call is made with them, but the translator asks the session for a region.
        session = boto3.Session(region_name=region, aws_access_key_id="none", aws_secret_access_key="none")  # noqa: S106
        translator = Translator({}, Parser(), boto_session=session)
        try:
            translated: dict[str, Any] = translator.translate(copy.deepcopy(dict(template)), {**defaults, **parameters})
        except InvalidDocumentException as error:
            causes = "; ".join(str(cause.message) for cause in error.causes) or str(error.message)
            raise InputError(f"the SAM translator refuses the template: {causes}") from None
    return translated
