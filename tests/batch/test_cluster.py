"""The same batch on a Dask cluster, with the lines that the assistants' lesson plan gives."""

import sys
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from course.batch.drive import run_batch
from tests.batch.conftest import WriteNotebook, plan
from transferkit.training.workers import cluster_workers

distributed = pytest.importorskip("distributed", reason="no Dask: install the extra `cluster`")
PLAN = (Path(__file__).parents[2] / "course" / "assistants.md").read_text()

pytestmark = [pytest.mark.long, pytest.mark.filterwarnings("default")]


@pytest.fixture
def cluster() -> Iterator[Any]:
    with distributed.LocalCluster(
        n_workers=1, threads_per_worker=1, processes=False, dashboard_address=":0", protocol="tcp"
    ) as cluster:
        yield cluster


def test_a_scheduler_carries_notebooks(cluster: Any, notebook: WriteNotebook, tmp_path: Path) -> None:
    tasks = plan([notebook("good", "print('the end')"), notebook("bad", "1 / 0")], tmp_path / "out")
    *_, last = run_batch(tasks, cluster_workers(cluster.scheduler_address))
    failures = [record.failure for record in last.records.values()]
    assert sorted(record.outcome for record in last.records.values()) == ["done", "failed"], failures


def test_the_lines_for_a_gateway_run(
    cluster: Any, notebook: WriteNotebook, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = PLAN.split("```python\n")[1].split("```")[0]
    notebook("nb", "print(preset, split)", parameters="preset = 'smoke'\nsplit = 'random0'")
    gateway = types.SimpleNamespace(new_cluster=lambda: cluster)
    monkeypatch.setitem(sys.modules, "dask_gateway", types.SimpleNamespace(Gateway=lambda: gateway))
    monkeypatch.setattr(cluster, "scale", lambda workers: None)
    monkeypatch.chdir(tmp_path)
    exec(code, {})
    table = (tmp_path / "results" / "report.csv").read_text()
    assert table.count(",done,") == 2
    assert "preset=quick split=random1" in table
