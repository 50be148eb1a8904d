"""Alembic's entry: run one service's migrations as the owner of its tables."""

from alembic import context
from sqlalchemy import NullPool, create_engine, make_url

attributes = context.config.attributes
engine = create_engine(make_url(attributes["url"]).set(drivername="postgresql+psycopg"), poolclass=NullPool)
with engine.connect() as connection:
    connection.exec_driver_sql(f"set role {attributes['owner']}")
    context.configure(
        connection=connection,
        version_table=attributes["service"],
        version_table_schema="migrations",
        transactional_ddl=True,
    )
    with context.begin_transaction():
        context.run_migrations()
    connection.commit()
