"""The most common call of each helper's client: which variables the connection has, what the service answers.

One row a way to authenticate. `call` gets the client and returns what workflow code would want to keep of the answer.
"""

import asyncio
import json
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import autokitteh.airtable
import autokitteh.anthropic
import autokitteh.asana
import autokitteh.atlassian
import autokitteh.auth0
import autokitteh.azurebot
import autokitteh.discord
import autokitteh.github
import autokitteh.githubcopilot
import autokitteh.google
import autokitteh.height
import autokitteh.hubspot
import autokitteh.kubernetes
import autokitteh.linear
import autokitteh.microsoft
import autokitteh.notion
import autokitteh.openai
import autokitteh.pipedrive
import autokitteh.reddit
import autokitteh.salesforce
import autokitteh.slack
import autokitteh.telegram
import autokitteh.twilio
import autokitteh.youtube
import autokitteh.zoom

KEY = "s3cr3t-key"
NEW = {"oauth_access_token": KEY, "oauth_refresh_token": "s3cr3t-refresh"}
OLD = {"oauth_AccessToken": KEY, "oauth_RefreshToken": "s3cr3t-refresh"}
GOOGLE = {**OLD, "auth_type": "oauth", "oauth_Expiry": "2099-01-01 10:11:12.5 +0000 UTC"}
TIME = "2025-01-01T10:00:00.000Z"


@dataclass(frozen=True)
class Service:
    """A row. The call itself is the last of the routes; in `variables`, "URL" stands for the stand-in's address."""

    helper: Callable[..., Any]
    variables: dict[str, str]
    routes: dict[str, Any]
    call: Callable[[Any], Any]
    result: Any
    token: str = f"Bearer {KEY}"  # the header with the credentials, in the last request
    arguments: dict[str, Any] = field(default_factory=dict)
    label: str = ""
    is_oauth: bool = False  # its token can be renewed


def address() -> str:
    """Where the stand-in is, for code that names it."""
    return os.environ["ADDRESS"]


def _discord(client: Any) -> Any:
    async def go() -> str:
        async with client:
            await client.login(autokitteh.discord.bot_token("conn"))
            return str((await client.fetch_user(5)).name)

    return asyncio.run(go())


def _asana(client: Any) -> Any:
    import asana  # type: ignore[import-untyped]

    return asana.TasksApi(client).create_task({"data": {"name": "t"}}, {})


def _pods(client: Any) -> Any:
    return client.CoreV1Api().list_namespaced_pod("default").items[0].metadata.name


def _message(client: Any) -> Any:
    return asyncio.run(client.send_message(chat_id=1, text="hi")).text


def _me(client: Any) -> Any:
    async def go() -> Any:
        # A client of its own loop: httpx's connections do not outlive one.
        return (await client.me.get()).display_name

    return asyncio.run(go())


_USER = {"id": "5", "username": "ann", "discriminator": "0", "avatar": None, "global_name": None}
_APPLICATION = {
    "id": "1",
    "name": "a",
    "description": "",
    "icon": None,
    "flags": 0,
    "verify_key": "",
    "team": None,
    "bot_public": True,
    "bot_require_code_grant": False,
    "owner": _USER,
}
_MESSAGE = {"message_id": 1, "date": 1, "chat": {"id": 1, "type": "private"}, "text": "hi"}
_COMPLETION = {
    "id": "c",
    "object": "chat.completion",
    "created": 1,
    "model": "m",
    "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "hi"}}],
}
_CLAUDE = {
    "id": "m",
    "type": "message",
    "role": "assistant",
    "model": "m",
    "stop_reason": "end_turn",
    "content": [{"type": "text", "text": "hi"}],
    "stop_sequence": None,
    "usage": {"input_tokens": 1, "output_tokens": 1},
}
_KUBECONFIG = {
    "apiVersion": "v1",
    "kind": "Config",
    "current-context": "c",
    "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
    "clusters": [{"name": "c", "cluster": {"server": "URL"}}],
    "users": [{"name": "u", "user": {"token": KEY}}],
}
_CONTACT = {"id": "7", "properties": {}, "createdAt": TIME, "updatedAt": TIME, "archived": False}
_SHEET = {"properties": {"sheetId": 0, "index": 0, "title": "S", "gridProperties": {}}}
_VALUES = {"range": "S!A1", "majorDimension": "ROWS", "values": [["x"]]}
_GEMINI = {"candidates": [{"content": {"parts": [{"text": "hi"}], "role": "model"}}]}
_POSTS = {
    "after": None,
    "before": None,
    "children": [{"kind": "t3", "data": {"id": "1", "name": "t3_1", "title": "T"}}],
}

SERVICES = [
    Service(
        autokitteh.anthropic.anthropic_client,
        {"api_key": KEY, "base_url": "URL"},
        {"POST /v1/messages": _CLAUDE},
        lambda client: (
            client.messages.create(model="m", max_tokens=1, messages=[{"role": "user", "content": "hi"}])
            .content[0]
            .text
        ),
        "hi",
        token="",
    ),
    Service(
        autokitteh.openai.openai_client,
        {"apiKey": KEY, "base_url": "URL/v1"},
        {"POST /v1/chat/completions": _COMPLETION},
        lambda client: (
            client.chat.completions.create(model="m", messages=[{"role": "user", "content": "hi"}])
            .choices[0]
            .message.content
        ),
        "hi",
    ),
    Service(
        autokitteh.asana.asana_client,
        {"pat": KEY, "base_url": "URL/api/1.0"},
        {"POST /api/1.0/tasks": (201, {"data": {"gid": "1"}})},
        _asana,
        {"gid": "1"},
    ),
    Service(
        autokitteh.atlassian.jira_client,
        {"Token": KEY, "Email": "a@b", "BaseURL": "URL"},
        {"POST /rest/api/2/issue": (201, {"key": "OPS-7"})},
        lambda client: client.create_issue({"summary": "Disk full"}),
        {"key": "OPS-7"},
        token="Basic YUBiOnMzY3IzdC1rZXk=",
        label="token",
    ),
    Service(
        autokitteh.atlassian.jira_client,
        {"Token": KEY, "BaseURL": "URL"},
        {"GET /rest/api/2/issue/OPS-7": {"key": "OPS-7"}},
        lambda client: client.issue("OPS-7"),
        {"key": "OPS-7"},
        label="pat",
    ),
    Service(
        autokitteh.atlassian.jira_client,
        {**OLD, "AccessID": "cloud", "base_url": "URL"},
        {"GET /ex/jira/cloud/rest/api/2/issue/OPS-7": {"key": "OPS-7"}},
        lambda client: client.issue("OPS-7"),
        {"key": "OPS-7"},
        label="oauth",
        is_oauth=True,
    ),
    Service(
        autokitteh.atlassian.confluence_client,
        {"Token": KEY, "BaseURL": "URL"},
        {"GET /rest/api/content/1": {"id": "1"}},
        lambda client: client.get_page_by_id("1"),
        {"id": "1"},
        label="pat",
    ),
    Service(
        autokitteh.atlassian.confluence_client,
        {**OLD, "AccessID": "cloud", "base_url": "URL"},
        {"GET /ex/confluence/cloud/wiki/rest/api/content/1": {"id": "1"}},
        lambda client: client.get_page_by_id("1"),
        {"id": "1"},
        label="oauth",
        is_oauth=True,
    ),
    Service(
        autokitteh.auth0.auth0_client,
        {"oauth_AccessToken": KEY, "auth0_domain": "acme.auth0.com", "base_url": "URL"},
        {"GET /api/v2/users": {"users": []}},
        lambda client: client.users.list(),
        {"users": []},
    ),
    Service(
        autokitteh.azurebot.azurebot_client,
        {"app_id": "a", "app_password": KEY, "tenant_id": "t", "base_url": "URL"},
        {
            "POST /t/oauth2/v2.0/token": {"access_token": KEY},
            "POST /teams/v3/conversations/c/activities": (201, {"id": "1"}),
        },
        lambda client: client.send_conversation_activity({"type": "message"}, "c", f"{address()}/teams/"),
        {"id": "1"},
    ),
    Service(
        autokitteh.discord.discord_client,
        {"BotToken": KEY, "base_url": "URL"},
        {"GET /users/@me": _USER, "GET /oauth2/applications/@me": _APPLICATION, "GET /users/5": _USER},
        _discord,
        "ann",
        token=f"Bot {KEY}",
    ),
    Service(
        autokitteh.github.github_client,
        {"pat": KEY, "base_url": "URL"},
        {
            "GET /repos/acme/app": {"full_name": "acme/app", "url": "/repos/acme/app"},
            "POST /repos/acme/app/issues": (201, {"number": 12}),
        },
        lambda client: client.get_repo("acme/app").create_issue(title="Crash").number,
        12,
        token=f"token {KEY}",
        label="pat",
    ),
    Service(
        autokitteh.github.github_client,
        {"app_id": "1", "install_id": "2", "enterprise_url": "URL"},
        {
            "POST /api/v3/app/installations/2/access_tokens": (
                201,
                {"token": KEY, "expires_at": "2099-01-01T00:00:00Z"},
            ),
            "GET /api/v3/repos/acme/app": {"full_name": "acme/app"},
        },
        lambda client: client.get_repo("acme/app").full_name,
        "acme/app",
        token=f"token {KEY}",
        label="app",
    ),
    Service(
        autokitteh.githubcopilot.copilot_client,
        {"pat": KEY, "target_name": "acme", "base_url": "URL"},
        {"POST /orgs/acme/copilot/billing/selected_users": (201, {"seats_created": 1})},
        lambda client: client.add_seats(["ann"]),
        1,
        token=f"token {KEY}",
    ),
    Service(
        autokitteh.google.gmail_client,
        {**GOOGLE, "base_url": "URL"},
        {"GET /gmail/v1/users/me/messages": {"messages": []}},
        lambda client: client.users().messages().list(userId="me").execute(),
        {"messages": []},
        is_oauth=True,
    ),
    Service(
        autokitteh.google.google_calendar_client,
        {**GOOGLE, "base_url": "URL"},
        {"GET /calendars/primary/events": {"items": []}},
        lambda client: client.events().list(calendarId="primary").execute(),
        {"items": []},
        is_oauth=True,
    ),
    Service(
        autokitteh.google.google_drive_client,
        {**GOOGLE, "base_url": "URL"},
        {"GET /files": {"files": []}},
        lambda client: client.files().list().execute(),
        {"files": []},
        is_oauth=True,
    ),
    Service(
        autokitteh.google.google_forms_client,
        {**GOOGLE, "base_url": "URL"},
        {"GET /v1/forms/f": {"formId": "f"}},
        lambda client: client.forms().get(formId="f").execute(),
        {"formId": "f"},
        is_oauth=True,
    ),
    Service(
        autokitteh.google.google_sheets_client,
        {**GOOGLE, "base_url": "URL"},
        {"GET /v4/spreadsheets/s/values/A1": _VALUES},
        lambda client: client.spreadsheets().values().get(spreadsheetId="s", range="A1").execute(),
        _VALUES,
        is_oauth=True,
    ),
    Service(
        autokitteh.youtube.youtube_client,
        {**GOOGLE, "base_url": "URL"},
        {"GET /youtube/v3/search": {"items": []}},
        lambda client: client.search().list(part="snippet", q="cats").execute(),
        {"items": []},
        is_oauth=True,
    ),
    Service(
        autokitteh.google.gspread_client,
        {**GOOGLE, "base_url": "URL"},
        {
            "GET /v4/spreadsheets/s": {"spreadsheetId": "s", "properties": {}, "sheets": [_SHEET]},
            "GET /v4/spreadsheets/s/values/%27S%27%21A1": _VALUES,
        },
        lambda client: client.open_by_key("s").sheet1.get("A1"),
        [["x"]],
        is_oauth=True,
    ),
    Service(
        autokitteh.google.gemini_client,
        {"api_key": KEY, "base_url": "URL"},
        {"POST /v1beta/models/m:generateContent": _GEMINI},
        lambda client: client.generate_content("hi").text,
        "hi",
        token="",
        arguments={"model_name": "m"},
    ),
    Service(
        autokitteh.height.height_client,
        NEW,
        {"GET /tasks": {"list": []}},
        lambda client: client.get(f"{address()}/tasks").json(),
        {"list": []},
        is_oauth=True,
    ),
    Service(
        autokitteh.hubspot.hubspot_client,
        {**OLD, "base_url": "URL"},
        {"GET /crm/v3/objects/contacts": {"results": [_CONTACT]}},
        lambda client: client.crm.contacts.basic_api.get_page(limit=1).results[0].id,
        "7",
        token="Bearer s3cr3t-first",
        label="oauth",
    ),
    Service(
        autokitteh.hubspot.hubspot_client,
        {"private_app_token": KEY, "base_url": "URL"},
        {"GET /crm/v3/objects/contacts": {"results": [_CONTACT]}},
        lambda client: client.crm.contacts.basic_api.get_page(limit=1).results[0].id,
        "7",
        label="private app",
    ),
    Service(
        autokitteh.linear.linear_client,
        {"api_key": KEY, "base_url": "URL"},
        {"POST /graphql/": {"data": {"viewer": {"id": "1"}}}},
        lambda client: client.post(client.base_url, json={"query": "{ viewer { id } }"}).json(),
        {"data": {"viewer": {"id": "1"}}},
        token=KEY,
        label="key",
    ),
    Service(
        autokitteh.linear.linear_client,
        {**NEW, "base_url": "URL"},
        {"POST /graphql/": {"data": {}}},
        lambda client: client.post("https://api.linear.app/graphql/", json={"query": "{ viewer { id } }"}).json(),
        {"data": {}},
        label="oauth",
        is_oauth=True,
    ),
    Service(
        autokitteh.notion.notion_client,
        {"api_key": KEY, "base_url": "URL"},
        {"POST /v1/pages": {"id": "p"}},
        lambda client: client.pages.create(parent={"page_id": "q"}, properties={}),
        {"id": "p"},
        label="key",
    ),
    Service(
        autokitteh.notion.notion_client,
        {**NEW, "base_url": "URL"},
        {"GET /v1/users/me": {"id": "u"}},
        lambda client: client.users.me(),
        {"id": "u"},
        label="oauth",
        is_oauth=True,
    ),
    Service(
        autokitteh.pipedrive.pipedrive_client,
        {"api_key": KEY, "company_domain": "URL"},
        {"POST /v1/deals": (201, {"success": True})},
        lambda client: client.deals.create_deal({"title": "Sale"}),
        {"success": True},
        token="",
    ),
    Service(
        autokitteh.slack.slack_client,
        {**NEW, "base_url": "URL/api/"},
        {"POST /api/auth.test": {"ok": True}, "POST /api/chat.postMessage": {"ok": True, "ts": "1.1"}},
        lambda client: client.chat_postMessage(channel="C1", text="hi")["ts"],
        "1.1",
        label="oauth",
    ),
    Service(
        autokitteh.slack.slack_client,
        {"private_bot_token": KEY, "base_url": "URL/api"},
        {"POST /api/auth.test": {"ok": True}, "POST /api/chat.postMessage": {"ok": True, "ts": "1.1"}},
        lambda client: client.chat_postMessage(channel="C1", text="hi")["ts"],
        "1.1",
        label="socket mode",
    ),
    Service(
        autokitteh.telegram.telegram_client,
        {"BotToken": f"1:{KEY}", "base_url": "URL"},
        {f"POST /bot1:{KEY}/sendMessage": {"ok": True, "result": _MESSAGE}},
        _message,
        "hi",
        token="",
    ),
    Service(
        autokitteh.twilio.twilio_client,
        {"AccountSID": "AC1", "Username": "SK1", "Password": KEY, "base_url": "URL"},
        {"POST /2010-04-01/Accounts/AC1/Messages.json": (201, {"sid": "SM1"})},
        lambda client: client.messages.create(to="+1", from_="+2", body="hi").sid,
        "SM1",
        token="Basic U0sxOnMzY3IzdC1rZXk=",
    ),
    Service(
        autokitteh.zoom.zoom_client,
        {**NEW, "base_url": "URL"},
        {"GET /v2/users/me": {"id": "u"}},
        lambda client: client.get("users/me").json(),
        {"id": "u"},
        is_oauth=True,
    ),
    Service(
        autokitteh.airtable.airtable_client,
        {"pat": KEY, "base_url": "URL"},
        {"POST /v0/app1/t": {"id": "rec1", "fields": {}, "createdTime": TIME}},
        lambda client: client.table("app1", "t").create({"a": 1})["id"],
        "rec1",
        label="pat",
    ),
    Service(
        autokitteh.airtable.airtable_client,
        {**NEW, "base_url": "URL"},
        {"POST /v0/app1/t": {"id": "rec1", "fields": {}, "createdTime": TIME}},
        lambda client: client.table("app1", "t").create({"a": 1})["id"],
        "rec1",
        token="Bearer s3cr3t-first",
        label="oauth",
    ),
    Service(
        autokitteh.kubernetes.kubernetes_client,
        {"config_file": json.dumps(_KUBECONFIG)},
        {"GET /api/v1/namespaces/default/pods": {"items": [{"metadata": {"name": "web"}}]}},
        _pods,
        "web",
    ),
    Service(
        autokitteh.microsoft.teams_client,
        {**NEW, "auth_type": "oauthDefault", "base_url": "URL"},
        {"GET /v1.0/me": {"@odata.type": "#microsoft.graph.user", "id": "1", "displayName": "Ann"}},
        _me,
        "Ann",
    ),
    Service(
        autokitteh.reddit.reddit_client,
        {"client_id": "i", "client_secret": KEY, "user_agent": "cats", "base_url": "URL"},
        {
            "POST /api/v1/access_token": {
                "access_token": KEY,
                "expires_in": 3600,
                "token_type": "bearer",
                "scope": "*",
            },
            "GET /r/python/hot": {"kind": "Listing", "data": _POSTS},
        },
        lambda client: next(client.subreddit("python").hot(limit=1)).title,
        "T",
        token=f"bearer {KEY}",
    ),
    Service(
        autokitteh.salesforce.salesforce_client,
        {**NEW, "instance_url": "https://acme.my.salesforce.com", "base_url": "URL"},
        {"POST /services/data/v59.0/sobjects/Contact/": (201, {"id": "1"})},
        lambda client: client.Contact.create({"LastName": "Ann"})["id"],
        "1",
        arguments={"version": "59.0"},
        is_oauth=True,
    ),
]

NAMES = [" ".join(filter(None, (service.helper.__name__, service.label))) for service in SERVICES]
