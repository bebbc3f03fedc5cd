"""Text that programs write between markers, in pages that people write."""


def within(text: str, found: dict[str, str]) -> dict[str, str]:
    """Those sections whose markers are in the text of a page."""
    return {name: section for name, section in found.items() if f"<!-- {name} -->\n" in text}


def fill(text: str, found: dict[str, str]) -> str:
    """The text with each section between its markers, which must be there."""
    for name, section in found.items():
        before, _, rest = text.partition(f"<!-- {name} -->\n")
        _, end, after = rest.partition("<!-- end -->")
        text = f"{before}<!-- {name} -->\n{section}\n{end}{after}"
    return text
