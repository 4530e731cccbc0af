"""What came of trying a connection."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("connections", sa.Column("checked_at", sa.BigInteger))
    op.add_column("connections", sa.Column("check_code", sa.Text))
    op.add_column("connections", sa.Column("check_message", sa.Text))
    op.add_column("connections", sa.Column("check_remedy", sa.Text))
