"""How nbgrader is to treat the lessons: students get them as they are, stubs included."""

c = get_config()  # type: ignore[name-defined]  # noqa: F821 - nbgrader defines it
c.CourseDirectory.course_id = "transferkit"
c.GenerateAssignment.preprocessors = [  # all of nbgrader's own, except those that would replace the stubs
    "nbgrader.preprocessors.IncludeHeaderFooter",
    "nbgrader.preprocessors.LockCells",
    "nbgrader.preprocessors.CheckCellMetadata",
    "nbgrader.preprocessors.ComputeChecksums",
    "nbgrader.preprocessors.SaveCells",
    "nbgrader.preprocessors.ClearOutput",
]
