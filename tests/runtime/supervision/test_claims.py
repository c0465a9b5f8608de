"""One supervisor a folder, one a port; each refusal is a sentence."""

import os
import socket
from dataclasses import replace
from pathlib import Path

import pytest

from lastlight.runtime.settings import Settings
from lastlight.runtime.startup import StartError
from lastlight.runtime.supervision import claims
from lastlight.runtime.supervision.claims import claimed_folder, claimed_port, running_address
from tests.support.programs import unused_port


def settings(tmp_path: Path, port: int, host: str = "127.0.0.1") -> Settings:
    """Settings that listen on `port`."""
    return Settings.load({}, var_dir=tmp_path, port=port, host=host)


def test_a_second_supervisor_on_the_folder_is_refused(tmp_path: Path) -> None:
    mine = settings(tmp_path, 8123)
    with claimed_folder(mine), pytest.raises(StartError) as refusal, claimed_folder(mine):
        pass
    assert str(refusal.value) == (
        f"Last Light already runs from {tmp_path} (process {os.getpid()}): stop it first, or set LASTLIGHT_VAR_DIR."
    )
    with claimed_folder(mine):
        assert (tmp_path / "supervisor.lock").read_text() == f"{os.getpid()}\nhttp://127.0.0.1:8123\n"


def test_a_folder_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    with (
        pytest.raises(StartError, match=r"^LASTLIGHT_VAR_DIR: /proc/x cannot be written"),
        claimed_folder(replace(settings(tmp_path, 8123), var_dir=Path("/proc/x"))),
    ):
        pass


def test_a_command_learns_from_the_running_platform_where_it_answers(tmp_path: Path) -> None:
    unset = Settings.load({}, var_dir=tmp_path)
    assert running_address(unset) == "http://127.0.0.1:8000"
    with claimed_folder(settings(tmp_path, 8123)):
        assert running_address(unset, otherwise="http://old.test") == "http://127.0.0.1:8123"
        assert running_address(Settings.load({}, var_dir=tmp_path, port=8124)) == "http://127.0.0.1:8124", "it was set"
    assert running_address(unset, otherwise="http://old.test") == "http://old.test", "it runs no more"
    (tmp_path / "supervisor.lock").write_text("4194305\nhttp://127.0.0.1:8123\n")
    assert running_address(unset) == "http://127.0.0.1:8000", "it was killed: there is no such process"


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
    port = unused_port()
    with claimed_port(settings(tmp_path, port)) as listener, socket.create_connection(("127.0.0.1", port)) as caller:
        caller.sendall(b"early")
        served, _ = listener.accept()
        with served:
            assert served.recv(5) == b"early"
