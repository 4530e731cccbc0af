"""Manifests for the tests: of every form that must load, and broken ones."""

GOOD = {
    "minimal": "version: v2\n\nproject:\n  name: tiny\n",
    "lists beside the project": """\
version: v1

project:
  name: counter

vars:
  - name: ROUNDS
    value: 10
  - name: PAUSE
    value: 1
""",
    "everything, with comments": """\
version: v2

project:
  name: everything
  display_name: "Everything: at once"

  connections:
    - # A comment in the place of the first field.
      name: chat
      integration: slack
      vars:
        - name: bot_token
          value: xoxb-1
          secret: true

  triggers:
    - name: hook
      type: webhook
      call: program.py:on_hook
      is_sync: true
      is_durable: yes
    - name: url_only
      type: webhook
      # No call here.
    - name: nightly
      type: schedule
      schedule: "0 0 3 * * *"
      timezone: Europe/Berlin
      call: jobs/night.py:on_night
      allow_overlap: true
    - name: messages
      type: connection
      connection: chat
      event_type: message
      filter: data.text.contains("hello") && event_type != ''
      call: program.py:on_message

  vars:
    - # Which channel.
      name: CHANNEL
      value: "#general"
      description: Where to write to
    - name: EMPTY
      value:
""",
    "older spelling": """\
version: v1
project:
  name: older
  connections:
    - name: repo
      integration: github
  triggers:
    - name: hook
      webhook: {}
      event_type: get
      call: program.py:on_hook
    - name: typed
      type: webhook
      call: program.py:on_hook
    - name: often
      schedule: "@every 1h30m"
      call: program.py:on_tick
      is_durable: false
    - name: pushes
      connection: repo
      event_type: push
      call: program.py:on_push
""",
    "empty lists": "version: v2\nproject:\n  name: a\n  vars:\n  triggers: []\nconnections:\n",
    "json": '{"version": "v2", "project": {"name": "a", "triggers": [{"name": "t", "type": "webhook"}]}}',
}


def with_trigger(fields: str) -> str:
    """A manifest whose only trigger has these fields besides its name, which is in line 7."""
    return (
        "version: v2\nproject:\n  name: a\n  connections:\n    - {name: chat, integration: slack}\n  triggers:\n"
        f"    - {{name: t, {fields}}}\n"
    )


#: Broken in ways that a JSON Schema can see as well.
BAD_SHAPES = {
    "no version": "project:\n  name: a\n",
    "no project": "version: v2\n",
    "no name": "version: v2\nproject:\n  display_name: A\n",
    "other version": "version: v3\nproject:\n  name: a\n",
    "unknown field": "version: v2\nproject:\n  name: a\n  trigers: []\n",
    "not a name": "version: v2\nproject:\n  name: a-b\n",
    "list of texts": "version: v2\nproject:\n  name: a\n  vars: [x]\n",
    "no list": "version: v2\nproject:\n  name: a\n  vars: {x: 1}\n",
    "value is a list": "version: v2\nproject:\n  name: a\n  vars: [{name: x, value: [1]}]\n",
    "both places": "version: v2\nproject:\n  name: a\n  vars: [{name: x}]\nvars: [{name: y}]\n",
    "unknown integration": "version: v2\nproject:\n  name: a\n  connections: [{name: c, integration: slak}]\n",
    "list at the root": "- a\n",
    "no source": with_trigger("call: a.py:f"),
    "two sources": with_trigger("connection: chat, webhook: {}"),
    "other type": with_trigger("type: cron"),
    "type and other source": with_trigger("type: webhook, connection: chat"),
    "schedule without one": with_trigger("type: schedule, call: a.py:f"),
    "connection without one": with_trigger("type: connection, call: a.py:f"),
    "schedule without call": with_trigger("schedule: '@daily'"),
    "not an entry": with_trigger("type: webhook, call: program"),
    "flag is a text": with_trigger("type: webhook, is_durable: maybe"),
    "waiting for a schedule": with_trigger("schedule: '@daily', call: a.py:f, is_sync: true"),
    "overlap of webhooks": with_trigger("type: webhook, allow_overlap: true"),
    "zone without schedule": with_trigger("type: webhook, timezone: UTC"),
    "webhook with fields": with_trigger("webhook: {path: x}"),
    "webhook: false": with_trigger("webhook: false"),
}
