"""What Hello finds out for its page."""

from athanor.kernel.plant.model import Plant, Tag

MOST_SHOWN = 8


def power_tags(plant: Plant) -> list[Tag]:
    """The total power of each enterprise; where no tag has that role, the first tags that are measured in kW."""
    total = [tag for tag in plant.tags.values() if tag.role == "tenant.power"]
    return (total or [tag for tag in plant.tags.values() if tag.unit == "kW"])[:MOST_SHOWN]
