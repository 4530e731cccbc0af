"""Migrations and schema say the same."""

from typing import Any

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, create_engine, inspect, text

from autokitteh_server.storage import schema
from autokitteh_server.storage.database import Database
from autokitteh_server.storage.dialects import parse_url
from autokitteh_server.storage.migrations import config_for


def engine_for(url: str) -> Engine:
    return create_engine(parse_url(url)[0])


def describe(engine: Engine) -> dict[str, Any]:
    """All that a database tells about its tables, in a form that can be compared."""
    inspector = inspect(engine)
    found: dict[str, Any] = {}
    for table in inspector.get_table_names():
        if table == "alembic_version":
            continue
        columns = [
            (column["name"], str(column["type"]), getattr(column["type"], "collation", None), column["nullable"])
            for column in inspector.get_columns(table)
        ]
        found[table] = {
            "columns": columns,
            "primary key": inspector.get_pk_constraint(table)["constrained_columns"],
            "foreign keys": sorted(
                (key["constrained_columns"], key["referred_table"], key["referred_columns"], key["options"])
                for key in inspector.get_foreign_keys(table)
            ),
            "unique": sorted(key["column_names"] for key in inspector.get_unique_constraints(table)),
        }
    return found


def definitions(engine: Engine) -> list[str]:
    """Every index as the database itself would write it down, with its condition; on SQLite every table as well."""
    query = {
        "sqlite": "SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL AND name NOT LIKE 'alembic%'",
        "postgresql": "SELECT indexdef FROM pg_indexes WHERE schemaname = 'public' AND tablename <> 'alembic_version'",
    }[engine.dialect.name]
    with engine.connect() as conn:
        # A column that was added stands behind the table's constraints: the order of the parts says nothing.
        return sorted(", ".join(sorted(_parts(sql))) for sql in conn.execute(text(query)).scalars())


def _parts(sql: str) -> list[str]:
    plain = " ".join(sql.split())
    return [part.strip(" )") for part in plain.split(",")] if plain.startswith("CREATE TABLE") else [plain]


def test_migrations_build_the_schema(store_url: str, empty_url: str) -> None:
    """Step by step or at once, the tables are the same: columns, keys, indexes and their conditions."""
    if store_url == empty_url:  # SQLite's two fixtures share a folder
        empty_url = store_url.replace("store.db", "other.db")
    Database.open(empty_url, durable=False).close()
    migrated, made = engine_for(store_url), engine_for(empty_url)
    assert describe(migrated) == describe(made)
    assert definitions(migrated) == definitions(made)
    migrated.dispose()
    made.dispose()


def test_alembic_finds_nothing_to_change(store_url: str) -> None:
    """Nobody has changed the schema and forgotten the migration."""
    engine = engine_for(store_url)
    with engine.connect() as conn:
        assert compare_metadata(MigrationContext.configure(conn), schema.metadata) == []
    engine.dispose()


def test_head_is_the_newest_revision() -> None:
    """The constant that saves importing Alembic is right, and every revision has a number and a purpose in its name."""
    scripts = ScriptDirectory.from_config(config_for())
    assert scripts.get_heads() == [schema.HEAD]
    for script in scripts.walk_revisions():
        number, purpose = script.module.__name__.split("_")[:2]
        assert number == script.revision
        assert purpose in {"expand", "contract"}
