"""The few distinct requests of which a run's load is made, so that each needs to be drawn alone only once."""

from typing import Any

COLOURS = ("red", "green", "blue", "yellow")
SHAPES = ("circle", "square", "star")

Body = dict[str, Any]


def _body(index: int) -> Body:
    return {
        "prompt": f"a {COLOURS[index % 4]} {SHAPES[index % 3]} on a white background",
        "width": (64, 80)[index % 5 == 4],
        "height": 64,
        "steps": (1, 2, 4, 6, 12, 24)[index % 6],
        "guidance_scale": (4.0, 1.0, 6.5)[index % 3],
        "seed": 100 + index,
        "n": (1, 2)[index % 4 == 3],
        "scheduler": ("dpmpp_2m", "euler", "euler_ancestral", "heun", "ddim")[index % 5],
        "output_format": "png",
        "priority": ("interactive", "bulk")[index % 2],
    }


# Sizes, step counts, guidance on and off, schedulers with and without noise of their own, one and two images.
# PNG only: the lossy formats would blur what is compared.
POOL: tuple[Body, ...] = tuple(_body(index) for index in range(12))

# Takes the process down that draws it, each time: the workers of these tests are made so.
CRASH: Body = POOL[5] | {"prompt": "a request that kills its worker", "steps": 12, "n": 1}
