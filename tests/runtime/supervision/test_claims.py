"""One supervisor a folder, one a port; each refusal is a sentence."""

import os
import socket
from pathlib import Path

import pytest

from lastlight.runtime.settings import Settings
from lastlight.runtime.startup import StartError
from lastlight.runtime.supervision import claims
from lastlight.runtime.supervision.claims import claimed_folder, claimed_port


def settings(tmp_path: Path, port: int, host: str = "127.0.0.1") -> Settings:
    """Settings that listen on `port`."""
    return Settings.load({}, var_dir=tmp_path, port=port, host=host)


def test_a_second_supervisor_on_the_folder_is_refused(tmp_path: Path) -> None:
    with claimed_folder(tmp_path), pytest.raises(StartError) as refusal, claimed_folder(tmp_path):
        pass
    assert str(refusal.value) == (
        f"Last Light already runs from {tmp_path} (process {os.getpid()}): stop it first, or set LASTLIGHT_VAR_DIR."
    )
    with claimed_folder(tmp_path):
        assert (tmp_path / "supervisor.lock").read_text() == f"{os.getpid()}\n"


def test_a_folder_that_cannot_be_written_is_refused() -> None:
    with (
        pytest.raises(StartError, match=r"^LASTLIGHT_VAR_DIR: /proc/x cannot be written"),
        claimed_folder(Path("/proc/x")),
    ):
        pass


def test_a_taken_port_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(claims, "_PATIENCE_SECONDS", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as other:
        taken = other.getsockname()[1]
        with pytest.raises(StartError) as refusal, claimed_port(settings(tmp_path, taken)):
            pass
    assert str(refusal.value) == (
        f"LASTLIGHT_PORT: port {taken} on 127.0.0.1 is taken by another program: "
        "stop that program, or choose another port, as in `LASTLIGHT_PORT=8001 make run`."
    )


@pytest.mark.parametrize("host", ["203.0.113.7", "no-such-host.invalid"])
def test_a_foreign_address_is_refused(tmp_path: Path, host: str) -> None:
    with pytest.raises(StartError) as refusal, claimed_port(settings(tmp_path, 8123, host)):
        pass
    assert str(refusal.value) == f"LASTLIGHT_HOST: {host} is not an address of this machine."


def test_a_caller_waits_in_the_socket_until_somebody_serves_it(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    with claimed_port(settings(tmp_path, port)) as listener, socket.create_connection(("127.0.0.1", port)) as caller:
        caller.sendall(b"early")
        served, _ = listener.accept()
        with served:
            assert served.recv(5) == b"early"
