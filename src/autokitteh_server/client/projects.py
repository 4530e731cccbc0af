"""Projects, their stored values and deploying, from outside."""

from collections.abc import Iterator, Sequence

from autokitteh_server.client.pages import read_pages
from autokitteh_server.client.paths import path_of
from autokitteh_server.client.transport import Transport
from autokitteh_server.core.api_types.builds import Applied, Deploy, Deployed, Finding, Lint, Linted, ManifestText, Plan
from autokitteh_server.core.api_types.projects import CreateProject, Exported, Project
from autokitteh_server.core.api_types.stored import OneKey, SetValue, StoredKey, StoredValue
from autokitteh_server.core.api_types.values import Page, PageQuery


class Projects:
    """What a server does with projects, which are named by name or id."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def page(self, query: PageQuery) -> Page[Project]:
        return self._transport.get("/projects", Page[Project], query)

    def list(self, limit: int) -> Iterator[Project]:
        """By name, page after page."""
        return read_pages(self.page, PageQuery(), limit)

    def get(self, project: str) -> Project:
        return self._transport.get(path_of("/projects/{}", project), Project)

    def create(self, wanted: CreateProject) -> Project:
        return self._transport.post("/projects", Project, wanted)

    def delete(self, project: str) -> None:
        self._transport.delete(path_of("/projects/{}", project))

    def export(self, project: str) -> Exported:
        return self._transport.get(path_of("/projects/{}/export", project), Exported)

    def deploy(self, wanted: Deploy) -> Deployed:
        return self._transport.post("/deploy", Deployed, wanted)

    def lint(self, wanted: Lint) -> Sequence[Finding]:
        return self._transport.post("/lint", Linted, wanted).findings

    def plan(self, manifest: ManifestText) -> Plan:
        return self._transport.post("/manifest/plan", Plan, manifest)

    def apply(self, manifest: ManifestText) -> Applied:
        return self._transport.post("/manifest/apply", Applied, manifest)


class Stored:
    """What a server does with the stored values of projects."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def list(self, project: str, limit: int) -> Iterator[StoredKey]:
        """By key, page after page."""
        path = path_of("/projects/{}/store", project)
        return read_pages(lambda query: self._transport.get(path, Page[StoredKey], query), PageQuery(), limit)

    def get(self, project: str, key: str) -> StoredValue:
        return self._transport.get(path_of("/projects/{}/store/value", project), StoredValue, OneKey(key=key))

    def put(self, project: str, key: str, value: SetValue) -> StoredValue:
        return self._transport.put(path_of("/projects/{}/store/value", project), StoredValue, value, OneKey(key=key))

    def delete(self, project: str, key: str) -> None:
        self._transport.delete(path_of("/projects/{}/store/value", project), OneKey(key=key))
