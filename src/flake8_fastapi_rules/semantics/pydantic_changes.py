"""What Pydantic 2 renamed, moved and dropped, by the names of Pydantic 1."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

#: Keys of a model's configuration; an empty name stands for one that is gone.
CONFIG_KEYS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "allow_mutation": "frozen",
        "allow_population_by_field_name": "populate_by_name",
        "anystr_lower": "str_to_lower",
        "anystr_strip_whitespace": "str_strip_whitespace",
        "anystr_upper": "str_to_upper",
        "error_msg_templates": "",
        "fields": "",
        "getter_dict": "",
        "json_dumps": "",
        "json_loads": "",
        "keep_untouched": "ignored_types",
        "max_anystr_length": "str_max_length",
        "min_anystr_length": "str_min_length",
        "orm_mode": "from_attributes",
        "schema_extra": "json_schema_extra",
        "smart_union": "",
        "underscore_attrs_are_private": "",
        "validate_all": "validate_default",
        "copy_on_model_validation": "",
    }
)
#: Those that a fix may leave out: what they asked for is what Pydantic 2 does.
_DROPPED: Final = frozenset(
    {"copy_on_model_validation", "smart_union", "underscore_attrs_are_private"}
)
#: Old names that Pydantic 2 ignores, whose new names change what is accepted, or the schema.
CHANGING_KEYS: Final = frozenset(
    {
        "allow_mutation", "anystr_lower", "anystr_strip_whitespace", "anystr_upper",
        "max_anystr_length", "min_anystr_length", "schema_extra", "validate_all",
    }
)  # fmt: skip
#: Those that a fix may rename (the value means the same) or leave out.
RENAMED_KEYS: Final = MappingProxyType(
    {
        old: new
        for old, new in CONFIG_KEYS.items()
        if old in _DROPPED or (new and old not in {"allow_mutation", "schema_extra"})
    }
)
METHODS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "construct": "model_construct",
        "copy": "model_copy",
        "dict": "model_dump",
        "from_orm": "model_validate",
        "json": "model_dump_json",
        "parse_file": "model_validate_json",
        "parse_obj": "model_validate",
        "parse_raw": "model_validate_json",
        "schema": "model_json_schema",
        "schema_json": "model_json_schema",
        "update_forward_refs": "model_rebuild",
        "validate": "model_validate",
        "__fields__": "model_fields",
        "__fields_set__": "model_fields_set",
    }
)
#: Methods that a fix may rename, and the arguments with which the new one does the same.
SAME_ARGUMENTS: Final[Mapping[str, frozenset[str]]] = MappingProxyType(
    {
        "dict": frozenset(
            {"include", "exclude", "by_alias", "exclude_unset", "exclude_defaults", "exclude_none"}
        ),
        "json": frozenset(
            {
                "include", "exclude", "by_alias", "exclude_unset", "exclude_defaults",
                "exclude_none", "indent",
            }
        ),
        "from_orm": frozenset(),
        "parse_obj": frozenset(),
        "schema": frozenset({"by_alias", "ref_template"}),
        "validate": frozenset(),
        "copy": frozenset({"update", "deep"}),
        "construct": frozenset(),
        "update_forward_refs": frozenset(),
        "__fields__": frozenset(),
        "__fields_set__": frozenset(),
    }
)  # fmt: skip
FIELD_ARGUMENTS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "min_items": "min_length",
        "max_items": "max_length",
        "const": "Literal",
        "unique_items": "set",
        "allow_mutation": "frozen",
    }
)
#: Types made by calls, and their arguments that Pydantic 2 renamed or dropped.
TYPE_ARGUMENTS: Final[Mapping[str, Mapping[str, str]]] = MappingProxyType(
    {
        "pydantic.conlist": {
            "min_items": "min_length", "max_items": "max_length", "unique_items": "set",
        },
        "pydantic.conset": {"min_items": "min_length", "max_items": "max_length"},
        "pydantic.confrozenset": {"min_items": "min_length", "max_items": "max_length"},
        "pydantic.constr": {"regex": "pattern"},
    }
)  # fmt: skip
VALIDATORS: Final[Mapping[str, str]] = MappingProxyType(
    {"pydantic.validator": "field_validator", "pydantic.root_validator": "model_validator"}
)
#: `regex` of `Field` is FAR123's, as that of parameters.
RENAMED_ARGUMENTS: Final = frozenset({*FIELD_ARGUMENTS, "regex"})
OBJECT_METHODS: Final = frozenset({"copy", "dict", "json", "__fields_set__"})
#: Names of `pydantic` and its modules that Pydantic 2 moved or removed.
MOVED_IMPORTS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "pydantic.Color": "pydantic_extra_types.color.Color",
        "pydantic.BaseConfig": "ConfigDict",
        "pydantic.ConstrainedFloat": "Annotated[float, Field(...)]",
        "pydantic.ConstrainedInt": "Annotated[int, Field(...)]",
        "pydantic.ConstrainedList": "Annotated[list[...], Field(...)]",
        "pydantic.ConstrainedStr": "Annotated[str, StringConstraints(...)]",
        "pydantic.Extra": 'extra="forbid"',
        "pydantic.PaymentCardNumber": "pydantic_extra_types.payment.PaymentCardNumber",
        "pydantic.PyObject": "ImportString",
        "pydantic.color.Color": "pydantic_extra_types.color.Color",
        "pydantic.generics": "BaseModel",
        "pydantic.generics.GenericModel": "BaseModel",
        "pydantic.parse_obj_as": "TypeAdapter",
        "pydantic.payment.PaymentCardBrand": "pydantic_extra_types.payment.PaymentCardBrand",
        "pydantic.payment.PaymentCardNumber": "pydantic_extra_types.payment.PaymentCardNumber",
        "pydantic.settings.BaseSettings": "pydantic_settings.BaseSettings",
        "pydantic.tools.parse_obj_as": "TypeAdapter",
        "pydantic.validate_arguments": "validate_call",
    }
)
MOVED_NAMES: Final = frozenset(
    {"BaseSettings", *(n.partition(".")[2] for n in MOVED_IMPORTS if n.count(".") == 1)}
)
EXTRAS: Final = frozenset({"allow", "forbid", "ignore"})
#: Hooks of classes that are types of fields.
HOOKS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "__get_validators__": "__get_pydantic_core_schema__",
        "__modify_schema__": "__get_pydantic_json_schema__",
    }
)
