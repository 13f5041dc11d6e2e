"""Hello's page."""

from datetime import UTC, datetime

from athanor.kernel.current import CurrentValues
from athanor.kernel.identity.user import User
from athanor.kernel.plant.running import RunningPlant
from athanor.web.components import empty_state, kpi, kpi_strip, page_title
from athanor.web.formatting import read
from athanor.web.language import _, text_of
from athanor.web.live import every_second
from athanor_hello import services


def hello(plant: RunningPlant, current: CurrentValues, viewer: User) -> None:
    """Greet who is there, and show what the enterprises they may see draw now."""
    page_title(_("Hello, {name}").format(name=viewer.name), _("What every enterprise draws now."))
    tags = services.power_tags(plant.model)
    if not tags:
        empty_state(
            _("No tag measures power."),
            _("Give one the role tenant.power in the plant's file."),
            action=(_("See what the sources send"), "/datahealth"),
        )
        return
    with kpi_strip():
        figures = [(tag, kpi(text_of(plant.model.tenant_of(tag.path).name))) for tag in tags]

    def refresh() -> None:
        now = datetime.now(UTC)
        for tag, figure in figures:
            figure.read(read(tag, current.get(plant.id_of(tag.path)), now), note=text_of(tag.name))

    refresh()
    every_second(refresh)
