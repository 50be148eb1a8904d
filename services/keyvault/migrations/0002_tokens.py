"""Tokens and kept secrets need no table: all that is to be known of their keys is in the vault."""

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass
