"""Mail as the crew reads it in a browser: a job writes it some time after a page has said that it is on its way."""

from urllib.parse import urlsplit

from playwright.sync_api import Locator, Page

from tests.support.guests import wait_until


def mailed(crew: Page, search: str, *, words: str = "", count: int = 1) -> Locator:
    """The newest of the mails that a search of the outbox finds and that hold these words, once there are so many."""
    found = crew.locator("#outbox tbody tr").filter(has_text=words)

    def there() -> bool:
        crew.goto(f"/platform/outbox?q={search}")
        return found.count() >= count

    wait_until(crew, there)
    return found.first


def mailed_link(crew: Page, search: str, *, words: str = "", count: int = 1) -> str:
    """The path of the link in that mail."""
    mailed(crew, search, words=words, count=count).get_by_role("link").first.click()
    parts = urlsplit(crew.locator(".mail-text a[href*=token]").first.get_attribute("href") or "")
    return f"{parts.path}?{parts.query}"
