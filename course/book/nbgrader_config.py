"""What nbgrader needs to know to use the lessons: they are what students get, with stubs that stay as they are."""

c = get_config()  # type: ignore[name-defined]  # noqa: F821 - nbgrader defines it
c.CourseDirectory.course_id = "transferkit"
c.GenerateAssignment.preprocessors = [  # all of nbgrader's own, but those that would replace the stubs
    "nbgrader.preprocessors.IncludeHeaderFooter",
    "nbgrader.preprocessors.LockCells",
    "nbgrader.preprocessors.CheckCellMetadata",
    "nbgrader.preprocessors.ComputeChecksums",
    "nbgrader.preprocessors.SaveCells",
    "nbgrader.preprocessors.ClearOutput",
]
