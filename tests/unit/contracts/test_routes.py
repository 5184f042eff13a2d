from __future__ import annotations

from els_core.contracts.routes import ROUTES, Scope


def test_routes_of_each_scope_are_told_apart_by_method_and_path() -> None:
    assert len({route.key for route in ROUTES}) == len(ROUTES)
    assert {route.method for route in ROUTES if route.scope is Scope.READ} == {"GET"}
    assert {route.key for route in ROUTES if route.scope is Scope.STEER} == {
        "POST /batches/{batch_id}/commands"
    }
    assert {route.key for route in ROUTES if route.scope is Scope.ADMIN} == {"POST /dead-letters/redrive"}


def test_the_function_that_reads_answers_every_get_and_nothing_else() -> None:
    assert {(route.function, route.method) for route in ROUTES} == {
        ("batch_status", "GET"),
        ("operator_api", "POST"),
    }
