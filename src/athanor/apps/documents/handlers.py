"""What is done by the clock."""

from athanor.kernel.documents.service import Documents


async def scan_waiting(documents: Documents) -> None:
    """Search what is still in quarantine for viruses."""
    await documents.upkeep.scan_waiting()


async def sweep(documents: Documents) -> None:
    """Remove what retention says, and what nothing needs any more."""
    await documents.upkeep.sweep()
