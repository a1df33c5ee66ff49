"""The template as a document to send: code locations, plain JSON, the SAM transform.

`simulator.stack` defines how a template is read and what it means; this file only rewrites it, value for value.
"""

from __future__ import annotations

import copy
import json
import warnings
from collections.abc import Mapping
from typing import Any

from simulator.base.errors import InputError

FUNCTION_TYPE = "AWS::Serverless::Function"


def with_code(template: Mapping[str, Any], bucket: str, key: str) -> dict[str, Any]:
    """A copy in which every function takes its code from `s3://bucket/key`, so `sam build` has nothing to do."""
    result: dict[str, Any] = json.loads(body(template))
    for resource in result["Resources"].values():
        if resource.get("Type") == FUNCTION_TYPE:
            resource["Properties"]["CodeUri"] = {"Bucket": bucket, "Key": key}
            resource.pop("Metadata", None)
    return result


def body(template: Mapping[str, Any]) -> str:
    """The document as the shortest JSON."""
    return json.dumps(template, separators=(",", ":"))


def translate(template: Mapping[str, Any], parameters: Mapping[str, str], region: str) -> dict[str, Any]:
    """The result of CloudFormation's serverless transform on a SAM template, for endpoints without it.

    It needs the package aws-sam-translator. Raises `InputError` with the translator's own words.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the translator's own dependencies warn at import
            import boto3
            from samtranslator.model.exceptions import InvalidDocumentException
            from samtranslator.parser.parser import Parser
            from samtranslator.translator.translator import Translator
    except ImportError:
        raise InputError("--local-transform needs the SAM translator", hint="pip install aws-sam-translator") from None
    known = template.get("Parameters", {}).items()
    defaults = {name: str(definition["Default"]) for name, definition in known if "Default" in definition}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        # Only to have keys: no call is made with them, but the translator asks the session for a region.
        session = boto3.Session(region_name=region, aws_access_key_id="none", aws_secret_access_key="none")  # noqa: S106
        translator = Translator({}, Parser(), boto_session=session)
        try:
            translated: dict[str, Any] = translator.translate(copy.deepcopy(dict(template)), {**defaults, **parameters})
        except InvalidDocumentException as error:
            causes = "; ".join(str(cause.message) for cause in error.causes) or str(error.message)
            raise InputError(f"the SAM translator refused the template: {causes}") from None
    return translated
