"""Small networks with what the small one lacks."""

from dataclasses import replace

from transferkit.specs import NetSpec, small_net


def dropping() -> NetSpec:
    """With dropout before fc7 and fc8."""
    fc6, fc7 = small_net().fulls
    return replace(small_net(), name="dropping", fulls=(replace(fc6, dropout=0.5), replace(fc7, dropout=0.5)))


def normalised() -> NetSpec:
    """With batch normalisation after conv1."""
    first, second, third, fourth, fifth = small_net().convs
    return replace(small_net(), name="normalised", convs=(replace(first, norm="batch"), second, third, fourth, fifth))
