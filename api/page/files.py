"""The web page's files: read once, kept in memory, compressed where that helps. Knows no HTTP.

Their addresses name a digest of them all, so that a browser may keep each for good, and never mixes two versions.
"""

import gzip
import hashlib
import json
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).resolve().parent
MEDIA_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".mjs": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
# Names of modules that are no paths, where they lie, and whether the first view needs them.
MODULES = {
    "preact": ("vendor/preact/preact.mjs", True),
    "preact/hooks": ("vendor/preact/hooks.mjs", True),
    "htm": ("vendor/htm/htm.mjs", True),
    "texts": ("texts.en.js", True),
    "photoswipe": ("vendor/photoswipe/photoswipe.esm.min.js", False),
}


@dataclass(frozen=True)
class PageFile:
    media_type: str
    content: bytes
    compressed: bytes

    @classmethod
    def of(cls, name: str, content: bytes) -> "PageFile":
        return cls(MEDIA_TYPES[Path(name).suffix], content, gzip.compress(content, mtime=0))


@dataclass(frozen=True)
class Document:
    """A page itself, and the hash by which its one inline script, the import map, is allowed."""

    file: PageFile
    etag: str
    script_hash: str


class PageFiles:
    def __init__(self, folder: Path = FOLDER) -> None:
        paths = sorted(path for path in folder.rglob("*") if path.suffix in MEDIA_TYPES and path.suffix != ".html")
        self.files: Mapping[str, PageFile] = {
            name: PageFile.of(name, path.read_bytes())
            for path in paths
            for name in [path.relative_to(folder).as_posix()]
        }
        digest = hashlib.sha256(b"".join(name.encode() + file.content for name, file in self.files.items()))
        self.version = digest.hexdigest()[:16]
        self.studio = self._document(folder / "index.html", "studio")
        self.operations = self._document(folder / "ops.html", "ops")

    def _document(self, path: Path, room: str) -> Document:
        """`room` is the folder whose modules the page is made of: all are named at once, for a slow connection."""
        base = f"page/{self.version}"
        imports = json.dumps({"imports": {name: f"./{base}/{file}" for name, (file, _) in MODULES.items()}})
        first = [file for file, is_first in MODULES.values() if is_first]
        # Rooms within a room are loaded when first wanted.
        own = [name for name in self.files if name.startswith(("kit/", f"{room}/")) and name.count("/") == 1]
        preloads = "\n  ".join(f'<link rel="modulepreload" href="{base}/{name}">' for name in [*first, *own])
        text = path.read_text(encoding="utf-8")
        for mark, value in (("{{page}}", base), ("{{imports}}", imports), ("{{preloads}}", preloads)):
            text = text.replace(mark, value)
        content = text.encode()
        script_hash = b64encode(hashlib.sha256(imports.encode()).digest()).decode()
        return Document(PageFile.of(path.name, content), hashlib.sha256(content).hexdigest()[:16], script_hash)
