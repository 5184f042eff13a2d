"""What an error of boto3 means, by its class, status and code, never by its text.

https://docs.aws.amazon.com/eventbridge/latest/APIReference/CommonErrors.html
https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/CommonErrors.html
"""

from __future__ import annotations

from http import HTTPStatus

from botocore.exceptions import ClientError, ParamValidationError

# Client errors that say nothing about the content of the call: a smaller call would fail as well.
_ABOUT_THE_CALLER = frozenset(
    {
        "AccessDenied",
        "AccessDeniedException",
        "ExpiredToken",
        "ExpiredTokenException",
        "IncompleteSignature",
        "InvalidClientTokenId",
        "InvalidSignatureException",
        "MissingAuthenticationToken",
        "NotAuthorized",
        "OptInRequired",
        "OverLimit",
        "QueueDoesNotExist",
        "AWS.SimpleQueueService.NonExistentQueue",
        "RequestExpired",
        "RequestThrottled",
        "ResourceNotFoundException",
        "SignatureDoesNotMatch",
        "Throttling",
        "ThrottlingException",
        "UnrecognizedClientException",
    }
)
_ABOUT_THE_CONTENT = frozenset({HTTPStatus.BAD_REQUEST, HTTPStatus.REQUEST_ENTITY_TOO_LARGE})


def error_code_of(error: Exception) -> str:
    """Return the code of a service's error, else the name of the error's class."""
    if isinstance(error, ClientError):
        return error.response.get("Error", {}).get("Code") or type(error).__name__
    return type(error).__name__


def concerns_the_content(error: Exception) -> bool:
    """Tell whether an entry of the call may have caused the error, so that halves of it may succeed."""
    if isinstance(error, ParamValidationError):
        return True
    code = error_code_of(error)
    if not isinstance(error, ClientError) or code in _ABOUT_THE_CALLER or code.startswith("Kms"):
        return False
    return error.response.get("ResponseMetadata", {}).get("HTTPStatusCode") in _ABOUT_THE_CONTENT
