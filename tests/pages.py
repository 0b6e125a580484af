"""A page as its reader has it."""

from __future__ import annotations

from html.parser import HTMLParser


class Outline(HTMLParser):
    """What a browser would see: headings, texts, tags, and everything that is fetched from elsewhere."""

    def __init__(self) -> None:
        super().__init__()
        self.headings, self.texts, self.tags, self.fetched, self._open = [], [], [], [], []

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        self._open.append(tag)
        for name, value in attributes:
            outside = name in ("src", "href", "xlink:href") and not value.startswith(("#", "data:"))
            if outside:
                self.fetched.append(value)

    def handle_data(self, data):
        if data.strip():
            self.texts.append(data.strip())
            if self._open and self._open[-1] in ("h1", "h2"):
                self.headings.append(data.strip())


def outline(page) -> Outline:
    seen = Outline()
    seen.feed(page.read_text(encoding="utf-8"))
    return seen
