"""Requests without a signature: AWS allows what a policy or an ACL allows to anyone, and refuses the rest.

Sources: S3 User Guide, "Access control list (ACL) overview" and "Blocking public access to your Amazon S3 storage"; SQS
API Reference, "Common Errors"; DynamoDB Developer Guide, "Error handling with DynamoDB".
"""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote

from simulator.base.policies import allows_anyone, read_policy
from simulator.store.moto import state as moto_state
from simulator.store.sqs import moto_queue
from simulator.store.wire.aws_errors import AwsError
from simulator.store.wire.messages import Routed

_ALL_USERS = "http://acs.amazonaws.com/groups/global/AllUsers"
# The names of S3's operations in policies, where they differ from the operations'.
_ACTIONS = {
    "HeadObject": "GetObject", "HeadBucket": "ListBucket", "ListObjects": "ListBucket", "ListObjectsV2": "ListBucket",
    "ListObjectVersions": "ListBucketVersions", "CreateMultipartUpload": "PutObject", "UploadPart": "PutObject",
    "CompleteMultipartUpload": "PutObject", "PostObject": "PutObject", "CopyObject": "PutObject",
    "DeleteObjects": "DeleteObject",
}  # fmt: skip
# What an ACL's permissions allow on an object and on a bucket.
_OF_OBJECTS = {"GetObject": "READ", "GetObjectAcl": "READ_ACP", "PutObjectAcl": "WRITE_ACP"}
_OF_BUCKETS = {
    "ListBucket": "READ", "ListBucketVersions": "READ", "PutObject": "WRITE", "DeleteObject": "WRITE",
    "GetBucketAcl": "READ_ACP", "PutBucketAcl": "WRITE_ACP",
}  # fmt: skip


def check_unsigned(routed: Routed) -> None:
    """Raise AWS's error for a request without a signature, unless anyone may make it."""
    if routed.service == "s3":
        _check_s3(routed)
    elif routed.service == "sqs":
        _check_sqs(routed)
    elif routed.service.startswith("dynamodb"):
        raise AwsError("MissingAuthenticationTokenException", "Request is missing Authentication Token")


def _check_sqs(routed: Routed) -> None:
    # Signatures older than version 4 are in the form.
    if routed.is_query and b"AWSAccessKeyId=" in routed.request.body:
        return
    queue = moto_queue.queue_of(routed)
    action = f"sqs:{routed.operation.removesuffix('Batch')}"
    if queue is not None and allows_anyone(queue.__dict__.get("_policy_json"), action, queue.queue_arn):
        return
    code = "MissingAuthenticationToken" if routed.is_query else "MissingAuthenticationTokenException"
    text = "Request must contain either a valid (registered) AWS access key ID or X.509 certificate."
    raise AwsError(code, text, status=403)


def _check_s3(routed: Routed) -> None:
    request = routed.request
    # A browser's preflight has no signature; the signature of a form is in the form.
    if request.method == "OPTIONS" or (routed.operation == "PostObject" and b"ignature" in request.body):
        return
    name, raw_key = request.bucket_and_key
    bucket = moto_state.bucket_named(name)
    if bucket is None and name and routed.operation != "CreateBucket":
        return  # moto reports that there is none
    if bucket is None or not _anyone_may(bucket, unquote(raw_key, errors="replace"), routed.operation):
        raise AwsError("AccessDenied", "Access Denied", status=403)


def _anyone_may(bucket: Any, key_name: str, operation: str) -> bool:
    action, block = _ACTIONS.get(operation, operation), bucket.public_access_block
    arn = f"{bucket.arn}/{key_name}" if key_name else bucket.arn
    policy = read_policy(bucket.policy)
    if policy is not None and not (block and block.restrict_public_buckets):
        if allows_anyone(policy, f"s3:{action}", arn):
            return True
        if allows_anyone(policy, f"s3:{action}", arn, effect="Deny"):
            return False
    if block and block.ignore_public_acls:
        return False
    if action in _OF_OBJECTS:
        key = bucket.keys.get(key_name)
        return _grants(getattr(key, "acl", None), _OF_OBJECTS[action])
    return action in _OF_BUCKETS and _grants(bucket.acl, _OF_BUCKETS[action])


def _grants(acl: Any, permission: str) -> bool:
    """Whether one of moto's ACLs gives the permission to all users."""
    return any(
        {permission, "FULL_CONTROL"}.intersection(grant.permissions)
        and any(grantee.uri == _ALL_USERS for grantee in grant.grantees)
        for grant in (acl.grants if acl else ())
    )
