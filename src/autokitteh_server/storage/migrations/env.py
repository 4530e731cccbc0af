"""Run by Alembic, never imported: applies revisions on the connection that it was handed.

No transaction is begun or committed here. Whoever upgrades holds the lock of the database, and commits all or nothing;
SQLite, too, takes changes of tables back.
"""

from alembic import context

context.configure(connection=context.config.attributes["connection"], transactional_ddl=True)
context.run_migrations()
