"""What is drawn on an emulated device: a real pipeline of the curve's family, with tiny tensors and random weights."""

from pathlib import Path

from benchmarks.emulation import CURVES
from benchmarks.subject import Subject
from darkroom.catalogue import read_catalogue
from tests.models.tiny.pipelines import PIPELINES, SIDE, save

CARD = """
[{model}]
title = "{model}"
summary = "Tiny tensors, random weights."
license = "none"
pipeline = "{pipeline}"
path = "{model}"
dtype = "float32"
size = {{ width = {side}, height = {side}, min = {side}, max = 64, multiple_of = 8, max_pixels = 4096 }}
steps = {{ default = 20, min = 1, max = 100 }}
guidance_scale = {{ default = {guidance}, min = 0.0, max = 20.0 }}
scheduler = "{scheduler}"
schedulers = ["{scheduler}"]
negative_prompt = {negative}
"""


def tiny_subject(curve: str, folder: Path) -> Subject:
    """Built into `folder`, with a catalogue beside it that has nothing else."""
    family = CURVES[curve].family
    save(family, folder / curve)
    is_flux = family == "flux"
    catalogue = folder / "catalogue.toml"
    text = CARD.format(
        model=curve,
        pipeline=PIPELINES[family],
        side=SIDE,
        guidance=3.5 if is_flux else 5.0,
        scheduler="flow_euler" if is_flux else "euler",
        negative="false" if is_flux else "true",
    )
    catalogue.write_text(text, encoding="utf-8")
    return Subject(read_catalogue(catalogue)[curve], catalogue, SIDE, "cpu", "float32")
