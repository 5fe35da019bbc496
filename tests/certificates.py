"""Certificates of authorities of our own, made with openssl for one run of the tests."""

import subprocess
from dataclasses import dataclass
from pathlib import Path

KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2")


@dataclass(frozen=True)
class Certificate:
    file: Path
    key: Path


def authority(folder: Path, name: str) -> Certificate:
    made = Certificate(folder / f"{name}.pem", folder / f"{name}.key")
    _openssl("-subj", f"/CN={name}", "-keyout", str(made.key), "-out", str(made.file))
    return made


def certificate(folder: Path, host: str, signed_by: Certificate) -> Certificate:
    """Of a server; `host` is a subject's alternative name in openssl's words, such as `IP:127.0.0.1`."""
    name = f"server-{signed_by.file.stem}-{host.partition(':')[2]}"
    made = Certificate(folder / f"{name}.pem", folder / f"{name}.key")
    signing = ("-CA", str(signed_by.file), "-CAkey", str(signed_by.key))
    what_for = ("-addext", f"subjectAltName={host}", "-addext", "basicConstraints=CA:FALSE")
    _openssl("-subj", "/CN=server", "-keyout", str(made.key), "-out", str(made.file), *what_for, *signing)
    return made


def _openssl(*arguments: str) -> None:
    subprocess.run(["openssl", "req", "-x509", *KEY, *arguments], check=True, capture_output=True, timeout=60)
