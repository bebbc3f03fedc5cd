"""What units answer most, and a picture on its way through the layers: the numbers, the drawing and what is refused."""

import io
from collections.abc import Callable
from dataclasses import replace
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.text import Text
from PIL import Image

import transferkit as tk
from course import looking
from course.looking.activations import BEST, favourites, layer_answers, read_picture
from course.looking.features import responses as draw
from data_prep.pictures import PictureError, decode, square
from transferkit.config import get_preset
from transferkit.disk.store import Store
from transferkit.errors import StoreError, UsageError
from transferkit.network import LayeredNet, build
from transferkit.network.torchvision_nets import find_net
from transferkit.specs import ConvSpec, Net, NetSpec, small_net
from transferkit.training.data import open_prepared
from transferkit.training.experiment import perform
from transferkit.training.study import Study, plan_study

GENERATOR = np.random.default_rng(0)
IMAGES = torch.from_numpy(GENERATOR.integers(0, 256, (12, 3, 48, 48), dtype=np.uint8))


@pytest.fixture(scope="module")
def trained(tiny_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Study:
    store = Store(tmp_path_factory.mktemp("features"))
    found = plan_study(open_prepared(tiny_folder), get_preset("smoke"), "cpu", store, "float32")
    for run in tk.plan("random0", [0], ["A7B"]):
        perform(found, run)
    return found


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    Image.fromarray(IMAGES[0].permute(1, 2, 0).numpy()).resize((90, 60)).save(tmp_path / "mine.png")
    return tmp_path / "mine.png"


def other_kernel() -> NetSpec:
    """A conv1 whose filters are no whole number of steps wide, as in the paper's network."""
    return replace(small_net(), convs=(ConvSpec(8, kernel=11, stride=4), *small_net().convs[1:]))


def net_of(spec: Net) -> LayeredNet:
    network = build(spec, 4)
    network.initialise(lambda layer: ("features", layer), he=True)
    return network.eval()


NETS = {
    "small": net_of(small_net()), "other": net_of(other_kernel()),
    **{name: net_of(find_net(name, 48)) for name in ("resnet-small", "vit-small", "convnext-small")},
}  # fmt: skip


@pytest.mark.parametrize("layer", ["conv1", "conv4", "fc6", "fc8"])
def test_the_best_images_of_every_unit_are_those_of_the_highest_answers(layer: str) -> None:
    network = NETS["small"]
    table = favourites(network, IMAGES, [layer])
    with torch.no_grad():
        inputs = network.to_input(network.held(IMAGES), torch.float32)
        highest = network(inputs, until=1 + network.layers.index(layer)).flatten(2 if layer < "f" else 1).numpy()
    highest = highest.max(axis=2) if layer < "f" else highest
    for unit, own in table.groupby("unit"):
        assert own["answer"].tolist() == pytest.approx(sorted(highest[:, unit], reverse=True)[:BEST], abs=1e-5)
        assert own["answer"].to_numpy() == pytest.approx(highest[own["image"], unit], abs=1e-5)
        assert own["least"].iloc[0] == pytest.approx(highest[:, unit].min(), abs=1e-5)
    assert table["unit"].nunique() == highest.shape[1]


@given(name=st.sampled_from(sorted(NETS)), data=st.data())
@settings(max_examples=40)
def test_nothing_outside_of_a_patch_changes_what_its_unit_answers_there(name: str, data: st.DataObject) -> None:
    network = NETS[name]
    layer = data.draw(st.sampled_from(network.layers))
    table = favourites(network, IMAGES[:2], [layer])
    row = table.iloc[data.draw(st.integers(0, len(table) - 1))]
    image, box = int(row["image"]), (slice(None), slice(row["top"], row["bottom"]), slice(row["left"], row["right"]))
    other = IMAGES[2].clone()
    other[box] = IMAGES[image][box]
    after = favourites(network, other[None], [layer]).set_index("unit").loc[row["unit"]]
    assert after["answer"] >= row["answer"] - 1e-4


@pytest.mark.parametrize(
    ("name", "sides"),
    [
        ("small", {"conv1": 15, "conv2": 39, "conv3": 45, "fc6": 45}),  # 9; + 2 * 3; + 2 * 6; + 2 * 6; all that is seen
        ("other", {"conv1": 11}),
        ("resnet-small", {"stem": 9, "layer1": 25, "fc": 48}),  # 5; + 2 * 2; + 4 * 4
        ("vit-small", {"embed": 6, "block1": 48}),
        ("convnext-small", {"stem": 4, "stage1": 28}),  # 4; + 6 * 4
    ],
)
def test_a_patch_is_the_receptive_field_of_its_layer(name: str, sides: dict[str, int]) -> None:
    table = favourites(NETS[name], IMAGES[:3], list(sides))
    assert table.groupby("layer")["side"].first().to_dict() == sides
    wide, tall = (table[high] - table[low] for low, high in (("left", "right"), ("top", "bottom")))
    assert max(wide.max(), tall.max()) <= max(sides.values())
    assert min(wide.min(), tall.min()) >= 1
    assert table[["left", "top"]].min().min() >= 0
    assert table[["right", "bottom"]].max().max() <= 48


def test_of_equal_answers_the_first_image_and_the_first_place_are_taken() -> None:
    flat = torch.full((10, 3, 48, 48), 200, dtype=torch.uint8)
    table = favourites(NETS["small"], flat, ["conv1", "fc7"])
    for _, own in table.groupby(["layer", "unit"]):
        assert own["image"].tolist() == list(range(BEST))
    assert table.loc[table["layer"] == "conv1", ["left", "top"]].to_numpy().max() == 0


def drawn_rows(*args: object) -> list[str]:
    """The titles of the rows in a picture."""
    return [text.get_text() for text in draw(*args).figure.findobj(Text) if text.get_fontweight() == "bold"]  # type: ignore[arg-type]


def test_units_are_shown_in_the_order_named_and_without_a_name_those_that_vary_most() -> None:
    table, names = favourites(NETS["small"], IMAGES, ["conv1", "conv3"]), ["here", "there"] * 6
    assert drawn_rows(table, IMAGES.numpy(), names, [5, 3, 5], "net") == [
        "conv1 unit 5", "conv1 unit 3", "conv3 unit 5", "conv3 unit 3"
    ]  # fmt: skip
    spread = table[table["layer"] == "conv3"].groupby("unit")["spread"].first()
    shown = [title for title in drawn_rows(table, IMAGES.numpy(), names, None, "net") if "conv3" in title]
    assert shown == [f"conv3 unit {unit}" for unit in sorted(spread.nlargest(4).index)]


def test_the_text_says_what_is_drawn() -> None:
    table = favourites(NETS["small"], IMAGES, ["conv2"])
    names = ["wall" if image in set(table.loc[table["unit"] == 7, "image"].iloc[:5]) else "sky" for image in range(12)]
    picture = draw(table, IMAGES.numpy(), names, [7], "A3B")
    own = table[table["unit"] == 7]
    assert f"conv2 unit 7 sees 39 x 39 pixels, answers {own['answer'].iloc[0]:.2f} to " in picture.alt
    assert "5 of 8: wall." in picture.alt
    tallies = [
        pair["image"].map(lambda image: names[image]).value_counts().max()
        for _, pair in table[table["answer"] > table["least"]].groupby("unit")
    ]
    assert f"of a layer: conv2 {np.mean(tallies):.1f}." in picture.alt
    patches = [image for image in picture.figure.axes[0].images if image.get_extent()[1] - image.get_extent()[0] > 0.4]
    for image, (_, row) in zip(patches, own.iterrows(), strict=True):
        shown = IMAGES[row["image"]].permute(1, 2, 0)[row["top"] : row["bottom"], row["left"] : row["right"]]
        assert np.array_equal(np.asarray(image.get_array()), shown)


def test_a_unit_that_answers_nothing_says_so_and_shows_nothing() -> None:
    network = net_of(small_net())
    with torch.no_grad():
        network.get_parameter("conv1.weight")[4] = 0
        network.get_parameter("conv1.bias")[4] = -1
    picture = draw(favourites(network, IMAGES, ["conv1"]), IMAGES.numpy(), ["wall"] * 12, [4], "baseA")
    assert "conv1 unit 4 sees 15 x 15 pixels, answers nothing." in picture.alt
    assert not picture.figure.axes[0].images
    assert "nan" not in picture.alt


def test_of_a_finished_network_the_images_are_of_its_half_with_their_classes(trained: Study) -> None:
    for run in (tk.parse_run("baseA", "random0", 0), tk.parse_run("A7B", "random0", 0)):
        names = {f"blotch-{label}" for label in trained.prepared.split("random0").classes(run.target)}
        alt = looking.responses(trained, run, ["conv1", "fc7"]).alt
        told = {word.rstrip(".") for word in alt.split() if word.startswith("blotch-")}
        assert told
        assert told <= names
    assert "32 validation" in str([text.get_text() for text in looking.responses(trained).figure.findobj(Text)])


@pytest.mark.parametrize("name", ["resnet-small", "vit-small", "convnext-small"])
def test_staged_networks_answer_too(trained: Study, name: str, picture: Path) -> None:
    study = replace(trained, setting=replace(trained.setting, net=find_net(name, 48)))
    first, *_, last = study.setting.net.layers
    assert f"{first} unit 0 sees" in looking.responses(study, "untrained", [first, last], 0).alt
    alt = looking.look(study, "untrained", picture).alt
    assert all(f"{layer} " in alt for layer in study.setting.net.layers)


def test_the_same_call_gives_the_same_picture(trained: Study, picture: Path, tmp_path: Path) -> None:
    makes: list[Callable[[], tk.Picture]] = [
        lambda: looking.responses(trained, "baseB", ("conv2", "conv5")),
        lambda: looking.look(trained, ["baseA", "untrained"], picture),
    ]
    for make in makes:
        one, two = (make().save(tmp_path / f"{name}.png").read_bytes() for name in ("one", "two"))
        assert one == two


@pytest.mark.parametrize(
    ("layer", "unit", "words"),
    [
        ("conv9", 0, "'conv9' is no layer of small: choose conv1, conv2, conv3, conv4, conv5, fc6, fc7, fc8"),
        (3, 0, "'3' is no layer of small: choose conv1"),
        (["conv1", "pool5"], 0, "'pool5' is no layer"),
        ([], 0, "nothing is no layer of small: choose conv1"),
        ("conv1", 32, "conv1 has no unit 32: choose whole numbers from 0 to 31"),
        ("fc8", [0, -1], "fc8 has no unit -1: choose whole numbers from 0 to 3"),
        ("conv1", 0.5, "conv1 has no unit 0.5: choose whole numbers"),
        ("conv1", "7", "conv1 has no unit 7: choose whole numbers"),
        ("conv1", [], "0 units of all layers do not fit on a page: name 1 to 32"),
        (["conv3", "conv4"], range(17), "34 units of all layers do not fit on a page: name 1 to 32"),
    ],
)
def test_a_layer_or_unit_that_is_not_there_is_refused(trained: Study, layer: str, unit: int, words: str) -> None:
    with pytest.raises(UsageError, match=words) as refused:
        looking.responses(trained, "baseA", layer, unit)
    assert "\n" not in str(refused.value)


def test_a_network_that_is_not_trained_yet_is_refused(trained: Study, picture: Path) -> None:
    with pytest.raises(StoreError, match="B3A has no weights.*run the sweep again to train it"):
        looking.responses(trained, "B3A")
    with pytest.raises(StoreError, match="B3A has no weights.*run the sweep again to train it"):
        looking.look(trained, ["baseA", "B3A"], picture)


def test_a_picture_goes_through_all_layers_of_each_network_to_its_classes(trained: Study, picture: Path) -> None:
    shown = looking.look(trained, ["baseA", "A7B", "untrained"], picture)
    told = shown.alt.split(": ")
    assert [part.split(". ")[-1] for part in told[:3]] == ["baseA", "A7B", "baseA, untrained"]
    pixels = read_picture(picture, trained)
    for label, half, said in zip(("baseA", "A7B"), "AB", told[1:3], strict=True):
        network = tk.load_network(trained, label)
        with torch.no_grad():
            inputs = network.to_input(network.held(torch.from_numpy(pixels)[None]), torch.float32)
            features, shares = network(inputs, until=3)[0], network(inputs)[0].softmax(0)
        assert f"conv3 {int((features.amax((1, 2)) > 0).sum())} of 64 answer, most unit" in said
        classes = trained.prepared.split("random0").classes("A" if half == "A" else "B")
        best = trained.prepared.manifest.classes[classes[int(shares.argmax())]].name
        assert f"fc8 gives {100 * float(shares.max()):.1f} % {best}, " in said
    assert shown.alt.endswith("The picture may be of none of these classes.")


def test_untrained_is_the_base_of_the_first_network_before_its_training(trained: Study, picture: Path) -> None:
    alone, beside = (looking.look(trained, runs, picture).alt for runs in ("untrained", ["A7B", "untrained"]))
    assert "baseA, untrained: conv1" in alone
    assert "baseB, untrained: conv1" in beside


def test_brighter_is_more_and_the_strongest_maps_come_first(trained: Study, picture: Path) -> None:
    answers = layer_answers(tk.load_network(trained, "baseA"), read_picture(picture, trained))["conv1"]
    own, *strip = looking.look(trained, "baseA", picture).figure.axes[0].images
    assert np.array_equal(np.asarray(own.get_array()), read_picture(picture, trained).transpose(1, 2, 0))
    peaks = [float(np.max(np.asarray(image.get_array()))) for image in strip[:10]]
    assert peaks == pytest.approx(sorted(answers.max(axis=(1, 2)), reverse=True)[:10])
    assert all(image.get_clim() == pytest.approx((0.0, answers.max())) for image in strip[:10])


KINDS = ["RGB", "L", "RGBA", "LA", "P", "1", "CMYK", "I;16"]


@given(
    width=st.integers(1, 120), height=st.integers(1, 120), kind=st.sampled_from(KINDS), turned=st.integers(1, 8),
    seed=st.integers(0, 9),
)  # fmt: skip
@settings(max_examples=60)
def test_a_picture_is_fitted_to_a_square_as_the_data_preparation_does(
    trained: Study, tmp_path_factory: pytest.TempPathFactory, width: int, height: int, kind: str, turned: int, seed: int
) -> None:
    pixels = np.random.default_rng(seed).integers(0, 256, (height, width, 4), dtype=np.uint8)
    image = Image.fromarray(pixels, "CMYK" if kind == "CMYK" else "RGBA")
    image = Image.fromarray(pixels[..., 0].astype(np.uint16) * 257) if kind == "I;16" else image.convert(kind)
    exif = Image.Exif()
    exif[274] = turned  # its orientation
    path = tmp_path_factory.getbasetemp() / f"drawn.{'tiff' if kind == 'CMYK' else 'png'}"
    image.save(path, exif=exif)
    assert np.array_equal(read_picture(path, trained), square(decode(path.read_bytes()).image, 48))


def test_a_picture_may_be_named_from_the_home_folder(
    trained: Study, picture: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(picture.parent))
    assert np.array_equal(read_picture("~/mine.png", trained), read_picture(picture, trained))


def test_of_larger_images_the_networks_read_the_middle(trained: Study, picture: Path) -> None:
    study = replace(trained, setting=replace(trained.setting, net=replace(small_net(), image_size=33)))
    assert np.array_equal(read_picture(picture, study), read_picture(picture, trained)[:, 7:-8, 7:-8])


def broken() -> dict[str, bytes]:
    whole = io.BytesIO()
    Image.fromarray(IMAGES[0].permute(1, 2, 0).numpy()).save(whole, "PNG")
    depth = io.BytesIO()
    Image.fromarray(np.zeros((5, 5), dtype=np.float32)).save(depth, "TIFF")
    return {
        "words.txt": b"no picture",
        "empty.png": b"",
        "short.png": whole.getvalue()[:900],
        "f.tif": depth.getvalue(),
    }


@pytest.mark.parametrize("name", [*broken(), "missing.png", "."])
def test_what_is_no_picture_is_refused(trained: Study, tmp_path: Path, name: str) -> None:
    if content := broken().get(name):
        with pytest.raises(PictureError):
            decode(content)
    if name in broken():
        (tmp_path / name).write_bytes(broken()[name])
    with pytest.raises(UsageError, match="cannot be read as a picture .*: name a PNG, JPEG or WebP file") as refused:
        looking.look(trained, "baseA", tmp_path / name)
    assert name in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("runs", [[], ["baseA"] * 5])
def test_more_networks_than_fit_are_refused(trained: Study, picture: Path, runs: list[str]) -> None:
    with pytest.raises(UsageError, match=f"{len(runs)} networks do not fit side by side: name 1 to 4"):
        looking.look(trained, runs, picture)


def test_long_names_are_cut_and_no_text_covers_another_or_leaves_the_page(trained: Study, tmp_path: Path) -> None:
    name = tmp_path / f"{'a$very_long^name$' * 3}.png"
    Image.new("RGB", (9, 9)).save(name)
    table = favourites(NETS["small"], IMAGES, ["conv1", "fc8"])
    classes = ["n01440764 tench, $Tinca$ tinca, a fish of ponds"] * 12
    manifest = trained.prepared.manifest
    long = replace(manifest, classes=tuple(replace(it, name=f"{it.name} {classes[0]}") for it in manifest.classes))
    study = replace(trained, prepared=replace(trained.prepared, manifest=long))
    for shown in (
        draw(table, IMAGES.numpy(), classes, None, "baseA"),
        looking.look(study, ["baseA", "A7B", "baseB", "untrained"], name),
    ):
        shown.figure.draw_without_rendering()
        boxes = [text.get_window_extent() for text in shown.figure.findobj(Text) if text.get_text()]
        assert not any(one.overlaps(other) for one, other in combinations(boxes, 2))
        assert min(box.x0 for box in boxes) >= 0
        assert max(box.x1 for box in boxes) <= shown.figure.bbox.width
