"""Statements of SQLAlchemy, whose every method is a call of a third-party package."""

# /// session
# prints = '''
# SELECT people.name FROM people WHERE people.age > :age_1 ORDER BY people.name LIMIT :param_1
# [('ann',), ('eve',)]
# '''
# ///

import sqlalchemy
from sqlalchemy import Column, Integer, MetaData, String, Table, insert, select

from autokitteh import activity

METADATA = MetaData()
PEOPLE = Table("people", METADATA, Column("name", String), Column("age", Integer))


@activity
def query(statement):
    engine = sqlalchemy.create_engine("sqlite://")
    METADATA.create_all(engine)
    with engine.begin() as conn:
        conn.execute(insert(PEOPLE), [{"name": "eve", "age": 9}, {"name": "ann", "age": 5}, {"name": "bob", "age": 1}])
        return [tuple(row) for row in conn.execute(statement)]


def on_trigger(event):
    statement = select(PEOPLE.c.name).where(PEOPLE.c.age > 3).order_by(PEOPLE.c.name).limit(2)
    print(" ".join(str(statement).split()))
    print(query(statement))
