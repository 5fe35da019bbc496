from pathlib import Path
from zipfile import ZipFile

import pytest

from benchmarks.gpu import bundle
from benchmarks.gpu.bundle import PRESENT, TooLarge, missing, size_of, without


def wheel(folder: Path, name: str, size: int = 1) -> Path:
    path = folder / f"{name}-1.0-py3-none-any.whl"
    with path.open("wb") as file:
        file.truncate(size)  # sparse: takes no room
    return path


def test_what_a_machine_with_torch_has_is_left_out(tmp_path: Path) -> None:
    ours = [wheel(tmp_path, name) for name in ("diffusers", "celery", "redis")]
    theirs = [wheel(tmp_path, name) for name in ("torch", "huggingface_hub", "PyYAML", "nvidia_cublas")]

    assert without([*ours, *theirs], PRESENT) == theirs


def test_a_bundle_that_is_too_large_is_refused_with_what_takes_most(tmp_path: Path) -> None:
    wheel(tmp_path, "celery", 1000)
    wheel(tmp_path, "botocore", bundle.MOST_BYTES)

    with pytest.raises(TooLarge, match=r"60 MB, and 60 is the most\. The largest are .*botocore"):
        size_of(tmp_path)


def test_a_bundle_that_fits_has_its_size(tmp_path: Path) -> None:
    wheel(tmp_path, "celery", 1000)

    assert size_of(tmp_path) == 1000


def test_what_a_wheel_asks_for_has_to_be_there_on_the_target(tmp_path: Path) -> None:
    asks = [
        "numpy",
        "redis>=6",
        "tomli; python_version < '3.11'",
        "brotli; extra == 'fast'",
        "zipp; python_version >= '3.12'",
    ]
    with ZipFile(tmp_path / "celery-5.7.0-py3-none-any.whl", "w") as files:
        files.writestr("celery-5.7.0.dist-info/METADATA", "".join(f"Requires-Dist: {ask}\n" for ask in asks))

    assert missing(tmp_path, "3.12", PRESENT) == {"redis", "zipp"}
    assert missing(tmp_path, "3.11", PRESENT | {"redis"}) == set()
