"""The book: the lessons executed and the pages around them, built into a web site by `python -m course.book`."""
