"""The judge: any bytes are judged only by what they say about the cases."""

from hypothesis import given, settings
from hypothesis import strategies as st

from course.asking.plain import Plain, encode
from course.asking.replies import replies_of
from course.exercises import cases_of, exercises, get_exercise
from course.grading.judge import judge
from tests.checks.test_plain import VALUES

CHOP = get_exercise("chop")
RIGHT = (
    "lambda base, fresh, n: __import__('torch').nn.Sequential(*__import__('copy').deepcopy([*base[:n], *fresh[n:]]))"
)
PAIRS = st.lists(st.tuples(VALUES, st.text()).map(list), min_size=5, max_size=5)


def encoded(source: str, seed: int) -> bytes:
    replies = replies_of(CHOP.ask, eval(source), [case.given for case in cases_of(CHOP, seed)])
    return encode({"replies": [[reply.value, reply.error] for reply in replies], "notes": []})


def test_a_right_answer_passes_and_only_for_its_own_seed() -> None:
    assert judge(CHOP, 7, encoded(RIGHT, 7)).verdict.state == "passed"
    assert judge(CHOP, 8, encoded(RIGHT, 7)).verdict.state == "wrong"


@given(st.binary(max_size=100))
def test_bytes_that_are_no_answer_are_an_error(content: bytes) -> None:
    verdict = judge(CHOP, 0, content).verdict
    assert (verdict.state, verdict.score) == ("error", 0)


@settings(max_examples=25)
@given(VALUES | PAIRS | PAIRS.map(lambda pairs: {"replies": pairs, "notes": ["x"]}))
def test_no_data_made_up_passes_any_exercise(value: Plain) -> None:
    for exercise in exercises():
        assert judge(exercise, 0, encode(value)).verdict.score == 0


def test_the_verdict_says_what_stopped_the_code() -> None:
    judged = judge(CHOP, 0, encode({"failed": "SyntaxError: no"}))
    assert (judged.verdict.state, judged.verdict.seen, judged.died) == ("error", "SyntaxError: no", False)
    judged = judge(CHOP, 0, encode({"ended": -9}))
    assert judged.died
    assert "it was killed by SIGKILL" in judged.verdict.seen
