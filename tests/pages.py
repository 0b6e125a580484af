"""Parses HTML pages as a browser would see them."""

from __future__ import annotations

from html.parser import HTMLParser
from pathlib import Path


class PageOutline(HTMLParser):
    """The headings, texts and tags of a page, and the external addresses that it refers to."""

    def __init__(self) -> None:
        super().__init__()
        self.headings: list[str] = []
        self.texts: list[str] = []
        self.tags: list[str] = []
        self.external_links: list[str] = []
        self._last_tag = ""

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self._last_tag = tag
        for name, value in attributes:
            if name in ("src", "href", "xlink:href") and not value.startswith(("#", "data:")):
                self.external_links.append(value)

    def handle_data(self, data: str) -> None:
        if data.strip():
            self.texts.append(data.strip())
            if self._last_tag in ("h1", "h2"):
                self.headings.append(data.strip())


def parse_page(path: Path) -> PageOutline:
    page = PageOutline()
    page.feed(path.read_text(encoding="utf-8"))
    return page
