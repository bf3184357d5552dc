"""Settings: the command line, pyproject.toml, and what other tools and the project say."""

from __future__ import annotations

from pathlib import Path

import pytest

from migrate_milvus.configuration import ConfigurationError
from migrate_milvus.settings import Options, Settings, load, lower_bound, show


def project(tmp_path: Path, pyproject: str = "") -> Path:
    (tmp_path / ".git").mkdir(exist_ok=True)
    (tmp_path / "pyproject.toml").write_text(pyproject)
    return tmp_path


def test_without_configuration_the_defaults_hold(tmp_path: Path) -> None:
    settings = load([project(tmp_path)])
    assert settings == Settings(root=tmp_path, paths=(tmp_path,))
    assert (settings.line_length, settings.target_version) == (100, (2, 6, 13))


def test_the_configuration_is_read(tmp_path: Path) -> None:
    root = project(
        tmp_path,
        """
[tool.migrate-milvus]
exclude = ["build/"]
select = ["MLV4"]
ignore = ["MLV401"]
target-version = "3.0"
target-python = "3.9"
line-length = 120
unsafe = true
keep-signatures = true
docs = true
client = "app.db:get_client"
reports = ["github", "sarif=out/orm.sarif"]
baseline = "known.json"
per-file-ignores = { "tests/" = ["MLV2"], "x.py" = ["MLV301", "mlv4"] }
""",
    )
    assert load([root]) == Settings(
        root=root,
        paths=(root,),
        exclude=("build/",),
        client="app.db:get_client",
        reports=(("github", None), ("sarif", str(root / "out/orm.sarif"))),
        baseline=root / "known.json",
        per_file_ignores=(
            ("tests/", frozenset({"MLV2"})),
            ("x.py", frozenset({"MLV301", "MLV4"})),
        ),
        select=frozenset({"MLV4"}),
        ignore=frozenset({"MLV401"}),
        unsafe=True,
        target_version=(3, 0),
        target_python=(3, 9),
        line_length=120,
        keep_signatures=True,
        docs=True,
    )


def test_the_command_line_wins_and_its_patterns_add_up(tmp_path: Path) -> None:
    root = project(
        tmp_path,
        '[tool.migrate-milvus]\nexclude = ["a/"]\nselect = ["MLV4"]\nunsafe = true\n'
        "line-length = 120\n",
    )
    settings = load(
        [root], Options(exclude=("b.py",), select=("MLV5",), unsafe=False, line_length=80)
    )
    assert settings.exclude == ("a/", "b.py")
    assert settings.select == {"MLV5"}
    assert not settings.unsafe
    assert settings.line_length == 80


def test_rules_are_selected_by_what_their_ids_begin_with(tmp_path: Path) -> None:
    settings = Settings(tmp_path, select=frozenset({"MLV4"}), ignore=frozenset({"MLV402"}))
    assert settings.selects("MLV401")
    assert not settings.selects("MLV402")
    assert not settings.selects("MLV501")
    assert Settings(tmp_path).selects("MLV501")


@pytest.mark.parametrize(
    ("pyproject", "line", "message"),
    [
        ("[tool.migrate-milvus]\n\nexcludes = []\n", 3, "excludes: unknown key"),
        ("[tool.migrate-milvus]\nexclude = 'x'\n", 2, "exclude: must be a list of strings"),
        ("[tool.migrate-milvus]\nselect = ['X1']\n", 2, "select: 'X1' is not a rule id"),
        ("[tool.migrate-milvus]\nunsafe = 1\n", 2, "unsafe: must be true or false"),
        ("[tool.migrate-milvus]\nline-length = '9'\n", 2, "line-length: must be a number"),
        ("[tool.migrate-milvus]\nline-length = 0\n", 2, "line-length: must be a number"),
        ("[tool.migrate-milvus]\nline-length = true\n", 2, "line-length: must be a number"),
        ("[tool.migrate-milvus]\ntarget-version = 2.6\n", 2, "target-version: must be a version"),
        ("[tool.migrate-milvus]\ntarget-python = 3.1\n", 2, "target-python: must be a Python"),
        ("[tool]\nmigrate-milvus.unsafe = 'x'\n", 2, "unsafe: must be true or false"),
        ("[x]\nunsafe = 1\n[tool.migrate-milvus.unsafe]\n", 3, "unsafe: must be true or false"),
        ("[tool]\nmigrate-milvus = 3\n", 2, "must be a table"),
        ("[tool.migrate-milvus]\npaths = 'x'\n", 2, "paths: must be a list of strings"),
        ("[tool.migrate-milvus]\npaths = ['x']\n", 2, "paths: no such file or folder: x"),
        ("[tool.migrate-milvus]\nclient = 3\n", 2, "client: must be a string"),
        ("[tool.migrate-milvus]\nclient = 'app.db'\n", 2, "client: must name an object"),
        ("[tool.migrate-milvus]\nbaseline = []\n", 2, "baseline: must be a string"),
        ("[tool.migrate-milvus]\nreports = ['xml']\n", 2, "reports: 'xml' is not a report"),
        ("[tool.migrate-milvus]\nreports = ['json=']\n", 2, "reports: 'json=' names no file"),
        ("[tool.migrate-milvus]\nreports = ['json', 'text']\n", 2, "reports: only one report"),
        ("[tool.migrate-milvus]\nper-file-ignores = []\n", 2, "per-file-ignores: must be a table"),
        (
            "[tool.migrate-milvus.per-file-ignores]\n'a/' = ['MLV4']\n'b/' = 'MLV4'\n",
            3,
            "per-file-ignores: 'b/' must be a list of rule ids",
        ),
        (
            "[tool.migrate-milvus.per-file-ignores]\n'a/' = ['MLV4']\n'b/' = ['X']\n",
            3,
            "per-file-ignores: 'X' is not a rule id",
        ),
        ("x = 1\n[tool.\n", 2, "not valid TOML"),
        ("x = 1\nx = [\n", 2, "not valid TOML"),
    ],
)
def test_a_broken_configuration_is_one_line_with_file_and_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pyproject: str, line: int, message: str
) -> None:
    root = project(tmp_path, pyproject)
    monkeypatch.chdir(root)
    with pytest.raises(ConfigurationError) as caught:
        load([root])
    text = str(caught.value)
    assert text.startswith(f"pyproject.toml:{line}: ")
    assert message in text
    assert "\n" not in text


def test_a_configuration_that_is_not_utf_8_is_one_line(tmp_path: Path) -> None:
    (project(tmp_path) / "pyproject.toml").write_bytes(b"x = '\xff'\n")
    with pytest.raises(ConfigurationError, match="not valid TOML: not UTF-8"):
        load([tmp_path])


@pytest.mark.parametrize(
    ("pyproject", "expected"),
    [
        ("[tool.ruff]\nline-length = 88\n[tool.black]\nline-length = 99\n", 88),
        ("[tool.black]\nline-length = 99\n", 99),
        ("[tool]\nruff = 3\n", 100),
        ("[tool.ruff]\nline-length = 'x'\n", 100),
        ("[tool.migrate-milvus]\nline-length = 70\n[tool.ruff]\nline-length = 88\n", 70),
    ],
)
def test_the_line_length_comes_from_the_formatters(
    tmp_path: Path, pyproject: str, expected: int
) -> None:
    assert load([project(tmp_path, pyproject)]).line_length == expected


@pytest.mark.parametrize(
    ("pyproject", "expected"),
    [
        ("[project]\nrequires-python = '>=3.8'\n", (3, 8)),
        ("[tool.poetry.dependencies]\npython = '^3.9'\n", (3, 9)),
        ("[project]\nrequires-python = 3\n", None),
        ("", None),
        (
            "[project]\nrequires-python = '>=3.8'\n[tool.migrate-milvus]\ntarget-python = '3.11'\n",
            (3, 11),
        ),
    ],
)
def test_the_oldest_python_comes_from_the_project(
    tmp_path: Path, pyproject: str, expected: tuple[int, int] | None
) -> None:
    assert load([project(tmp_path, pyproject)]).target_python == expected


def test_the_oldest_python_may_stand_in_setup_cfg(tmp_path: Path) -> None:
    (tmp_path / "setup.cfg").write_text("[options]\npython_requires = >=3.7\n")
    assert load([project(tmp_path)]).target_python == (3, 7)


@pytest.mark.parametrize(
    ("specifier", "expected"),
    [
        (">=3.8", (3, 8)),
        (">=3.8.1,<4", (3, 8)),
        (">=3.8,!=3.9.0,>=3.10", (3, 10)),
        ("~=3.9", (3, 9)),
        ("~=3.9.2", (3, 9)),
        ("==3.11.*", (3, 11)),
        ("3.9.*", (3, 9)),
        ("^3.9", (3, 9)),
        ("~3.9", (3, 9)),
        (">= 3.9, < 3.13", (3, 9)),
        (">3.7", (3, 7)),
        (">=3", (3, 0)),
        ("^3.8 || ^3.7", (3, 7)),
        ("<3.12", None),
        ("*", None),
        ("", None),
    ],
)
def test_lower_bounds(specifier: str, expected: tuple[int, int] | None) -> None:
    assert lower_bound(specifier) == expected


def test_the_root_is_the_git_root_and_the_configuration_the_nearest(tmp_path: Path) -> None:
    project(tmp_path, "[tool.migrate-milvus]\nline-length = 60\n")
    inner = tmp_path / "service"
    inner.mkdir()
    (inner / "pyproject.toml").write_text(
        "[tool.migrate-milvus]\nline-length = 70\nexclude = ['gen', 'a/b', '!/a/c']\n"
    )
    file = inner / "x.py"
    file.write_text("")
    settings = load([file])
    assert (settings.root, settings.paths) == (tmp_path, (file,))
    assert settings.line_length == 70
    assert settings.exclude == ("/service/**/gen", "/service/a/b", "!/service/a/c")


def test_without_git_the_root_is_the_folder_of_the_configuration(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("")
    (tmp_path / "app").mkdir()
    assert load([tmp_path / "app"]).root == tmp_path


def test_patterns_of_the_command_line_are_seen_from_the_working_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = project(tmp_path)
    (root / "app").mkdir()
    monkeypatch.chdir(root / "app")
    assert load([Path()], Options(exclude=("./gen/x.py",))).exclude == ("/app/gen/x.py",)
    monkeypatch.chdir(root.parent)
    options = Options(exclude=(f"{root.name}/gen/x.py",))
    assert load([root], options).exclude == ("/gen/x.py",)


def test_paths_of_the_configuration_hold_where_the_command_line_names_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = project(tmp_path, "[tool.migrate-milvus]\npaths = ['app', 'x.py']\n")
    (root / "app").mkdir()
    (root / "x.py").write_text("")
    monkeypatch.chdir(root / "app")
    assert load([]).paths == (root / "app", root / "x.py")
    assert load([Path()]).paths == (root / "app",)
    (root / "pyproject.toml").write_text("")
    assert load([]).paths == (root / "app",)


def test_settings_are_shown_with_who_set_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = project(
        tmp_path,
        "[project]\nrequires-python = '>=3.9'\n[tool.ruff]\nline-length = 88\n"
        "[tool.migrate-milvus]\nignore = ['MLV6']\nper-file-ignores.'tests/' = ['MLV2']\n"
        "unsafe = true\nexclude = ['gen']\n",
    )
    monkeypatch.chdir(root)
    options = Options(exclude=("x.py",), target_version=(3, 0), reports=(("json", "o.json"),))
    text = show(load([Path("pyproject.toml")], options))
    assert text == (
        f"# project: {root}\n"
        "[tool.migrate-milvus]\n"
        'paths = ["pyproject.toml"]  # command line\n'
        'exclude = ["gen", "x.py"]  # command line, pyproject.toml:9\n'
        "select = []  # default\n"
        'ignore = ["MLV6"]  # pyproject.toml:6\n'
        'per-file-ignores = { "tests/" = ["MLV2"] }  # pyproject.toml:7\n'
        'target-version = "3.0"  # command line\n'
        'target-python = "3.9"  # [project] requires-python\n'
        "# client is not set\n"
        "line-length = 88  # [tool.ruff]\n"
        "unsafe = true  # pyproject.toml:8\n"
        "keep-signatures = false  # default\n"
        "strict-schema = false  # default\n"
        "docs = false  # default\n"
        'reports = ["json=o.json"]  # command line\n'
        "# baseline is not set\n"
    )
    # What is shown is a configuration that means the same.
    (root / "pyproject.toml").write_text(text.replace(', "x.py"', ""))
    again = load([])
    assert (again.target_version, again.ignore, again.unsafe) == ((3, 0), frozenset({"MLV6"}), True)
