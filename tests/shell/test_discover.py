"""Discovery: which files of the project can matter."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from migrate_milvus import discover as module
from migrate_milvus.discover import Discovery, discover
from migrate_milvus.settings import Options, load

USE = "import pymilvus\n"


def make(root: Path, **files: str) -> Path:
    """Files by name; ``app__a`` is short for ``app/a.py``."""
    for name, text in files.items():
        path = root / (name if "/" in name or "." in name else name.replace("__", "/"))
        path = path if path.suffix else path.with_suffix(".py")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


def git(root: Path, *arguments: str) -> None:
    identity = ["-c", "user.name=x", "-c", "user.email=x@example.org"]
    subprocess.run(["git", *identity, *arguments], cwd=root, check=True, capture_output=True)


@pytest.fixture(params=["git", "walk"])
def root(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project, listed once by git and once by hand."""
    monkeypatch.chdir(tmp_path)
    git(tmp_path, "init", "-q")
    if request.param == "walk":
        monkeypatch.setattr(module, "_list_with_git", lambda *_: None)
    return tmp_path


def find(root: Path, *paths: str, exclude: tuple[str, ...] = ()) -> Discovery:
    given = [root / path for path in paths] or [root]
    return discover(load(given, Options(exclude=exclude)))


def candidates(found: Discovery) -> list[str]:
    return [source.name for source in found.candidates]


def importers(found: Discovery) -> list[str]:
    return [source.name for source in found.importers]


def test_files_that_say_pymilvus_are_candidates(root: Path) -> None:
    make(root, a=USE, b="x = 1\n", app__c=USE, readme=USE).joinpath("readme.py").rename("readme.md")
    found = find(root)
    assert candidates(found) == ["a.py", "app/c.py"]
    assert found.candidates[0].data == USE.encode()
    assert all(source.wanted for source in found.candidates)


def test_the_given_paths_limit_what_is_wanted_and_not_what_is_found(root: Path) -> None:
    make(root, a=USE, app__c=USE, apps__d=USE)
    found = find(root, "app")
    assert candidates(found) == ["a.py", "app/c.py", "apps/d.py"]
    assert [source.wanted for source in found.candidates] == [False, True, False]
    found = find(root, "a.py")
    assert [source.wanted for source in found.candidates] == [True, False, False]


def test_what_git_ignores_is_left_out_unless_named(root: Path) -> None:
    make(root, a=USE, gen__b=USE, app__c=USE, app__d=USE)
    (root / ".gitignore").write_text("gen/\n/app/*\n")
    (root / "app" / ".gitignore").write_text("!d.py\n")
    git(root, "add", ".gitignore")
    assert candidates(find(root)) == ["a.py", "app/d.py"]
    assert candidates(find(root, "gen")) == ["a.py", "app/d.py", "gen/b.py"]
    assert candidates(find(root, "app/c.py")) == ["a.py", "app/c.py", "app/d.py"]


@pytest.mark.parametrize("folder", sorted(module.SKIPPED_FOLDERS - {".git"}))
def test_folders_of_tools_are_not_entered_unless_named(root: Path, folder: str) -> None:
    make(root, a=USE, **{f"x/{folder}/inner/b.py": USE})
    git(root, "add", "-f", ".")
    assert candidates(find(root)) == ["a.py"]
    assert f"x/{folder}/inner/b.py" in candidates(find(root, f"x/{folder}"))


@pytest.mark.parametrize("mark", ["pyvenv.cfg", "conda-meta/history"])
def test_environments_are_not_entered_whatever_their_name(root: Path, mark: str) -> None:
    make(root, a=USE, **{"my_env/lib/b.py": USE, f"my_env/{mark}": "\n"})
    assert candidates(find(root)) == ["a.py"]
    assert "my_env/lib/b.py" in candidates(find(root, "my_env"))


def test_excluded_files_are_left_out(root: Path) -> None:
    make(root, a=USE, gen__b=USE, gen__keep=USE, app__old__c=USE)
    assert candidates(find(root, exclude=("gen/*", "!gen/keep.py", "old/"))) == [
        "a.py",
        "gen/keep.py",
    ]


def test_links_are_read_once_and_links_to_folders_not_followed(root: Path) -> None:
    make(root, app__real=USE)
    (root / "a_link.py").symlink_to(root / "app" / "real.py")
    (root / "loop").symlink_to(root, target_is_directory=True)
    assert candidates(find(root)) == ["app/real.py"]
    (only,) = find(root, "a_link.py").candidates
    assert only.wanted


def test_a_link_to_itself_is_a_problem_and_the_others_go_on(root: Path) -> None:
    make(root, a=USE)
    (root / "self.py").symlink_to(root / "self.py")
    found = find(root)
    assert candidates(found) == ["a.py"]
    (problem,) = found.problems
    assert problem.name == "self.py"
    assert problem.message == "cannot be read: too many levels of symbolic links"
    assert find(root, "self.py").problems == found.problems


def test_a_link_to_a_file_elsewhere_is_read_through_the_link(root: Path) -> None:
    elsewhere = make(root / "node_modules", b=USE) / "b.py"
    (root / "link.py").symlink_to(elsewhere)
    assert candidates(find(root)) == ["link.py"]


def test_a_pipe_does_not_stop_the_run(root: Path) -> None:
    make(root, a=USE)
    os.mkfifo(root / "pipe")
    (root / "pipe.py").symlink_to(root / "pipe")
    (root / "importer.py").write_text("import a\n")
    assert candidates(find(root)) == ["a.py"]
    (problem,) = find(root, "pipe").problems
    assert problem.message == "neither a file nor a folder"


def test_a_repository_inside_is_part_of_the_project(root: Path) -> None:
    make(root, a=USE, inner__b=USE, inner__ignored=USE)
    (root / "inner" / ".gitignore").write_text("ignored.py\n")
    git(root / "inner", "init", "-q")
    assert candidates(find(root)) == ["a.py", "inner/b.py"]


def test_a_submodule_is_part_of_the_project(root: Path) -> None:
    library = make(root / "library", b=USE)
    git(library, "init", "-q")
    git(library, "add", ".")
    git(library, "commit", "-qm", "x")
    git(root, "-c", "protocol.file.allow=always", "submodule", "add", str(library), "vendored")
    (root / ".gitignore").write_text("/library/\n")
    assert candidates(find(root)) == ["vendored/b.py"]


def test_a_file_that_git_knows_and_somebody_deleted_is_no_problem(root: Path) -> None:
    make(root, a=USE, b=USE)
    git(root, "add", ".")
    (root / "b.py").unlink()
    found = find(root)
    assert (candidates(found), found.problems) == (["a.py"], ())


def test_a_missing_path_is_a_problem_and_the_others_go_on(root: Path) -> None:
    make(root, a=USE)
    found = find(root, "a.py", "none.py", "nowhere/at/all")
    assert candidates(found) == ["a.py"]
    assert [(problem.name, problem.reason) for problem in found.problems] == [
        ("none.py", "no-such-path"),
        ("nowhere/at/all", "no-such-path"),
    ]


def test_an_unreadable_file_is_a_problem_where_it_is_wanted(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make(root, a=USE, app__b=USE)
    opened = os.open

    def refuse(path: str, *rest: int) -> int:
        if str(path).endswith("b.py"):
            raise PermissionError(13, "Permission denied")
        return opened(path, *rest)

    monkeypatch.setattr(os, "open", refuse)
    (problem,) = find(root).problems
    assert (problem.name, problem.message) == ("app/b.py", "cannot be read: permission denied")
    assert find(root, "a.py").problems == ()


def test_an_unreadable_folder_is_a_problem_where_it_is_wanted(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make(root, a=USE, app__b=USE, other__c=USE)
    monkeypatch.setattr(module, "_list_with_git", lambda *_: None)  # root may open any folder
    scan = os.scandir

    def refuse(path: str) -> object:
        if str(path).endswith("app"):
            raise PermissionError(13, "Permission denied")
        return scan(path)

    monkeypatch.setattr(os, "scandir", refuse)
    found = find(root)
    assert candidates(found) == ["a.py", "other/c.py"]
    (problem,) = found.problems
    assert (problem.name, problem.message) == ("app", "cannot be read: permission denied")
    assert find(root, "other").problems == ()


def test_an_unreadable_folder_is_a_problem_when_git_lists(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make(tmp_path, a=USE)
    git(tmp_path, "init", "-q")
    run = subprocess.run

    def warn(*arguments: object, **options: object) -> subprocess.CompletedProcess[bytes]:
        done = run(*arguments, **options)  # type: ignore[call-overload]
        warning = b"warning: could not open directory 'app/': Permission denied\n"
        return subprocess.CompletedProcess(done.args, 0, done.stdout, warning)

    monkeypatch.setattr(subprocess, "run", warn)
    monkeypatch.chdir(tmp_path)
    (problem,) = find(tmp_path).problems
    assert (problem.name, problem.message) == ("app", "cannot be read: permission denied")


def test_a_file_name_that_is_no_text_can_be_shown(root: Path) -> None:
    (root / os.fsdecode(b"b\xff.py")).write_text(USE)
    assert candidates(find(root)) == ["b\ufffd.py"]


def test_files_that_import_a_candidate_are_known(root: Path) -> None:
    make(
        root,
        **{
            "app/__init__.py": "",
            "app/store.py": USE,
            "app/relative.py": "from . import store\n",
            "app/member.py": "from .store import fill\n",
            "app/several.py": "from app import (\n    other,\n    store,\n)\n",
            "app/broken.py": "from app import \\\n    store\n",
            "app/inner/deep.py": "from ..store import fill\n",
            "main.py": "def f():\n    import app.store as s\n",
            "dynamic.py": "x = 'from app import store'\n",
            "comment.py": "# import store\nstore = 1\n",
            "other.py": "from elsewhere import stores\n",
            "second.py": "import main\n",
            "third.py": "import second\n",
            "alone.py": "import other\n",
        },
    )
    assert importers(find(root)) == [
        "app/__init__.py",
        "app/broken.py",
        "app/inner/deep.py",
        "app/member.py",
        "app/relative.py",
        "app/several.py",
        "main.py",
        "second.py",
        "third.py",
    ]


def test_files_that_a_candidate_imports_are_known(root: Path) -> None:
    make(
        root,
        **{
            "app/main.py": USE + "from .helpers import fill\nfrom app import config\n",
            "app/helpers.py": "from .words import WORDS\n",
            "app/words.py": "WORDS = []\n",
            "app/config.py": "",
            "app/other.py": "def fill(): ...\n",
        },
    )
    assert importers(find(root)) == ["app/config.py", "app/helpers.py", "app/words.py"]


def test_tests_that_take_a_fixture_are_known(root: Path) -> None:
    make(
        root,
        **{
            "tests/conftest.py": USE + "@pytest.fixture(scope='session')\ndef films():\n    ...\n",
            "tests/unit/test_films.py": "def test_size(films): ...\n",
            "tests/test_books.py": "def test_size(books): ...\n",
            "test_films.py": "def test_size(films): ...\n",
        },
    )
    assert importers(find(root)) == ["tests/unit/test_films.py"]


def test_tests_that_replace_a_name_by_its_path_are_known(root: Path) -> None:
    make(
        root,
        **{
            "app/store.py": USE,
            "test_store.py": "import mock\nmock.patch('app.store.utility')\n",
            "test_other.py": "import mock\nmock.patch('app.other.utility')\n",
        },
    )
    assert importers(find(root)) == ["test_store.py"]


def test_files_that_import_a_candidate_package_are_known(root: Path) -> None:
    make(
        root,
        **{
            "src/app/__init__.py": USE,
            "src/app/inner.py": "from . import anything\n",
            "src/app/sub/inner.py": "from .. import anything\n",
            "main.py": "import app\n",
            "other.py": "import apple\n",
        },
    )
    assert importers(find(root)) == ["main.py", "src/app/inner.py", "src/app/sub/inner.py"]


def test_a_module_name_beyond_ascii_is_found(root: Path) -> None:
    make(root, **{"films_\u00e9t\u00e9.py": USE, "main.py": "from films_\u00e9t\u00e9 import x\n"})
    assert importers(find(root)) == ["main.py"]


def test_a_given_file_that_cannot_matter_spares_the_scan(root: Path) -> None:
    make(root, a="import os\n", b=USE, c="import b\n")
    assert find(root, "a.py").scanned == 1
    assert find(root, "c.py").scanned == 3


def test_a_hook_does_not_lead_to_another_repository(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make(tmp_path, a=USE, ignored=USE)
    (tmp_path / ".gitignore").write_text("ignored.py\n")
    git(tmp_path, "init", "-q")
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "elsewhere" / ".git"))
    monkeypatch.chdir(tmp_path)
    assert candidates(find(tmp_path)) == ["a.py"]


def test_names_are_seen_from_the_working_directory(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make(root, a=USE, app__b=USE)
    monkeypatch.chdir(root / "app")
    assert candidates(find(root)) == ["../a.py", "b.py"]
    monkeypatch.chdir("/")
    assert candidates(find(root)) == [f"{str(root)[1:]}/a.py", f"{str(root)[1:]}/app/b.py"]


def test_a_file_in_the_home_folder_does_not_make_it_a_project(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make(tmp_path, a=USE, b=USE, deep__c=USE)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    assert candidates(find(tmp_path, "a.py")) == ["a.py", "b.py"]
    assert candidates(find(tmp_path)) == ["a.py", "b.py", "deep/c.py"]
