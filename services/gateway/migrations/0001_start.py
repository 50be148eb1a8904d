"""What the gateway keeps of its own: a projection of the API keys, idempotency records and submissions."""

from alembic import op

from libs.common.db.schema import execute, outbox_and_inbox, tenant_walls

revision = "0001"
down_revision = None

TABLES = """
create table gateway.api_keys (
    tenant_id text collate "C" not null,
    id text collate "C" not null,
    public_id text collate "C" unique,
    sha256 text collate "C",
    mode text check (mode in ('live', 'test')),
    revoked_at timestamptz,
    changed_by bigint not null default (pg_current_xact_id()::text)::bigint,
    primary key (tenant_id, id)
);
create index api_keys_changed_by on gateway.api_keys (changed_by);
comment on column gateway.api_keys.public_id is 'null while only the revocation has arrived';
comment on column gateway.api_keys.changed_by is 'transaction id: what a replica reads on from';

create table gateway.idempotency (
    tenant_id text collate "C" not null,
    key text collate "C" not null,
    owner text collate "C" not null,
    fingerprint text collate "C",
    answer jsonb,
    held_until timestamptz not null,
    started_at timestamptz not null default now(),
    primary key (tenant_id, key)
);
create index idempotency_started_at on gateway.idempotency (started_at);
comment on column gateway.idempotency.owner is 'the request that works on it, or did';
comment on column gateway.idempotency.answer is 'null while the request is under way';

create table gateway.submissions (
    tenant_id text collate "C" not null,
    batch_id text collate "C" not null,
    image_id text collate "C",
    name text,
    options jsonb not null,
    submitted_at timestamptz not null,
    primary key (tenant_id, batch_id)
);
create index submissions_image on gateway.submissions (tenant_id, image_id) where image_id is not null;
create index submissions_submitted_at on gateway.submissions (submitted_at);
"""


def upgrade() -> None:
    execute(TABLES)
    tenant_walls("gateway", "api_keys", "idempotency", "submissions")
    outbox_and_inbox("gateway")


def downgrade() -> None:
    for table in ("api_keys", "idempotency", "submissions", "outbox", "inbox"):
        op.drop_table(table, schema="gateway")
