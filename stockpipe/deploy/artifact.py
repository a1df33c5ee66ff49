"""The bucket from which Lambda reads code: one per account and region, filled by content hash, emptied and removed.

And what any bucket of a deployment holds, because a removal counts and empties it first.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from simulator.base.errors import CouldNotFinish
from stockpipe.deploy.aws import FORBIDDEN, Aws, dns_suffix, error_code, if_present

if TYPE_CHECKING:
    from types_aiobotocore_s3 import S3Client

_PAGE = 1000
"""How many keys one request deletes (S3 API Reference, "DeleteObjects")."""


def bucket_name(aws: Aws) -> str:
    """The artifact bucket's name, unique per account and region."""
    return f"stockpipe-artifacts-{aws.account}-{aws.region}"


async def ensure_bucket(aws: Aws) -> bool:
    """Create the artifact bucket if it does not exist: private, TLS only, with expiring uploads. True if created.

    Raises `CouldNotFinish` when the name belongs to another account.
    """
    s3, name = await aws.s3(), bucket_name(aws)
    if await bucket_exists(aws, name):
        return False
    where: Any = {"CreateBucketConfiguration": {"LocationConstraint": aws.region}}
    await s3.create_bucket(Bucket=name, **({} if aws.region == "us-east-1" else where))
    refusals = ("BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets")
    private: Any = dict.fromkeys(refusals, True)
    await s3.put_public_access_block(Bucket=name, PublicAccessBlockConfiguration=private)
    await s3.put_bucket_tagging(Bucket=name, Tagging={"TagSet": [{"Key": "project", "Value": "stockpipe"}]})
    return True


async def bucket_exists(aws: Aws, name: str) -> bool:
    """Whether the bucket exists and belongs to this account; `CouldNotFinish` if it belongs to another."""
    s3 = await aws.s3()
    try:
        return await if_present(s3.head_bucket(Bucket=name, ExpectedBucketOwner=aws.account)) is not None
    except ClientError as error:
        if error_code(error) not in FORBIDDEN:
            raise
        why = "belongs to another account, or the permission s3:ListBucket on it is missing"
        raise CouldNotFinish(f"the bucket '{name}' {why}") from None


async def upload(aws: Aws, file: Path, key: str) -> bool:
    """Put the file under a key that identifies its content; true if it was not there yet."""
    s3, bucket = await aws.s3(), bucket_name(aws)
    place: Any = {"Bucket": bucket, "Key": key, "ExpectedBucketOwner": aws.account}
    if await if_present(s3.head_object(**place)) is not None:
        return False
    await s3.put_object(**place, Body=await asyncio.to_thread(file.read_bytes), ChecksumAlgorithm="SHA256")
    return True


async def upload_text(aws: Aws, text: str, key: str) -> str:
    """Put a text under a key; returns its URL in the form that CloudFormation accepts."""
    s3, bucket = await aws.s3(), bucket_name(aws)
    await s3.put_object(Bucket=bucket, Key=key, Body=text.encode(), ExpectedBucketOwner=aws.account)
    return f"https://{bucket}.s3.{aws.region}.{dns_suffix(aws.region)}/{key}"


async def empty_bucket(s3: S3Client, bucket: str, progress: Callable[[int], None]) -> int:
    """Delete every object and every version, a page at a time; returns how many. `progress` gets the running total."""
    deleted = 0
    pages = s3.get_paginator("list_object_versions")
    async for page in pages.paginate(Bucket=bucket, PaginationConfig={"PageSize": _PAGE}):
        found = [*page.get("Versions", []), *page.get("DeleteMarkers", [])]
        if not found:
            continue
        objects: Any = [{"Key": version["Key"], "VersionId": version["VersionId"]} for version in found]
        answer = await s3.delete_objects(Bucket=bucket, Delete={"Objects": objects, "Quiet": True})
        for error in answer.get("Errors", []):
            why = error.get("Message") or error.get("Code")
            raise CouldNotFinish(f"s3://{bucket}/{error.get('Key', '')} cannot be deleted: {why}")
        deleted += len(found)
        progress(deleted)
    return deleted


async def count_objects(aws: Aws, bucket: str, prefix: str = "", *, most: float = math.inf) -> tuple[int, int]:
    """How many objects are under a prefix, and their bytes; it stops at the page that reaches `most` objects."""
    objects = size = 0
    async for page in (await aws.s3()).get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
        objects += page.get("KeyCount", 0)
        size += sum(entry["Size"] for entry in page.get("Contents", []))
        if objects >= most:
            break
    return objects, size


async def remove_bucket(aws: Aws, bucket: str) -> None:
    """Empty the bucket and delete it."""
    s3 = await aws.s3()
    await empty_bucket(s3, bucket, lambda _: None)
    await s3.delete_bucket(Bucket=bucket, ExpectedBucketOwner=aws.account)
