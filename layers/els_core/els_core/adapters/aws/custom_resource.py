"""Runs the work of a CloudFormation custom resource and sends its response, whatever happens.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/crpg-ref-responses.html
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from urllib3 import PoolManager

if TYPE_CHECKING:
    from collections.abc import Callable

# Constant, so that an update never makes CloudFormation delete an "old" resource.
PHYSICAL_ID = "els-database-schema"


def answer(event: dict[str, Any], log_stream: str, work: Callable[[], str]) -> dict[str, Any]:
    """Run the work for Create, Update and a direct invocation; Delete keeps the data and succeeds."""
    if "ResponseURL" not in event:
        return {"revision": work()}
    response = {
        "PhysicalResourceId": PHYSICAL_ID,
        "StackId": event["StackId"],
        "RequestId": event["RequestId"],
        "LogicalResourceId": event["LogicalResourceId"],
        "Status": "SUCCESS",
        "Reason": f"see the log stream {log_stream}",
    }
    try:
        if event["RequestType"] != "Delete":
            response["Data"] = {"Revision": work()}
    except Exception as failure:  # noqa: BLE001 - without a response the stack waits for an hour
        response |= {"Status": "FAILED", "Reason": f"{failure}; see the log stream {log_stream}"[:4_000]}
    body = json.dumps(response).encode()
    PoolManager().request("PUT", event["ResponseURL"], body=body, headers={"Content-Type": ""}, retries=3)
    return response
