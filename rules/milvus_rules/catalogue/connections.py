"""``connections``: the ORM's registry of aliases. The client has none: it is an object."""

from __future__ import annotations

from milvus_rules.catalogue.model import READ, Symbol, recipe

SYMBOLS: tuple[Symbol, ...] = (
    Symbol(
        "connections",
        "namespace",
        "MLV103",
        None,
        recipe("""
            # the registry goes away: keep the client itself and hand it around
            client = MilvusClient(uri="http://localhost:19530")
        """),
        client=("MilvusClient",),
        result="connections",
        warns=False,
        verdict="if",
    ),
    Symbol(
        "Connections",
        "constructor",
        "MLV103",
        "",
        recipe("""
            # Connections() returned the one registry; keep clients in a dict of your own instead
            clients = {"default": MilvusClient(uri="http://localhost:19530")}
        """),
        client=("MilvusClient",),
        result="connections",
        warns=False,
        verdict="report",
    ),
    Symbol(
        "connections.connect",
        "method",
        "MLV101",
        "alias='default', user='', password='', db_name='default', token='', _async=False, "
        "_unbind_with_db=False, **",
        recipe("""
            client = MilvusClient(uri=f"http://{host}:{port}", token=token, db_name=db_name)
            # host= and port= are not parameters: the client would ignore them in silence and
            # connect to localhost. secure=True: write https://. A uri that ends in /name selects
            # that database in the client: pass db_name= too. Without any address the ORM read
            # MILVUS_URI: uri=os.environ.get("MILVUS_URI", "http://localhost:19530")
            # _async=True: client = AsyncMilvusClient(uri=...)
        """),
        client=("MilvusClient",),
        verdict="if",
    ),
    Symbol(
        "connections.disconnect",
        "method",
        "MLV102",
        "alias",
        recipe("""
            client.close()
            # before pymilvus 2.6.10 this also closed other clients with the same address and user
        """),
        client=("close",),
        verdict="if",
    ),
    Symbol(
        "connections.remove_connection",
        "method",
        "MLV102",
        "alias",
        recipe("""
            client.close()  # and drop your reference: no alias is left to forget
        """),
        client=("close",),
        verdict="if",
    ),
    Symbol(
        "connections.has_connection",
        "method",
        "MLV103",
        "alias",
        recipe("""
            # no registry any more: ask your own variable
            connected = client is not None
        """),
        result="bool",
        verdict="if",
    ),
    Symbol(
        "connections.list_connections",
        "method",
        "MLV103",
        "",
        recipe("""
            # no registry any more: keep the clients you make
            clients: dict[str, MilvusClient] = {"default": MilvusClient(uri=uri)}
            names = list(clients)
        """),
        client=("MilvusClient",),
        result="list[tuple]",
        verdict="if",
    ),
    Symbol(
        "connections.get_connection_addr",
        "method",
        "MLV103",
        "alias",
        recipe("""
            # keep what you pass to the client, next to it
            settings = {"uri": "http://localhost:19530", "db_name": "default"}
            client = MilvusClient(**settings)
        """),
        client=("MilvusClient",),
        result="dict",
        verdict="report",
    ),
    Symbol(
        "connections.add_connection",
        "method",
        "MLV103",
        "**",
        recipe("""
            # it only stored settings for a later connect(alias): keep them in a dict of your own
            settings = {"dev": {"uri": "http://localhost:19530"}}
            client = MilvusClient(**settings["dev"], user=user, password=password)
            # the ORM kept address and user only, and connect(alias) replaced the user
        """),
        client=("MilvusClient",),
        verdict="if",
    ),
    Symbol(
        "connections.async_disconnect",
        "method",
        "MLV103",
        "alias",
        recipe("""
            async_client = AsyncMilvusClient(uri="http://localhost:19530")
            await async_client.close()
        """),
        client=("AsyncMilvusClient", "close"),
        verdict="report",
        source=READ,
    ),
    Symbol(
        "connections.async_remove_connection",
        "method",
        "MLV103",
        "alias",
        recipe("""
            async_client = AsyncMilvusClient(uri="http://localhost:19530")
            await async_client.close()  # no alias is left to forget
        """),
        client=("AsyncMilvusClient", "close"),
        verdict="report",
        source=READ,
    ),
    Symbol(
        "using=",
        "idiom",
        "MLV210",
        None,
        recipe("""
            # call the method on the client that was made for that alias
            clients = {"default": MilvusClient(uri=uri), "other": MilvusClient(uri=other_uri)}
            clients["other"].has_collection(collection_name)
            # never Collection(name, using=client._using): wrong database from 2.6.7, error from
            # 2.6.10
        """),
        client=("MilvusClient",),
        result="keyword",
        warns=False,
        verdict="if",
    ),
)
