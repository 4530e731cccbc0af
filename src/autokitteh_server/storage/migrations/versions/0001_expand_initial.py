"""The first tables."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    key = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
    serial = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

    op.create_table(
        "projects",
        sa.Column("id", key, primary_key=True),
        sa.Column("name", key, nullable=False, unique=True),
        sa.Column("created_at", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "builds",
        sa.Column("id", key, primary_key=True),
        sa.Column("project_id", key, sa.ForeignKey("projects.id"), nullable=False),
        sa.Column("digest", key, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.UniqueConstraint("project_id", "digest"),
    )
    op.create_table(
        "blobs",
        sa.Column("hash", key, primary_key=True),
        sa.Column("data", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "build_files",
        sa.Column("build_id", key, sa.ForeignKey("builds.id"), primary_key=True),
        sa.Column("path", key, primary_key=True),
        sa.Column("blob", key, sa.ForeignKey("blobs.hash"), nullable=False),
    )
    op.create_table(
        "sessions",
        sa.Column("id", key, primary_key=True),
        sa.Column("project_id", key, sa.ForeignKey("projects.id"), nullable=False),
        sa.Column("build_id", key, sa.ForeignKey("builds.id"), nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("epoch", sa.BigInteger, nullable=False),
        sa.Column("failures", sa.Integer, nullable=False),
        sa.Column("durable", sa.Boolean, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("updated_at", sa.BigInteger, nullable=False),
        sa.Column("waits", sa.Text),
        sa.Column("parent_id", key),
        sa.Column("entry", sa.Text, nullable=False),
        sa.Column("memo", sa.Text, nullable=False),
        sa.Column("error", sa.Text),
        sa.Column("result", sa.Text),
        sa.Column("vars", sa.Text, nullable=False),
        sa.Column("event", sa.Text, nullable=False),
    )
    op.create_index("sessions_of_project", "sessions", ["project_id", "id"])
    _create_partial_index("sessions_unfinished", "sessions", ["id"], where="state IN ('CREATED', 'RUNNING')")
    op.create_table(
        "journal",
        sa.Column("seq", serial, primary_key=True),
        sa.Column("session_id", key, nullable=False),
        sa.Column("format", sa.Integer, nullable=False),
        sa.Column("kind", key, nullable=False),
        sa.Column("phase", key, nullable=False),
        sa.Column("task", key, nullable=False),
        sa.Column("idx", sa.BigInteger, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("site", sa.Text, nullable=False),
        sa.Column("digest", sa.Text, nullable=False),
        sa.Column("args", sa.Text, nullable=False),
        sa.Column("result", sa.Text, nullable=False),
        sa.Column("error", sa.Text, nullable=False),
        sa.Column("attempt", sa.Integer, nullable=False),
        sa.Column("started_at", sa.BigInteger, nullable=False),
        sa.Column("finished_at", sa.BigInteger, nullable=False),
        sa.Column("codec", sa.Text, nullable=False),
        sa.Column("payload", sa.LargeBinary, nullable=False),
        sa.Column("blob", key),
    )
    place = ["session_id", "task", "idx", "kind", "phase", "attempt"]
    _create_partial_index("journal_place", "journal", place, where="idx >= 0", unique=True)
    _create_partial_index("journal_without_place", "journal", ["session_id"], where="idx < 0")
    op.create_table(
        "signals",
        sa.Column("id", serial, primary_key=True),
        sa.Column("session_id", key, sa.ForeignKey("sessions.id", ondelete="CASCADE"), nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("payload", sa.Text, nullable=False),
        sa.Column("sent_at", sa.BigInteger, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("signals_of_session", "signals", ["session_id", "id"])
    op.create_table(
        "store_values",
        sa.Column("project_id", key, sa.ForeignKey("projects.id"), primary_key=True),
        sa.Column("key", key, primary_key=True),
        sa.Column("value", sa.Text, nullable=False),
    )


def _create_partial_index(name: str, table: str, columns: list[str], *, where: str, unique: bool = False) -> None:
    condition = sa.text(where)
    op.create_index(name, table, columns, unique=unique, sqlite_where=condition, postgresql_where=condition)
