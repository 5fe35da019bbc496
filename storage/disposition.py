"""The Content-Disposition header of an image: shown in the browser, and saved under a name of our choice."""

from urllib.parse import quote


def content_disposition(filename: str) -> str:
    """RFC 6266: a plain name for every client, and the exact one, percent-encoded, where the two differ."""
    plain = "".join(character if _is_plain(character) else "_" for character in filename)
    if plain == filename:
        return f'inline; filename="{plain}"'
    exact = quote(filename, safe="", errors="replace")
    return f"inline; filename=\"{plain}\"; filename*=UTF-8''{exact}"


def _is_plain(character: str) -> bool:
    # A percent sign is left out because some browsers decode it even here.
    return character.isascii() and character.isprintable() and character not in '"\\/%'
