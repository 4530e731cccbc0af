"""What is remembered of OAuth's redirects: tickets to begin with, and states to come back with. Each is good once."""

from sqlalchemy import Connection, delete, func, insert, select

from autokitteh_server.core.entities import Flow
from autokitteh_server.storage import schema

_rows = schema.oauth_flows


def create(conn: Connection, flow: Flow, *, now: int) -> None:
    """Remember a ticket or a state, and forget all that are too old. Its connection must be there."""
    conn.execute(delete(_rows).where(_rows.c.expires_at <= now))
    conn.execute(
        insert(_rows).values(
            digest=flow.digest,
            kind=flow.kind,
            connection_id=flow.connection_id,
            auth_type=flow.auth_type,
            browser=flow.browser,
            expires_at=flow.expires_at,
            verifier=flow.verifier,
        )
    )


def find(conn: Connection, digest: str, kind: str, *, now: int) -> Flow | None:
    """The ticket or state of this digest, if it is still good."""
    query = select(_rows).where(_rows.c.digest == digest, _rows.c.kind == kind, _rows.c.expires_at > now)
    row = conn.execute(query).one_or_none()
    if row is None:
        return None
    return Flow(
        digest=row.digest,
        kind=row.kind,
        connection_id=row.connection_id,
        auth_type=row.auth_type,
        browser=row.browser,
        expires_at=row.expires_at,
        verifier=row.verifier,
    )


def use(conn: Connection, digest: str) -> bool:
    """Forget a ticket or state, for it is being used; False if somebody else has used it."""
    return bool(conn.execute(delete(_rows).where(_rows.c.digest == digest)).rowcount)


def count(conn: Connection) -> int:
    """How many are remembered."""
    return conn.execute(select(func.count()).select_from(_rows)).scalar_one()
