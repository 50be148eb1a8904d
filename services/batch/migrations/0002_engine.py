"""What the engine tells of a result, which photos belong together, and what is billed."""

from libs.common.db.schema import execute

revision = "0002"
down_revision = "0001"

COLUMNS = """
alter table batch.images
    add column inside jsonb,
    add column paired_with text,
    add column garment text,
    add column sku text,
    add column note text,
    add column findings jsonb not null default '[]',
    add column preserved_fraction double precision,
    add column landmarks jsonb,
    add column photo_width integer,
    add column photo_height integer,
    add column renditions jsonb not null default '[]',
    add column artefacts jsonb not null default '[]',
    add column billable boolean not null default false,
    alter column score type double precision,
    drop constraint images_status_check,
    add constraint images_status_check check (
        status in ('waiting', 'rendering', 'completed', 'failed', 'refused', 'cancelled', 'paired')
    );
comment on column batch.images.inside is 'where the inside shot of this photo lies in the archive';
comment on column batch.images.paired_with is 'name of the other photo of a front and its inside shot';

alter table batch.batches
    add column paired integer not null default 0 check (paired >= 0),
    add column rejected integer not null default 0 check (rejected >= 0),
    add column billable integer not null default 0 check (billable >= 0);

-- The owner of the tables is no tenant: with forced row-level security it would find no row to update.
alter table batch.images no force row level security;
alter table batch.batches no force row level security;
update batch.images set billable = true where status = 'completed' and duplicate_of is null;
update batch.batches b set
    rejected = (select count(*) from batch.images i where i.tenant_id = b.tenant_id and i.batch_id = b.id
                and i.verdict = 'rejected' and i.status = 'completed'),
    billable = (select count(*) from batch.images i where i.tenant_id = b.tenant_id and i.batch_id = b.id
                and i.billable);
alter table batch.images force row level security;
alter table batch.batches force row level security;
"""

NO_COLUMNS = """
alter table batch.images no force row level security;
delete from batch.images where status = 'paired';
alter table batch.images force row level security;
alter table batch.images
    drop column inside, drop column paired_with, drop column garment, drop column sku, drop column note,
    drop column findings, drop column preserved_fraction, drop column landmarks,
    drop column photo_width, drop column photo_height, drop column renditions, drop column artefacts,
    drop column billable,
    alter column score type real,
    drop constraint images_status_check,
    add constraint images_status_check check (
        status in ('waiting', 'rendering', 'completed', 'failed', 'refused', 'cancelled')
    );
alter table batch.batches drop column paired, drop column rejected, drop column billable;
"""


def upgrade() -> None:
    execute(COLUMNS)


def downgrade() -> None:
    execute(NO_COLUMNS)
