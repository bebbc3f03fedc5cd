"""A step of training recorded once and then replayed as a CUDA graph, which launches its hundred kernels at once.

In small networks, these launches take longer than the arithmetic. The gain has not been measured on a GPU: therefore
steps are replayed only on request, and every recording is tested before it is used.
"""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from transferkit.errors import TrainingError

Step = Callable[[Tensor, Tensor, "float | Tensor"], Tensor]  # from inputs, labels and learning rate to the loss
Recorder = Callable[[Callable[[], None]], Callable[[], object]]

WARM_UPS = 3  # runs before the recording, in which libraries choose their algorithms
NEAR = 0.05  # of an update's norm: rounding in bfloat16 stays far below it, a wrong recording comes far above


class GraphedStep:
    """A step that records itself when it is first called, and replays the recording from then on.

    `state` lists all tensors that a step changes. All batches must have the same size. The recording is tested on
    other images than it was made with, at another learning rate. Raises TrainingError when its result differs from
    that of the step itself.
    """

    def __init__(self, step: Step, state: Sequence[Tensor], record: Recorder) -> None:
        self._step, self._state, self._record = step, tuple(state), record
        self._replay: Callable[[], object] | None = None

    def __call__(self, inputs: Tensor, labels: Tensor, rate: float | Tensor) -> Tensor:
        """Take the step and return its loss, in a tensor that the next step overwrites."""
        if self._replay is None:
            self._replay = self._recorded(inputs, labels, rate)
        self._hold(inputs, labels, rate)
        self._replay()
        return self._loss

    def _recorded(self, inputs: Tensor, labels: Tensor, rate: float | Tensor) -> Callable[[], object]:
        device = labels.device
        self._inputs, self._labels = inputs.clone(), labels.clone()
        self._rate, self._loss = torch.zeros((), device=device), torch.zeros((), device=device)
        before = [tensor.detach().clone() for tensor in self._state]
        random_state = default_generator(device).get_state()
        self._hold(inputs, labels, rate)
        try:
            replay = self._record(self._work)
        except torch.OutOfMemoryError:
            raise
        except RuntimeError as problem:
            reason = str(problem).splitlines()[0]
            raise TrainingError(f"a step could not be recorded ({reason}): train without --graphs.") from None
        self._hold(inputs.flip(0), labels, rate * 0.5)
        wanted, found = (self._updates(run, before, random_state) for run in (self._work, replay))
        self._restore(before, random_state)
        _refuse_difference(wanted, found)
        return replay

    def _hold(self, inputs: Tensor, labels: Tensor, rate: float | Tensor) -> None:
        self._inputs.copy_(inputs)
        self._labels.copy_(labels)
        self._rate.fill_(rate)

    def _work(self) -> None:
        self._loss.copy_(self._step(self._inputs, self._labels, self._rate))

    def _updates(self, run: Callable[[], object], before: Sequence[Tensor], random_state: Tensor) -> list[Tensor]:
        """The changes that one run makes to the float32 state, of which bfloat16 holds only copies, and its loss."""
        self._restore(before, random_state)
        run()
        pairs = [pair for pair in zip(self._state, before, strict=True) if pair[0].dtype == torch.float32]
        return [*(after.detach() - old for after, old in pairs), self._loss.clone()]

    def _restore(self, before: Sequence[Tensor], random_state: Tensor) -> None:
        with torch.no_grad():
            for tensor, old in zip(self._state, before, strict=True):
                tensor.copy_(old)
        default_generator(self._loss.device).set_state(random_state)


def record_graph(work: Callable[[], None]) -> Callable[[], object]:
    """Record what `work` launches on the current CUDA device; return what launches it again, on the current stream.

    Raises RuntimeError when it cannot be recorded.
    """
    aside = torch.cuda.Stream()
    aside.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(aside):
        for _ in range(WARM_UPS):
            work()
    torch.cuda.current_stream().wait_stream(aside)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph, capture_error_mode="thread_local"):  # another thread may be reading images ahead
        work()
    return graph.replay


def default_generator(device: torch.device) -> torch.Generator:
    """The generator that dropout draws from on a device."""
    return torch.cuda.default_generators[device.index] if device.type == "cuda" else torch.default_generator


def _refuse_difference(wanted: Sequence[Tensor], found: Sequence[Tensor]) -> None:
    for update, replayed in zip(wanted, found, strict=True):
        difference, size = float((update - replayed).norm()), float(update.norm())
        if not difference <= NEAR * size:  # which is true of NaN as well
            raise TrainingError(
                f"a recorded step does not do what the step itself does (updates of norm {size:.2g} differ by "
                f"{difference:.2g}): train without --graphs."
            )
