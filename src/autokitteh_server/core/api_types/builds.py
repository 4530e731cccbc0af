"""Builds and deployments as the HTTP API shows them, and deploying."""

from typing import Annotated, Self

from msgspec import UNSET, Meta, Struct, UnsetType

from autokitteh_server.core import entities, findings
from autokitteh_server.core.api_types.projects import Files, Project
from autokitteh_server.core.api_types.sessions import Which
from autokitteh_server.core.api_types.triggers import Trigger
from autokitteh_server.core.api_types.values import Moment, PageQuery
from autokitteh_server.core.findings import Severity
from autokitteh_server.core.states import DeploymentState
from autokitteh_server.core.timestamps import format_time

ProjectName = Annotated[str, Meta(description="The project's name, in place of the manifest's")]


class Build(Struct, frozen=True, kw_only=True):
    """An immutable snapshot of a project's files."""

    id: str
    project_id: str
    digest: Annotated[str, Meta(description="SHA-256 over all paths and contents")]
    files: Annotated[dict[str, str], Meta(description="SHA-256 of the contents, by path")]
    created_at: Moment

    @classmethod
    def of(cls, build: entities.Build) -> Self:
        created_at = format_time(build.created_at)
        return cls(
            id=build.id, project_id=build.project_id, digest=build.digest, files=build.files, created_at=created_at
        )


class CreateBuild(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A build that is wanted. The project must be there."""

    files: Files
    project: Annotated[str, Meta(description="Name or id of the project; else the manifest's")] = ""


class BuildFiles(Struct, frozen=True, kw_only=True):
    """What is in a build."""

    files: Files


class Deployment(Struct, frozen=True, kw_only=True):
    """A build made live."""

    id: str
    project_id: str
    build_id: str
    state: DeploymentState
    created_at: Moment
    updated_at: Moment

    @classmethod
    def of(cls, deployment: entities.Deployment) -> Self:
        return cls(
            id=deployment.id,
            project_id=deployment.project_id,
            build_id=deployment.build_id,
            state=deployment.state,
            created_at=format_time(deployment.created_at),
            updated_at=format_time(deployment.updated_at),
        )


class DeploymentQuery(PageQuery, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which deployments are wanted."""

    project: Which = ""
    state: DeploymentState | UnsetType = UNSET


class CreateDeployment(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A deployment of a build that is there."""

    build: Annotated[str, Meta(description="Id of the build")]
    activate: Annotated[bool, Meta(description="Make it the active one")] = True


class Deploy(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A project to be made live: its manifest applied, its files built, the build activated."""

    files: Files
    name: ProjectName = ""


class Deployed(Struct, frozen=True, kw_only=True):
    """What came of deploying."""

    project: Project
    build_id: str
    deployment: Deployment
    is_new: Annotated[bool, Meta(description="false: nothing was to be done, and the deployment is the earlier one")]
    lines: Annotated[list[str], Meta(description="What was done, for people")]
    webhooks: list[Trigger]


class Lint(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A project to be looked at. It need not be there."""

    files: Files
    name: ProjectName = ""


class Finding(Struct, frozen=True, kw_only=True):
    """One thing that somebody should look at."""

    id: Annotated[str, Meta(description="Of the rule; it stays the same")]
    severity: Severity
    file: str
    line: Annotated[int, Meta(ge=1)]
    message: str
    remedy: Annotated[str, Meta(description="How to mend it; may be empty")]

    @classmethod
    def of(cls, finding: findings.Finding) -> Self:
        return cls(
            id=finding.id,
            severity=finding.severity,
            file=finding.file,
            line=finding.line,
            message=finding.message,
            remedy=finding.remedy,
        )


class Linted(Struct, frozen=True, kw_only=True):
    """What the look at a project found."""

    findings: Annotated[list[Finding], Meta(description="By file and line")]


class ManifestText(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A manifest, to be planned or applied."""

    text: Annotated[str, Meta(description="YAML")]
    file: Annotated[str, Meta(description="What messages call the manifest")] = "autokitteh.yaml"
    name: ProjectName = ""


class Plan(Struct, frozen=True, kw_only=True):
    """What applying a manifest does."""

    project: str
    is_empty: Annotated[bool, Meta(description="Nothing is to be done")]
    lines: Annotated[list[str], Meta(description="What is to be done, and what is kept, for people")]


class Applied(Struct, frozen=True, kw_only=True):
    """What came of applying a manifest."""

    project: Project
    lines: list[str]
    webhooks: list[Trigger]
