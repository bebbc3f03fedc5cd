"""The claims, each with the statistic that tests it. Accuracies are in points; the usual margin is one point."""

from collections.abc import Mapping

from course.evidence.after import measures as after
from course.evidence.after.variants import OF_IMAGES
from course.evidence.claims import measures
from course.evidence.claims.judge import Claim
from transferkit.treatments import Treatment

_PAPER = "Yosinski et al. 2014"
_OWN = "this project"
_FIGURE_2, _FIGURE_3 = f"{_PAPER}, Figure 2", f"{_PAPER}, Figure 3"

_SPECIFICITY = (
    Claim(
        "general-1-2", "The first two layers transfer without loss.", _FIGURE_2,
        "AnB at n = 1, 2 against its own base", "no loss", "similar",
        lambda evidence: measures.at(evidence.similar, "AnB", (1, 2)),
    ),
    Claim(
        "general-1-2-control", "The first two layers are as good from the other half as from the own one.", _FIGURE_2,
        "AnB minus BnB at n = 1, 2", "equal", "similar",
        lambda evidence: measures.between(evidence.similar, "AnB", "BnB", (1, 2)),
    ),
    Claim(
        "worse-with-n", "Transfer gets worse the more layers are copied.", _FIGURE_2,
        "slope of AnB against its own base over n", "less", "similar",
        lambda evidence: measures.falls_with_n(evidence.similar), unit="points per layer", margin=0.25,
    ),
    Claim(
        "specific-6-7", "The last layers are specific to their task.", _FIGURE_2,
        "AnB minus BnB at n = 6, 7", "less", "similar",
        lambda evidence: measures.between(evidence.similar, "AnB", "BnB", (6, 7)),
    ),
    Claim(
        "gradual", "The change is gradual: AnB falls below BnB over several layers, not at one.", _FIGURE_2,
        "AnB minus BnB at n = 7, without the layer at which it falls most", "less", "similar",
        lambda evidence: measures.gradual(evidence.similar),
    ),
    Claim(
        "worse-when-dissimilar", "Transfer is worse between dissimilar halves than between similar ones.", _FIGURE_3,
        "AnB against its own base: natural split minus random splits", "less", "dissimilar",
        measures.dissimilar_against_similar,
    ),
    Claim(
        "worse-when-apart", "Transfer is worse between halves of the same kinds that share no photograph.", _OWN,
        "AnB against its own base: splits without a common photograph minus random splits", "less", "apart",
        lambda evidence: measures.between_kinds_of_split(evidence.apart, "apart", "random"),
    ),
    Claim(
        "worse-when-other-kind", "Where no photograph is shared, transfer is worse between different kinds.", _OWN,
        "AnB against its own base: natural split minus splits of both kinds without a common photograph", "less",
        "apart", lambda evidence: measures.between_kinds_of_split(evidence.apart, "natural", "apart"),
    ),
    Claim(
        "distance", "Transfer gets better the more the halves have in common.", _FIGURE_3,
        "slope of AnB against its own base over the overlap of parts, from none to all", "more", "dial",
        lambda evidence: measures.rises_with_overlap(evidence.dial), unit="points from none to all",
    ),
    Claim(
        "better-than-random", "Even features of a distant task beat random filters.", _FIGURE_3,
        "AnB minus RnB on the natural split", "more", "dissimilar",
        lambda evidence: measures.between(evidence.dissimilar, "AnB", "RnB"),
    ),
    Claim(
        "random-plateau", "Random filters of full scale train where the paper's small Gaussian fails.", _FIGURE_3,
        "RnB drawn after He et al. minus RnB as published, n = 3 to 7", "more", "plateau",
        lambda evidence: measures.scaled_against_published(evidence.plateau),
    ),
)  # fmt: skip

_CO_ADAPTATION = (
    Claim(
        "dip", "Middle layers co-adapt: networks chopped there fall below their base.", _FIGURE_2,
        "BnB at n = 4, 5 against its own base", "less", "similar",
        lambda evidence: measures.at(evidence.similar, "BnB", (4, 5)),
    ),
    Claim(
        "dip-shape", "Chopping in the middle costs more than chopping low or high.", _FIGURE_2,
        "BnB at n = 3, 4, 5 minus BnB at n = 1, 2, 6, 7", "less", "similar",
        lambda evidence: measures.curvature(evidence.similar),
    ),
    Claim(
        "recovery", "There is a dip in the middle, and fine-tuning recovers it.", _FIGURE_2,
        "base minus BnB (the dip) and BnB+ minus BnB at n = 4, 5: the smaller of the two", "more", "similar",
        lambda evidence: measures.recovered(evidence.similar, (4, 5)),
    ),
)  # fmt: skip

_FINE_TUNING = (
    Claim(
        "boost", "Transfer with fine-tuning beats training from scratch.", f"{_PAPER}, Table 1",
        "AnB+ against its own base", "more", "similar",
        lambda evidence: measures.at(evidence.similar, "AnB+"),
    ),
    Claim(
        "boost-over-control", "It is the other task that helps, not the second training.", f"{_PAPER}, Table 1",
        "AnB+ minus BnB+", "more", "similar",
        lambda evidence: measures.between(evidence.similar, "AnB+", "BnB+"),
    ),
    Claim(
        "converges-faster", "Fine-tuning converges faster than training from scratch.", "He et al. 2018",
        "AnB+ minus its own base after a third of the images", "more", "similar",
        lambda evidence: measures.early_lead(evidence.epochs),
    ),
    Claim(
        "longer-closes-gap", "Training from scratch for longer reaches what fine-tuning does.", "He et al. 2018",
        "a base trained for as many images as base and fine-tuning together, minus AnB+", "no loss", "longer",
        measures.longer_against_finetuned,
    ),
    Claim(
        "freeze-small", "Freeze the copied layers when the target set is small.", f"{_PAPER}, section 1",
        "AnB+ minus AnB with the smallest target set", "less", "sizes",
        lambda evidence: measures.freezing(evidence.sizes, largest=False),
    ),
    Claim(
        "finetune-large", "Fine-tune the copied layers when the target set is large.", f"{_PAPER}, section 1",
        "AnB+ minus AnB with the largest target set", "more", "sizes",
        lambda evidence: measures.freezing(evidence.sizes, largest=True),
    ),
    Claim(
        "size-matters", "The larger the target set, the more fine-tuning gains over freezing.", f"{_PAPER}, section 1",
        "AnB+ minus AnB, largest minus smallest target set", "more", "sizes",
        lambda evidence: measures.size_matters(evidence.sizes),
    ),
)  # fmt: skip

_FIRST_LAYER = (
    Claim(
        "conv1-gabor", "conv1 holds Gabor filters and colour blobs.", f"{_PAPER}, section 1",
        "share of Gabors, edges and colour blobs, minus that of the same filters with scrambled phases", "more",
        "similar", lambda evidence: measures.of_papers_kinds(evidence.conv1),
    ),
    Claim(
        "conv1-halves", "conv1 is of the same kinds in both halves.", f"{_PAPER}, section 1",
        "share of filters of another kind in baseA than in baseB", "equal", "similar",
        lambda evidence: measures.halves_differ(evidence.conv1), margin=20.0,
    ),
    Claim(
        "conv1-data", "conv1 is of the same kinds on another data set.", f"{_PAPER}, section 1",
        "share of filters of another kind than on the second data set", "equal", "dial",
        lambda evidence: measures.data_differ(evidence.conv1), margin=20.0,
    ),
    Claim(
        "conv1-alike", "Both halves learn the same filters in conv1, not only the same kinds.", _OWN,
        "cosine of best-matched filters, baseA with baseB minus baseA with the most alike of three controls "
        "(baseB scrambled, with red and blue exchanged, or turned by 90 degrees)", "more", "similar",
        lambda evidence: measures.alike(evidence.conv1), unit="hundredths of a cosine", margin=5.0,
    ),
)  # fmt: skip


def _instead(key: str, sentence: str, filters: str, made: Treatment, series: str = "made") -> Claim:
    """That a frozen conv1 of other filters loses nothing against the base's own."""
    return Claim(
        key, sentence, _OWN, f"conv1 of {filters} minus the base's own conv1, both frozen ({made[0]}1B - B1B)",
        "no loss", series, lambda evidence: measures.between(getattr(evidence, series), made, "BnB", (1,)),
    )  # fmt: skip


_ENOUGH = (
    _instead("made-fits", "The Gabors fitted to conv1's filters do its work: what they leave out is not missed.",
             "their fits", "FnB"),
    _instead("made-bank", "Gabors and colour blobs made by a rule do the work of learned filters.",
             "filters made by a rule", "GnB"),
    _instead("made-components", "Independent components of patches, found without labels, do the work of learned ones.",
             "components", "InB"),
    Claim(
        "made-shape", "The shapes of conv1's filters matter, not only their spectrum.", _OWN,
        "conv1 of fits minus conv1 of noise with the layer's spectrum and colours, both frozen (F1B - S1B)", "more",
        "made", lambda evidence: measures.between(evidence.made, "FnB", "SnB", (1,)),
    ),
    Claim(
        "made-start", "When conv1 is fine-tuned, white noise is as good a start as the learned filters.", _OWN,
        "conv1 of white noise minus the base's own, both fine-tuned (W1B+ - B1B+)", "no loss", "made",
        lambda evidence: measures.between(evidence.made, "WnB+", "BnB+", (1,)),
    ),
    _instead("made-fits-dial", "The fitted Gabors do the work of conv1 on the second data set too.", "their fits",
             "FnB", "made_dial"),
    _instead("made-bank-dial", "Gabors and colour blobs made by a rule do that work on the second data set too.",
             "filters made by a rule", "GnB", "made_dial"),
)  # fmt: skip

_LENGTH = (
    Claim(
        "learned", "The bases have learned: twice the epochs hardly help them.", _OWN,
        "a base minus the same base trained for twice as long", "no loss", "longer",
        measures.gain_of_longer,
    ),
    Claim(
        "stopped-early", "Stopped early, even the selffer control lies above its base.", _OWN,
        "BnB against its own base after the fewest epochs", "more", "lengths",
        lambda evidence: measures.lifted_by_stopping_early(evidence.lengths),
    ),
)  # fmt: skip

_KUMAR, _LEE, _HOWARD = "Kumar et al. 2022", "Lee et al. 2023", "Howard and Ruder 2018"
_RAGHU = "Raghu et al. 2019"
_RATES = "each at the rate that is better on the other splits"
_AFTER = (
    Claim(
        "probed-first", "To train the last layer first, and then all, does better than fine-tuning all at once.",
        _KUMAR, f"A7B probed and then fine-tuned minus A7B+, {_RATES}", "more", "after",
        lambda evidence: after.probed_first(evidence.after),
    ),
    Claim(
        "probed-first-shifted",
        "To train the last layer first does better on images with a colour cast, blur or noise, too.", _KUMAR,
        f"that difference on shifted images, {_RATES} on images as trained", "more", "after",
        lambda evidence: after.probed_first(evidence.after, shifted=True),
    ),
    Claim(
        "probed-first-few",
        "To train the last layer first does better on shifted images where the target has few images.", _KUMAR,
        "that difference on shifted images, trained on 10 images per class", "more", "after",
        lambda evidence: after.probed_first(evidence.after, few=True, shifted=True),
    ),
    Claim(
        "first-block", "When the images shift, it is better to tune the first layers alone than all.", _LEE,
        f"conv1 and conv2 of the base tuned on 10 shifted images per class minus all layers tuned, {_RATES}", "more",
        "after", lambda evidence: after.one_block(evidence.after, "first block", OF_IMAGES),
    ),
    Claim(
        "first-over-last", "When the images shift, it is better to tune the first layers than the last ones.", _LEE,
        f"conv1 and conv2 of the base tuned on 10 shifted images per class minus fc6 to fc8 tuned, {_RATES}", "more",
        "after", lambda evidence: after.one_block(evidence.after, "first block", OF_IMAGES, "last block"),
    ),
    Claim(
        "last-block", "When the labels change, it is better to tune the last layers alone than all.", _LEE,
        f"fc6 to fc8 of the base tuned on 10 images per class, classes numbered backwards, minus all layers, {_RATES}",
        "more", "after", lambda evidence: after.one_block(evidence.after, "last block", ("labels",)),
    ),
    Claim(
        "small-rate", "Copied layers do better at a smaller learning rate than the others.", _HOWARD,
        "AnB+ with copied layers at a tenth of the rate, minus AnB+, n = 3, 7", "more", "after",
        lambda evidence: after.small_rate(evidence.after, "fine-tuned"),
    ),
    Claim(
        "small-rate-few", "Where the target has few images, copied layers do better at a smaller learning rate.",
        _HOWARD,
        "that difference with 10 images per class, n = 3, 7", "more", "after",
        lambda evidence: after.small_rate(evidence.after, "fine-tuned", few=True),
    ),
    Claim(
        "scale-alone", "Mean and variance of the copied weights do the work of the weights themselves.", _RAGHU,
        "layers drawn with the mean and variance of A's seven, minus A7B+, all layers trained", "no loss", "after",
        lambda evidence: after.scale_alone(evidence.after, "fine-tuned"),
    ),
    Claim(
        "scale-alone-early", "Mean and variance of copied weights speed up the training.", _RAGHU,
        "layers drawn with the mean and variance of A's seven, minus the base, after a third of the epochs",
        "more", "after", lambda evidence: after.early_scale_alone(evidence.after),
    ),
    Claim(
        "gain-shrinks", "The longer the target trains, the less the copy gains over training from scratch.",
        "He et al. 2018", "A5B+ minus a base trained as long, after 64 epochs minus after 12", "less", "after",
        lambda evidence: after.longer_against_shorter(evidence.after),
    ),
)  # fmt: skip

QUESTIONS: Mapping[str, tuple[Claim, ...]] = {
    "Where does general turn into specific?": _SPECIFICITY,
    "What does the chop cost?": _CO_ADAPTATION,
    "What does a copy gain, frozen or fine-tuned?": _FINE_TUNING,
    "Had the networks learned?": _LENGTH,
    "What is in a first layer?": _FIRST_LAYER,
    "Are Gabors enough?": _ENOUGH,
    "What was found after 2014": _AFTER,
}
OF_THE_PAPER = tuple(QUESTIONS)[:4]
CLAIMS: tuple[Claim, ...] = tuple(claim for claims in QUESTIONS.values() for claim in claims)
