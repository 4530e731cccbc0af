"""A fluent API whose methods return self goes on working on one object."""

# /// session
# prints = '''
# ['people', 'age > 3', 'name', 'limit 5']
# True True
# ['people', 'age > 3', 'name', 'limit 5'] ['people', 'age > 3', 'name', 'limit 5', 'more']
# ["by keyword: ['people', 'age > 3', 'name', 'limit 5']"]
# '''
# ///

import sys

sys.path.append("site-packages")

import querykit


def on_trigger(event):
    query = querykit.query("people")
    found = query.where("age > 3", "name").limit(5).run()
    print(found)
    print(query.limit(5) is query, query.where() is query)
    query.parts.pop()
    copy = query.clone()
    copy.where("more")
    print(query.run(), copy.run())
    print([f"by keyword: {found}" for found in [query.run()]])
