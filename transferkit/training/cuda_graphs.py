"""A step of training recorded once and replayed: a CUDA graph, which starts a step's hundred kernels in one go.

Small networks are bound by these starts and not by arithmetic. Not measured on a GPU: therefore a step is replayed only
where that is asked for, and every recording is tried before it is used.
"""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from transferkit.errors import TrainingError

Step = Callable[[Tensor, Tensor, "float | Tensor"], Tensor]  # inputs, labels, learning rate: take it, return the loss
Recorder = Callable[[Callable[[], None]], Callable[[], object]]

WARM_UPS = 3  # runs before the recording, in which libraries choose their algorithms
NEAR = 0.05  # of an update's norm: bfloat16 and sums in another order are far below it, a wrong recording far above


class GraphedStep:
    """A step that records itself when it is first called, and from then on is replayed.

    `state` is all that a step changes. The recording is tried on other images than its own, at another learning rate:
    raises TrainingError when that does not come to what the step itself does. All batches must be of one size.
    """

    def __init__(self, step: Step, state: Sequence[Tensor], record: Recorder) -> None:
        self._step, self._state, self._record = step, tuple(state), record
        self._go: Callable[[], object] | None = None

    def __call__(self, inputs: Tensor, labels: Tensor, rate: float | Tensor) -> Tensor:
        """Take the step; the loss is overwritten by the next one."""
        if self._go is None:
            self._go = self._recorded(inputs, labels, rate)
        self._hold(inputs, labels, rate)
        self._go()
        return self._loss

    def _recorded(self, inputs: Tensor, labels: Tensor, rate: float | Tensor) -> Callable[[], object]:
        device = labels.device
        self._inputs, self._labels = inputs.clone(), labels.clone()
        self._rate, self._loss = torch.zeros((), device=device), torch.zeros((), device=device)
        before = self._copy()
        drawn = default_generator(device).get_state()
        self._hold(inputs, labels, rate)
        go = self._try_to_record()
        self._hold(inputs.flip(0), labels, rate * 0.5)
        wanted, came = (self._updates(run, before, drawn) for run in (self._work, go))
        self._restore(before, drawn)
        _refuse_difference(wanted, came)
        return go

    def _try_to_record(self) -> Callable[[], object]:
        try:
            return self._record(self._work)
        except torch.OutOfMemoryError:
            raise
        except RuntimeError as problem:
            said = str(problem).splitlines()[0]
            raise TrainingError(f"a step could not be recorded ({said}): train without --graphs.") from None

    def _hold(self, inputs: Tensor, labels: Tensor, rate: float | Tensor) -> None:
        self._inputs.copy_(inputs)
        self._labels.copy_(labels)
        self._rate.fill_(rate)

    def _work(self) -> None:
        self._loss.copy_(self._step(self._inputs, self._labels, self._rate))

    def _updates(self, run: Callable[[], object], before: Sequence[Tensor], drawn: Tensor) -> list[Tensor]:
        """What one run changes in the float32 state, of which bfloat16 is but copies, and its loss."""
        self._restore(before, drawn)
        run()
        pairs = [pair for pair in zip(self._state, before, strict=True) if pair[0].dtype == torch.float32]
        return [*(after.detach() - old for after, old in pairs), self._loss.clone()]

    def _copy(self) -> list[Tensor]:
        return [tensor.detach().clone() for tensor in self._state]

    def _restore(self, before: Sequence[Tensor], drawn: Tensor) -> None:
        with torch.no_grad():
            for tensor, old in zip(self._state, before, strict=True):
                tensor.copy_(old)
        default_generator(self._loss.device).set_state(drawn)


def record_graph(work: Callable[[], None]) -> Callable[[], object]:
    """Record what `work` starts on the current CUDA device; what is returned starts it again, on the current stream.

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
    """What dropout draws from on a device."""
    generator: torch.Generator = (
        torch.cuda.default_generators[device.index] if device.type == "cuda" else torch.default_generator
    )
    return generator


def _refuse_difference(wanted: Sequence[Tensor], came: Sequence[Tensor]) -> None:
    for one, other in zip(wanted, came, strict=True):
        apart, size = float((one - other).norm()), float(one.norm())
        if not apart <= NEAR * size:
            raise TrainingError(
                f"a recorded step does not do what the step itself does (updates of norm {size:.2g} differ by "
                f"{apart:.2g}): train without --graphs."
            )
