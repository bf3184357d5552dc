"""Schemas: not deprecated, rewritten to the client's style where that is exact."""

from __future__ import annotations

from milvus_rules.catalogue.model import Kind, Symbol, recipe

RULE = "MLV201"

_KEEP = "# stays valid: nothing to do"


def _kept(name: str, kind: Kind, signature: str | None, result: str) -> Symbol:
    return Symbol(name, kind, "", signature, _KEEP, result=result, warns=False, verdict="unchanged")


SYMBOLS: tuple[Symbol, ...] = (
    Symbol(
        "CollectionSchema",
        "constructor",
        RULE,
        "fields, description='', struct_fields=None, functions=None, **",
        recipe("""
            schema = MilvusClient.create_schema(description="films", enable_dynamic_field=True)
            schema.add_field("id", DataType.INT64, is_primary=True, auto_id=True)
            schema.add_field("vector", DataType.FLOAT_VECTOR, dim=128)
            # or keep CollectionSchema([...]): it stays valid and create_collection(schema=) takes
            # it. A bad schema is then found in create_collection, not when it is built
        """),
        client=("create_schema",),
        result="CollectionSchema",
        warns=False,
        verdict="if",
    ),
    Symbol(
        "FieldSchema",
        "constructor",
        RULE,
        "name, dtype, description='', **",
        recipe("""
            schema.add_field("text", DataType.VARCHAR, max_length=512, description="the text")
            # name and dtype by position, or field_name= and datatype=; other keywords unchanged.
            # Or keep FieldSchema(...): it stays valid inside CollectionSchema([...])
        """),
        client=("create_schema",),
        result="FieldSchema",
        warns=False,
        verdict="if",
    ),
    _kept("CollectionSchema.fields", "property", None, "list[FieldSchema]"),
    _kept("CollectionSchema.description", "property", None, "str"),
    _kept("CollectionSchema.auto_id", "property", None, "bool"),
    _kept("CollectionSchema.primary_field", "property", None, "FieldSchema"),
    _kept("CollectionSchema.partition_key_field", "property", None, "FieldSchema"),
    _kept("CollectionSchema.enable_dynamic_field", "property", None, "bool"),
    _kept("CollectionSchema.enable_namespace", "property", None, "bool"),
    _kept("CollectionSchema.external_source", "property", None, "str"),
    _kept("CollectionSchema.external_spec", "property", None, "str"),
    _kept("CollectionSchema.functions", "property", None, "list[Function]"),
    _kept("CollectionSchema.struct_fields", "property", None, "list[StructFieldSchema]"),
    _kept("CollectionSchema.to_dict", "method", "", "dict"),
    _kept("CollectionSchema.verify", "method", "", "None"),
    _kept("CollectionSchema.add_field", "method", "field_name, datatype, **", "CollectionSchema"),
    _kept("CollectionSchema.add_function", "method", "function", "CollectionSchema"),
    _kept("CollectionSchema.add_struct_field", "method", "struct_field_schema", "CollectionSchema"),
    _kept("CollectionSchema.construct_from_dict", "method", "raw", "CollectionSchema"),
    _kept("FieldSchema.to_dict", "method", "", "dict"),
    _kept("FieldSchema.construct_from_dict", "method", "raw", "FieldSchema"),
    _kept("FieldSchema.params", "property", None, "dict"),
    _kept("FieldSchema.dtype", "property", None, "DataType"),
    _kept("FieldSchema.description", "property", None, "str"),
    _kept("FieldSchema.name", "class attribute", None, "str"),
    _kept("FieldSchema.is_primary", "class attribute", None, "bool"),
    _kept("FieldSchema.auto_id", "class attribute", None, "bool"),
    _kept("FieldSchema.nullable", "class attribute", None, "bool"),
    _kept("FieldSchema.is_partition_key", "class attribute", None, "bool"),
    _kept("FieldSchema.is_clustering_key", "class attribute", None, "bool"),
    _kept("FieldSchema.is_dynamic", "class attribute", None, "bool"),
    _kept("FieldSchema.is_function_output", "class attribute", None, "bool"),
    _kept("FieldSchema.default_value", "class attribute", None, "object"),
    _kept("FieldSchema.element_type", "class attribute", None, "DataType"),
)
