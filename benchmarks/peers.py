"""What a user would write instead: PyTorch's transfer-learning tutorial, and Lightning, on a folder of PNG files.

Both get our network, first weights, frozen layers, images and batch size, and as many epochs as we take. They learn in
one of two ways:

- "Adam" is what a user would take: a constant rate of 0.001 without weight decay, as in "Lightning in 15 minutes". The
  recipe of PyTorch's tutorial (SGD at 0.001, divided by ten after every seventh epoch) is for a network that has been
  trained already: in batches of our size, its rates add up to a fortieth of those of `quick`.
- "our recipe" gives them what we have searched for: our optimiser, learning rates and weight decay, step for step.

All else is as their tutorials show it, but without loader processes, which on two cores is faster than with two. They
compute on all cores.
"""

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

from transferkit.config import Recipe
from transferkit.disk.prepared import Part
from transferkit.specs import NetSpec
from transferkit.training.data import Prepared, load_half
from transferkit.training.loop import learning_rate
from transferkit.treatments import LAYERS, Half

Way = Literal["Adam", "our recipe"]
PARTS: tuple[Part, Part] = ("train", "valid")


@dataclass(frozen=True)
class Task:
    """One network to train: its first weights, float32 by name, and how many layers are frozen.

    The training ends with the first epoch whose top-1 (0..1) is at least `goal`, or with the recipe's last epoch. With
    `in_memory`, images are decoded and scaled once, before the clock starts, and not anew in every epoch.
    """

    label: str
    spec: NetSpec
    recipe: Recipe
    weights: Mapping[str, np.ndarray]
    frozen: int
    images: Path
    way: Way = "our recipe"
    goal: float = math.inf
    in_memory: bool = False


@dataclass(frozen=True)
class Outcome:
    """Seconds from reading the files to the last validation, images trained on, and the best epoch's top-1 (0..1)."""

    seconds: float
    images: int
    top1: float


def write_images(prepared: Prepared, split: str, half: Half, folder: Path, images_per_class: int | None) -> None:
    """Write one half as train/CLASS/*.png and valid/CLASS/*.png, as a user would have it."""
    for part in PARTS:
        data = load_half(prepared, prepared.split(split), half, part, images_per_class=images_per_class)
        for number, (image, label) in enumerate(zip(data.images, data.labels.tolist(), strict=True)):
            path = folder / part / f"{label:03}" / f"{number:06}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(image.permute(1, 2, 0).contiguous().numpy()).save(path)


class PlainNet(nn.Module):
    """The eight layers in plain PyTorch, with the same names as ours."""

    def __init__(self, task: Task) -> None:
        super().__init__()
        channels = 3
        for name, conv in zip(LAYERS, task.spec.convs, strict=False):
            self.add_module(name, nn.Conv2d(channels, conv.channels, conv.kernel, conv.stride, conv.padding))
            channels = conv.channels
        for name in LAYERS[len(task.spec.convs) :]:
            outputs, inputs = task.weights[f"{name}.weight"].shape
            self.add_module(name, nn.Linear(inputs, outputs))
        self.spec = task.spec
        self.load_state_dict({name: torch.from_numpy(array) for name, array in task.weights.items()})
        for name, parameter in self.named_parameters():
            parameter.requires_grad = name.split(".")[0] not in LAYERS[: task.frozen]

    def forward(self, x: Tensor) -> Tensor:
        """Logits, N x classes, of images, float32 N x 3 x H x W."""
        for name, conv in zip(LAYERS, self.spec.convs, strict=False):
            x = torch.relu(self.get_submodule(name)(x))
            x = nn.functional.max_pool2d(x, 3, 2) if conv.pool else x
        x = torch.relu(self.get_submodule("fc6")(x.flatten(1)))
        x = torch.relu(self.get_submodule("fc7")(x))
        logits: Tensor = self.get_submodule("fc8")(x)
        return logits


def train_plainly(task: Task) -> Outcome:
    """The loop of PyTorch's transfer-learning tutorial."""
    started = time.perf_counter()
    device = "cuda" if torch.cuda.is_available() else "cpu"
    loaders = {part: _loader(task, part) for part in PARTS}
    started = time.perf_counter() if task.in_memory else started
    model = PlainNet(task).to(device)
    criterion = nn.CrossEntropyLoss()
    optimizer = _optimizer(model, task)
    scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, _rates(task, len(loaders["train"])))
    top1: list[float] = []
    for _ in range(task.recipe.epochs):
        for part in PARTS:
            model.train(part == "train")
            running_loss, running_corrects, count = 0.0, 0.0, 0
            for inputs, labels in loaders[part]:
                inputs, labels = inputs.to(device), labels.to(device)
                optimizer.zero_grad()
                with torch.set_grad_enabled(part == "train"):
                    outputs = model(inputs)
                    preds = outputs.argmax(1)
                    loss = criterion(outputs, labels)
                    if part == "train":
                        loss.backward()
                        optimizer.step()
                        scheduler.step()
                running_loss += loss.item() * len(inputs)
                running_corrects += torch.sum(preds == labels).item()
                count += len(inputs)
        top1.append(running_corrects / count)
        if top1[-1] >= task.goal:
            break
    return Outcome(time.perf_counter() - started, len(top1) * _images(task, loaders["train"]), max(top1))


def train_with_lightning(task: Task) -> Outcome:
    """The same training as a LightningModule, by a Trainer without logging, checkpoints or progress bar."""
    import lightning

    class Module(lightning.LightningModule):
        def __init__(self) -> None:
            super().__init__()
            self.model = PlainNet(task)
            self.correct: list[Tensor] = []
            self.top1: list[float] = []

        def training_step(self, batch: tuple[Tensor, Tensor], _: int) -> Tensor:
            return nn.functional.cross_entropy(self.model(batch[0]), batch[1])

        def on_validation_epoch_start(self) -> None:
            self.correct = []

        def validation_step(self, batch: tuple[Tensor, Tensor], _: int) -> None:
            self.correct.append(self.model(batch[0]).argmax(1) == batch[1])

        def on_validation_epoch_end(self) -> None:
            self.top1.append(torch.cat(self.correct).double().mean().item())
            self.trainer.should_stop = self.top1[-1] >= task.goal

        def configure_optimizers(self) -> dict[str, object]:
            optimizer = _optimizer(self.model, task)
            scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, _rates(task, len(training)))
            return {"optimizer": optimizer, "lr_scheduler": {"scheduler": scheduler, "interval": "step"}}

    started = time.perf_counter()
    training, validation = (_loader(task, part) for part in PARTS)
    module = Module()
    trainer = lightning.Trainer(
        max_epochs=task.recipe.epochs, logger=False, enable_checkpointing=False, enable_progress_bar=False,
        enable_model_summary=False, num_sanity_val_steps=0,
    )  # fmt: skip
    trainer.fit(module, training, validation)
    return Outcome(time.perf_counter() - started, len(module.top1) * _images(task, training), max(module.top1))


def _loader(task: Task, part: Part) -> "DataLoader[tuple[Tensor, Tensor]]":
    from torchvision import transforms  # here: our own rungs of the ladder run where torchvision is not installed
    from torchvision.datasets import ImageFolder

    scale = transforms.Normalize([128 / 255] * 3, [64 / 255] * 3)
    folder = ImageFolder(str(task.images / part), transforms.Compose([transforms.ToTensor(), scale]))
    data: Any = folder
    if task.in_memory:
        images, labels = zip(*folder, strict=True)
        data = TensorDataset(torch.stack(images), torch.tensor(labels))
    train = part == "train"
    return DataLoader(data, batch_size=task.recipe.batch_size, shuffle=train, drop_last=train)


def _optimizer(model: nn.Module, task: Task) -> torch.optim.Optimizer:
    trained = [(name, parameter) for name, parameter in model.named_parameters() if parameter.requires_grad]
    if task.way == "Adam":
        return torch.optim.Adam([parameter for _, parameter in trained], lr=1e-3)
    groups = [
        {"params": [p for name, p in trained if name.endswith("weight")], "weight_decay": task.recipe.weight_decay},
        {"params": [p for name, p in trained if name.endswith("bias")], "weight_decay": 0.0},
    ]
    return torch.optim.SGD(groups, lr=1.0, momentum=task.recipe.momentum, nesterov=task.recipe.nesterov)


def _rates(task: Task, steps: int) -> Callable[[int], float]:
    """What each step multiplies the optimiser's own rate by."""
    if task.way == "Adam":
        return lambda step: 1.0
    return lambda step: learning_rate(task.recipe, min(task.recipe.epochs, step / steps))


def _images(task: Task, loader: "DataLoader[tuple[Tensor, Tensor]]") -> int:
    """The images of an epoch."""
    return len(loader) * task.recipe.batch_size
