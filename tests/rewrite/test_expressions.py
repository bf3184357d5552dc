"""Replacing expressions: nesting, headers, parentheses."""

from __future__ import annotations

import ast

import pytest

from migrate_milvus.edits import Argument, CallTemplate, ReplaceNode, Src
from tests.rewrite.helpers import Case, call, rewrite


def test_edits_nest_through_src() -> None:
    def edits(case: Case) -> list[ReplaceNode]:
        return [
            ReplaceNode(
                case.expr("coll.query(coll.name, f(res.primary_keys))"),
                (call("client.query", "name", ids=case.src("f(res.primary_keys)")),),
            ),
            ReplaceNode(case.expr("res.primary_keys"), (case.src("res"), '["ids"]')),
        ]

    before = "x = coll.query(coll.name, f(res.primary_keys))  # rows\n"
    assert rewrite(before, edits) == 'x = client.query(name, ids=f(res["ids"]))  # rows\n'


def test_a_template_can_wrap_the_expression_it_replaces() -> None:
    def edits(case: Case) -> list[ReplaceNode]:
        return [
            ReplaceNode(
                case.expr("coll.has_index()"), ("bool(", case.src("coll.has_index()"), ")")
            ),
            ReplaceNode(case.expr("coll"), ("client",)),
        ]

    assert rewrite("x = coll.has_index()\n", edits) == "x = bool(client.has_index())\n"


def test_several_edits_in_one_statement() -> None:
    before = "print(a.x,   b.y , a.x)\n"
    after = rewrite(
        before,
        lambda case: [
            ReplaceNode(case.expr("a.x", 0), ("p",)),
            ReplaceNode(case.expr("a.x", 1), ("q",)),
            ReplaceNode(case.expr("b.y"), ("r",)),
        ],
    )
    assert after == "print(p,   r , q)\n"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("if old: # why\n    pass\n", "if new(1): # why\n    pass\n"),
        ("if a:\n    b\nelif  old :\n    pass\n", "if a:\n    b\nelif  new(1) :\n    pass\n"),
        (
            "while not old:\n    pass\nelse:\n    pass\n",
            "while not new(1):\n    pass\nelse:\n    pass\n",
        ),
        ("for x in old: pass\n", "for x in new(1): pass\n"),
        (
            "async def f():\n\tasync for x in old:\n\t\tpass\n",
            "async def f():\n\tasync for x in new(1):\n\t\tpass\n",
        ),
        ("with old as x, y: pass\n", "with new(1) as x, y: pass\n"),
        (
            "async def f():\n    async with y, old:\n        pass\n",
            "async def f():\n    async with y, new(1):\n        pass\n",
        ),
        ("def f(a, b: old = 2) -> None: pass\n", "def f(a, b: new(1) = 2) -> None: pass\n"),
        ("def f(a, b=old, *c, d): pass\n", "def f(a, b=new(1), *c, d): pass\n"),
        ("def f(a) -> old:\n    'doc'\n", "def f(a) -> new(1):\n    'doc'\n"),
        ("x = lambda a=old: a\n", "x = lambda a=new(1): a\n"),
        ("@ old\n@other\ndef f():\n    pass\n", "@ new(1)\n@other\ndef f():\n    pass\n"),
        ("@other\n@old\nclass A:\n    pass\n", "@other\n@new(1)\nclass A:\n    pass\n"),
        ("class A(old, metaclass=M):\n    x = 1\n", "class A(new(1), metaclass=M):\n    x = 1\n"),
        ("class A(B, metaclass=old):\n    x = 1\n", "class A(B, metaclass=new(1)):\n    x = 1\n"),
        ("try:\n    a\nexcept old:\n    b\n", "try:\n    a\nexcept new(1):\n    b\n"),
        (
            "try:\n    a\nexcept (E, old) as e: # c\n    b\n",
            "try:\n    a\nexcept (E, new(1)) as e: # c\n    b\n",
        ),
        (
            "match old:\n    case 1:\n        pass\n",
            "match new(1):\n    case 1:\n        pass\n",
        ),
        (
            "match x:\n    case 1:\n        pass\n    case A(y=2) if old:\n        pass\n",
            "match x:\n    case 1:\n        pass\n    case A(y=2) if new(1):\n        pass\n",
        ),
        ("del x[old], y\n", "del x[new(1)], y\n"),
        ("return_ = [old for y in z if old2]\n", "return_ = [new(1) for y in z if old2]\n"),
        ("x[a:old:2] = {old2: 1, **y}\n", "x[a:new(1):2] = {old2: 1, **y}\n"),
        ("assert (\n    a,  # first\n    old,\n)\n", "assert (\n    a,  # first\n    new(1),\n)\n"),
        ("été = 'ü'; ß = old # é\n", "été = 'ü'; ß = new(1) # é\n"),
        ("a = 1; b = old;\n", "a = 1; b = new(1);\n"),
        ("if x: old; y = 2\n", "if x: new(1); y = 2\n"),
        ("x = \\\n  old\n", "x = \\\n  new(1)\n"),
    ],
)
def test_an_expression_is_replaced_wherever_it_stands(before: str, after: str) -> None:
    assert rewrite(before, lambda case: ReplaceNode(case.expr("old"), (call("new", "1"),))) == after


def test_parameters_and_keywords_are_replaced() -> None:
    def edits(case: Case) -> list[ReplaceNode]:
        tree = case.source.tree
        parameters = [node for node in ast.walk(tree) if isinstance(node, ast.arg)]
        keywords = [node for node in ast.walk(tree) if isinstance(node, ast.keyword)]
        return [
            ReplaceNode(parameters[0], ("client, collection_name: str",)),
            ReplaceNode(keywords[0], ("filter=", Src(keywords[0].value))),
            ReplaceNode(keywords[1], ("**", Src(keywords[1].value))),
        ]

    before = "def f(collection: Collection, *, n=1):\n    g(expr=(yield), **kw)\n"
    after = "def f(client, collection_name: str, *, n=1):\n    g(filter=(yield), **kw)\n"
    assert rewrite(before, edits) == after


@pytest.mark.parametrize(
    ("before", "old", "new", "after"),
    [
        ("x = (a or b).name\n", "(a or b).name", "{}", "x = a or b\n"),
        ("x = (a or b).name\n", "a or b", "c", "x = (c).name\n"),
        ("x = (a).b.name\n", "a.b", "c if d else e", "x = (c if d else e).name\n"),
        ("x = a.b.name\n", "a.b", "f(1)", "x = f(1).name\n"),
        ("x = a.b.name\n", "a.b", "1", "x = (1).name\n"),
        ("x = not a\n", "a", "b and c", "x = not (b and c)\n"),
        ("x = a + 1\n", "a", "b or c", "x = (b or c) + 1\n"),
        ("x = a + 1\n", "a", "b * c", "x = b * c + 1\n"),
        ("x = 1 - a\n", "a", "b - c", "x = 1 - (b - c)\n"),
        ("x = a ** 2\n", "a", "-b", "x = (-b) ** 2\n"),
        ("x = -a\n", "a", "b ** c", "x = -b ** c\n"),
        ("x = a == 1\n", "a", "b in c", "x = (b in c) == 1\n"),
        ("x = a if b else c\n", "c", "d if e else f", "x = a if b else d if e else f\n"),
        ("x = a if b else c\n", "a", "d if e else f", "x = (d if e else f) if b else c\n"),
        ("x = [y for y in a]\n", "a", "b if c else d", "x = [y for y in (b if c else d)]\n"),
        ("f(a)\n", "a", "b, c", "f((b, c))\n"),
        ("f(a)\n", "a", "y := 1", "f((y := 1))\n"),
        ("f((a))\n", "a", "b, c", "f((b, c))\n"),
        ("f(*a)\n", "a", "b or c", "f(*(b or c))\n"),
        ("f(**a)\n", "a", "b or c", "f(**b or c)\n"),
        ("x = {**a}\n", "a", "b or c", "x = {**(b or c)}\n"),
        ("class A(a): pass\n", "a", "b, c", "class A((b, c)): pass\n"),
        ("x = a\n", "a", "b, c", "x = b, c\n"),
        ("if a: pass\n", "a", "b, c", "if (b, c): pass\n"),
        ("f(x for x in y)\n", "(x for x in y)", "z", "f(z)\n"),
        ("x = a[b]\n", "b", "c, d", "x = a[c, d]\n"),
        ("async def f():\n    await a\n", "a", "b or c", "async def f():\n    await (b or c)\n"),
    ],
)
def test_parentheses_come_where_precedence_asks_for_them(
    before: str, old: str, new: str, after: str
) -> None:
    def edit(case: Case) -> ReplaceNode:
        if new == "{}":
            return ReplaceNode(case.expr(old), (case.src("a or b"),))
        return ReplaceNode(case.expr(old), (new,))

    assert rewrite(before, edit) == after


@pytest.mark.parametrize(
    ("before", "source", "template", "after"),
    [
        ("x = f(lambda a: 1)\n", "lambda a: 1", ("{}", ".call()"), "x = (lambda a: 1).call()\n"),
        ("x = f(lambda a: 1)\n", "lambda a: 1", ("g(fn=", "{}", ")"), "x = g(fn=lambda a: 1)\n"),
        (
            "x = f(a if b else c)\n",
            "a if b else c",
            ("{}", " or []"),
            "x = (a if b else c) or []\n",
        ),
        ("x = f(a if b else c)\n", "a if b else c", ("-", "{}"), "x = -(a if b else c)\n"),
        (
            "x = f(y for y in z)\n",
            "(y for y in z)",
            ("g(a=", "{}", ")"),
            "x = g(a=(y for y in z))\n",
        ),
        ("x = f(a := 1)\n", "(a := 1)", ("g(k=", "{}", ")"), "x = g(k=(a := 1))\n"),
        ("x = f((yield))\n", "(yield)", ("g(", "{}", ")"), "x = g((yield))\n"),
        ("x = f(*a)\n", "*a", ("g(1, ", "{}", ")"), "x = g(1, *a)\n"),
        ("x = f(1)\n", "1", ("{}", ".real"), "x = (1).real\n"),
        ("x = f('a' 'b')\n", "'ab'", ("{}", ".join(y)"), "x = 'a' 'b'.join(y)\n"),
        ("x = f((1, 2))\n", "(1, 2)", ("[", "{}", "]"), "x = [(1, 2)]\n"),
        ("x = f((a)(b))\n", "a(b)", ("{}", ".c"), "x = (a)(b).c\n"),
        (
            "x = f(\n    'a'\n    'b'\n)\n",
            "'ab'",
            ("{}",),
            "x = ('a'\n     'b')\n",
        ),
        (
            "x = f(\n    'a'\n    'b'\n)\n",
            "'ab'",
            ("g(", "{}", ", 1)"),
            "x = g('a'\n      'b', 1)\n",
        ),
        (
            "x = f(1, (\n    'a'\n    'b'  # two\n))\n",
            "'ab'",
            ("{}",),
            "x = (\n    'a'\n    'b'  # two\n)\n",
        ),
        ("x = f(a +\n      b)\n", "a + b", ("len(", "{}", ")"), "x = len(a +\n        b)\n"),
    ],
)
def test_src_gets_the_parentheses_of_its_new_place(
    before: str, source: str, template: tuple[str, ...], after: str
) -> None:
    def edit(case: Case) -> ReplaceNode:
        root = next(node for node in ast.walk(case.source.tree) if isinstance(node, ast.Call))
        node = next(
            node
            for node in ast.walk(case.source.tree)
            if isinstance(node, ast.expr) and ast.unparse(node) == source
        )
        return ReplaceNode(root, tuple(Src(node) if part == "{}" else part for part in template))

    assert rewrite(before, edit) == after


def test_a_generator_that_shares_the_call_parentheses() -> None:
    before = "x = f(y for y in old)\n"
    after = rewrite(before, lambda case: ReplaceNode(case.expr("old"), ("new",)))
    assert after == "x = f(y for y in new)\n"


def test_unpacked_arguments() -> None:
    def edit(case: Case) -> ReplaceNode:
        template = CallTemplate(
            ("g",),
            (Argument((case.src("*a"),)), Argument(("b",)), Argument((case.src("kw"),), "**")),
        )
        return ReplaceNode(case.expr("f(*a, **kw)"), (template,))

    assert rewrite("f(*a, **kw)\n", edit) == "g(*a, b, **kw)\n"


def test_comments_in_a_replaced_expression_go_above_the_statement() -> None:
    before = "def f():\n    x = (\n        old(  # why\n            1,\n        )\n    )\n"
    after = rewrite(before, lambda case: ReplaceNode(case.expr("old(1)"), ("new",)))
    assert after == "def f():\n    # why\n    x = (\n        new\n    )\n"


def test_comments_stay_in_an_expression_that_its_template_wraps() -> None:
    before = "x = (\n    a +  # one\n    b\n)\n"
    after = rewrite(before, lambda case: ReplaceNode(case.expr("a + b"), (case.src("a + b"),)))
    assert after == before


def test_comments_in_a_replaced_header_expression_go_above_it() -> None:
    before = "if a:\n    b\nelif old(  # why\n    1\n):\n    c\n"
    after = rewrite(before, lambda case: ReplaceNode(case.expr("old(1)"), ("new",)))
    assert after == "if a:\n    b\n# why\nelif new:\n    c\n"


@pytest.mark.parametrize(
    ("before", "dropped", "after"),
    [
        ("f(a, b, c)\n", "a", "f(b, c)\n"),
        ("f(a, b, c)\n", "bc", "f(a)\n"),
        ("f(a, b, c)\n", "ac", "f(b)\n"),
        ("f(a, b, c)\n", "abc", "f()\n"),
        ("f(a, b,)\n", "ab", "f()\n"),
        ("f(a, (b),)\n", "b", "f(a,)\n"),
        ("x = (a, b)\n", "b", "x = (a,)\n"),
        ("x = [a, b]\n", "a", "x = [b]\n"),
        ("class A(a): pass\n", "a", "class A(): pass\n"),
        ("f(\n    a,\n    b,  # two\n    c,\n)\n", "a", "f(\n    b,  # two\n    c,\n)\n"),
        ("f(\n    a,\n    b,\n    c,\n)\n", "c", "f(\n    a,\n    b,\n)\n"),
    ],
)
def test_an_empty_template_drops_an_item_with_its_comma(
    before: str, dropped: str, after: str
) -> None:
    edits = rewrite(before, lambda case: [ReplaceNode(case.expr(x), ()) for x in dropped])
    assert edits == after


@pytest.mark.parametrize(
    ("before", "dropped", "after"),
    [
        ("def f(a, b=1): pass\n", "b", "def f(a): pass\n"),
        ("def f(a, b: int = (1), *, c): pass\n", "b", "def f(a, *, c): pass\n"),
        ("def f(a, *b): pass\n", "b", "def f(a): pass\n"),
        ("def f(self, a, **b): pass\n", "a", "def f(self, **b): pass\n"),
    ],
)
def test_an_empty_template_drops_a_parameter_with_its_default(
    before: str, dropped: str, after: str
) -> None:
    def edit(case: Case) -> ReplaceNode:
        tree = ast.walk(case.source.tree)
        return ReplaceNode(next(x for x in tree if isinstance(x, ast.arg) and x.arg == dropped), ())

    assert rewrite(before, edit) == after
