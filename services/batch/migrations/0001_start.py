"""Batches, their images, and the charge of each image."""

from alembic import op

from libs.common.db.schema import execute, outbox_and_inbox, tenant_walls

revision = "0001"
down_revision = None

TABLES = """
create table batch.tenants (
    tenant_id text collate "C" primary key,
    weight integer not null check (weight > 0)
);

create table batch.batches (
    tenant_id text collate "C" not null,
    id text collate "C" not null,
    kind text not null check (kind in ('archive', 'single')),
    status text not null
        check (status in ('accepted', 'splitting', 'processing', 'completed', 'failed', 'cancelled')),
    cancelling boolean not null default false,
    api_key_id text collate "C" not null,
    archive_key text not null,
    archive_size bigint not null,
    options jsonb not null,
    round integer not null default 1,
    split_next integer not null default 0,
    split_until timestamptz,
    sequence integer not null default 0,
    total integer not null default 0,
    ready integer not null default 0 check (ready >= 0),
    waiting integer not null default 0 check (waiting >= 0),
    rendering integer not null default 0 check (rendering >= 0),
    completed integer not null default 0 check (completed >= 0),
    failed integer not null default 0 check (failed >= 0),
    refused integer not null default 0 check (refused >= 0),
    cancelled integer not null default 0 check (cancelled >= 0),
    duplicates integer not null default 0,
    failure_code text,
    failure_detail text,
    traceparent text,
    created_at timestamptz not null,
    started_at timestamptz,
    ended_at timestamptz,
    primary key (tenant_id, id)
);
comment on column batch.batches.ready is 'waiting images that may be released: no duplicates of others';
create index batches_listed on batch.batches (tenant_id, id desc) where kind = 'archive';
create index batches_ready on batch.batches (tenant_id, id) where ready > 0;
create index batches_to_split on batch.batches (created_at) where status in ('accepted', 'splitting');

create table batch.images (
    tenant_id text collate "C" not null,
    id text collate "C" not null,
    batch_id text collate "C" not null,
    position integer not null,
    name text not null,
    status text not null
        check (status in ('waiting', 'rendering', 'completed', 'failed', 'refused', 'cancelled')),
    photo jsonb,
    duplicate_of text collate "C",
    attempts integer not null default 0,
    released_at timestamptz,
    result_key text,
    media_type text,
    width integer,
    height integer,
    size bigint,
    sha256 text,
    verdict text,
    score real,
    reasons text[] not null default '{}',
    model text,
    render_ms integer,
    failure_code text,
    failure_detail text,
    sequence integer,
    ended_at timestamptz,
    primary key (tenant_id, id),
    unique (tenant_id, batch_id, position),
    foreign key (tenant_id, batch_id) references batch.batches (tenant_id, id) on delete cascade
);
create index images_waiting on batch.images (tenant_id, batch_id, position)
    where status = 'waiting' and duplicate_of is null;
create index images_rendering on batch.images (tenant_id, released_at) where status = 'rendering';
create index images_ended on batch.images (tenant_id, batch_id, sequence) where sequence is not null;
create index images_duplicates on batch.images (tenant_id, duplicate_of) where duplicate_of is not null;

create table batch.charges (
    tenant_id text collate "C" not null,
    image_id text collate "C" not null,
    batch_id text collate "C" not null,
    route text not null,
    model text not null,
    render_ms integer not null,
    charged_at timestamptz not null default now(),
    primary key (tenant_id, image_id)
);
create index charges_by_batch on batch.charges (tenant_id, batch_id);
"""


def upgrade() -> None:
    execute(TABLES)
    tenant_walls("batch", "tenants", "batches", "images", "charges")
    execute("revoke update, delete on batch.charges from batch")
    outbox_and_inbox("batch")


def downgrade() -> None:
    op.drop_table("charges", schema="batch")
    op.drop_table("images", schema="batch")
    op.drop_table("batches", schema="batch")
    op.drop_table("tenants", schema="batch")
    op.drop_table("outbox", schema="batch")
    op.drop_table("inbox", schema="batch")
