"""A missing or wrong setting is named, with what is expected."""

from __future__ import annotations

import pytest

from els_core.settings import SettingsError, read_database_url, read_settings


def test_a_missing_or_wrong_setting_is_named_with_what_is_expected() -> None:
    with pytest.raises(SettingsError, match=r"ELS_DATABASE_URL is missing: expected postgresql\+pg8000://"):
        read_settings({"ELS_REDIS_URL": "redis://127.0.0.1:6379"})
    with pytest.raises(SettingsError, match="ELS_RETENTION_DAYS is wrong: expected days, 29 \\(longer"):
        read_settings(
            {
                "ELS_DATABASE_URL": "postgresql+pg8000://els@h/d",
                "ELS_REDIS_URL": "redis://h:6379",
                "ELS_RETENTION_DAYS": "1",
            }
        )


def test_the_migrations_need_only_the_database_url() -> None:
    assert read_database_url({"ELS_DATABASE_URL": "postgresql+pg8000://els@h/d"}).endswith("/d")
    with pytest.raises(SettingsError, match="ELS_DATABASE_URL is missing"):
        read_database_url({})
