"""Tenants and their API keys."""

from alembic import op

from libs.common.db.schema import execute, outbox_and_inbox, tenant_walls

revision = "0001"
down_revision = None

TABLES = """
create table tenants.tenants (
    tenant_id text collate "C" primary key,
    name text not null,
    weight integer not null check (weight between 1 and 100),
    created_at timestamptz not null default now()
);

create table tenants.api_keys (
    tenant_id text collate "C" not null references tenants.tenants (tenant_id) on delete cascade,
    id text collate "C" not null,
    mode text not null check (mode in ('live', 'test')),
    public_id text collate "C" not null unique,
    sha256 text collate "C" not null unique,
    label text not null,
    created_at timestamptz not null default now(),
    revoked_at timestamptz,
    primary key (tenant_id, id)
);
comment on column tenants.api_keys.sha256 is 'of the whole key, which is stored nowhere';
"""


def upgrade() -> None:
    execute(TABLES)
    tenant_walls("tenants", "tenants", "api_keys")
    outbox_and_inbox("tenants")


def downgrade() -> None:
    for table in ("api_keys", "tenants", "outbox", "inbox"):
        op.drop_table(table, schema="tenants")
