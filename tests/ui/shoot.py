"""Pictures of the kit, to look at: `python -m tests.ui.shoot FOLDER` with src on the path; every layout, dark and light, desk and phone."""

import sys
from pathlib import Path

from tests.support.browser import chromium
from tests.support.gallery_site import gallery_site

SIZES = {"desk": (1440, 900), "phone": (390, 844)}


def main(folder: Path) -> None:
    """Take them all."""
    folder.mkdir(parents=True, exist_ok=True)
    with gallery_site() as site, chromium() as browser:
        for size, (width, height) in SIZES.items():
            page = browser.new_page(viewport={"width": width, "height": height}, locale="en-ZA")
            for theme in ("dark", "light"):
                for name in ("gallery", "sign-in", "screen", "problem", "form"):
                    page.goto(f"{site}/{name}?theme={theme}", wait_until="networkidle")
                    page.screenshot(path=folder / f"{name}-{theme}-{size}.png", full_page=name == "gallery")
            page.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
