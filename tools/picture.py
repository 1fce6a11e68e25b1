"""Makes the picture of the README: the page of an example's brief in a headless Chromium, one claim pointed at.

python tools/picture.py            # writes docs/brief.webp; needs Chromium and an installed model
"""

from __future__ import annotations

import base64
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tests"))

from browser import Browser  # noqa: E402

from localsum import Summarizer, read_path, to_text  # noqa: E402

ARTICLE = ROOT / "examples/hospital-scribe.md"
PICTURE = ROOT / "docs/brief.webp"
_MOST_BYTES = 200_000


def main() -> None:
    with Summarizer() as summarizer:
        page = to_text(summarizer.brief(read_path(ARTICLE)), "html")
    with tempfile.TemporaryDirectory() as folder, Browser(Path(folder) / "profile") as browser:
        path = Path(folder) / "brief.html"
        path.write_text(page, encoding="utf-8")
        shown = browser.open(path, width=1180, height=720)
        shown.hover("#c2")  # the summary
        shown.wait_until("document.querySelectorAll('.lit').length > 1")
        data = shown.ask("Page.captureScreenshot", format="webp", quality=85)["data"]
    picture = base64.b64decode(data)
    assert len(picture) < _MOST_BYTES, f"{len(picture):,} bytes are too many for a README"
    PICTURE.write_bytes(picture)
    print(f"{PICTURE.relative_to(ROOT)}: {len(picture):,} bytes")


if __name__ == "__main__":
    main()
