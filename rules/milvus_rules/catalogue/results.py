"""What calls give back: mutation results, search and query results, futures."""

from __future__ import annotations

from milvus_rules.catalogue.model import RAN_LITE, READ, Symbol, recipe

RULE = "MLV403"


def _gone(member: str, text: str) -> Symbol:
    return Symbol(
        f"MutationResult.{member}",
        "property",
        RULE,
        None,
        text,
        result="list[int]" if member.endswith("index") else "int",
        warns=False,
        verdict="report",
    )


MUTATIONS: tuple[Symbol, ...] = (
    Symbol(
        "MutationResult",
        "class",
        RULE,
        None,
        recipe("""
            res = client.insert(collection_name=collection_name, data=rows)  # a plain dict
            res["insert_count"], res["ids"]
        """),
        client=("insert",),
        result="MutationResult",
        warns=False,
        verdict="report",
        source=READ,
    ),
    Symbol(
        "MutationResult.insert_count",
        "property",
        RULE,
        None,
        'res["insert_count"]',
        client=("insert",),
        result="int",
        warns=False,
        verdict="if",
    ),
    Symbol(
        "MutationResult.primary_keys",
        "property",
        RULE,
        None,
        recipe("""
            res["ids"]
            # of an upsert only from pymilvus 2.6.3 on; of a delete there are none, or the result
            # itself is the list of keys (Milvus Lite)
        """),
        client=("insert", "upsert"),
        result="list",
        warns=False,
        verdict="if",
    ),
    Symbol(
        "MutationResult.upsert_count",
        "property",
        RULE,
        None,
        'res["upsert_count"]',
        client=("upsert",),
        result="int",
        warns=False,
        verdict="if",
    ),
    Symbol(
        "MutationResult.delete_count",
        "property",
        RULE,
        None,
        recipe("""
            res = client.delete(collection_name=collection_name, filter="id in [1]")
            deleted = len(res) if isinstance(res, list) else res["delete_count"]
            # a list of keys on Milvus Lite and on Milvus before 2.3.2
        """),
        client=("delete",),
        result="int",
        warns=False,
        verdict="if",
        source=RAN_LITE,
    ),
    Symbol(
        "MutationResult.cost",
        "property",
        RULE,
        None,
        'res["cost"]',
        client=("insert",),
        result="int",
        warns=False,
        verdict="if",
        needs="2.4.3",
    ),
    _gone(
        "succ_count",
        recipe("""
            res["insert_count"]  # of an insert; no other result has a count of successes
        """),
    ),
    _gone(
        "err_count",
        recipe("""
            failed = len(rows) - res["insert_count"]  # the client raises where a call fails
        """),
    ),
    _gone(
        "succ_index",
        recipe("""
            range(res["insert_count"])  # a call that returns has inserted every row
        """),
    ),
    _gone(
        "err_index",
        recipe("""
            []  # a call that returns has inserted every row; failures raise MilvusException
        """),
    ),
    _gone(
        "timestamp",
        recipe("""
            # the client does not give the server's timestamp. To read what was just written:
            client.query(collection_name=collection_name, filter="id > 0", output_fields=["id"],
                         consistency_level="Strong")
        """),
    ),
)

READS: tuple[Symbol, ...] = (
    Symbol(
        "search results",
        "idiom",
        "MLV504",
        None,
        recipe("""
            # from pymilvus 2.5.7 on the client gives the same classes: hit.id, hit.distance,
            # hit.score, hit.entity.get("text"), hits.ids, hits.distances stay as they are.
            # Never hit["id"]: the key is the primary field's name. Before 2.5.7 hits are dicts:
            hit["pk"], hit["distance"], hit["entity"].get("text")
            # with the name of the primary field for pk; "id" up to 2.4.13, and in 2.5.0 to 2.5.3
        """),
        client=("search",),
        result="SearchResult",
        warns=False,
        verdict="if",
        source=RAN_LITE,
    ),
    Symbol(
        "query results",
        "idiom",
        "",
        None,
        "# stays valid: the same list of dicts on both sides",
        client=("query",),
        result="QueryResult",
        warns=False,
        verdict="unchanged",
    ),
    Symbol(
        "futures",
        "idiom",
        "MLV501",
        None,
        recipe("""
            future = executor.submit(client.search, collection_name=collection_name, data=vectors)
            future.result(), future.done(), future.cancel()
            # done() of a mutation future waited; a future of concurrent.futures does not
        """),
        client=("search",),
        result="SearchFuture",
        warns=False,
        verdict="report",
    ),
    Symbol(
        "unreachable exceptions",
        "idiom",
        "MLV210",
        None,
        recipe("""
            # still importable, never raised by the client from 2.6.10 on: catch MilvusException,
            # or ask first
            if client.has_collection(collection_name):
                ...
        """),
        client=("has_collection",),
        result="exception",
        warns=False,
        verdict="report",
        source=READ,
    ),
)


def _hit(name: str, text: str, result: str, signature: str | None = None) -> Symbol:
    return Symbol(
        name,
        "property" if signature is None else "method",
        "MLV504",
        signature,
        text,
        client=("search",),
        result=result,
        warns=False,
        verdict="if",
        source=RAN_LITE,
    )


_KEY = recipe("""
    hit["pk"]  # with the name of the primary field for pk
    # up to pymilvus 2.4.13, and in 2.5.0 to 2.5.3: hit["id"], whatever it is called
""")

# Of a client before 2.5.7, whose hits are dicts; later ones give the same classes as the ORM.
HITS: tuple[Symbol, ...] = (
    _hit(
        "Hits.ids",
        '[hit["pk"] for hit in hits]  # with the name of the primary field for pk',
        "list",
    ),
    _hit("Hits.distances", '[hit["distance"] for hit in hits]', "list"),
    _hit("Hit.id", _KEY, "key"),
    _hit("Hit.pk", _KEY, "key"),
    _hit("Hit.distance", 'hit["distance"]', "float"),
    _hit("Hit.score", 'hit["distance"]', "float"),
    _hit("Hit.entity", 'hit["entity"]', "Entity"),
    _hit("Hit.fields", 'hit["entity"]', "dict"),
    _hit("Hit.get", 'hit["entity"].get("text")', "value", "field_name"),
    _hit("Hit.to_dict", "dict(hit)", "dict", ""),
    _hit("Entity.get", 'hit["entity"].get("text")', "value", "field_name"),
)

SYMBOLS: tuple[Symbol, ...] = MUTATIONS + READS + HITS
