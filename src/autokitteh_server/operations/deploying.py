"""Deploying: from a project's files to what is live, in one transaction."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from autokitteh_server.builds.entries import missing_entries
from autokitteh_server.builds.source import Source, renamed, without_secret_values
from autokitteh_server.builds.syntax import check_syntax
from autokitteh_server.core.entities import Build, BuildSetup, Deployment, Project, Trigger
from autokitteh_server.core.manifest import MANIFEST_FILES, Manifest, Version
from autokitteh_server.core.manifest_problems import ManifestError
from autokitteh_server.core.plan import Plan
from autokitteh_server.core.states import DeploymentState
from autokitteh_server.operations.build_rows import save_build
from autokitteh_server.operations.calls import check_calls
from autokitteh_server.operations.manifests import Applied, apply_in
from autokitteh_server.operations.services import Services
from autokitteh_server.storage import blobs, builds, deployments, triggers
from autokitteh_server.storage.connection import Connection


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployed:
    """What came of deploying."""

    project: Project
    build: Build
    deployment: Deployment  # the ACTIVE one
    plan: Plan
    is_new: bool  # False: there was nothing to do, and the deployment is the one that was there
    lines: tuple[str, ...]  # for people: what was done, and what was kept
    webhooks: tuple[Trigger, ...]  # all that the project has now, with their slugs


def deploy(services: Services, source: Source, *, name: str = "") -> Deployed:
    """Make a source live: apply its manifest, build its files and activate the build; all of it, or nothing.

    Sessions in flight end on the build that they began with. The same code with nothing to do in the manifest keeps
    the deployment that is there. A source without a manifest is one that declares nothing. `name`: of the project,
    in place of the manifest's.

    Raises ManifestError with every problem of the code, InvalidArgument for the name, and FailedPrecondition where
    the project as it is stands against it.
    """
    wanted = renamed(source, name) if name else source
    check_source(wanted)
    prepared = services.setups.prepare(wanted)
    with services.setups.environments.held(prepared.environment):
        now = services.clock.now_us()
        deployed = services.database.write(lambda conn: _deploy(conn, services, wanted, prepared.setup, now=now))
    services.schedules_changed()
    services.feeds_changed()
    warnings = [*prepared.warnings, *services.warm_up(deployed.project.id, deployed.build)]
    return replace(deployed, lines=(*deployed.lines, *(f"! {each}" for each in warnings)))


def check_source(source: Source) -> None:
    """Raises ManifestError with every file that is not Python, and every trigger that calls what is not there."""
    problems = check_syntax(source)
    broken = {problem.file for problem in problems}
    if problems := [*problems, *missing_entries(source, broken)]:
        raise ManifestError(problems)


def _deploy(conn: Connection, services: Services, source: Source, setup: BuildSetup, *, now: int) -> Deployed:
    manifest = source.manifest or Manifest(version=Version.V2, name=source.name)
    applied = apply_in(conn, services, manifest, now=now)
    active = deployments.active_of(conn, [applied.project.id]).get(applied.project.id)
    present = builds.get(conn, active.build_id) if active else None
    if active and present and applied.plan.is_empty and _is_same(source, setup, present):
        return _deployed(applied, present, active, is_new=False)
    build = save_build(conn, applied.project, source, setup, now=now, new_id=services.new_id)
    # Those that the manifest does not know may call what the code has no more.
    check_calls(conn, build.id, (row for row in triggers.list(conn, applied.project.id) if not row.is_declared))
    deployment = Deployment(
        id=services.new_id("dep"),
        project_id=applied.project.id,
        build_id=build.id,
        state=DeploymentState.INACTIVE,
        created_at=now,
        updated_at=now,
    )
    deployments.create(conn, deployment)
    deployments.activate(conn, deployment.id, now=now)
    return _deployed(applied, build, replace(deployment, state=DeploymentState.ACTIVE), is_new=True, replaced=active)


def _deployed(
    applied: Applied, build: Build, deployment: Deployment, *, is_new: bool, replaced: Deployment | None = None
) -> Deployed:
    instead = f", in place of {replaced.id}" if replaced else ""
    done = (f"+ build {build.id}", f"+ deployment {deployment.id}: active{instead}") if is_new else ()
    return Deployed(
        project=applied.project,
        build=build,
        deployment=deployment,
        plan=applied.plan,
        is_new=is_new,
        lines=(*applied.plan.lines, *done),
        webhooks=applied.webhooks,
    )


def _is_same(source: Source, setup: BuildSetup, build: Build) -> bool:
    """Whether only the manifest differs: what that says is compared by the plan, and its comments change nothing."""
    if setup != build.setup:
        return False
    files = {path: blobs.hash_of(content) for path, content in without_secret_values(source).files.items()}
    return _without_manifest(files) == _without_manifest(build.files)


def _without_manifest(files: Mapping[str, str]) -> dict[str, str]:
    return {path: name for path, name in files.items() if path not in MANIFEST_FILES}
