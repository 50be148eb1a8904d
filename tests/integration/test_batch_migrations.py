"""Batches of an older version keep what they are worth."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest
from alembic import command

from libs.common.db.migrate import _alembic
from tests.servers.databases import TestDatabase

OLD = """
insert into batch.batches
    (tenant_id, id, kind, status, api_key_id, archive_key, archive_size, options, created_at)
values ('ten_1', 'bat_1', 'archive', 'completed', 'key_1', 'k', 1, '{}', now());
insert into batch.images (tenant_id, id, batch_id, position, name, status, verdict, duplicate_of)
values ('ten_1', 'img_1', 'bat_1', 0, 'a.jpg', 'completed', 'publishable', null),
       ('ten_1', 'img_2', 'bat_1', 1, 'b.jpg', 'completed', 'rejected', null),
       ('ten_1', 'img_3', 'bat_1', 2, 'c.jpg', 'completed', 'publishable', 'img_1'),
       ('ten_1', 'img_4', 'bat_1', 3, 'd.jpg', 'failed', null, null);
insert into batch.charges (tenant_id, image_id, batch_id, route, model, render_ms)
values ('ten_1', 'img_1', 'bat_1', 'platform', 'm@1', 5);
"""
FORCED = """
select bool_and(relforcerowsecurity) from pg_class
where relnamespace = 'batch'::regnamespace and relkind = 'r'
"""


@pytest.fixture
def connection(database: TestDatabase) -> Iterator[psycopg.Connection]:
    with psycopg.connect(database.admin_url, autocommit=True) as connection:
        yield connection


def test_batches_of_the_first_version_are_billed_as_they_were(
    database: TestDatabase, connection: psycopg.Connection
) -> None:
    """What was charged then stays billable, rejected or not; and the way back is open."""
    alembic = _alembic(database.admin_url, "batch")
    command.downgrade(alembic, "0001")
    connection.execute(OLD)
    command.upgrade(alembic, "head")
    rows = connection.execute("select billable from batch.images order by position").fetchall()
    assert [billable for (billable,) in rows] == [True, True, False, False]
    counts = connection.execute("select paired, rejected, billable from batch.batches").fetchone()
    assert counts == (0, 1, 2)
    charge = connection.execute(
        "select provider, payer, credential_id, fallback from batch.charges"
    ).fetchone()
    assert charge == ("onnx", "platform", None, False)

    connection.execute("update batch.images set status = 'paired' where id = 'img_4'")
    connection.execute("update batch.batches set parked = 2 where id = 'bat_1'")
    command.downgrade(alembic, "0001")
    assert connection.execute("select count(*) from batch.images").fetchone() == (3,)
    assert connection.execute("select ready from batch.batches").fetchone() == (2,)
    command.upgrade(alembic, "head")
    assert connection.execute(FORCED).fetchone() == (True,)
