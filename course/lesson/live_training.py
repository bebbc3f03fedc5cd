"""One network's training to watch: loss, accuracy and conv1 after every epoch, with a button that stops and continues.

The training has a thread of its own, so that neither the button nor the kernel's interrupt can hit it in the middle
of a step. The cell awaits it: a click is then handled at once, by ipykernel 7.4 between two turns of the cell's own
loop, by 7.0 to 7.3 on a subshell, if JupyterLab asks for one. Elsewhere the interrupt serves.
"""

import asyncio
import threading
import time
from collections.abc import Generator

from course import figures as course_figures
from course.lesson.background import StoppedError
from course.lesson.prediction_sliders import PredictionSliders
from course.lesson.widgets import html_picture, load_ipywidgets
from transferkit.disk.store import Receipt
from transferkit.errors import TransferkitError
from transferkit.gabor.tiles import filter_tiles, order_filters
from transferkit.training.experiment import Snapshot, watch
from transferkit.training.study import Study
from transferkit.treatments import Run

SECONDS_BETWEEN = 0.5  # of two pictures, at least
REPLAY = 6.0  # seconds, at most, without the drawing
WIDTH = 760  # of the picture, CSS pixels


class LiveTraining:
    """One run, trained while its view shows how it goes; kept in the store as by `experiment.perform`.

    One that is there already is replayed from what its receipt and history kept.

    With `answer`, its picture and its accuracy are hidden until that prediction is locked.

    The object holds a training that was stopped: `run` called again goes on from there. Nothing is kept before
    the end, and a new object begins anew.
    """

    def __init__(self, study: Study, run: Run, answer: PredictionSliders | None = None) -> None:
        self._study, self._run, self._answer = study, run, answer
        self._going, self._over = threading.Event(), threading.Event()
        self._thread: threading.Thread | None = None
        self._receipt: Receipt | None = None
        self._problem: BaseException | None = None
        self.done = 0  # epochs
        self._replayed = ""  # when a run that was there already had been finished
        n_classes = len(study.prepared.split(run.split).classes(run.target))
        title = f"{run.label}, {run.split}, seed {run.seed}"
        self._view = _View(self, study.setting.recipe.epochs, n_classes, title)
        if self.hidden:
            assert answer is not None
            answer.when_open(self._reveal)

    @property
    def hidden(self) -> bool:
        """Whether the picture waits for a prediction to be locked."""
        return self._answer is not None and not self._answer.open

    async def run(self) -> Receipt:
        """Show the view, train to the end and return the receipt.

        The button makes the training wait, and this call with it, until it is pressed again. The kernel's
        interrupt makes it wait too and ends this call: StoppedError is raised. Raises TrainingError as `perform`.
        """
        self._view.show()
        self.go_on()
        try:
            while not self._over.is_set():
                await asyncio.sleep(0.1)
        except (asyncio.CancelledError, KeyboardInterrupt):  # the kernel's interrupt cancels a cell that awaits
            self.stop()
            raise StoppedError(f"{self.state()} Run this cell again to go on.") from None
        if self._problem is not None:
            raise self._problem
        assert self._receipt is not None
        return self._receipt

    def stop(self) -> None:
        """Let the training wait after the epoch it is in; it holds nothing that others need."""
        self._going.clear()
        self._tell()

    def go_on(self) -> None:
        """Begin, or continue."""
        self._going.set()
        if self._thread is None:
            self._thread = threading.Thread(target=self._train, name=f"training {self._run.label}", daemon=True)
            self._thread.start()
        self._tell()

    def turn(self, _: object = None) -> None:
        """What the button does: stop what goes, continue what waits."""
        if self._going.is_set():
            self.stop()
        else:
            self.go_on()

    def _train(self) -> None:
        drawn, snapshot = 0.0, None
        kept = self._study.store.find(self._run, self._study.setting)
        training = self._replay(kept) if kept else watch(self._study, self._run)
        try:
            while True:
                try:
                    snapshot = next(training)
                except StopIteration as end:
                    self._receipt = end.value
                    break
                self.done = len(snapshot.log)
                if time.monotonic() - drawn > SECONDS_BETWEEN or not self._going.is_set():
                    self._view.draw(snapshot)
                    self._tell()
                    drawn = time.monotonic()
                self._going.wait()
            if snapshot is not None:
                self._view.draw(snapshot)
        except Exception as problem:  # raised again by `run`
            self._problem = problem
        finally:
            self._over.set()
            self._tell()

    def _replay(self, receipt: Receipt) -> Generator[Snapshot, None, Receipt]:
        """A run that was trained before as it went then, faster: a base kept conv1 of every epoch, others the last."""
        store, setting = self._study.store, self._study.setting
        history = store.history(self._run, setting) if self._run.source is None else {}
        last = {len(receipt.log): store.weights(self._run, setting)["conv1.weight"]}
        shown = history | last
        pause = min(SECONDS_BETWEEN, REPLAY / len(shown)) if self._view.shown else 0
        for epoch, conv1 in shown.items():
            yield Snapshot(receipt.log[:epoch], conv1)
            time.sleep(pause)
        self._replayed = receipt.times.finished
        return receipt

    def _reveal(self) -> None:
        self._view.draw(self._view.last)
        self._tell()

    def _tell(self) -> None:
        self._view.tell(self.state(), over=self._over.is_set(), going=self._going.is_set())

    def state(self) -> str:
        """How far it is, in a sentence."""
        done = f"{self.done} of {self._study.setting.recipe.epochs} epochs are done"
        if self._receipt is not None:
            top1, seconds = self._receipt.final.top1, self._receipt.times.seconds
            if self.hidden:
                return "Trained and kept: lock your prediction to see it."
            when = f" on {self._replayed[:16].replace('T', ' at ')} UTC; this was its replay" if self._replayed else ""
            return f"Trained and kept: top-1 {100 * top1:.1f} %, in {seconds:.1f} s{when}."
        if self._over.is_set():
            return f"Failed: {self._problem}"
        if self._going.is_set():
            return f"Training: {done}."
        return f"Stopped: {done}; nothing is kept before the end."


class _View:
    """One picture and one line, rewritten in place, and the button; nothing at all where there is no notebook."""

    def __init__(self, training: LiveTraining, epochs: int, n_classes: int, title: str) -> None:
        self._training, self._epochs, self._n_classes, self._title = training, epochs, n_classes, title
        self._whole, self.shown = None, False
        self.last: Snapshot | None = None
        try:
            kit = load_ipywidgets("a training to watch")
        except TransferkitError:
            return
        self._picture, self._line = kit.HTML(), kit.HTML().add_class("live-state")
        self._button = kit.Button(description="Stop", icon="pause", tooltip="Stop or continue the training")
        self._button.on_click(training.turn)
        row = kit.HBox([self._button, self._line], layout=kit.Layout(align_items="center", grid_gap="12px"))
        self._whole = kit.VBox([row, self._picture])

    def show(self) -> None:
        """Display the view where there is a notebook."""
        if self._whole is None:
            return
        from IPython import get_ipython
        from IPython.display import display

        if get_ipython() is not None:
            self.shown = True
            words = {"text/plain": f"The training of {self._title}, to watch in a notebook that runs."}
            display(self._whole._repr_mimebundle_() | words, raw=True)

    def draw(self, snapshot: Snapshot | None) -> None:
        """Show the network as it is now."""
        if self._whole is None or snapshot is None:
            return
        self.last = snapshot
        if self._training.hidden:
            self._picture.value = '<p class="live-hidden">Hidden until your prediction above is locked.</p>'
            return
        tiles = filter_tiles(snapshot.conv1)
        tiles = tiles[order_filters(tiles)]
        drawn = course_figures.training(snapshot.log, tiles, self._epochs, self._n_classes, self._title).png()
        self._picture.value = html_picture(drawn.png, drawn.alt, f'width="{WIDTH}"')

    def tell(self, state: str, *, over: bool, going: bool) -> None:
        """Write the line, and what the button does now."""
        if self._whole is None:
            return
        self._line.value = state
        self._button.disabled = over
        self._button.description, self._button.icon = ("Stop", "pause") if going else ("Continue", "play")
