"""Builds and deployments, from outside."""

from collections.abc import Iterator

from autokitteh_server.client.pages import read_pages
from autokitteh_server.client.paths import path_of
from autokitteh_server.client.transport import Transport
from autokitteh_server.core.api_types.builds import (
    Build,
    BuildFiles,
    CreateBuild,
    CreateDeployment,
    Deployment,
    DeploymentQuery,
)
from autokitteh_server.core.api_types.connections import OfProject
from autokitteh_server.core.api_types.values import Page


class Builds:
    """What a server does with builds."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def page(self, query: OfProject) -> Page[Build]:
        return self._transport.get("/builds", Page[Build], query)

    def list(self, query: OfProject, limit: int) -> Iterator[Build]:
        """Newest first, page after page."""
        return read_pages(self.page, query, limit)

    def get(self, build: str) -> Build:
        return self._transport.get(path_of("/builds/{}", build), Build)

    def files(self, build: str) -> BuildFiles:
        return self._transport.get(path_of("/builds/{}/files", build), BuildFiles)

    def create(self, wanted: CreateBuild) -> Build:
        return self._transport.post("/builds", Build, wanted)

    def delete(self, build: str) -> None:
        self._transport.delete(path_of("/builds/{}", build))


class Deployments:
    """What a server does with deployments."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def page(self, query: DeploymentQuery) -> Page[Deployment]:
        return self._transport.get("/deployments", Page[Deployment], query)

    def list(self, query: DeploymentQuery, limit: int) -> Iterator[Deployment]:
        """Newest first, page after page."""
        return read_pages(self.page, query, limit)

    def get(self, deployment: str) -> Deployment:
        return self._transport.get(path_of("/deployments/{}", deployment), Deployment)

    def create(self, wanted: CreateDeployment) -> Deployment:
        return self._transport.post("/deployments", Deployment, wanted)

    def activate(self, deployment: str) -> Deployment:
        return self._transport.post(path_of("/deployments/{}/activate", deployment), Deployment)

    def deactivate(self, deployment: str) -> Deployment:
        return self._transport.post(path_of("/deployments/{}/deactivate", deployment), Deployment)

    def delete(self, deployment: str) -> None:
        self._transport.delete(path_of("/deployments/{}", deployment))
