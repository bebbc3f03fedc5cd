"""Pages and tables to read elsewhere: one HTML file that needs no network, and CSV that is safe in a spreadsheet.

base.html holds what the pages share: the style, tables sorted by mouse or keyboard, and a policy by which a browser
runs no script but the page's own.
"""

import csv
import io
import re
import secrets
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from transferkit import __version__

FORMULA = re.compile(r"(^|[;\t\r\n])(?=[\s;\"]*[-=+@\t\r\uff0b\uff0d\uff1d\uff20])")


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
    return page.render(written=written, version=__version__, nonce=nonce, **values).encode(errors="backslashreplace")


def safe_csv(columns: Sequence[str], rows: Iterable[Iterable[object]]) -> bytes:
    """A CSV table; text that a spreadsheet would run as a formula gets an apostrophe in front.

    Where the comma is the decimal sign, spreadsheets divide a line at semicolons; in Japanese they take wide signs too.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    for row in rows:
        writer.writerow(FORMULA.sub(r"\1'", value) if isinstance(value, str) else value for value in row)
    return text.getvalue().encode(errors="backslashreplace")
