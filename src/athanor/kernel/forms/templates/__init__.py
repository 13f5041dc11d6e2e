"""Forms to start from: a sheet of product output, and a round of inspection of hot work. One YAML file each."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path

import yaml

from athanor.kernel.forms.definition import Definition, read_definition

_NEW = {
    "title": {"en": "New form", "zh_CN": "新表单"},
    "fields": [{"id": "text", "kind": "text", "label": {"en": "Text", "zh_CN": "文本"}}],
}


@cache
def templates() -> Mapping[str, Definition]:
    """By key."""
    files = sorted(Path(__file__).parent.glob("*.yaml"))
    return {file.stem: read_definition(yaml.safe_load(file.read_text(encoding="utf-8"))) for file in files}


@cache
def new_form() -> Definition:
    """The least that a form can be."""
    return read_definition(_NEW)
