"""A tenant's end: its rows go, and what comes late finds a fence."""

from libs.common.db.erasing import tenants_can_be_erased, tenants_can_not_be_erased

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    tenants_can_be_erased("gateway")


def downgrade() -> None:
    tenants_can_not_be_erased("gateway")
