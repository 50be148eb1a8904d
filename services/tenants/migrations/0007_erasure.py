"""Erasures and their certificates, and what every schema needs for a tenant's end."""

from alembic import op

from libs.common.db.erasing import tenants_can_be_erased, tenants_can_not_be_erased
from libs.common.db.schema import execute, platform_walls

revision = "0007"
down_revision = "0006"

TABLE = """
create table tenants.erasures (
    id text collate "C" primary key,
    tenant_sha256 text collate "C" not null unique,
    subject text collate "C",
    requested_by text collate "C" not null,
    requested_at timestamptz not null default now(),
    round integer not null default 1,
    round_began_at timestamptz not null default now(),
    announced_at timestamptz not null default now(),
    announcements integer not null default 1,
    waiting_for text[] not null,
    removed jsonb not null default '{}',
    own_rows_at timestamptz,
    completed_at timestamptz,
    statement text,
    signature text,
    public_key text,
    check ((completed_at is null) = (subject is not null))
);
comment on column tenants.erasures.subject is 'the tenant, until nothing else of it is left';
comment on column tenants.erasures.requested_by is 'the kind of who asked: an id would name the tenant';
comment on column tenants.erasures.removed is 'by service: rows by table, other things by their kind';
create index erasures_open on tenants.erasures (requested_at) where completed_at is null;
"""


def upgrade() -> None:
    execute(TABLE)
    platform_walls("tenants", "erasures")
    tenants_can_be_erased("tenants")


def downgrade() -> None:
    tenants_can_not_be_erased("tenants")
    op.drop_table("erasures", schema="tenants")
