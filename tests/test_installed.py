"""The digest of the installed library."""

from transferkit.hardware import installed_code


def test_the_installed_code_is_that_of_this_library() -> None:
    assert installed_code() == installed_code()
    assert len(installed_code()) == 64
