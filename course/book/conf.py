"""How Sphinx builds the book from the files that `course.book.stage` lays out."""

project = "How transferable are features?"
author = "the transferkit authors"
project_copyright = "2026, the transferkit authors. Lesson text: CC BY 4.0"
language = "en"

extensions = ["myst_nb", "sphinxcontrib.bibtex", "course.book.extension"]
exclude_patterns = ["files/**"]
source_suffix = {".md": "myst-nb", ".ipynb": "myst-nb"}
nitpicky = True

nb_execution_mode = "off"  # the batch has executed them
nb_output_stderr = "remove"
nb_ipywidgets_js: dict[str, dict[str, str]] = {}
nb_merge_streams = True
myst_enable_extensions = ["dollarmath", "colon_fence"]
myst_heading_anchors = 3
bibtex_bibfiles = ["../references.bib"]
bibtex_reference_style = "author_year"
html_math_renderer = "mathml"

html_theme = "sphinx_book_theme"
html_title = project
html_static_path = ["_static"]
html_css_files = ["book.css"]
html_scaled_image_link = True  # a figure opens at its full size, which a phone needs
html_theme_options = {"home_page_in_toc": True, "show_toc_level": 2, "use_fullscreen_button": False}
suppress_warnings = ["toc.empty_glob"]  # for a part without lessons
