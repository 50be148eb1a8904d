"""Webhook endpoints, deliveries and every attempt at them."""

from alembic import op

from libs.common.db.schema import execute, outbox_and_inbox, tenant_walls

revision = "0001"
down_revision = None

TABLES = """
create table webhooks.endpoints (
    tenant_id text collate "C" not null,
    id text collate "C" not null,
    url text not null,
    types text[] not null,
    description text not null,
    disabled_reason text,
    secret bytea not null,
    old_secret bytea,
    old_secret_until timestamptz,
    created_at timestamptz not null default now(),
    primary key (tenant_id, id)
);
comment on column webhooks.endpoints.secret is 'Fernet token under WEBHOOKS_SECRET_KEY';

create table webhooks.deliveries (
    tenant_id text collate "C" not null,
    id text collate "C" not null,
    endpoint_id text collate "C" not null,
    source text collate "C" not null,
    type text not null,
    payload text not null,
    status text not null check (status in ('pending', 'delivered', 'failed')),
    failures integer not null default 0,
    next_attempt_at timestamptz,
    claimed_until timestamptz,
    traceparent text,
    created_at timestamptz not null default now(),
    primary key (tenant_id, id),
    unique (tenant_id, endpoint_id, source),
    foreign key (tenant_id, endpoint_id) references webhooks.endpoints (tenant_id, id) on delete cascade
);
comment on column webhooks.deliveries.source is 'what it tells of; an endpoint is told it once';
comment on column webhooks.deliveries.failures is 'failed tries since queued: its step on the schedule';
comment on column webhooks.deliveries.claimed_until is 'by then, whoever claimed it is done or dead';
create index deliveries_due on webhooks.deliveries (tenant_id, endpoint_id, next_attempt_at)
    where status = 'pending';
create index deliveries_ended on webhooks.deliveries (created_at) where status <> 'pending';
create index deliveries_listed on webhooks.deliveries (tenant_id, endpoint_id, id desc);

create table webhooks.attempts (
    tenant_id text collate "C" not null,
    delivery_id text collate "C" not null,
    number integer not null,
    at timestamptz not null,
    duration_ms integer not null,
    status_code integer,
    error text,
    primary key (tenant_id, delivery_id, number),
    foreign key (tenant_id, delivery_id) references webhooks.deliveries (tenant_id, id) on delete cascade
);
"""


def upgrade() -> None:
    execute(TABLES)
    tenant_walls("webhooks", "endpoints", "deliveries", "attempts")
    outbox_and_inbox("webhooks")


def downgrade() -> None:
    for table in ("attempts", "deliveries", "endpoints", "outbox", "inbox"):
        op.drop_table(table, schema="webhooks")
