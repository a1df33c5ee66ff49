"""What importing the package does to the process's variables, on Lambda and elsewhere."""

from __future__ import annotations

import builtins
import os
import runpy

import pytest


@pytest.fixture
def imported(monkeypatch):
    """Call it to import the package: returns the certificates named when it imports aiohttp, if it does."""
    real = builtins.__import__

    def run():
        seen = []

        def watched(name, *arguments, **options):
            if name != "aiohttp":
                return real(name, *arguments, **options)
            seen.append(os.environ.get("SSL_CERT_FILE"))
            return None

        with monkeypatch.context() as patch:
            patch.setattr(builtins, "__import__", watched)
            # Under this name, it is not the package that is imported already.
            runpy.run_module("pipeline.__init__")
        return seen

    return run


@pytest.mark.parametrize("given", [None, "/etc/certificates.pem"])
def test_on_lambda_aiohttp_is_imported_without_certificates(imported, monkeypatch, given):
    """Afterwards the variable is restored, whether it was set or not."""
    monkeypatch.setenv("AWS_LAMBDA_RUNTIME_API", "127.0.0.1:9001")
    monkeypatch.setenv("SSL_CERT_FILE", given or "")
    if given is None:
        monkeypatch.delenv("SSL_CERT_FILE")

    assert imported() == [os.devnull]

    assert os.environ.get("SSL_CERT_FILE") == given


def test_elsewhere_aiohttp_is_not_imported(imported, monkeypatch):
    """No variable is touched."""
    monkeypatch.delenv("AWS_LAMBDA_RUNTIME_API", raising=False)
    monkeypatch.setenv("SSL_CERT_FILE", "/etc/certificates.pem")

    assert imported() == []

    assert os.environ["SSL_CERT_FILE"] == "/etc/certificates.pem"
