"""What importing the handlers does on Lambda and nowhere else."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

SHOW = """
import os, ssl
import pipeline, sys
loaded = "aiohttp" in sys.modules
import aiohttp.connector
context = aiohttp.connector._SSL_CONTEXT_VERIFIED
from pipeline.environment import trusted_authorities
print(loaded, len(context.get_ca_certs()) > 0, context.verify_mode == ssl.CERT_REQUIRED,
      len(trusted_authorities({}).get_ca_certs()) > 0, os.environ.get("SSL_CERT_FILE"))
"""


@pytest.mark.parametrize("given", [None, "/etc/certificates.pem"])
def test_machines_certificates_are_not_read_on_lambda(given: str | None) -> None:
    """There aiohttp's own context trusts nobody; ours trusts botocore's authorities; the variable is restored."""
    environ = {"PATH": os.environ["PATH"], "PYTHONPATH": str(Path(__file__).parents[2])}
    environ |= {"AWS_LAMBDA_RUNTIME_API": "127.0.0.1:9"} | ({"SSL_CERT_FILE": given} if given else {})
    done = subprocess.run([sys.executable, "-c", SHOW], env=environ, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["True", "False", "True", "True", str(given)]


def test_elsewhere_nothing_is_imported_early() -> None:
    """Outside Lambda the package imports nothing and touches no variable."""
    environ = {"PATH": os.environ["PATH"], "PYTHONPATH": str(Path(__file__).parents[2])}
    done = subprocess.run([sys.executable, "-c", SHOW], env=environ, capture_output=True, text=True, check=True)
    assert done.stdout.split()[0] == "False"
    assert done.stdout.split()[4] == "None"
