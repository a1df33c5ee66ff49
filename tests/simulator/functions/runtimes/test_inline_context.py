"""What the inline runtime makes of a handler's name and module, and the time that its context has left."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from typing import Any

import pytest

from fakes import declare
from fakes.clock import ManualClock
from simulator.functions.runtimes import Invocation
from simulator.functions.runtimes.inline import LambdaContext, _load, _LoadError, _Setting


def test_a_context_says_what_the_variables_say(clock: ManualClock, capsys: pytest.CaptureFixture[str]) -> None:
    """And the milliseconds until the deadline, never below none; what it logs gets no line end."""
    environ = {
        "AWS_LAMBDA_LOG_GROUP_NAME": "group",
        "AWS_LAMBDA_LOG_STREAM_NAME": "stream",
        "AWS_LAMBDA_FUNCTION_NAME": "name",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "128",
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
    }
    function = declare.function()
    setting = _Setting(function, environ, lambda _: None, clock, None)
    context = LambdaContext(Invocation("id", {}, clock.now() + 2.5, "trace"), setting)
    assert (context.aws_request_id, context.invoked_function_arn) == ("id", function.arn)
    assert [context.log_group_name, context.log_stream_name, context.function_name] == ["group", "stream", "name"]
    assert [context.memory_limit_in_mb, context.function_version] == ["128", "$LATEST"]
    assert (context.identity.cognito_identity_id, context.client_context) == (None, None)
    assert context.get_remaining_time_in_millis() == 2500
    late = LambdaContext(Invocation("id", {}, clock.now() - 1, "trace"), setting)
    assert late.get_remaining_time_in_millis() == 0
    context.log(5)
    assert capsys.readouterr().out == "5"


@pytest.mark.parametrize(
    ("name", "error_type", "says"),
    [
        ("handler", "Runtime.MalformedHandlerName", "Bad handler 'handler'"),
        ("nowhere_at_all.handler", "Runtime.ImportModuleError", "No module named 'nowhere_at_all'"),
        ("inline_handler_.missing", "Runtime.HandlerNotFound", "'missing' missing on module 'inline_handler_'"),
        ("inline_broken_.handler", "Runtime.UserCodeSyntaxError", "Syntax error in module 'inline_broken_'"),
    ],
)
def test_a_handler_that_cannot_be_loaded(
    name: str, error_type: str, says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each way has the runtime client's own name and text."""
    (tmp_path / "inline_handler_.py").write_text("made = []\n")
    (tmp_path / "inline_broken_.py").write_text("def\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(_LoadError, match=says) as raised:
        _load(name, fresh=True)
    report: Any = raised.value.report
    assert report.error_type == error_type
    sys.modules.pop("inline_handler_", None)


def test_a_fresh_module_is_another_each_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Registered while it runs; the one that was there before is there again."""
    (tmp_path / "inline_fresh_.py").write_text("import sys\nmade = [sys.modules[__name__]]\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    before = importlib.import_module("inline_fresh_")
    one, other = (_load("inline_fresh_.made", fresh=True) for _ in range(2))
    theirs: Any = one
    assert theirs[0].made is one is not other
    assert sys.modules.pop("inline_fresh_") is before
