"""The links of the repository's pages, rewritten for the book."""

import os
import re
import shutil
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
LESSONS = "lessons"  # the book's folder of executed lessons
FILES = "files"  # the book's folder for linked files that are not pages
LINK = re.compile(r"\[([^\[\]]*)\]\((?!\w+:|#)([^)#\s]+)([^)]*)\)")
FRONT_PAGES = (ROOT / "README.md", ROOT / "course" / "README.md")


@dataclass(frozen=True)
class Links:
    """The book's folder, and the names of the lessons in the book."""

    folder: Path
    lessons: tuple[str, ...]

    def follow(self, text: str, page: Path, place: Path) -> str:
        """The Markdown of `page`, with links that are right when the page is in the book's folder `place`.

        If a link leads to a file that is not a page, the file is copied into the book. A link to a lesson that is not
        in the book becomes plain text. A link to anything outside the repository stays as it is.
        """

        def moved(link: re.Match[str]) -> str:
            words, address, rest = link.groups()
            target = (page.parent / address).resolve()
            if target.suffix == ".ipynb" and target.stem not in self.lessons:
                return words
            where = self._where(target)
            return link[0] if where is None else f"[{words}]({os.path.relpath(self.folder / where, place)}{rest})"

        return LINK.sub(moved, text)

    def _where(self, target: Path) -> Path | None:
        if target.suffix == ".ipynb":
            return Path(LESSONS, target.name)
        if not target.is_relative_to(ROOT) or not target.exists():
            return None
        if target.is_dir() or target in FRONT_PAGES:
            return Path("index.md")
        if target.parent == ROOT / "course" and target.suffix == ".md":
            return Path(target.name)
        taken = Path(FILES, target.relative_to(ROOT))
        if target.suffix == ".md":
            taken = taken.with_name(f"{taken.name}.txt")  # otherwise Sphinx would take it for a page
        (self.folder / taken).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(target, self.folder / taken)
        return taken
