"""Accepts orders: one message is one order, which is stored once however often its message comes."""

from __future__ import annotations

import json
import os
from decimal import Decimal
from typing import Any

import boto3
from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from botocore.exceptions import ClientError

logger = Logger()
processor = BatchProcessor(event_type=EventType.SQS)
orders = boto3.resource("dynamodb").Table(os.environ["ORDERS_TABLE"])


def accept(record: SQSRecord) -> None:
    """Store an order; a second message with the same order changes nothing."""
    order = json.loads(record.body, parse_float=Decimal)
    item = {
        "customer": order["customer"],
        "order": order["order"],
        "day": order["at"][:10],
        "total": sum((Decimal(line["price"]) * line["quantity"] for line in order["lines"]), Decimal(0)),
    }
    try:
        orders.put_item(Item=item, ConditionExpression="attribute_not_exists(customer)")
    except ClientError as error:
        if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
            raise
        logger.info("order was there already", extra={"order": order["order"]})


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Accept every order of a batch; those that fail come back alone."""
    return process_partial_response(event=event, record_handler=accept, processor=processor, context=context)
