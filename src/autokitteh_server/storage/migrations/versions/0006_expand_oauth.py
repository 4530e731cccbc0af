"""What is remembered of people who are about to let a connection use their account."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

KEY = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "oauth_flows",
        sa.Column("digest", KEY, primary_key=True),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("connection_id", KEY, sa.ForeignKey("connections.id", ondelete="CASCADE"), nullable=False),
        sa.Column("auth_type", sa.Text, nullable=False),
        sa.Column("browser", sa.Text, nullable=False),
        sa.Column("expires_at", sa.BigInteger, nullable=False),
        sa.Column("verifier", sa.Text, nullable=False),
    )
    op.create_index("oauth_flows_by_end", "oauth_flows", ["expires_at"])
    op.create_index("oauth_flows_of_connection", "oauth_flows", ["connection_id"])
