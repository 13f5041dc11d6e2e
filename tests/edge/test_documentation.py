"""docs/edge.md lists every key of the edge's configuration, with the defaults and words that the models have."""

from pathlib import Path
from typing import Any, get_args

import pytest
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from athanor.edge import config
from athanor.edge.config import ConfigSection, EdgeConfig, load_edge_config

PAGE = Path(__file__).parents[2] / "docs" / "edge.md"
SECTIONS: dict[str, type[ConfigSection]] = {
    "edge": config.EdgeConfig,
    "uplink": config.UplinkConfig,
    "buffer": config.BufferConfig,
    "collector": config.CollectorConfig,
    "source, opcua": config.OpcUaSource,
    "tag, opcua": config.OpcUaTag,
    "source, modbus": config.ModbusSource,
    "tag, modbus": config.ModbusTag,
    "source, sparkplug": config.SparkplugSource,
    "tag, sparkplug": config.SparkplugTag,
    "source, mqtt": config.MqttSource,
    "tag, mqtt": config.MqttTag,
}


def default_of(field: FieldInfo) -> str:
    if field.default_factory is not None:
        return "its defaults"
    if field.default is PydanticUndefined:
        return "required"
    if field.default is None:
        return "none"
    return f"`{field.default}`" if str(field.default) else "empty"


def choices_of(annotation: Any) -> str:
    """What a key may be where that is a short list."""
    words = [str(part) for part in get_args(annotation) if isinstance(part, str)]
    members = getattr(annotation, "__members__", {})
    return ", ".join(f"`{word}`" for word in words or [member.value for member in members.values()])


def row(name: str, field: FieldInfo) -> str:
    said = [field.description or "", choices_of(field.annotation)]
    return f"| `{field.alias or name}` | {default_of(field)} | {' '.join(part for part in said if part)} |"


def table(section: type[ConfigSection]) -> str:
    rows = [row(name, field) for name, field in section.model_fields.items()]
    return "\n".join(["| key | default | meaning |", "| --- | --- | --- |", *rows])


@pytest.mark.parametrize("title", SECTIONS)
def test_the_page_has_the_table_of_each_section(title: str) -> None:
    assert f"### {title}\n\n{table(SECTIONS[title])}\n" in PAGE.read_text(encoding="utf-8")


def test_the_example_on_the_page_is_a_configuration(tmp_path: Path) -> None:
    example = PAGE.read_text(encoding="utf-8").split("```yaml\n")[1].split("```")[0]
    (tmp_path / "edge.yaml").write_text(example, encoding="utf-8")
    assert isinstance(load_edge_config(tmp_path / "edge.yaml"), EdgeConfig)


def test_no_key_holds_a_secret() -> None:
    keys = {name for section in SECTIONS.values() for name in section.model_fields}
    assert {key for key in keys if "password" in key or "token" in key} == {"password_env", "token_env"}


def test_every_section_is_on_the_page() -> None:
    def all_below(parent: type[ConfigSection]) -> set[type[ConfigSection]]:
        return {child for direct in parent.__subclasses__() for child in {direct, *all_below(direct)}}

    assert all_below(ConfigSection) - {config.MqttBroker} == set(SECTIONS.values())
