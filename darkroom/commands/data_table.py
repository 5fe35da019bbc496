"""The job store's keys as a table in Markdown: `docs/data.md` is made from it, and never by hand."""

from darkroom.job_store.key import Key
from darkroom.job_store.keys import ALL

HEAD = """# Data in Redis

All that the job store keeps, key by key. The queues of a Redis broker are Celery's own, in another database.
A class is `interactive` or `bulk`. The scripts stand in `darkroom/job_store/lua/`.
This page is written by `darkroom data > docs/data.md`, from `darkroom/job_store/keys.py`.

| key | type | what it holds | written by | when it goes |
|---|---|---|---|---|
"""


def data_page() -> str:
    return HEAD + "".join(map(_row, ALL))


def _row(key: Key) -> str:
    writers = ", ".join(f"`{name}`" for name in key.written_by)
    return f"| `{key.pattern}` | {key.type} | {key.holds} | {writers} | {key.goes} |\n"
