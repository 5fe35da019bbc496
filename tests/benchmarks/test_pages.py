from benchmarks.pages import WIDTH, within_width


def test_long_paragraphs_and_items_are_broken_between_words() -> None:
    page = f"# Title\n\n{'word ' * 60}\n\n- {'item ' * 40}\n- short\n"

    broken = within_width(page)

    assert max(map(len, broken.splitlines())) <= WIDTH
    assert broken.split() == page.split()
    assert "\n  item" in broken, "what belongs to an item stands under it"


def test_tables_and_images_stay_as_they_are() -> None:
    page = f"| {'cell | ' * 40}\n![{'a ' * 80}](plot.png)\n"

    assert within_width(page) == page
