"""Everything that is kept of a tenant, row by row and without secrets."""

from libs.common.export.pages import page, rows_responder

__all__ = ["page", "rows_responder"]
