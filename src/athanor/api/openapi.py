"""What the OpenAPI document says beyond what FastAPI finds: how every route answers what it refuses."""

from typing import Any

_PROBLEM = "Problem"
_REFERENCE = {"application/json": {"schema": {"$ref": f"#/components/schemas/{_PROBLEM}"}}}
_DETAIL = {
    "anyOf": [
        {
            "type": "object",
            "description": "What happened, to what, and what to do next; the code is stable (docs/errors.md).",
            "properties": {"code": {"type": "string"}, "message": {"type": "string"}},
            "required": ["code", "message"],
        },
        {
            "type": "array",
            "description": "Where what was sent is not what this document describes.",
            "items": {
                "type": "object",
                "properties": {"loc": {"type": "array"}, "msg": {"type": "string"}, "type": {"type": "string"}},
                "required": ["loc", "msg", "type"],
            },
        },
        {"type": "string"},
    ]
}


def with_problems(schema: dict[str, Any]) -> dict[str, Any]:
    """The document, with what every route answers instead of what it promises; given twice, it stays the same."""
    schemas = schema.setdefault("components", {}).setdefault("schemas", {})
    schemas[_PROBLEM] = {"type": "object", "properties": {"detail": _DETAIL}, "required": ["detail"]}
    for path in schema["paths"].values():
        for operation in path.values():
            responses = operation["responses"]
            responses.setdefault("default", {"description": "Refused, or not possible now"})
            for status, response in responses.items():
                if status == "default" or status.startswith(("4", "5")):
                    response["content"] = _REFERENCE
    return schema
