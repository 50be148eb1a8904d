"""How a result is marked, and how much of what it shows was invented."""

from libs.common.db.schema import execute

revision = "0007"
down_revision = "0006"

COLUMNS = """
alter table batch.images
    add column synthesized_fraction double precision,
    add column digital_source_type text;
comment on column batch.images.digital_source_type is
    'the URI of the IPTC code in the file; null where it shows nothing invented';
"""


def upgrade() -> None:
    execute(COLUMNS)


def downgrade() -> None:
    execute("alter table batch.images drop column synthesized_fraction, drop column digital_source_type")
