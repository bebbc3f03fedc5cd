"""Which kernel runs a notebook, and what its row says of that."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jupyter_client.kernelspec import KernelSpecManager

from course.batch import kernels
from course.batch.kernels import choose_kernel, installed
from transferkit.errors import UsageError

HERE = {"python3": "python", "ir": "R", "other": "python"}
SPEC = {"name": "conda-env-x-py", "display_name": "x"}
NAMES = st.text(min_size=1).filter(lambda name: name not in HERE)


@pytest.fixture(autouse=True)
def _here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kernels, "installed", lambda: dict(HERE))


@given(st.sampled_from(["language_info", "kernelspec", ""]), st.sampled_from(["python", "Python", "ipython"]), NAMES)
def test_python_of_another_machine_runs_here_and_the_row_says_so(place: str, language: str, name: str) -> None:
    metadata = {
        "language_info": {"language_info": {"name": language}, "kernelspec": {"name": name}},
        "kernelspec": {"kernelspec": {"name": name, "language": language}},
    }.get(place, {"kernelspec": {"name": name}})
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(kernels, "installed", lambda: dict(HERE))
        chosen = choose_kernel(metadata)
    assert (chosen.name, chosen.language) == ("python3", "python")
    assert chosen.note == f"run with this Python: its own kernel, '{name}', is not installed here"


@pytest.mark.parametrize(
    "metadata",
    [
        {},
        {"language_info": {"name": "python"}},
        {"kernelspec": None},
        {"kernelspec": {}},
        {"kernelspec": {"name": None}},
    ],
)
def test_a_notebook_without_a_kernel_runs_here(metadata: dict[str, Any]) -> None:
    assert choose_kernel(metadata).note == "run with this Python: it names no kernel"


@pytest.mark.parametrize(("name", "language"), HERE.items())
def test_its_own_kernel_is_taken_without_a_word(name: str, language: str) -> None:
    chosen = choose_kernel({"kernelspec": {"name": name}})
    assert (chosen.name, chosen.language, chosen.note) == (name, language, "")
    assert choose_kernel({"kernelspec": {"name": name}}, name) == chosen


def test_the_kernel_that_is_asked_for_comes_first() -> None:
    chosen = choose_kernel({"kernelspec": SPEC}, "other")
    assert (chosen.name, chosen.note) == ("other", "run with the kernel 'other', as --kernel says")
    with pytest.raises(UsageError, match="--kernel conda is not installed here \\(there are ir, other, python3\\)"):
        choose_kernel({}, "conda")


def test_another_language_is_not_run_as_python() -> None:
    with pytest.raises(
        UsageError, match="'julia-1.9', is not installed .*: install one for julia, or name .* --kernel"
    ):
        choose_kernel({"kernelspec": {"name": "julia-1.9", "language": "julia"}})


def test_a_kernel_whose_environment_was_deleted_is_not_here(monkeypatch: pytest.MonkeyPatch) -> None:
    def spec(program: str) -> dict[str, Any]:
        return {"spec": {"argv": [program, "-m", "ipykernel"], "language": "python"}}

    specs = {"python3": spec("python3"), "gone": spec("/opt/conda/envs/gone/bin/python")}
    monkeypatch.setattr(KernelSpecManager, "get_all_specs", lambda manager: specs)
    assert installed() == {"python3": "python"}
