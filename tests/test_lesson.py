"""A picture keeps its alternative text in every place where a notebook is shown."""

import io
from base64 import b64decode
from html.parser import HTMLParser

import nbformat
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.figure import Figure
from PIL import Image

from transferkit.figures import Picture, Png

ALT = 'AnB falls "below" its base at n > 4 & n < 8'


class Seen(HTMLParser):
    """The attributes of every img."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.images: list[dict[str, str | None]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "img":
            self.images.append(dict(attrs))


def pixels(content: bytes) -> np.ndarray:
    with Image.open(io.BytesIO(content)) as picture:
        return np.asarray(picture.convert("RGB"))


def test_html_and_png_show_the_same_pixels() -> None:
    figure = Figure(figsize=(2, 1))
    figure.subplots().plot([0, 1], [1, 0])
    bundle, metadata = Picture(figure, ALT, width=300)._repr_mimebundle_()
    (image,) = Seen(bundle["text/html"]).images
    assert image["alt"] == metadata["image/png"]["alt"] == bundle["text/plain"] == ALT
    assert (image["width"], metadata["image/png"]["width"]) == ("300", 300)
    shown = b64decode(str(image["src"]).removeprefix("data:image/webp;base64,"))
    assert (pixels(shown) == pixels(b64decode(bundle["image/png"]))).all()


@given(st.text())
def test_any_alternative_text_survives(alt: str) -> None:
    buffer = io.BytesIO()
    Image.new("RGB", (2, 2)).save(buffer, "PNG")
    bundle, _ = Png(buffer.getvalue(), alt)._repr_mimebundle_()
    (image,) = Seen(bundle["text/html"]).images
    assert image["alt"] == alt


@pytest.mark.filterwarnings("default")  # those of nbconvert's own machinery are not ours to mend
def test_the_page_of_a_batch_keeps_it() -> None:
    nbconvert = pytest.importorskip("nbconvert")
    buffer = io.BytesIO()
    Image.new("RGB", (2, 2)).save(buffer, "PNG")
    bundle, metadata = Png(buffer.getvalue(), ALT)._repr_mimebundle_()
    output = nbformat.v4.new_output("display_data", bundle, metadata=metadata)
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("shown", outputs=[output])])
    page, _ = nbconvert.HTMLExporter().from_notebook_node(notebook)
    assert [image["alt"] for image in Seen(page).images] == [ALT]
