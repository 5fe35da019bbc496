"""Says in words what a picture shows, in one of many ways. What is not said is middle-sized and in the middle."""

import random

from models.minilab.recipe.pictures import (
    CENTRE,
    Landscape,
    Pair,
    Picture,
    Place,
    Relation,
    Single,
    Size,
    Thing,
)

# The first of each is what it is called most of the time.
COLOUR_WORDS: dict[str, tuple[str, ...]] = {
    "red": ("red", "crimson", "scarlet"),
    "orange": ("orange",),
    "yellow": ("yellow", "golden", "gold"),
    "green": ("green", "emerald"),
    "cyan": ("cyan", "turquoise", "teal"),
    "blue": ("blue", "navy"),
    "purple": ("purple", "violet"),
    "pink": ("pink", "rose"),
    "brown": ("brown",),
    "black": ("black",),
    "white": ("white",),
    "gray": ("gray", "grey", "silver"),
}
SHAPE_WORDS: dict[str, tuple[str, ...]] = {
    "circle": ("circle", "disc", "dot", "ball"),
    "square": ("square", "box"),
    "triangle": ("triangle",),
    "star": ("star",),
    "heart": ("heart",),
    "ring": ("ring", "hoop", "donut"),
    "hexagon": ("hexagon",),
    "diamond": ("diamond", "rhombus"),
    "crescent": ("crescent", "crescent moon"),
    "cross": ("cross", "plus sign"),
}
SIZE_WORDS: dict[Size, tuple[str, ...]] = {
    Size.SMALL: ("small", "little", "tiny"),
    Size.MEDIUM: ("medium",),
    Size.LARGE: ("large", "big", "huge"),
}
NUMBERS = {2: "two", 3: "three", 4: "four"}
ROWS = {-1: "top", 0: "", 1: "bottom"}
COLUMNS = {-1: "left", 0: "", 1: "right"}
RELATION_WORDS: dict[Relation, tuple[str, ...]] = {
    Relation.LEFT_OF: ("to the left of", "left of"),
    Relation.RIGHT_OF: ("to the right of", "right of"),
    Relation.ABOVE: ("above", "over", "on top of"),
    Relation.BELOW: ("below", "under", "beneath"),
}
GROUND_WORDS: dict[str, tuple[str, ...]] = {
    "sea": ("the sea", "the ocean", "the water"),
    "hill": ("a hill", "a green hill", "a meadow", "a grassy field"),
    "desert": ("the desert", "the sand"),
    "snow": ("the snow", "a snowy field", "a snowy hill"),
}
SKY_WORDS: dict[str, tuple[str, ...]] = {
    "day": ("", "by day", "during the day", "under a blue sky"),
    "night": ("at night", "under a dark sky", "by night"),
    "sunset": ("at sunset", "at dusk", "at dawn"),
    "pink sky": ("under a pink sky", "with a pink sky"),
}
FEATURE_WORDS: dict[str, tuple[str, ...]] = {
    "boat": ("a boat", "a sailboat", "a ship"),
    "island": ("an island", "an island with a palm tree"),
    "tree": ("a tree",),
    "house": ("a house",),
    "cactus": ("a cactus",),
    "pyramid": ("a pyramid",),
    "mountain": ("a mountain",),
}
LIGHT_WORDS: dict[str, tuple[str, ...]] = {
    "sun": ("the sun",),
    "moon": ("the moon", "a full moon"),
    "stars": ("stars", "a starry sky"),
    "clouds": ("clouds", "white clouds"),
}
STYLES_BEFORE = (
    "a photo of", "a picture of", "an image of", "a drawing of", "an illustration of", "a painting of",
    "a simple drawing of", "a beautiful picture of", "a minimal illustration of",
)  # fmt: skip
STYLES_AFTER = (
    "flat design", "vector art", "high quality", "highly detailed", "minimal style", "cartoon style", "logo", "icon",
    "bright", "clear", "realistic", "simple",
)  # fmt: skip
NONSENSE_LETTERS = "abcdefghijklmnopqrstuvwxyz"


def caption(picture: Picture, chance: random.Random) -> str:
    """Anew at each use: one picture is seen under many captions, and a tenth of the time under none (for guidance)."""
    kind = chance.random()
    if kind < 0.10:
        return ""
    if kind < 0.16:
        return _partial(picture, chance)
    text = describe(picture, chance)
    if chance.random() < 0.2:
        text = _styled(text, chance)
    if chance.random() < 0.04:
        text = _with_nonsense(text, chance)
    return text


def describe(picture: Picture, chance: random.Random) -> str:
    """Names all that the picture shows, and nothing else."""
    if isinstance(picture, Landscape):
        return _landscape(picture, chance)
    if isinstance(picture, Single):
        size = "" if _leaves_out_size(picture, chance) else f"{chance.choice(SIZE_WORDS[picture.size])} "
        subject = _a(f"{size}{_thing(picture.thing, chance)}") + _place(picture.place, chance)
    elif isinstance(picture, Pair):
        first, second = (_a(_thing(thing, chance)) for thing in (picture.first, picture.second))
        subject = _related(first, second, picture.relation, chance)
    else:
        subject = f"{NUMBERS[picture.count]} {plural(_thing(picture.thing, chance))}"
    return _on(subject, _colour(picture.background, chance), chance)


def plural(noun: str) -> str:
    if noun.endswith("plus sign"):
        return f"{noun}s"
    return f"{noun}es" if noun.endswith(("s", "x")) else f"{noun}s"


def _a(noun: str) -> str:
    return f"{'an' if noun[0] in 'aeiou' else 'a'} {noun}"


def _mostly_first(words: tuple[str, ...], chance: random.Random) -> str:
    return words[0] if chance.random() < 0.7 else chance.choice(words)


def _colour(colour: str, chance: random.Random) -> str:
    return _mostly_first(COLOUR_WORDS[colour], chance)


def _thing(thing: Thing, chance: random.Random) -> str:
    return f"{_colour(thing.colour, chance)} {_mostly_first(SHAPE_WORDS[thing.shape], chance)}"


def _leaves_out_size(picture: Single, chance: random.Random) -> bool:
    return picture.size is Size.MEDIUM and chance.random() < 0.7


def _place(place: Place, chance: random.Random) -> str:
    row, column = ROWS[place.row], COLUMNS[place.column]
    if place == CENTRE:
        return chance.choice((" in the center", " in the middle")) if chance.random() < 0.2 else ""
    if row and column:
        return chance.choice((f" in the {row} {column} corner", f" in the {row} {column}", f" at the {row} {column}"))
    if column:
        return chance.choice((f" on the {column}", f" on the {column} side", f" at the {column}"))
    return chance.choice((f" at the {row}", f" in the {row} middle"))


def _related(first: str, second: str, relation: Relation, chance: random.Random) -> str:
    if relation is Relation.LEFT_OF and chance.random() < 0.3:
        return chance.choice((f"{first} next to {second}", f"{first} and {second}"))
    return f"{first} {chance.choice(RELATION_WORDS[relation])} {second}"


def _on(subject: str, background: str, chance: random.Random) -> str:
    kind = chance.random()
    if kind < 0.6:
        return f"{subject} on {_a(background)} background"
    if kind < 0.75:
        return f"{subject}, {background} background"
    if kind < 0.85:
        return f"{subject} against {_a(background)} background"
    if kind < 0.93:
        return f"{subject} on {background}"
    return f"{_a(background)} background with {subject}"


def _landscape(picture: Landscape, chance: random.Random) -> str:
    ground = chance.choice(GROUND_WORDS[picture.ground])
    sky = chance.choice(SKY_WORDS[picture.sky])
    words = [ground if picture.feature is None else _standing(picture, ground, chance), sky]
    if picture.light:
        light = chance.choice(LIGHT_WORDS[picture.light])
        words.append(chance.choice((f"with {light}", f"and {light}")))
    return " ".join(word for word in words if word)


def _standing(picture: Landscape, ground: str, chance: random.Random) -> str:
    feature = chance.choice(FEATURE_WORDS[picture.feature or ""])
    return f"{feature} {'in' if picture.ground in ('sea', 'desert') and chance.random() < 0.5 else 'on'} {ground}"


def _styled(text: str, chance: random.Random) -> str:
    if chance.random() < 0.5:
        return f"{chance.choice(STYLES_BEFORE)} {text}"
    return f"{text}, {chance.choice(STYLES_AFTER)}"


def _with_nonsense(text: str, chance: random.Random) -> str:
    word = "".join(chance.choice(NONSENSE_LETTERS) for _ in range(chance.randint(3, 8)))
    words = text.split(" ")
    words.insert(chance.randrange(len(words) + 1), word)
    return " ".join(words)


def _partial(picture: Picture, chance: random.Random) -> str:
    """One word or two of it: what negative prompts are made of, and prompts in a hurry."""
    if isinstance(picture, Landscape):
        said = [chance.choice(GROUND_WORDS[picture.ground]), chance.choice(SKY_WORDS[picture.sky])]
        said += [chance.choice(FEATURE_WORDS[picture.feature])] if picture.feature else []
        return chance.choice(said)
    thing = picture.first if isinstance(picture, Pair) else picture.thing
    shape = _mostly_first(SHAPE_WORDS[thing.shape], chance)
    return chance.choice(
        (_colour(thing.colour, chance), shape, _a(shape), _a(_thing(thing, chance)),
         f"{_colour(picture.background, chance)} background")
    )  # fmt: skip


def every_word() -> list[str]:
    """In a fixed order."""
    tables = (
        COLOUR_WORDS,
        SHAPE_WORDS,
        SIZE_WORDS,
        RELATION_WORDS,
        GROUND_WORDS,
        SKY_WORDS,
        FEATURE_WORDS,
        LIGHT_WORDS,
    )
    phrases = [phrase for table in tables for words in table.values() for phrase in words]
    phrases += [plural(word) for words in SHAPE_WORDS.values() for word in words]
    phrases += [*NUMBERS.values(), *ROWS.values(), *COLUMNS.values(), *STYLES_BEFORE, *STYLES_AFTER]
    phrases += [
        "a an one on in at and with against next to side corner center middle background of by no not without the"
    ]
    return sorted({word for phrase in phrases for word in phrase.split()})
