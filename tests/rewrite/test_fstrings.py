"""F-strings: edits inside the user's, and the ones that are written."""

from __future__ import annotations

import ast

import pytest

from migrate_milvus.edits import FString, ReplaceNode, Src
from migrate_milvus.rewrite import RewriteError
from tests.rewrite.helpers import Case, call, rewrite


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('f"pk in [{old}]"', """f"pk in [{new['k']}]\""""),
        ("f'pk in [{old}]'", """f'pk in [{new["k"]}]'"""),
        ('f"{a}{old}{old2}"', """f"{a}{new['k']}{old2}\""""),
        ('f"é {old} ü {a}"', """f"é {new['k']} ü {a}\""""),
        ('f"{ old }"', """f"{ new['k'] }\""""),
        ('f"{old!r:>{w}}"', """f"{new['k']!r:>{w}}\""""),
        ('f"{w:>{old}}"', """f"{w:>{new['k']}}\""""),
        ('f"{{old}} {old:{{}}}"' if False else 'f"{{old}} {old}"', """f"{{old}} {new['k']}\""""),
        ('f"{old.a[0]} {b}"', """f"{new['k'].a[0]} {b}\""""),
        ("f\"{f(old, 'x')}\"", """f"{f(new['k'], 'x')}\""""),
        ('f"{a != old}"', """f"{a != new['k']}\""""),
        ('f"{a}" f"{old}" "c"', """f"{a}" f"{new['k']}" "c\""""),
        ('"a{old}" f"{old}"', """"a{old}" f"{new['k']}\""""),
        ("f'{a}' f\"{old}\"", """f'{a}' f"{new['k']}\""""),
        ('rf"\\d{old}"', """rf"\\d{new['k']}\""""),
        ('f"\\N{BULLET} {old}"', """f"\\N{BULLET} {new['k']}\""""),
        ('f"\\n\\\\{old}"', """f"\\n\\\\{new['k']}\""""),
        ('f"""a\n {old} "quoted"\n"""', 'f"""a\n {new["k"]} "quoted"\n"""'),
        ('f"""\n{old}\n{a}"""', 'f"""\n{new["k"]}\n{a}"""'),
        ("f\"{a}{f('x', f2(old))}\"", """f"{a}{f('x', f2(new['k']))}\""""),
        ('f"{[old for y in z]}"', """f"{[new['k'] for y in z]}\""""),
        ('f"{(lambda: old)()}"', """f"{(lambda: new['k'])()}\""""),
        ('f"{old=}"', """f"old={new['k']!r}\""""),
        ('f"{old = :>5}"', """f"old = {new['k']:>5}\""""),
        ('(\n    f"{a}"\n    f"{old}"\n)', """(\n    f"{a}"\n    f"{new['k']}"\n)"""),
    ],
)
def test_an_expression_in_an_fstring_is_replaced(before: str, after: str) -> None:
    written = rewrite(f"x = {before}\n", lambda case: ReplaceNode(case.expr("old"), ('new["k"]',)))
    assert written == f"x = {after}\n"


def test_a_nested_fstring_changes_the_outer_quotes_when_it_must() -> None:
    before = "x = f\"{f'{old}'}\"\n"
    after = rewrite(before, lambda case: ReplaceNode(case.expr("old"), ('new["k"]',)))
    assert after == 'x = f"""{f\'{new["k"]}\'}"""\n'
    assert ast.literal_eval is not None
    assert eval(after[4:], {"new": {"k": 1}}) == "1"


def test_quotes_that_cannot_fit_are_refused() -> None:
    with pytest.raises(RewriteError, match="line 1"):
        rewrite(
            'x = f"{old}" "b"\n', lambda case: ReplaceNode(case.expr("old"), ("""f("'\\n")""",))
        )


def test_src_from_inside_an_fstring() -> None:
    before = 'x = f"{a}{g(b, 1)}"\n'
    after = rewrite(
        before, lambda case: ReplaceNode(case.expr("g(b, 1)"), (call("h", Src(case.expr("b"))),))
    )
    assert after == 'x = f"{a}{h(b)}"\n'


def test_an_fstring_taken_along_by_src_keeps_its_edits() -> None:
    def edits(case: Case) -> list[ReplaceNode]:
        string = next(x for x in ast.walk(case.source.tree) if isinstance(x, ast.JoinedStr))
        return [
            ReplaceNode(
                next(x for x in ast.walk(case.source.tree) if isinstance(x, ast.Call)),
                (call("client.delete", filter=Src(string)),),
            ),
            ReplaceNode(case.expr("res.primary_keys"), ('res["ids"]',)),
        ]

    before = 'coll.delete(f"pk in [{res.primary_keys[0]}]")\n'
    assert rewrite(before, edits) == "client.delete(filter=f\"pk in [{res['ids'][0]}]\")\n"


@pytest.mark.parametrize(
    ("before", "parts", "after"),
    [
        ("f(host, port)", ("http://", 0, ":", 1), 'f"http://{host}:{port}"'),
        ("f('a', 19530)", ("http://", 0, ":", 1), '"http://a:19530"'),
        ("f('a', port)", ("http://", 0, ":", 1), 'f"http://a:{port}"'),
        ("f(os.getenv('H', \"x\"))", ("http://", 0), "f\"http://{os.getenv('H', 'x')}\""),
        ('f(cfg["a"])', ("http://", 0), "f\"http://{cfg['a']}\""),
        ('f(cfg["it\'s"], b)', ("http://", 0, ":", 1), '"http://{}:{}".format(cfg["it\'s"], b)'),
        ('f("\\n".join(a))', ("{", 0, "}"), '"{{{}}}".format("\\n".join(a))'),
        ("f(a)", ('{"\\', 0), 'f"{{\\"\\\\{a}"'),
        ("f({'a': 1})", ("", 0), "f\"{ {'a': 1}}\""),
        ("f(lambda: 1)", ("", 0), 'f"{(lambda: 1)}"'),
        ("f(a if b else c)", ("x", 0), 'f"x{a if b else c}"'),
        ("f(\n    g(\n        a,\n        b,\n    )\n)", ("x", 0), 'f"x{g(a, b,)}"'),
        ("f(a)", ("só {}",), '"só {}"'),
        ("f(f'{a}')", ("x", 0), "f\"x{f'{a}'}\""),
        ('f(f"{a}")', ("x", 0), "f\"x{f'{a}'}\""),
    ],
)
def test_fstrings_are_written_so_that_python_38_reads_them(
    before: str, parts: tuple[str | int, ...], after: str
) -> None:
    def edit(case: Case) -> ReplaceNode:
        node = next(x for x in ast.walk(case.source.tree) if isinstance(x, ast.Call))
        chosen = tuple(part if isinstance(part, str) else Src(node.args[part]) for part in parts)
        return ReplaceNode(node, (FString(chosen),))

    assert rewrite(f"x = {before}\n", edit) == f"x = {after}\n"


def test_a_comment_in_an_fstring_argument_falls_back_to_format() -> None:
    def edit(case: Case) -> ReplaceNode:
        node = next(x for x in ast.walk(case.source.tree) if isinstance(x, ast.Call))
        return ReplaceNode(node, (FString(("x", Src(node.args[0]))),))

    before = "x = f([\n    a,  # first\n])\n"
    assert rewrite(before, edit) == 'x = "x{}".format([\n    a,  # first\n])\n'
