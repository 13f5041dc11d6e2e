"""What a person sees of documents."""

from athanor.apps.documents.pages.document import document_page
from athanor.apps.documents.pages.documents import documents_page
from athanor.apps.documents.pages.retention import retention_page

__all__ = ["document_page", "documents_page", "retention_page"]
