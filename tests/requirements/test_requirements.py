"""The requirement on pymilvus is found in every manifest, reported, and raised when asked to."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from migrate_milvus import pipeline
from migrate_milvus.cli import cli
from migrate_milvus.model import Severity
from migrate_milvus.requirements.declarations import Declaration, declarations, is_manifest
from migrate_milvus.requirements.specifiers import Need, admits, raised
from migrate_milvus.settings import Options, load
from milvus_rules import versions

PROGRAM = """\
from pymilvus import connections, utility

connections.connect(host="localhost", port="19530")
print(utility.list_collections())
"""
NEED = Need((2, 6, 13), frozenset(), versions.RELEASES)

# Each manifest with its line that names pymilvus, and that line with the requirement raised.
MANIFESTS = {
    "requirements.txt": (
        "numpy\npymilvus==2.4.9  # the database\npandas\n",
        "numpy\npymilvus>=2.6.13  # the database\npandas\n",
    ),
    "requirements-dev.in": ("-r base.in\nPyMilvus[model]>=2.4,<3\n", None),
    "requirements/base.txt": ("pymilvus~=2.4.0 ; python_version < '3.13'\n", None),
    "constraints.txt": ("pymilvus<2.5 \\\n    ; python_version > '3.9'\n", None),
    "pyproject.toml": (
        '[project]\nname = "pymilvus-demo"\ndependencies = [\n  "numpy",\n  "pymilvus>=2.3",\n]\n'
        "[project.optional-dependencies]\n"
        "all = ['pymilvus[bulk_writer]==2.4.*; os_name == \"posix\"']\n"
        '[dependency-groups]\ntest = ["pytest", "pymilvus"]\n'
        '[tool.uv]\nconstraint-dependencies = ["pymilvus<4"]\n',
        '[project]\nname = "pymilvus-demo"\n'
        'dependencies = [\n  "numpy",\n  "pymilvus>=2.6.13",\n]\n'
        "[project.optional-dependencies]\n"
        "all = ['pymilvus[bulk_writer]>=2.6.13; os_name == \"posix\"']\n"
        '[dependency-groups]\ntest = ["pytest", "pymilvus>=2.6.13"]\n'
        '[tool.uv]\nconstraint-dependencies = ["pymilvus>=2.6.13,<4"]\n',
    ),
    "setup.cfg": (
        "[options]\ninstall_requires =\n    numpy\n    pymilvus<3,>=2.2\n",
        "[options]\ninstall_requires =\n    numpy\n    pymilvus>=2.6.13,<3\n",
    ),
    "setup.py": (
        "from setuptools import setup\n\nsetup(install_requires=['pymilvus >= 2.4.1'])\n",
        "from setuptools import setup\n\nsetup(install_requires=['pymilvus >=2.6.13'])\n",
    ),
    "Pipfile": (
        '[packages]\npymilvus = "==2.4.0"\nnumpy = "*"\n[dev-packages]\n'
        'pymilvus = {version = "*"}\n',
        '[packages]\npymilvus = ">=2.6.13"\nnumpy = "*"\n[dev-packages]\n'
        'pymilvus = {version = ">=2.6.13"}\n',
    ),
    "environment.yml": (
        "dependencies:\n  - python=3.11\n  - conda-forge::pymilvus=2.4\n  - pip:\n"
        "    - pymilvus==2.4.9\n",
        "dependencies:\n  - python=3.11\n  - conda-forge::pymilvus>=2.6.13\n  - pip:\n"
        "    - pymilvus>=2.6.13\n",
    ),
}
POETRY = """\
[tool.poetry.dependencies]
python = "^3.10"
pymilvus = "^2.4"
[tool.poetry.group.dev.dependencies]
pymilvus = { version = "~2.4.1", extras = ["model"] }
[tool.poetry.group.test.dependencies.pymilvus]
optional = true
version = "2.4.9"
"""


def project(folder: Path, **files: str) -> Path:
    (folder / ".git").mkdir()
    (folder / "program.py").write_text(PROGRAM)
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(text.encode())
    return folder


@pytest.mark.parametrize("name", MANIFESTS)
def test_what_admits_too_old_releases_is_raised(name: str, tmp_path: Path) -> None:
    before, after = MANIFESTS[name]
    folder = project(tmp_path, **{name: before})
    settings = load([folder], Options(bump_requirement=True))
    result = pipeline.run(settings, write=True)
    assert result.exit_code == 0
    text = (folder / name).read_text()
    if after is not None:
        assert text == after
    assert [admits(one, NEED) for one in declarations(Path(name).name, text, "pymilvus")] == [
        False for _ in declarations(Path(name).name, before, "pymilvus")
    ]
    assert declarations(Path(name).name, before, "pymilvus")
    # a second run finds nothing left
    assert pipeline.run(settings).counts.changed == 0


def test_poetrys_notations_are_read() -> None:
    found = declarations("pyproject.toml", POETRY, "pymilvus")
    assert [one.specifier for one in found] == ["^2.4", "~2.4.1", "2.4.9"]
    assert [raised(one, NEED) for one in found] == [">=2.6.13,<3", ">=2.6.13", ">=2.6.13"]
    lines = POETRY.splitlines()
    assert [POETRY.count("\n", 0, one.start) for one in found] == [
        number for number, line in enumerate(lines) if one_of(line)
    ]


def one_of(line: str) -> bool:
    return line.startswith("pymilvus") or line.startswith("version")


def test_it_is_reported_and_left_alone_without_the_option(tmp_path: Path) -> None:
    folder = project(tmp_path, **{"requirements.txt": "numpy\npymilvus>=2.4,<4\n"})
    result = pipeline.run(load([folder]))
    (finding,) = [f for one in result.results for f in one.findings]
    assert finding.severity is Severity.NOTE
    assert (finding.rule, finding.reason) == ("MLV004", "requirement-too-old")
    assert (finding.place.line, finding.place.column) == (2, 9)
    assert finding.message == (
        "'pymilvus>=2.4,<4' admits releases on which the migrated code does not run: it needs "
        "2.6.13 or newer"
    )
    assert finding.recipe.splitlines()[0] == ">=2.6.13,<4"
    assert result.exit_code == 1  # program.py would change; the note alone is no reason
    assert result.counts.changed == 1


@pytest.mark.parametrize(
    "text",
    [
        "pymilvus==2.4.9 \\\n    --hash=sha256:0 \\\n    --hash=sha256:1\n",
        "pymilvus==2.4.9 --hash=sha256:0\n",
    ],
    ids=["on lines of their own", "on the line"],
)
def test_what_hashes_pin_is_reported_and_left_alone(text: str, tmp_path: Path) -> None:
    folder = project(tmp_path, **{"requirements.txt": text})
    result = pipeline.run(load([folder], Options(bump_requirement=True)), write=True)
    (finding,) = [f for one in result.results for f in one.findings]
    assert (finding.rule, finding.place.line) == ("MLV004", 1)
    assert "compile it again" in finding.recipe
    assert (folder / "requirements.txt").read_text() == text


def test_the_command_line_has_the_option(tmp_path: Path) -> None:
    folder = project(tmp_path, **{"requirements.txt": "pymilvus==2.4.9\n"})
    printed = CliRunner().invoke(cli, [str(folder), "--diff", "--bump-requirement"]).output
    assert "-pymilvus==2.4.9\n+pymilvus>=2.6.13\n" in printed
    assert (folder / "requirements.txt").read_text() == "pymilvus==2.4.9\n"


@pytest.mark.parametrize(
    "line",
    [
        "pymilvus>=2.6.13",
        "pymilvus==3.0.2",
        "pymilvus>=2.6.17,<4",
        "pymilvus>=2.6,!=2.6.0,!=2.6.1,!=2.6.2,!=2.6.3,!=2.6.4,!=2.6.5,!=2.6.6,!=2.6.7,!=2.6.8,"
        "!=2.6.9,!=2.6.10,!=2.6.11,!=2.6.12",
        "pymilvus-model==0.2",
        "pymilvus.model==0.2",
        "# pymilvus==2.4.9",
        "pymilvus @ git+https://example.org/pymilvus.git",
        "-e ../pymilvus",
        "other  # pymilvus==2.4",
    ],
)
def test_what_is_new_enough_or_something_else_is_left_alone(line: str) -> None:
    found = declarations("requirements.txt", f"{line}\n", "pymilvus")
    assert not [one for one in found if admits(one, NEED)]


def test_nothing_is_said_where_nothing_changes(tmp_path: Path) -> None:
    folder = project(tmp_path, **{"requirements.txt": "pymilvus==2.4.9\n"})
    (folder / "program.py").write_text("import pymilvus\n")
    assert not [f for one in pipeline.run(load([folder])).results for f in one.findings]


def test_manifests_above_the_code_count_and_others_do_not(tmp_path: Path) -> None:
    folder = project(tmp_path, **{"requirements.txt": "pymilvus==2.4.9\n"})
    inner, other = folder / "app", folder / "other"
    inner.mkdir()
    other.mkdir()
    (folder / "program.py").rename(inner / "program.py")
    (inner / "requirements.txt").write_text("pymilvus==2.4.8\n")
    (other / "requirements.txt").write_text("pymilvus==2.4.7\n")
    result = pipeline.run(load([folder]))
    said = sorted(f.message.split("'")[1] for one in result.results for f in one.findings)
    assert said == ["pymilvus==2.4.8", "pymilvus==2.4.9"]


def test_releases_that_lack_a_method_are_excluded(tmp_path: Path) -> None:
    text = PROGRAM + 'utility.create_resource_group("group")\n'
    folder = project(tmp_path, **{"requirements.txt": "pymilvus>=2.4\n"})
    (folder / "program.py").write_text(text)
    settings = load([folder], Options(bump_requirement=True, target_version=(2, 4, 15)))
    pipeline.run(settings, write=True)
    assert (folder / "requirements.txt").read_text() == "pymilvus>=2.4.15,!=2.5.0,!=2.5.1\n"


@pytest.mark.parametrize(
    ("style", "given", "wanted"),
    [
        ("pep440", "<2.5", ">=2.6.13"),
        ("pep440", "", ">=2.6.13"),
        ("pep440", ">=2.4,!=3.0.0", ">=2.6.13,!=3.0.0"),
        ("poetry", "^2.4 || ^3.0", ">=2.6.13"),
        ("poetry", "*", ">=2.6.13"),
        ("conda", "=2.4.1=py39_0", ">=2.6.13"),
        ("conda", "", " >=2.6.13"),
    ],
)
def test_upper_bounds_stay_where_they_can(style: str, given: str, wanted: str) -> None:
    declaration = Declaration(0, len(given), given, style, given)  # type: ignore[arg-type]
    assert admits(declaration, NEED)
    assert raised(declaration, NEED) == wanted


def test_files_that_are_no_manifests() -> None:
    assert not is_manifest("notes.txt")
    assert not is_manifest("program.py")
    assert not is_manifest("poetry.lock")
    assert is_manifest("notes.txt", "requirements")
    assert is_manifest("test-requirements.txt")
    assert is_manifest("environment-gpu.yaml")
