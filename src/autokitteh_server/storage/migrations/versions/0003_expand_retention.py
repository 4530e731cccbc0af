"""Indexes by which is found whether a blob is still needed."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    has_blob = sa.text("blob IS NOT NULL")
    op.create_index("build_files_by_blob", "build_files", ["blob"])
    op.create_index("journal_by_blob", "journal", ["blob"], sqlite_where=has_blob, postgresql_where=has_blob)
