"""What the pages show of the `openai` package runs as it stands there, but for the address."""

import re
from pathlib import Path

import pytest

from tests.api.openai.painter import Painter
from tests.api.serving import Serving

PAGES = ("README.md", "docs/api.md", "docs/openai.md")
PYTHON = re.compile(r"^```python\n(.*?)^```", flags=re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("page", PAGES)
def test_the_examples_of_a_page_run(
    page: str,
    repository: Path,
    api: Serving,
    painter: Painter,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    found = PYTHON.findall((repository / page).read_text(encoding="utf-8"))
    examples = "\n".join(example for example in found if "openai" in example)
    here, places = re.subn(r"http://(localhost|127\.0\.0\.1):8000", api.url, examples)
    monkeypatch.chdir(tmp_path)

    exec(compile(here, page, "exec"), {})

    assert places == 1
    assert capsys.readouterr().out or (tmp_path / "circle.png").read_bytes()
