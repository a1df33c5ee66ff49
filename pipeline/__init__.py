"""The code that runs on Lambda, and the SAM template that describes it. It imports no other package of this project."""

import os

if "AWS_LAMBDA_RUNTIME_API" in os.environ:
    # aiohttp reads the machine's certificates at import, a tenth of the cold start, for a context that nothing here
    # uses: our TLS trusts botocore's authorities. With none to read, that context would refuse every server.
    _certificates = os.environ.get("SSL_CERT_FILE")
    os.environ["SSL_CERT_FILE"] = os.devnull
    try:
        import aiohttp as _  # noqa: F401
    finally:
        if _certificates is None:
            del os.environ["SSL_CERT_FILE"]
        else:
            os.environ["SSL_CERT_FILE"] = _certificates
