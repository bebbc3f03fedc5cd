"""The course around transferkit: `import course` gives what lessons use, each name imported when it is first used.

    exercises   checks that try a learner's answer, beside the wrong answers that measure them
    asking      how an answer is asked: all that a sandbox shows of the course
    lesson      what lessons do beside the library: predictions, a training that is watched, controls
    figures     the figures that only lessons and the evidence draw
    practice    given weights and a folder of pictures: how many layers to use, the command `curve`
    evidence    what the claims need: series of networks, their tables, the ledger, the authors' own runs
    measures    measures of transferability, judged, and the curve that two bases let expect
    batch       notebooks times parameters, and a page in the morning
    grading     strangers' notebooks, each in a sandbox
    tables      tables that a notebook shows as HTML
    doctor      what this machine has and lacks, and the minutes that everything takes on it
    book        the lessons executed and made a web site

Imports go from here to transferkit and never back.
"""

import sys

import lazy_loader

if "IPython" in sys.modules:  # in a notebook; a grader's sandbox does not even see that module
    from course.tables import show_as_html

    show_as_html()
__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
