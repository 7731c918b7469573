"""The console in a real Chromium, over a stack in the local cloud: a person's way through it."""

import re
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from infra.cli import deployed_stack
from infra.cli.local_clouds import write_cloud
from infra.cli.local_session import LocalStack, describe, local_stacks
from infra.console.protection import Gate
from infra.console.server import listening, web_server
from infra.console.stacks import StackBook
from noria.serving.docs_page import render_docs
from noria.serving.form_page import render
from noria.serving.openapi import body_of, schemas
from tests.support.data_sets import SETS
from tests.support.tiny_model import binary_signature

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
CONTRACT = Path(__file__).parents[2] / "e2e" / "contracts" / "e2e-cancer.yaml"
NAME, SET = "e2e-cancer", "cancer"
PATHS = ("", "/runs", "/models", "/live", "/predict", "/change?action=rollback")
SCREENS = {"wide": (1280, 900), "phone": (360, 740)}
OPENAPI = {
    "info": {"title": "Noria", "description": "Predictions."},
    "paths": {"/predict": {"post": {"summary": "Answer rows.", **body_of("Rows")}}},
    "components": {"schemas": schemas(binary_signature())},
}
OWN_PAGES = {"": render("v1", binary_signature(), "iam"), "docs": render_docs(OPENAPI)}
ANSWER = {
    "model": "v1",
    "predictions": [
        {
            "id": "1", "prediction": True, "probability": 0.81,
            "explanation": {"base": 0.3, "contributions": {"carrier": -0.1, "distance": 0.4}},
        }
    ],
    "warnings": [
        {"field": "distance", "message": "distance: 250 is above what training saw"},
        {"field": "carrier", "message": "'ZZ' is new"},
    ],
}  # fmt: skip
PATIENCE = 240_000  # milliseconds, of a run
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine"),
]


@pytest.fixture(scope="module")
def stack() -> Iterator[LocalStack]:
    """A stack whose runs ask a person, with its data dropped in."""
    with local_stacks([CONTRACT], lambda text: None) as stacks:
        made = stacks[NAME]
        s3 = made.access.client("s3")
        for source, frame in SETS[SET]().items():
            body = frame.to_csv(index=False).encode()
            s3.put_object(Bucket=made.bucket.name, Key=f"incoming/{source}/rows.csv", Body=body)
        yield made


@pytest.fixture(scope="module")
def gate(stack: LocalStack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gate]:
    """A console over it."""
    with pytest.MonkeyPatch.context() as patch, listening(0) as listener:
        patch.setattr(deployed_stack, "LOCAL_FILE", tmp_path_factory.mktemp("noria") / "local.json")
        write_cloud("default", deployed_stack.LOCAL_FILE, describe({NAME: stack}))
        made = Gate(listener.getsockname()[1])
        server = web_server(StackBook(None, "default"), made)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        yield made
        server.should_exit = True
        thread.join()


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    """A browser."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def page(chromium: Any, gate: Gate) -> Iterator[Any]:
    """A page that has opened the address which `noria console` prints."""
    context = chromium.new_context(viewport={"width": 1280, "height": 900})
    made = context.new_page()
    made.problems = []
    made.on("pageerror", lambda error: made.problems.append(str(error)))
    made.on("console", lambda one: made.problems.append(one.text) if one.type == "error" else None)
    made.goto(gate.url)
    yield made
    context.close()


@pytest.fixture(scope="module")
def home(gate: Gate) -> str:
    """The stack's address."""
    return f"http://127.0.0.1:{gate.port}/stacks/{NAME}"


@pytest.fixture(scope="module")
def promoted(page: Any, home: str) -> str:
    """A run that was started in the browser and approved there; returns its page."""
    page.goto(home)
    page.get_by_label("Input (JSON)").fill('{"problem": {"objective": {"treshold": 0.7}}}')
    page.get_by_role("button", name="Start").click()
    assert "did you mean 'threshold'" in page.get_by_role("alert").inner_text()
    page.problems.clear()  # the browser counts the refusal as one
    page.get_by_label("Input (JSON)").fill("{}")
    page.get_by_role("button", name="Start").click()
    page.wait_for_url(re.compile("/runs/"))
    page.get_by_role("heading", name="The run asks you").wait_for(timeout=PATIENCE)
    assert "waits for a person at AwaitApproval" in page.locator("#status").inner_text()
    assert page.locator('[data-part="AwaitApproval"].now').count() == 1
    report = page.frame_locator("iframe.report")
    report.get_by_role("heading").first.wait_for()
    page.get_by_label("Why, for those who look later").fill("it is good enough")
    page.get_by_role("button", name="Approve").click()
    page.get_by_text("The run ended: Promote.").wait_for(timeout=PATIENCE)
    return str(page.url)


def test_a_run_is_lit_and_told_with_its_reasons(page: Any, promoted: str) -> None:
    page.goto(promoted)
    for part in ("Promote", "IsMlNeeded", "ApprovalNeeded>AwaitApproval"):
        assert page.locator(f'[data-part="{part}"].done').count() >= 1
    assert page.locator('[data-part="HaltBadData"].done').count() == 0
    steps = page.locator("#steps").inner_text()
    assert "IsMlNeeded? go_on → EngineerFeatures" in steps
    assert "a person said: it is good enough" in steps
    page.locator('[data-part="MeetsObjective"] text').first.click()
    assert "MeetsObjective" in page.locator("#steps .chosen").inner_text()
    assert page.problems == []


def test_what_the_run_cost_and_tried_is_told(page: Any, home: str, promoted: str) -> None:
    page.goto(promoted)
    assert re.search(r"\$0\.0\d+", page.locator(".tiles").inner_text())
    assert page.get_by_role("heading", name="Candidates compared").is_visible()
    page.goto(f"{home}/runs")
    row = page.get_by_role("row").filter(has_text="Promote").inner_text()
    assert "v1" in row
    assert "a person" in row
    assert page.problems == []


def test_the_form_predicts_as_one_types(page: Any, home: str, promoted: str) -> None:
    """GIVEN an example, filled in by a click THEN an answer comes, and changes with a field."""
    page.goto(f"{home}/predict")
    page.get_by_role("button", name="example 1").click()
    said = page.locator("#answer .said")
    said.wait_for()
    first = said.inner_text()
    assert re.search(r": .+, probability \d", first)
    fields = page.locator("#form input[name]")
    assert fields.count() > 3
    for place in range(fields.count()):
        fields.nth(place).fill("0.0001")
    page.wait_for_function("text => document.querySelector('#answer .said')?.textContent !== text",
                           arg=first)  # fmt: skip
    fields.first.fill("a word")
    failed = page.locator("#answer .failed")
    failed.wait_for()
    assert "(422)" in failed.inner_text()
    page.problems.clear()


def test_a_change_that_cannot_be_made_is_told(page: Any, home: str, promoted: str) -> None:
    page.goto(f"{home}/change?action=rollback")
    page.get_by_label("Why, for those who look later").fill("to see it refused")
    page.get_by_role("button", name="Roll back").click()
    assert "no earlier version has served" in page.get_by_role("alert").inner_text()
    page.problems.clear()


def test_pages_can_be_gone_through_by_keyboard(page: Any, home: str, promoted: str) -> None:
    page.goto(f"{home}/runs")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the content"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("path", ["", "docs"])
def test_the_endpoints_own_pages_have_no_barrier(chromium: Any, scheme: str, path: str) -> None:
    """The form and the documentation as the endpoint gives them, on a phone, asking nobody else."""
    from axe_playwright_python.sync_playwright import Axe

    context = chromium.new_context(viewport={"width": 360, "height": 740}, color_scheme=scheme)
    page, asked = context.new_page(), []

    def answer(route: Any) -> None:
        asked.append(route.request.url)
        route.fulfill(body=OWN_PAGES[path], content_type="text/html; charset=utf-8")

    page.route("**/*", answer)
    page.goto(f"http://endpoint.test/{path}")
    results = Axe().run(page)
    assert results.violations_count == 0, results.generate_report()
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    assert asked == [f"http://endpoint.test/{path}"]
    context.close()


def test_the_form_shows_warnings_and_what_drove_the_answer(chromium: Any) -> None:
    """GIVEN an endpoint's answer THEN it is told in words; and the row was sent as typed."""
    context = chromium.new_context()
    page, sent = context.new_page(), []

    def answer(route: Any) -> None:
        if route.request.method == "GET":
            route.fulfill(body=OWN_PAGES[""], content_type="text/html; charset=utf-8")
            return
        sent.append((route.request.url, route.request.post_data_json))
        route.fulfill(json=ANSWER)

    page.route("**/*", answer)
    page.goto("http://endpoint.test/")
    page.get_by_label("distance").fill("250")
    page.get_by_label("carrier").select_option(label="another…")
    page.get_by_label("another value").fill("ZZ")
    page.get_by_label("departure").fill("2013-02-01T08:30")
    page.get_by_label("explain").check()
    page.get_by_role("button", name="Predict").click()
    told = page.locator("#answer")
    told.locator(".said").wait_for()
    assert told.locator(".said").inner_text() == "late: true, probability 81%"
    warnings = [one.inner_text() for one in told.get_by_role("listitem").all()]
    assert warnings == ["distance: 250 is above what training saw", "carrier: 'ZZ' is new"]
    rows = [one.inner_text().split() for one in told.get_by_role("row").all()]
    assert rows == [["distance", "+0.4"], ["carrier", "-0.1"]]
    row = {"distance": 250, "carrier": "ZZ", "departure": "2013-02-01T08:30"}
    assert sent == [("http://endpoint.test/predict?explain=true", {"rows": [row]})]
    context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("screen", SCREENS)
def test_pages_have_no_barrier_and_fit_the_screen(
    page: Any, home: str, promoted: str, scheme: str, screen: str
) -> None:
    """No violation that axe knows, nothing wider than the screen, no error of a script."""
    from axe_playwright_python.sync_playwright import Axe

    width, height = SCREENS[screen]
    page.set_viewport_size({"width": width, "height": height})
    page.emulate_media(color_scheme=scheme)
    for path in (*PATHS, promoted.removeprefix(home)):
        page.goto(home + path)
        results = Axe().run(page)
        assert results.violations_count == 0, f"{path}: {results.generate_report()}"
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path
    assert page.problems == []
    page.set_viewport_size({"width": 1280, "height": 900})
