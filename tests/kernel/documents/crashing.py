"""A process that uploads documents and versions and says the id of each once it is acknowledged."""

import asyncio
import os
from multiprocessing.connection import Connection
from pathlib import Path

from athanor.kernel.database.database import Database
from athanor.kernel.documents.records import Filing
from athanor.kernel.documents.service import Documents
from athanor.kernel.files.folder import FolderFiles
from athanor.kernel.files.port import Files
from athanor.kernel.files.s3 import S3Files

from ..files.object_store import KEY, SECRET
from .sending import OLGA, PDF, RULES, file

AT_ONCE = 3


def store_at(place: str, endpoint: str | None) -> Files:
    """A folder, or a bucket."""
    if endpoint is None:
        return FolderFiles(Path(place))
    os.environ |= {"AWS_ACCESS_KEY_ID": KEY, "AWS_SECRET_ACCESS_KEY": SECRET}  # a child may be of before they were set
    return S3Files(place, endpoint=endpoint, allow_http=True)


def work_until_killed(database_url: str, place: str, endpoint: str | None, say: Connection) -> None:
    """Documents come, each with a second version."""
    asyncio.run(_work(database_url, place, endpoint, say))


async def _work(database_url: str, place: str, endpoint: str | None, say: Connection) -> None:
    documents = Documents(Database(database_url), store_at(place, endpoint), RULES)

    async def upload(number: int) -> None:
        while True:
            stored = await documents.upload(OLGA, file("a.pdf", PDF, bytes([number]) * 400_000), Filing())
            say.send(stored.version.document_id)
            await documents.add_version(OLGA, stored.version.document_id, file("b.pdf", PDF, bytes([number + 1])))
            number = (number + AT_ONCE) % 250

    await asyncio.gather(*(upload(own) for own in range(AT_ONCE)))
