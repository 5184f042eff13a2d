"""The page in a real browser: people see what happens, act on it, and nobody else can use their rights."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect, sync_playwright

from tests.integration.live_page import CHROMIUM, FLAGS, System, serving, serving_page

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser

    from dev.servers.valkey import ValkeyServer
    from els.page_server import PageServer
    from tests.integration.lambda_functions import DeadLetterQueue

VIEWS = ["#/now", "#/batches", "#/batch/b1", "#/dead-letters", "#/system", "#/find/c1"]
MARKUP = "<img src=x onerror=alert(1)>"
expect.set_options(timeout=30_000)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    if CHROMIUM is None:
        pytest.skip("there is no Chromium here: install the package chromium to test the page")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@dataclass(frozen=True)
class Screen:
    """A tab with the page open, the system behind it, and what went wrong in the tab."""

    page: Page
    server: PageServer
    system: System
    complaints: list[str]

    def show(self, view: str) -> None:
        self.page.goto(f"{self.server.origin}/{view}")
        expect(self.page.locator("h1")).to_be_visible()

    def choose(self, command: str) -> None:
        self.page.get_by_label("Command").select_option(label=command)

    @property
    def slots(self) -> list[str]:
        return [each.strip() for each in self.page.locator(".slots .unseen").all_text_contents()]


@pytest.fixture
def screen(browser: Browser, dead_letter_queue: DeadLetterQueue) -> Iterator[Screen]:
    system = System()
    with serving(system) as client, serving_page(client) as server:
        page = browser.new_page()
        complaints: list[str] = []
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda line: complaints.append(line.text) if "Security" in line.text else None)
        page.goto(server.url)
        yield Screen(page, server, system, complaints)
        page.close()
    assert complaints == []
    assert dead_letter_queue.messages() == []


def test_a_batch_fills_before_ones_eyes(screen: Screen) -> None:
    screen.system.register("b1", "e1", "e2", "e3")
    screen.show("#/batch/b1")
    expect(screen.page.locator(".slots .slot.free")).to_have_count(3)
    screen.system.send("b1", "c1")
    expect(screen.page.locator(".slots .slot.assigned")).to_have_count(1)
    screen.system.fail("b1", "u1")
    expect(screen.page.locator(".slots .slot.failed")).to_contain_text("failed EMPTY_CONTENT")
    screen.system.send("b1", "c2")
    expect(screen.page.locator(".sentence .badge")).to_have_text("ready")
    expect(screen.page.locator("#announcer")).to_contain_text("ready")
    assert [each[:3] for each in screen.slots] == ["e1:", "e2:", "e3:"]
    assert sorted(each.split()[1] for each in screen.slots) == ["assigned", "assigned", "failed"]


def test_a_slot_whose_content_is_superseded_gets_the_new_one(screen: Screen) -> None:
    screen.system.register("b1", "e1", "e2")
    screen.system.send("b1", "c1")
    screen.show("#/batch/b1")
    expect(screen.page.locator(".slots .slot.assigned")).to_contain_text("content c1")
    screen.system.send("b1", "c4", supersedes="content:c1")
    expect(screen.page.locator(".slots .slot.assigned")).to_contain_text("content c4")
    expect(screen.page.locator("table", has_text="What happened")).to_contain_text("superseded")


def test_a_batch_is_cancelled_only_with_its_id_and_opened_again(screen: Screen) -> None:
    screen.system.register("b1", "e1", "e2")
    screen.show("#/batch/b1")
    screen.choose("Cancel it")
    screen.page.get_by_role("button", name="Do it").click()
    expect(screen.page.locator("#act .outcome")).to_have_text(
        "Nothing was done: type the id of the batch to cancel it."
    )
    expect(screen.page.get_by_label("Type the id of the batch")).to_be_focused()
    expect(screen.page.locator(".sentence .badge")).to_have_text("open")
    screen.page.get_by_label("Reason").fill("handed in twice")
    screen.page.get_by_label("Type the id of the batch").fill("b1")
    screen.page.get_by_role("button", name="Do it").click()
    expect(screen.page.locator(".sentence .badge")).to_have_text("cancelled")
    expect(screen.page.locator("table", has_text="What happened")).to_contain_text("handed in twice")
    screen.choose("Re-open it")
    screen.page.get_by_label("For how many minutes").fill("60")
    screen.page.get_by_role("button", name="Do it").click()
    expect(screen.page.locator(".sentence .badge")).to_have_text("open")
    expect(screen.page.locator("#act .outcome")).to_contain_text("Applied: open, epoch 2")


def test_a_dry_run_says_what_would_happen_and_changes_nothing(screen: Screen) -> None:
    screen.system.register("b1", "e1", "e2")
    screen.system.send("b1", "c1")
    screen.show("#/batch/b1")
    screen.page.get_by_role("button", name="Try it").click()
    expect(screen.page.locator("#act .outcome")).to_contain_text("It would be applied: ready")
    expect(screen.page.locator(".sentence .badge")).to_have_text("open")
    screen.choose("Withdraw free slots")
    screen.page.get_by_label("Slots, separated by blanks").fill("e1 e2")
    screen.page.get_by_role("button", name="Do it").click()
    expect(screen.page.locator("#act .outcome")).to_contain_text("Refused, SLOT_IN_USE")


def test_the_page_says_that_redis_is_down_and_that_it_is_back(screen: Screen, valkey: ValkeyServer) -> None:
    screen.system.register("b1", "e1")
    screen.show("#/now")
    expect(screen.page.locator("main")).not_to_contain_text("Redis does not answer")
    valkey.stop()
    try:
        expect(screen.page.locator(".concerns .error").first).to_contain_text("Redis does not answer")
    finally:
        valkey.start()
    expect(screen.page.locator("main")).not_to_contain_text("Redis does not answer")


def test_the_page_says_since_when_it_has_no_answer_and_keeps_what_it_knew(screen: Screen) -> None:
    screen.system.register("b1", "e1")
    screen.show("#/batch/b1")
    screen.page.route("**/api/**", lambda request: request.abort())
    expect(screen.page.locator(".alarm")).to_contain_text("No answer since")
    expect(screen.page.locator(".slots .slot.free")).to_have_count(1)
    screen.page.unroute("**/api/**")
    expect(screen.page.locator(".alarm")).to_have_count(0)


def test_the_filters_are_in_the_address(screen: Screen) -> None:
    screen.system.register("b1", "e1", user_id="anna")
    screen.system.register("b2", "e1", user_id="bo")
    screen.show("#/batches")
    expect(screen.page.locator("tbody tr")).to_have_count(2)
    screen.page.get_by_label("user id").fill("anna")
    screen.page.get_by_role("button", name="Show").click()
    expect(screen.page.locator("tbody tr")).to_have_count(1)
    assert screen.page.url.endswith("#/batches?user_id=anna")
    screen.page.reload()
    expect(screen.page.locator("tbody tr")).to_contain_text("b1")
    expect(screen.page.get_by_label("user id")).to_have_value("anna")


def test_an_id_is_found_from_every_view(screen: Screen) -> None:
    screen.system.register("b1", "e1")
    screen.system.send("b1", "c1")
    screen.show("#/now")
    screen.page.get_by_label("Find an id").fill("c1")
    screen.page.keyboard.press("Enter")
    expect(screen.page.locator("tbody tr")).to_contain_text("assigned")
    screen.page.get_by_role("link", name="b1").click()
    expect(screen.page.locator("h1")).to_have_text("Batch b1")


def test_focus_and_what_is_typed_survive_a_refresh(screen: Screen) -> None:
    screen.system.register("b1", "e1", "e2")
    screen.show("#/batch/b1")
    reason = screen.page.get_by_label("Reason")
    reason.fill("half a sen")
    screen.system.send("b1", "c1")
    expect(screen.page.locator(".slots .slot.assigned")).to_have_count(1)
    expect(reason).to_be_focused()
    expect(reason).to_have_value("half a sen")


def test_everything_can_be_reached_and_done_with_the_keyboard(screen: Screen) -> None:
    screen.system.register("b1", "e1")
    screen.show("#/now")
    expect(screen.page.locator("h1")).to_be_focused()
    screen.page.get_by_role("link", name="b1").last.focus()
    screen.page.keyboard.press("Enter")
    expect(screen.page.locator("h1")).to_be_focused()
    expect(screen.page.locator("h1")).to_have_text("Batch b1")
    for _ in range(20):
        screen.page.keyboard.press("Tab")
        if screen.page.evaluate("document.activeElement.textContent") == "Try it: a dry run":
            break
    screen.page.keyboard.press("Enter")
    expect(screen.page.locator("#act .outcome")).to_contain_text("Refused, EMPTY")


@pytest.mark.parametrize(("scheme", "width"), [("light", 1000), ("dark", 360)])
def test_axe_finds_no_violation_and_no_view_is_wider_than_a_phone(
    screen: Screen, scheme: str, width: int
) -> None:
    screen.system.register("b1", "e1", "e2", "e3")
    screen.system.send("b1", "c1")
    screen.system.fail("b1", "u1")
    screen.page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    screen.page.set_viewport_size({"width": width, "height": 800})
    for view in VIEWS:
        screen.show(view)
        expect(screen.page.locator("main")).not_to_contain_text("Asking the service.")
        found = Axe().run(screen.page)
        assert found.violations_count == 0, found.generate_report()
        assert screen.page.evaluate("document.documentElement.scrollWidth") <= width, view


def test_what_others_wrote_is_only_text(screen: Screen) -> None:
    screen.system.register("b1", "e1", "e2")
    screen.system.send("b1", "c1")
    screen.show("#/batch/b1")
    screen.page.get_by_label("Reason").fill(MARKUP)
    screen.page.get_by_role("button", name="Do it").click()
    expect(screen.page.locator("table", has_text="What happened")).to_contain_text(MARKUP)
    assert screen.page.locator("main img").count() == 0
    refused = screen.page.evaluate(
        "() => { try { document.body.innerHTML = '<p>'; return '' } catch (error) { return error.name } }"
    )
    assert refused == "TypeError"
    screen.complaints.clear()


def test_another_site_in_the_same_browser_cannot_use_the_page(screen: Screen, browser: Browser) -> None:
    stranger = browser.new_page()
    stranger.goto("data:text/html,<h1>another site</h1>")
    told = stranger.evaluate(
        "url => fetch(url, {credentials: 'include', mode: 'no-cors'}).then(a => a.type, e => e.name)",
        f"{screen.server.origin}/api/batches",
    )
    assert told in {"opaque", "TypeError"}
    assert stranger.goto(f"{screen.server.origin}/") is not None
    expect(stranger.locator("body")).to_have_text("open the address that els page printed")
    stranger.close()
