"""The pages of docs/integrations: what each integration's description says, around its folder's own README.md."""

import textwrap
from pathlib import Path

from autokitteh_server.integrations.forms import fields_of
from autokitteh_server.integrations.incoming import load_feed, load_webhook
from autokitteh_server.integrations.registry import all_integrations
from autokitteh_server.integrations.spec import AuthType, Integration

FOLDERS = Path(__file__).parent.parent / "src" / "autokitteh_server" / "integrations"

_INDEX = """\
# Integrations

What connections can be to. Each page says how to get the credentials, and shows a program.

```sh
ak connection create my_project slack_conn --integration slack
ak connection init my_project/slack_conn     # asks for the fields
ak connection test my_project/slack_conn     # one live call: as whom is it connected?
ak connection list my_project                # how each stands
```

A connection's fields are kept as its [vars](../howto/vars-and-secrets.md), the secret ones encrypted. How helpers make
clients of them is told in [Clients of services](../explanation/clients.md)."""

_SAMPLES = (
    "`ak integration sample {name} EVENT_TYPE` prints what a handler gets. "
    "[Events of services](../howto/service-events.md) says how to try one without the service."
)

_BASE_URL = "is used in place of `{api}`: a proxy, or a stand-in for tests."


def integration_pages() -> dict[str, str]:
    """All pages by file name."""
    pages = {f"{spec.name}.md": _page(spec) for spec in all_integrations()}
    rows = [f"| [{spec.title}]({spec.name}.md) | `{spec.name}` | {spec.about} |" for spec in all_integrations()]
    table = "\n".join(["| service | integration | for |", "|---|---|---|", *rows])
    return {**pages, "README.md": f"{_INDEX}\n\n{table}"}


def _page(spec: Integration) -> str:
    own = (FOLDERS / spec.name / "README.md").read_text()
    credentials, _, rest = own.partition("## Example\n")
    example, _, how = rest.partition("## Events\n")
    parts = [
        f"# {spec.title}",
        f"{spec.about} In manifests it is `integration: {spec.name}`; the vendor's page about credentials is "
        f"<{spec.docs_url}>.",
        credentials.strip(),
        "## Connect",
        *[part for auth in spec.auth for part in _auth(spec, auth)],
        *_variables(spec),
        *_helper(spec),
        "## Example\n\n" + example.strip(),
        *_events(spec, how.strip()),
    ]
    return "\n\n".join(part if part.startswith(("#", "|", "```", "1.")) else _filled(part) for part in parts)


def _auth(spec: Integration, auth: AuthType) -> list[str]:
    given = [each for each in auth.fields if not each.is_optional]
    command = f"ak connection init my_project/my_{spec.name} --auth {auth.name}"
    for each in given:
        value = f"@{each.name}.txt" if each.is_secret else each.name.upper()
        command += f" \\\n    --set {each.name}={value}"
    parts = [f"### {auth.title} (`{auth.name}`)"]
    if auth.oauth is not None and auth.oauth.authorize_url:
        default = f" The app is the server's: its settings have `{auth.oauth.app}_CLIENT_ID`." if auth.oauth.app else ""
        parts += [f"Somebody has to agree, in a browser.{default}"]
    if auth.fields:
        parts += ["\n".join(["| field | title | variable | | where it is |", "|---|---|---|---|---|", *_rows(auth)])]
    parts += [f"```sh\n{command}\n```"]
    if auth.aliases:
        parts += [f"Older names of it: {', '.join(f'`{name}`' for name in auth.aliases)}."]
    if auth.oauth is not None and auth.oauth.scopes:
        parts += [f"It asks for: {', '.join(f'`{scope}`' for scope in auth.oauth.scopes)}."]
    return parts


def _rows(auth: AuthType) -> list[str]:
    return [
        f"| `{each.name}` | {each.title} | `{each.kept_in}` "
        f"| {_marks(each.is_secret, each.is_optional)} | {each.help} |"
        for each in auth.fields
    ]


def _variables(spec: Integration) -> list[str]:
    parts = ["## Variables", "Code finds a connection's variables in its environment, each as `CONNECTION__VARIABLE`."]
    if any(each.name == "base_url" for auth in spec.auth for each in fields_of(spec, auth)) and spec.api:
        parts += [f"The variable `base_url`, if it is set, {_BASE_URL.format(api=spec.api)}"]
    if spec.learns:
        parts += [f"Kept beside the fields: {', '.join(f'`{name}`' for name in spec.learns)}."]
    return parts


def _helper(spec: Integration) -> list[str]:
    if not spec.helper:
        return []
    module, _, function = spec.helper.partition(":")
    return [
        "## In code",
        f"`{module}.{function}(connection)` makes the client, which is that of the package `{spec.package}`.",
    ]


def _events(spec: Integration, how: str) -> list[str]:
    if not spec.events:
        return ["## Events", "There are none."]
    rows = [f"| `{each.name}` | {each.title} |" for each in spec.events]
    table = "\n".join(["| event type | when |", "|---|---|", *rows])
    return [f"## Events\n\n{how}".strip(), *_of_the_server(spec), table, _SAMPLES.format(name=spec.name)]


def _of_the_server(spec: Integration) -> list[str]:
    """What the server's environment has for events."""
    webhook, feed = load_webhook(spec.name), load_feed(spec.name)
    names = [*(webhook.server_secrets if webhook else ()), *(feed.needs if feed else ())]
    if not names:
        return []
    return [f"What the server's own app or project needs is in its environment: {', '.join(f'`{n}`' for n in names)}."]


def _marks(is_secret: bool, is_optional: bool) -> str:
    return ", ".join(["secret"] * is_secret + ["optional"] * is_optional)


def _filled(text: str) -> str:
    return textwrap.fill(text, 120, break_long_words=False, break_on_hyphens=False)
