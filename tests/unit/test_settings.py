"""A missing or wrong setting is named, with what is expected; no other error comes of it."""

from __future__ import annotations

import pytest

from els_core.settings import Settings, SettingsError, read_database_url, read_settings

DATABASE = "postgresql+pg8000://els@h"
GOOD = {"ELS_DATABASE_URL": f"{DATABASE}:5432/d", "ELS_REDIS_URL": "redis://h:6379"}
DATABASE_URLS = (
    *("", "x", "h:5432/d", "postgresql://els@h/d", "postgresql+pg8000://h/d", "postgresql+pg8000://els@/d"),
    *(
        f"{DATABASE}{rest}"
        for rest in ("", "/", ":abc/d", ":0/d", ":65536/d", ":-1/d", ":1:2/d", ":\u0663/d")
    ),
    *(f"{DATABASE}/d{rest}" for rest in ("?x=1", "?sslmode", "?sslmode=", "?sslmode=require", "#f", "\n")),
    *(f"{DATABASE}/d?sslmode=disable&sslmode=disable", f"{DATABASE},g/d", f"{DATABASE} h/d"),
    *("postgresql+pg8000://els@[::1/d", "postgresql+pg8000://els@/d?unix_sock=", f"{DATABASE}/\ud800"),
    *(f"{DATABASE}{rest}" for rest in (":/d", "%zz/d", "\\x/d", ";x/d", "'/d", '"/d', "/d%00", ".\uff48/d")),
    *(f"postgresql+pg8000://els@{host}/d" for host in (".h", "h..g", "h" * 64, "h." * 127, "\u00e9", "[]")),
    *("POSTGRESQL+PG8000://els@h/d", "postgresql+pg8000://%00@h/d", f"{DATABASE}/d?unix_sock=relative"),
)
REDIS_URLS = (
    *("", "h:6379", "http://h", "unix:///socket", "redis://", "redis://:6379", "redis://h h", "redis://h\n"),
    *(f"redis://h{rest}" for rest in (":abc", ":0", ":65536", "/x", "/-1", "/0/1", "/\u00b2", ",g", "#f")),
    *(
        "redis://h?db=1",
        "redis://h?ssl_ca_certs=/ca",
        "rediss://h?ssl_ca_certs=",
        "rediss://h?ssl_cert_reqs=none",
    ),
    *("REDIS://h", "redis://h:", "redis://u:%00@h", "redis://.h", "redis://h%zz", "redis://u@.amazonaws.com"),
)
NOT_URLS = (
    *("x", "http://", "https:///q", "ftp://h/q", "HTTP://h/q", "https://h:abc/q", "https://h:65536/q"),
    *(
        "https://h/q q",
        "https://[/q",
        "https://h/%00",
        "https://h/q\x00",
        "https://\u00e9/q",
        "https://h/q?x",
    ),
)
QUEUE_URLS = ("", "https://h", "https://h/", *NOT_URLS)
NUMBERS = (
    *(
        "",
        " ",
        "0",
        "-1",
        "+5",
        " 5",
        "5 ",
        "1.5",
        "5.0",
        "1e3",
        "0x10",
        "1_000",
        "one",
        "true",
        "inf",
        "nan",
    ),
    *("\u0663", "1209601", "9" * 30, "9" * 5_000),
)
NOT_PAIRS = ("", "a", "a=", "=https://h/q", "A=https://h/q", "a=https://h/q,", "a=https://h/q,a=https://h/r")
WRONG = {
    "ELS_DATABASE_URL": DATABASE_URLS,
    "ELS_REDIS_URL": REDIS_URLS,
    "ELS_NAMED_STATEMENTS": ("", "True", "1", "off", "false "),
    "ELS_REDIS_CLUSTER": ("", "True", "TRUE", "1", "0", "yes", "on", " true", "False"),
    "ELS_EVENT_BUS": (
        *("", " ", "a b", "a" * 257, "a\n", "\u00f6", "arn:", "arn:aws:events:eu-north-1:1:event-bus/x"),
        *("arn:aws:sqs:eu-north-1:123456789012:x", "arn:aws:events:eu-north-1:123456789012:event-bus/"),
    ),
    "ELS_DATABASE_OWNER_URL": DATABASE_URLS,
    "ELS_DEAD_LETTER_QUEUE_URL": QUEUE_URLS,
    "ELS_QUEUE_URLS": (*(f"a={url}" for url in QUEUE_URLS), *NOT_PAIRS),
    "ELS_DEAD_LETTER_QUEUE_URLS": (*(f"a={url}" for url in QUEUE_URLS), *NOT_PAIRS),
    "AWS_ENDPOINT_URL": NOT_URLS,
    "ELS_ORGANISATION_CLAIM": ("", " ", "a b", "a" * 129, "a\n", "\u00f6"),
    "ELS_DEFAULT_TIMEOUT_SECONDS": NUMBERS,
    "ELS_PARKING_SECONDS": NUMBERS,
    "ELS_RETENTION_DAYS": (*NUMBERS, "1", "28", "36501"),
}
EXPECTED = {
    "ELS_DATABASE_URL": "postgresql+pg8000://user@host:5432/database, or ",
    "ELS_REDIS_URL": "redis://host:6379 or rediss://user@host:6379",
    "ELS_NAMED_STATEMENTS": "false behind a pooler that gives transactions another connection, else true",
    "ELS_REDIS_CLUSTER": "true when Redis is a cluster, else false",
    "ELS_EVENT_BUS": "the name or ARN of the outbound event bus",
    "ELS_DEAD_LETTER_QUEUE_URL": "the URL of the function's own dead-letter queue",
    "ELS_DATABASE_OWNER_URL": "the same database as the role that owns the schema",
    "ELS_QUEUE_URLS": "the queues to watch, as name=URL",
    "ELS_DEAD_LETTER_QUEUE_URLS": "their dead-letter queues under the same names, as name=URL",
    "AWS_ENDPOINT_URL": "http://host:port of an emulator of AWS",
    "ELS_ORGANISATION_CLAIM": "the claim that names the only organisation",
    "ELS_DEFAULT_TIMEOUT_SECONDS": "seconds, 1 to 1209600",
    "ELS_PARKING_SECONDS": "seconds, 1 to 1209600",
    "ELS_RETENTION_DAYS": "days, 29 (longer than all queues together keep a message) to 36500",
}
RIGHT = (
    ("ELS_DATABASE_URL", "postgresql+pg8000://els:p%40ss@[::1]:5432/d?sslmode=verify-full"),
    ("ELS_DATABASE_URL", "postgresql+pg8000://els@/d?unix_sock=/tmp/.s.PGSQL.5432"),
    ("ELS_REDIS_URL", "rediss://els@h:6379/0?ssl_ca_certs=/ca.pem"),
    ("ELS_NAMED_STATEMENTS", "false"),
    ("ELS_REDIS_CLUSTER", "true"),
    ("ELS_EVENT_BUS", "arn:aws:events:eu-north-1:123456789012:event-bus/essays"),
    ("ELS_DEAD_LETTER_QUEUE_URL", "http://127.0.0.1:4566/000000000000/dead"),
    ("ELS_QUEUE_URLS", "a=https://sqs.eu-north-1.amazonaws.com/1/q,b=http://localhost:4566/0/q"),
    ("AWS_ENDPOINT_URL", "http://127.0.0.1:4566"),
    ("AWS_ENDPOINT_URL", ""),
    ("ELS_PARKING_SECONDS", "1209600"),
    ("ELS_RETENTION_DAYS", "29"),
)


@pytest.mark.fault(40)
def test_every_setting_has_its_wrong_values() -> None:
    assert {field.alias for field in Settings.model_fields.values()} == WRONG.keys() == EXPECTED.keys()


@pytest.mark.fault(40)
@pytest.mark.parametrize("name", ["", "b=https://h/q"])
def test_each_queue_to_watch_needs_its_dead_letter_queue(name: str) -> None:
    given = {"ELS_QUEUE_URLS": "a=https://h/q"} | ({"ELS_DEAD_LETTER_QUEUE_URLS": name} if name else {})
    with pytest.raises(SettingsError, match=r"ELS_DEAD_LETTER_QUEUE_URLS is (wrong|missing): expected their"):
        assert read_settings(GOOD | given).required_dead_letter_queue_urls


def test_a_dead_letter_queue_may_have_no_queue_of_its_own() -> None:
    given = {"ELS_QUEUE_URLS": "a=https://h/q", "ELS_DEAD_LETTER_QUEUE_URLS": "a=https://h/d,b=https://h/b"}
    assert set(read_settings(GOOD | given).required_dead_letter_queue_urls) == {"a", "b"}


@pytest.mark.fault(40)
@pytest.mark.parametrize(("name", "value"), [(name, value) for name in WRONG for value in WRONG[name]])
def test_a_wrong_value_is_answered_with_the_setting_and_what_is_expected(name: str, value: str) -> None:
    with pytest.raises(SettingsError) as raised:
        read_settings(GOOD | {name: value})
    assert str(raised.value).startswith(f"{name} is wrong: expected {EXPECTED[name]}")


@pytest.mark.fault(40)
@pytest.mark.parametrize("value", DATABASE_URLS)
def test_the_migrations_answer_a_wrong_database_in_the_same_words(value: str) -> None:
    with pytest.raises(SettingsError, match="ELS_DATABASE_URL is wrong: expected postgresql"):
        read_database_url({"ELS_DATABASE_URL": value})


@pytest.mark.parametrize(("name", "value"), RIGHT)
def test_a_right_value_is_accepted(name: str, value: str) -> None:
    read_settings(GOOD | {name: value})


@pytest.mark.fault(40)
def test_every_wrong_and_missing_setting_is_named_at_once_and_no_value_is_repeated() -> None:
    with pytest.raises(SettingsError) as raised:
        read_settings({"ELS_REDIS_URL": "redis://user:secret@h:abc", "ELS_RETENTION_DAYS": "1"})
    assert [part.split(":")[0] for part in str(raised.value).split("; ")] == [
        "ELS_DATABASE_URL is missing",
        "ELS_REDIS_URL is wrong",
        "ELS_RETENTION_DAYS is wrong",
    ]
    assert "secret" not in str(raised.value)


@pytest.mark.fault(24)
def test_a_bus_and_a_queue_that_are_needed_have_no_default() -> None:
    settings = read_settings(GOOD)
    with pytest.raises(SettingsError, match="ELS_EVENT_BUS is missing: expected the name or ARN"):
        assert settings.required_event_bus
    with pytest.raises(SettingsError, match="ELS_DEAD_LETTER_QUEUE_URL is missing: expected the URL"):
        assert settings.required_dead_letter_queue_url


def test_the_migrations_need_only_the_database_url() -> None:
    assert read_database_url({"ELS_DATABASE_URL": "postgresql+pg8000://els@h/d"}).endswith("/d")
    with pytest.raises(SettingsError, match="ELS_DATABASE_URL is missing"):
        read_database_url({})
