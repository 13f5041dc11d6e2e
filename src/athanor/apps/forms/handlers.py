"""What Forms does by the clock."""

from athanor.kernel.forms.service import Forms


async def tell_overdue(forms: Forms) -> None:
    """Say which steps became overdue, and let them escalate."""
    await forms.tell_overdue()
