"""Quotas: what a month's bill holds, what is kept for uploads, test batches, and tenants that are held up."""

from libs.common.db.schema import execute, tenant_walls

revision = "0004"
down_revision = "0003"

TABLES = """
alter table batch.batches rename column api_key_id to submitted_by;
alter table batch.batches
    add column test boolean not null default false,
    add column expired_at timestamptz;
comment on column batch.batches.expired_at is 'past its time, and being removed';
alter table batch.images add column test boolean not null default false;
create index batches_open on batch.batches (tenant_id) where ended_at is null;
create index batches_ended on batch.batches (tenant_id, ended_at) where ended_at is not null;
create index batches_of_tests on batch.batches (tenant_id, created_at) where test;

create index routing_concurrent on batch.routing (tenant_id)
    where plan->'quotas'->>'concurrent_items' is not null;

alter table batch.tenants
    add column status text not null default 'active' check (status in ('active', 'suspended', 'erasing')),
    add column status_revision integer not null default -1,
    add column known_since timestamptz;
alter table batch.tenants alter column known_since set default now();
comment on column batch.tenants.known_since is 'null: from before this was kept';

create table batch.month_use (
    tenant_id text collate "C" not null,
    month date not null,
    slot smallint not null check (slot between 0 and 15),
    images integer not null,
    primary key (tenant_id, month, slot)
);
comment on table batch.month_use is 'charged images of a month; in slots, so that no batch queues for a row';

create table batch.reservations (
    tenant_id text collate "C" not null,
    batch_id text collate "C" not null,
    test boolean not null,
    images integer not null check (images >= 0),
    expires_at timestamptz not null,
    primary key (tenant_id, batch_id)
);
create index reservations_expired on batch.reservations (expires_at);
comment on table batch.reservations is 'what an upload was promised, until its batch is split to the end';

-- The owner of the tables is no tenant: with forced row-level security it would find no row to count.
alter table batch.charges no force row level security;
insert into batch.month_use (tenant_id, month, slot, images)
select tenant_id, date_trunc('month', charged_at at time zone 'UTC')::date, 0, count(*)
from batch.charges group by 1, 2;
alter table batch.charges force row level security;
"""

NO_TABLES = """
drop table batch.reservations, batch.month_use;
alter table batch.tenants drop column status, drop column status_revision, drop column known_since;
drop index batch.routing_concurrent, batch.batches_of_tests, batch.batches_ended, batch.batches_open;
alter table batch.images drop column test;
alter table batch.batches drop column test, drop column expired_at;
alter table batch.batches rename column submitted_by to api_key_id;
"""


def upgrade() -> None:
    execute(TABLES)
    tenant_walls("batch", "month_use", "reservations")


def downgrade() -> None:
    execute(NO_TABLES)
