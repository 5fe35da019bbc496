"""What the settings open, and that the API's start does not pay for what they do not name."""

import subprocess
import sys
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

from darkroom.settings import Settings
from storage.keys import image_key
from storage.opening import open_local, open_storage

KEY = image_key("3" * 26, 0, "png")


def test_the_default_is_a_folder_below_the_data_folder(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path, public_url="https://darkroom.example/", signed_url_ttl_s=60)

    storage = open_storage(settings)
    storage.put(KEY, b"pixels", content_type="image/png")

    assert (tmp_path / "images" / KEY).read_bytes() == b"pixels"
    assert storage.signed_url(KEY).url.startswith(f"https://darkroom.example/files/{KEY}?")


def test_links_stay_valid_over_a_restart(tmp_path: Path) -> None:
    before, after = open_local(Settings(data_dir=tmp_path)), open_local(Settings(data_dir=tmp_path))
    before.put(KEY, b"pixels", content_type="image/png")

    query = dict(parse_qsl(urlsplit(before.signed_url(KEY).url).query))

    assert after.linked_path(KEY, **query).read_bytes() == b"pixels"


def test_local_storage_does_not_import_boto3(tmp_path: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from darkroom.settings import Settings; "
        "from storage.opening import open_storage; open_storage(Settings(data_dir=Path(sys.argv[1]))); "
        "sys.exit('boto3' in sys.modules or 'botocore' in sys.modules)"
    )

    subprocess.run([sys.executable, "-c", program, str(tmp_path)], check=True)
