"""Comments by which a user tells the tool to leave code alone."""

from __future__ import annotations

from migrate_milvus.suppressions import parse


def test_a_bare_comment_silences_every_rule_on_its_line_only() -> None:
    found = parse("a()\nb()  # migrate-milvus: ignore\n")
    assert found.ignores(2, "MLV401")
    assert found.ignores(2, "MLV101")
    assert not found.ignores(1, "MLV401")


def test_a_comment_with_ids_silences_these_and_what_they_shorten() -> None:
    found = parse("b()  # migrate-milvus: ignore[MLV401, mlv5]\n")
    assert found.ignores(1, "MLV401")
    assert found.ignores(1, "MLV502")
    assert not found.ignores(1, "MLV402")


def test_a_comment_inside_a_statement_counts_up_to_its_end() -> None:
    found = parse("f(\n    1,\n)  # migrate-milvus: ignore\n")
    assert not found.ignores(1, "MLV401")
    assert found.ignores(1, "MLV401", end_line=3)


def test_a_comment_after_another_comment_counts() -> None:
    assert parse("b()  # noqa  # migrate-milvus: ignore\n").ignores(1, "MLV401")


def test_the_file_comment_skips_the_file() -> None:
    assert parse("# migrate-milvus: skip-file\nb()\n").skip_file
    assert not parse("# migrate-milvus: skip-filename\nb()\n").skip_file


def test_a_string_is_no_comment() -> None:
    found = parse('x = "# migrate-milvus: skip-file"; y = "# migrate-milvus: ignore"\n')
    assert not found.skip_file
    assert not found.comments


def test_empty_brackets_silence_nothing() -> None:
    found = parse("b()  # migrate-milvus: ignore[]\n")
    assert not found.ignores(1, "MLV401")
    assert len(found.unused("a.py")) == 1


def test_a_comment_that_silenced_nothing_is_noted() -> None:
    found = parse("a()  # migrate-milvus: ignore[MLV401]\n  # migrate-milvus: ignore\n")
    assert found.ignores(1, "MLV401")
    (finding,) = found.unused("a.py")
    assert (finding.rule, str(finding.place)) == ("MLV002", "a.py:2:3")


def test_lines_are_counted_as_python_counts_them() -> None:
    found = parse("a = 1\r\n\x0cb = '\u2028'\rc()  # migrate-milvus: ignore\n")
    assert found.ignores(3, "MLV401")


def test_a_text_that_is_not_python_has_the_comments_before_the_fault() -> None:
    assert parse("# migrate-milvus: skip-file\nx = (\n").skip_file


def test_a_comment_that_names_no_rule_is_noted_where_the_rules_are_known() -> None:
    found = parse("a()  # migrate-milvus: ignore[MLV401,MLV4,MLX1, MLV999]\n")
    assert found.ignores(1, "MLV401")
    (finding,) = found.unused("a.py", {"MLV401", "MLV402"})
    assert (finding.rule, finding.reason) == ("MLV002", "unknown-rule")
    assert finding.message.endswith(" names MLX1, MLV999, which are no rules")
    assert not found.unused("a.py")
