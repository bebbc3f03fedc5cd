"""Pages to read in a browser: one file, no network, tables that are sorted with mouse or keyboard.

base.html holds what they share: style, sorting, and a policy by which a browser runs no script but this one.
"""

import secrets
from datetime import UTC, datetime

from transferkit import __version__


def render(package: str, **values: object) -> bytes:
    """The template page.html of `package`, which extends base.html, filled in; every value is escaped.

    Beside `values` it knows `written` (the time, UTC) and `version`. Raises ImportError without Jinja.
    """
    from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined

    loader = ChoiceLoader([PackageLoader(package, "."), PackageLoader("course", ".")])
    environment = Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True)
    written = datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")
    nonce = secrets.token_urlsafe(16)
    page = environment.get_template("page.html")
    return page.render(written=written, version=__version__, nonce=nonce, **values).encode()
