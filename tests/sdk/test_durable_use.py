"""The most common call of each client as workflow code makes it, in a session that is replayed after each effect.

Where the table in docs/explanation/clients.md says that results pickle, the calls stand in the handler itself; where it
says that they do not, or that calls are async, in an activity.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from harness import Bench
from sdk.fake_service import serving
from sdk.services import NAMES, SERVICES, Service

DIRECT = {
    "airtable_client": 'print(client.table("app1", "t").create({"a": 1})["id"])',
    "anthropic_client": """
        message = client.messages.create(model="m", max_tokens=1, messages=[{"role": "user", "content": "hi"}])
        print(message.content[0].text)""",
    "asana_client": 'print(tasks.create_task({"data": {"name": "t"}}, {}))',
    "auth0_client": "print(client.users.list())",
    "azurebot_client": 'print(client.send_conversation_activity({"type": "message"}, "c", "ADDRESS/teams/"))',
    "confluence_client": 'print(client.get_page_by_id("1"))',
    "copilot_client": 'print(client.add_seats(["ann"]))',
    "gemini_client": 'print(client.generate_content("hi").text)',
    "github_client pat": """
        repository = client.get_repo("acme/app")
        issue = repository.create_issue(title="Crash")
        print(issue.number)""",
    "github_client app": 'print(client.get_repo("acme/app").full_name)',
    "gmail_client": 'print(client.users().messages().list(userId="me").execute())',
    "google_calendar_client": 'print(client.events().list(calendarId="primary").execute())',
    "google_drive_client": "print(client.files().list().execute())",
    "google_forms_client": 'print(client.forms().get(formId="f").execute())',
    "google_sheets_client": """
        values = client.spreadsheets().values()
        print(values.get(spreadsheetId="s", range="A1").execute())""",
    "gspread_client": """
        sheet = client.open_by_key("s").get_worksheet(0)
        print(sheet.get("A1"))""",
    "height_client": 'print(client.get("ADDRESS/tasks").json())',
    "hubspot_client": "print(client.crm.contacts.basic_api.get_page(limit=1).results[0].id)",
    "jira_client token": 'print(client.create_issue({"summary": "Disk full"}))',
    "jira_client pat": 'print(client.issue("OPS-7"))',
    "jira_client oauth": 'print(client.issue("OPS-7"))',
    "kubernetes_client": 'print(core.list_namespaced_pod("default").items[0].metadata.name)',
    "linear_client": """
        response = client.post(client.base_url, json={"query": "{ viewer { id } }"})
        print(response.json())""",
    "notion_client key": 'print(client.pages.create(parent={"page_id": "q"}, properties={}))',
    "notion_client oauth": "print(client.users.me())",
    "openai_client": """
        completion = client.chat.completions.create(model="m", messages=[{"role": "user", "content": "hi"}])
        print(completion.choices[0].message.content)""",
    "pipedrive_client": 'print(client.deals.create_deal({"title": "Sale"}))',
    "salesforce_client": 'print(client.Contact.create({"LastName": "Ann"})["id"])',
    "slack_client": """
        response = client.chat_postMessage(channel="C1", text="hi")
        print(response["ts"])""",
    "twilio_client": """
        message = client.messages.create(to="+1", from_="+2", body="hi")
        print(message.sid)""",
    "youtube_client": 'print(client.search().list(part="snippet", q="cats").execute())',
    "zoom_client": 'print(client.get("users/me").json())',
}

#: Parts of these clients do not pickle, so that sessions are warned that changes in them are not recorded.
WARNED = {"auth0_client", "hubspot_client", "kubernetes_client"}

#: What is made once, at module level, for it does not pickle.
MODULE_LEVEL = {
    "asana_client": "import asana\ntasks = asana.TasksApi(client)",
    "kubernetes_client": "core = client.CoreV1Api()",
}

ACTIVITIES = {
    "discord_client": """
        async def go():
            async with client:
                await client.login(autokitteh.discord.bot_token("conn"))
                return (await client.fetch_user(5)).name
        return asyncio.run(go())""",
    "reddit_client": 'return next(client.subreddit("python").hot(limit=1)).title',
    "teams_client": """
        async def go():
            return (await client.me.get()).display_name
        return asyncio.run(go())""",
    "telegram_client": """
        async def go():
            return (await client.send_message(chat_id=1, text="hi")).text
        return asyncio.run(go())""",
}

PROGRAM = """
import asyncio

import autokitteh
import {module}

client = {module}.{helper}("conn", **{arguments!r})
{module_level}


def main(event):
    {body}
"""

MARKED = """print(work())


@autokitteh.activity
def work():
    """


def program_of(service: Service, name: str, address: str) -> str:
    helper = service.helper.__name__
    direct = DIRECT.get(name) or DIRECT.get(helper)
    body = (
        direct.replace("\n        ", "\n    ")
        if direct
        else MARKED + ACTIVITIES[helper].replace("\n        ", "\n    ")
    )
    return PROGRAM.format(
        module=service.helper.__module__,
        helper=helper,
        arguments=service.arguments,
        module_level=MODULE_LEVEL.get(helper, ""),
        body=body.strip().replace("ADDRESS", address),
    )


class Tokens:
    """The server's part."""

    def refresh(self, session: object, connection: str, *, force: bool) -> dict[str, str]:
        return {"access_token": "s3cr3t-first", "expiry": ""}

    def sign(self, session: object, connection: str, payload: object) -> str:
        return "s3cr3t-signed"


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    """A server that throws each process away after one effect."""
    with Bench(tmp_path_factory.mktemp("bench"), credentials=Tokens(), effects_per_turn=1) as bench:
        yield bench


@pytest.mark.slow
@pytest.mark.parametrize(("service", "name"), list(zip(SERVICES, NAMES, strict=True)), ids=NAMES)
def test_its_most_common_call_is_recorded_and_replayed(
    bench: Bench, service: Service, name: str, tmp_path: Path
) -> None:
    """The service is asked once, the code gets its answer in each process, and no record has a secret."""
    with serving(service.routes) as fake:
        program = program_of(service, name, fake.url)
        variables = {f"conn__{name}": value.replace("URL", fake.url) for name, value in service.variables.items()}
        session = bench.submit(program, "program.py:main", vars=variables)
        result = bench.wait(session.id)
        assert (result.state, result.error) == ("COMPLETED", ""), result.records
        assert result.prints == [str(service.result)]
        assert not result.warnings or service.helper.__name__ in WARNED
        # What a client asks when it is made, it asks in each process: the call itself is the last of the routes.
        assert [f"{asked.method} {asked.path}" for asked in fake.asked].count(list(service.routes)[-1]) == 1
        assert [record for record in result.records if b"s3cr3t" in record.payload and record.kind != "state"] == []
