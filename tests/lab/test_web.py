"""What the lab makes of an answer, and of none."""

from pathlib import Path

import pytest

from lab.stack import web


@pytest.mark.parametrize("written", [None, "", "-----BEGIN CERTIFICATE-----\nMIIB"])
def test_a_server_whose_certificate_is_not_all_written_does_not_answer_yet(written: str | None, tmp_path: Path) -> None:
    certificate = tmp_path / "apiserver.crt"
    if written is not None:
        certificate.write_text(written)
    assert web.get("https://127.0.0.1:1/readyz", ca=certificate) is None
