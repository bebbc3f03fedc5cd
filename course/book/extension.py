"""What the book adds to Sphinx: alternative texts for pictures, formulas in MathML, the language of Chinese terms."""

import hashlib
import json
import re
from base64 import b64decode
from html import escape
from pathlib import Path
from typing import Any

import numpy as np
from docutils import nodes
from docutils.utils.math import MathError
from docutils.utils.math.latex2mathml import tex2mathml
from PIL import Image
from sphinx.application import Sphinx
from sphinx.util import logging

from course.figures.labelled import Point, layer_of

LOOKED_AT, RARE, RARELY = 160, 8, 0.1  # pixels a side; of a colour, how many are few; their share in a drawing
CHINESE = re.compile(r"[\u3400-\u9fff]")
_log = logging.getLogger(__name__)


def setup(app: Sphinx) -> dict[str, bool]:
    """Register with Sphinx."""
    app.add_html_math_renderer("mathml", (_inline_math, None), (_block_math, None))
    app.connect("doctree-read", describe_pictures, priority=900)  # after Sphinx has found the pictures
    app.connect("doctree-read", name_languages)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def describe_pictures(app: Sphinx, doctree: nodes.document) -> None:
    """Give every picture the text that its notebook's output or its file holds, and the labels of its points."""
    known = metadata_of_pictures(Path(doctree["source"]))
    for image in list(doctree.findall(nodes.image)):
        path = Path(app.srcdir, image["uri"])
        if path.suffix == ".png" and is_drawing(path):
            image["classes"].append("drawing")
        about = known.get(hashlib.sha256(path.read_bytes()).hexdigest(), {})
        image["alt"] = image.get("alt") or about.get("alt") or _description(path)
        if not image["alt"]:
            _log.warning("%s has no alternative text", path.name, location=image)
        if points := [Point(*point) for point in about.get("points", ())]:
            before, after = (nodes.raw("", part, format="html") for part in layer_of(points, "data-label"))
            image.parent.replace(image, [before, image, after])


def metadata_of_pictures(page: Path) -> dict[str, dict[str, Any]]:
    """What a notebook says of its pictures, by the SHA-256 of their bytes; empty for any other page."""
    if page.suffix != ".ipynb":
        return {}
    outputs = [output for cell in json.loads(page.read_text())["cells"] for output in cell.get("outputs", ())]
    return {
        hashlib.sha256(b64decode("".join(encoded))).hexdigest(): output["metadata"].get("image/png", {})
        for output in outputs
        if (encoded := output.get("data", {}).get("image/png"))
    }


def is_drawing(path: Path) -> bool:
    """Whether a PNG is drawn with the few hues of our figures, so that its lightness can be inverted on a dark page.

    Photographs and filters fill the space of colours: many of their pixels have one that few others have. (Of the
    figures of this course, at most 4 %; of its sheets of filters and images, at least 20 %.)
    """
    with Image.open(path) as picture:
        pixels = np.asarray(picture.convert("RGB").resize((LOOKED_AT, LOOKED_AT), Image.Resampling.NEAREST))
    counts = np.unique(pixels.reshape(-1, 3), axis=0, return_counts=True)[1]
    return bool(counts[counts < RARE].sum() < RARELY * LOOKED_AT**2)


def name_languages(_: Sphinx, doctree: nodes.document) -> None:
    """Mark Chinese terms as Chinese, for screen readers and for the choice of glyphs."""
    for term in doctree.findall(nodes.term):
        for text in list(term.findall(nodes.Text)):
            if CHINESE.search(text):
                span = nodes.raw("", f'<span lang="zh-Hans">{escape(text)}</span>', format="html")
                term.replace(text, span)


def _description(path: Path) -> str:
    """The description that `figures.to_png` puts into our figures; empty for other pictures."""
    with Image.open(path) as picture:
        return str(picture.info.get("Description", ""))


def _inline_math(translator: Any, node: nodes.math) -> None:
    translator.body.append(_mathml(node, block=False))
    raise nodes.SkipNode


def _block_math(translator: Any, node: nodes.math_block) -> None:
    translator.body.append(f'<div class="math">{_mathml(node, block=True)}</div>\n')
    raise nodes.SkipNode


def _mathml(node: nodes.Element, *, block: bool) -> str:
    """MathML, which browsers draw and screen readers read without any script."""
    try:
        return str(tex2mathml(node.astext(), as_block=block))
    except MathError as problem:
        _log.warning("%s: %s", node.astext(), problem, location=node)
        return f"<code>{escape(node.astext())}</code>"
