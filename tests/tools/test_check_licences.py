"""Nothing under the GPL ships, and the tool that looks would find it."""

import json
from email.message import Message
from pathlib import Path

import pytest

from tools.check_licences import judge, licence_of, main, node_licence, node_packages, python_packages


def test_everything_that_ships_may_ship(capsys: pytest.CaptureFixture[str]) -> None:
    assert main() == 0, capsys.readouterr().out


@pytest.mark.parametrize(
    "licence",
    [
        "MIT",
        "Apache-2.0 AND BSD-2-Clause",
        "Mozilla Public License 2.0 (MPL 2.0)",
        "LGPL-3.0-only",
        "GNU Lesser General Public License v3 (LGPLv3)",
        "(MIT OR GPL-2.0)",
        "GPL-2.0-only WITH Classpath-exception-2.0",
    ],
)
def test_a_free_licence_passes(licence: str) -> None:
    assert judge(licence) == ""


@pytest.mark.parametrize(
    "licence",
    [
        "GPL-3.0-or-later",
        "AGPL-3.0",
        "GNU General Public License v2 (GPLv2)",
        "GNU Affero General Public License v3",
        "GPL-2.0 OR AGPL-3.0",
        "MIT AND GPL-2.0",
    ],
)
def test_copyleft_is_found(licence: str) -> None:
    assert judge(licence) == f"{licence} may not ship"


def test_a_package_without_a_licence_is_found() -> None:
    assert judge(" ").startswith("its metadata names no licence")


def test_the_lock_is_read_with_its_hashes_and_markers() -> None:
    lock = "jinja2==3.1.6 \\\n    --hash=sha256:aa\nno-such-package==1.0 \\\n    --hash=sha256:bb\nfor-windows==1 ; sys_platform == 'win32' \\\n"
    assert list(python_packages(lock)) == [("jinja2", "BSD License"), ("no-such-package", "")]


def test_a_licence_is_read_from_expression_classifiers_or_text() -> None:
    assert licence_of(metadata(("License-Expression", "MIT"), ("License", "a long text"))) == "MIT"
    assert licence_of(metadata(("Classifier", "License :: OSI Approved :: ISC License (ISCL)"))) == "ISC License (ISCL)"
    assert licence_of(metadata(("License", "BSD-3-Clause\nand more"))) == "BSD-3-Clause"
    assert licence_of(metadata()) == ""


def test_only_what_the_screens_ship_is_looked_at(tmp_path: Path) -> None:
    packages = {
        "": {"name": "root", "license": "GPL-3.0"},
        "node_modules/drum": {"license": "GPL-2.0"},
        "node_modules/drum/node_modules/stick": {"license": "MIT"},
        "node_modules/test-only": {"license": "GPL-2.0", "dev": True},
    }
    (tmp_path / "package-lock.json").write_text(json.dumps({"packages": packages}))
    found = dict(node_packages(tmp_path))
    assert {name: bool(judge(licence)) for name, licence in found.items()} == {
        "drum": True,
        "drum/node_modules/stick": False,
    }
    assert node_licence({"licenses": [{"type": "MIT", "url": "u"}]}) == "MIT"


def metadata(*headers: tuple[str, str]) -> Message:
    """A distribution's metadata, as it is installed."""
    made = Message()
    for name, value in headers:
        made[name] = value
    return made
