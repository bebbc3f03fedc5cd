"""A built site, as tests look at it."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from bs4 import BeautifulSoup, Tag


@dataclass(frozen=True)
class Site:
    """A folder of HTML pages."""

    folder: Path

    @cached_property
    def pages(self) -> dict[str, BeautifulSoup]:
        """Every page by its path, parsed."""
        paths = sorted(self.folder.rglob("*.html"))
        paths = [path for path in paths if "_static" not in path.parts]
        return {str(path.relative_to(self.folder)): BeautifulSoup(path.read_bytes(), "html.parser") for path in paths}

    def article(self, page: str) -> Tag:
        """What a page has to say, without the theme's navigation."""
        found = self.pages[page].select_one("article")
        assert found
        return found

    @property
    def written(self) -> list[str]:
        """The pages that somebody wrote: not the search and the index, which Sphinx makes."""
        return [page for page in self.pages if page not in ("search.html", "genindex.html")]
