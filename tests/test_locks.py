"""A lock is held by one, and given back however its holder ends."""

import subprocess
import sys
import threading
from pathlib import Path

import pytest

from transferkit.disk.atomic import exclusive
from transferkit.errors import StoreError

HOLDER = "import sys, time, pathlib\nfrom transferkit.disk.atomic import exclusive\n" + (
    "with exclusive(pathlib.Path(sys.argv[1])):\n    print('held', flush=True)\n    time.sleep(60)"
)


def test_only_one_holds_it_and_the_next_waits(tmp_path: Path) -> None:
    order = []
    with exclusive(tmp_path / "new" / "lock") as mine:
        assert mine
        with exclusive(tmp_path / "new" / "lock", wait=False) as also_mine:
            assert not also_mine

        def wait_for_it() -> None:
            with exclusive(tmp_path / "new" / "lock") as held:
                order.append(("second", held))

        waiting = threading.Thread(target=wait_for_it)
        waiting.start()
        waiting.join(0.1)
        order.append(("first", True))
    waiting.join(10)
    assert order == [("first", True), ("second", True)]


def test_a_holder_that_is_killed_gives_it_back(tmp_path: Path) -> None:
    command = [sys.executable, "-c", HOLDER, str(tmp_path / "lock")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with exclusive(tmp_path / "lock", wait=False) as mine:
            assert not mine
        holder.kill()
    with exclusive(tmp_path / "lock", wait=False) as mine:
        assert mine


def test_where_no_lock_can_be_made_it_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match="could not be made"), exclusive(tmp_path / "file" / "lock"):
        pass
