"""Checks of the URLs among the settings: each returns the text, or raises ValueError."""

import re
from collections.abc import Callable, Mapping
from ipaddress import ip_address
from urllib.parse import parse_qsl, unquote, urlsplit

MAX_HOST = 253  # characters of a name, each part of which may have 63
_LABEL = re.compile(r"[A-Za-z0-9_-]{1,63}")
_QUEUE_NAME = re.compile(r"[a-z_]+")
_REDIS_DATABASE = re.compile(r"/?|/[0-9]{1,9}")


def _url(text: str, schemes: set[str], parameters: Mapping[str, set[str] | None]) -> str:
    """Check scheme, host, port and parameters; a parameter with a set takes one of its values."""
    if not text.isprintable() or " " in text or "#" in text or "\x00" in unquote(text):
        raise ValueError("a character that no URL has")
    parts = urlsplit(text)  # a port that is no number raises ValueError when it is read
    given = parse_qsl(parts.query, keep_blank_values=True, strict_parsing=bool(parts.query))
    is_known = parts.scheme in schemes and text.startswith(parts.scheme)
    if not is_known or parts.port == 0 or any(name not in parameters for name, _ in given):
        raise ValueError("scheme, port or parameter")
    for name, value in given:
        allowed = parameters[name]
        is_relative = name == "unix_sock" and not value.startswith("/")
        if not value or is_relative or (allowed is not None and value not in allowed):
            raise ValueError("value of a parameter")
    if len(dict(given)) < len(given):
        raise ValueError("a parameter that stands twice")
    is_socket = not parts.hostname and "unix_sock" in dict(given)
    if not is_socket and (parts.netloc.endswith(":") or not _is_host(parts.hostname or "")):
        raise ValueError("host")
    return text


def _is_host(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        labels = name.removesuffix(".").split(".")
        return len(name) <= MAX_HOST and all(_LABEL.fullmatch(label) for label in labels)
    return True


def _http_url(text: str) -> str:
    return _url(text, {"http", "https"}, {})


def endpoint_url(text: str) -> str:
    """Check the address of an emulator of AWS; the SDK takes the empty text for none."""
    return _http_url(text) if text else text


def queue_url(text: str) -> str:
    """Check the URL of a queue."""
    if len(urlsplit(text).path) < len("/q"):
        raise ValueError("queue")
    return _http_url(text)


def queue_urls(text: str) -> str:
    """Check queues as name=URL, with commas between them."""
    names = [pair.partition("=")[0] for pair in text.split(",")]
    if len(set(names)) < len(names) or not all(_QUEUE_NAME.fullmatch(name) for name in names):
        raise ValueError("name")
    for url in by_name(text).values():
        queue_url(url)
    return text


def optional(check: Callable[[str], str]) -> Callable[[str | None], str | None]:
    """Return a check that lets a missing value pass."""
    return lambda text: None if text is None else check(text)


def database_url(text: str) -> str:
    """Check the URL of a database."""
    _url(text, {"postgresql+pg8000"}, {"unix_sock": None, "sslmode": {"disable", "verify-full"}})
    parts = urlsplit(text)
    if len(parts.path) < len("/d") or not parts.username:
        raise ValueError("database or user")
    return text


def redis_url(text: str) -> str:
    """Check the URL of Redis."""
    parts = urlsplit(text)
    if not _REDIS_DATABASE.fullmatch(parts.path):
        raise ValueError("database")
    return _url(text, {"redis", "rediss"}, {"ssl_ca_certs": None} if parts.scheme == "rediss" else {})


def by_name(urls: str) -> dict[str, str]:
    """Return queues by their names."""
    return dict(pair.split("=", maxsplit=1) for pair in urls.split(","))
