"""A projection of the tenants' brands, and of whether their plans let them be shown."""

from alembic import op

from libs.common.db.schema import execute, tenant_walls

revision = "0003"
down_revision = "0002"

TABLE = """
create table gateway.brands (
    tenant_id text collate "C" primary key,
    brand jsonb,
    slug text collate "C",
    hosts text[] not null default '{}',
    revision integer not null default -1,
    entitled boolean not null default false,
    plan_revision integer not null default -1,
    changed_by bigint not null default (pg_current_xact_id()::text)::bigint
);
create index brands_changed_by on gateway.brands (changed_by);
comment on column gateway.brands.brand is 'null while only the plan is known';
comment on column gateway.brands.changed_by is 'transaction id: what a replica reads on from';
"""


def upgrade() -> None:
    execute(TABLE)
    tenant_walls("gateway", "brands")


def downgrade() -> None:
    op.drop_table("brands", schema="gateway")
