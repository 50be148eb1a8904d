"""A projection of the tenants' plans: what an upload is held against; and whether a submission is a test."""

from alembic import op

from libs.common.db.schema import execute, tenant_walls

revision = "0005"
down_revision = "0004"

TABLES = """
create table gateway.plans (
    tenant_id text collate "C" primary key,
    quotas jsonb not null,
    revision integer not null
);
alter table gateway.submissions add column test boolean not null default false;
"""


def upgrade() -> None:
    execute(TABLES)
    tenant_walls("gateway", "plans")


def downgrade() -> None:
    op.drop_table("plans", schema="gateway")
    op.drop_column("submissions", "test", schema="gateway")
