"""The book around the lessons, and the results it shows."""
