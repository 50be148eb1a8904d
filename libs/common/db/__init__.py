"""The only way to PostgreSQL: transactions that know their tenant."""

from libs.common.db.database import Database
from libs.common.db.queries import Queries
from libs.common.db.transaction import Row, Transaction

__all__ = ["Database", "Queries", "Row", "Transaction"]
