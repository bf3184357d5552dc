"""The HTML report in a browser: headless Chromium, the keyboard, and no network."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from tests.conftest import Run

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FILMS = """\
from pymilvus import Collection, connections

connections.connect("default", host="localhost", port="19530")
films = Collection("films")
films.flush()
"""
STAYS = FILMS + "registry.register(films)\n"
BAD = (
    FILMS
    + 'jobs = Collection("<script>alert(1)</script>")\nregistry.register(jobs, "</pre>&amp;")\n'
)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        own = Path(playwright.chromium.executable_path)
        found = next(filter(None, map(shutil.which, NAMES)), str(own) if own.exists() else None)
        if found is None:
            assert not os.environ.get("CI"), "CI has a Chromium"
            pytest.skip("no Chromium here: apt-get install chromium")
        browser = playwright.chromium.launch(executable_path=found, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def report(run_cli: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / ".git").mkdir()
    for folder, name, text in (
        ("app", "films", FILMS),
        ("app", "stays", STAYS),
        ("jobs/night", "bad", BAD),
    ):
        (tmp_path / folder).mkdir(parents=True, exist_ok=True)
        (tmp_path / folder / f"{name}.py").write_text(text)
    monkeypatch.chdir(tmp_path)
    run_cli("--report", "html=out.html")
    return tmp_path / "out.html"


@pytest.fixture
def page(browser: Browser, report: Path) -> Iterator[Page]:
    """The page, as it opens; what it says on the console or asks the network for is an error."""
    page = browser.new_page()
    trouble: list[str] = []
    page.on("console", lambda message: trouble.append(message.text))
    page.on("pageerror", lambda error: trouble.append(str(error)))
    page.on("request", lambda request: trouble.append(request.url))
    page.goto(report.as_uri())
    yield page
    page.close()
    assert trouble == [report.as_uri()]


def shown(page: Page, selector: str) -> list[str]:
    return [text.split("\n")[0] for text in page.locator(f"{selector}:visible").all_inner_texts()]


def test_the_page_shows_everything_at_first(page: Page) -> None:
    assert page.locator("#shown").inner_text() == "2 findings shown"
    assert shown(page, "article h3") == ["app/stays.py:6:19", "jobs/night/bad.py:7:19"]
    assert shown(page, "tbody tr[data-path] th") == [
        "jobs/night/bad.py",
        "app/films.py",
        "app/stays.py",
    ]


def test_a_rule_and_a_folder_filter_findings_bars_and_changes(page: Page) -> None:
    page.get_by_label("Folder").select_option("jobs/")
    assert shown(page, "article h3") == ["jobs/night/bad.py:7:19"]
    assert shown(page, "tbody tr[data-path] th") == ["jobs/night/bad.py"]
    assert page.locator("#shown").inner_text() == "1 finding shown"
    page.get_by_label("Rule").select_option("MLV212")
    assert shown(page, "article h3") == []
    assert shown(page, "details.file > summary") == ["jobs/night/bad.py 2 uses rewritten"]
    page.get_by_role("button", name="Show all").click()
    page.wait_for_function("document.getElementById('shown').textContent.startsWith('2 ')")
    assert len(shown(page, "article h3")) == 2


def test_changes_open_side_by_side_and_close(page: Page) -> None:
    table = page.get_by_role("table", name="app/films.py")
    assert not table.is_visible()
    page.get_by_role("button", name="Open all").click()
    assert table.is_visible()
    assert table.locator("del").all_inner_texts()[0] == FILMS.splitlines()[0]
    assert table.locator("ins").all_inner_texts()[0] == "from pymilvus import MilvusClient"
    page.get_by_role("button", name="Close all").click()
    assert not table.is_visible()


def test_a_finding_says_how_its_object_is_known(page: Page) -> None:
    article = page.locator("article").first
    article.get_by_text("How this is known").click()
    assert article.locator("ol li").all_inner_texts() == [
        "5:1 films.flush() is Collection.flush",
        '4:1 films = Collection("films")',
        "1:22 from pymilvus import Collection, connections",
    ]


def test_the_keyboard_reaches_what_the_mouse_does(page: Page) -> None:
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the findings"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "findings"
    page.get_by_label("Rule").focus()
    reached = []
    for _ in range(12):
        page.keyboard.press("Tab")
        reached.append(page.evaluate("document.activeElement.textContent.trim().split('\\n')[0]"))
    assert {"Show all", "How this is known", "Open all", "Close all"} <= set(reached)


def test_code_in_the_page_is_text_and_never_runs(page: Page) -> None:
    article = page.locator("article", has_text="bad.py")
    assert "</pre>&amp;" in article.locator("pre").first.inner_text()
    assert page.locator("main script").count() == 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_can_be_read_in_both_colour_schemes(
    browser: Browser, report: Path, scheme: str
) -> None:
    page = browser.new_page(color_scheme="dark" if scheme == "dark" else "light")
    page.goto(report.as_uri())
    ratios = page.evaluate(CONTRAST)
    page.close()
    assert len(ratios) > 20
    assert {what: ratio for what, ratio in ratios.items() if ratio < 4.5} == {}


def test_without_a_script_everything_is_there(browser: Browser, report: Path) -> None:
    page = browser.new_page(java_script_enabled=False)
    page.goto(report.as_uri())
    assert page.locator("article").count() == 2
    assert not page.locator("#filters").is_visible()
    page.close()


# The contrast of each element's own text with what is behind it, as WCAG 2 computes it.
CONTRAST = """() => {
  const light = (text) => {
    const [r, g, b] = text.match(/[\\d.]+/g).map(Number).slice(0, 3).map((part) => {
      const value = part / 255;
      return value <= 0.03928 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  for (const file of document.querySelectorAll("details")) file.open = true;
  const found = {};
  for (const element of document.querySelectorAll("body *")) {
    const own = [...element.childNodes].some((n) => n.nodeType === 3 && n.textContent.trim());
    if (!own || !element.offsetParent || element.tagName === "OPTION") continue;
    let behind = element;
    while (behind && /, 0\\)$/.test(getComputedStyle(behind).backgroundColor)) {
      behind = behind.parentElement;
    }
    const front = light(getComputedStyle(element).color);
    const back = light(getComputedStyle(behind || document.body).backgroundColor);
    const ratio = (Math.max(front, back) + 0.05) / (Math.min(front, back) + 0.05);
    const place = element.tagName + " " + element.textContent.trim().slice(0, 30);
    found[place] = Math.min(found[place] || 99, ratio);
  }
  return found;
}"""
