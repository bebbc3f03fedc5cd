"""Pages and tables to read elsewhere: one HTML file that needs no network, and CSV that is safe in a spreadsheet.

base.html holds what the pages share: the style, tables sorted by mouse or keyboard, and a policy by which a browser
runs no script but the page's own.
"""

import csv
import io
import secrets
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from transferkit import __version__

FORMULA = ("=", "+", "-", "@", "\t", "\r")


def render(package: str, **values: object) -> bytes:
    """Fill in the template page.html of `package`, which extends base.html; every value is escaped.

    The template also knows `written` (the time, UTC) and `version`. Raises ImportError without Jinja.
    """
    from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined

    loader = ChoiceLoader([PackageLoader(package, "."), PackageLoader("course", ".")])
    environment = Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True)
    written = datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")
    nonce = secrets.token_urlsafe(16)
    page = environment.get_template("page.html")
    return page.render(written=written, version=__version__, nonce=nonce, **values).encode()


def safe_csv(columns: Sequence[str], rows: Iterable[Iterable[object]]) -> bytes:
    """A CSV table; text that a spreadsheet would run as a formula gets an apostrophe in front."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    for row in rows:
        writer.writerow(f"'{value}" if isinstance(value, str) and value.startswith(FORMULA) else value for value in row)
    return text.getvalue().encode()
