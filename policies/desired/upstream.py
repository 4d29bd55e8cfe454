"""Asks the servers of the file what they are, then brings the stored ones to it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

from django.core.exceptions import ValidationError

from accounts.forms import printable
from policies.desired.run import Refused, Run
from policies.desired.wanted import Wanted, WantedServer
from servers import credentials, refreshing, registering
from servers.discovery import Discovery, Failed, discover_async
from servers.models import Server, ToolDefinition


@dataclass(frozen=True)
class Answer:
    discovery: Discovery | None
    failed: Failed | None = None


def ask(wanted: Wanted) -> dict[str, Answer]:
    """By name. Network, and before it one look at the stored credentials.

    Raises Refused for headers that no server can be sent.
    """
    known = {
        server.name: server
        for server in Server.objects.across_organizations().filter(
            organization__slug=wanted.organization.slug
        )
    }
    asked = [(each, _headers(each, known.get(each.name))) for each in wanted.servers]
    return asyncio.run(_ask_all(asked))


async def _ask_all(
    asked: list[tuple[WantedServer, Mapping[str, str] | Failed]],
) -> dict[str, Answer]:
    answers = await asyncio.gather(*(_ask(server.url, h) for server, h in asked))
    return {server.name: a for (server, _), a in zip(asked, answers, strict=True)}


async def _ask(url: str, headers: Mapping[str, str] | Failed) -> Answer:
    if isinstance(headers, Failed):
        return Answer(None, headers)
    try:
        return Answer(await discover_async(url, headers))
    except Failed as failed:
        return Answer(None, failed)


def _headers(wanted: WantedServer, server: Server | None) -> Mapping[str, str] | Failed:
    if wanted.headers is not None or server is None:
        return _checked(wanted)
    if registering.moves(server, wanted.url):
        return {}  # stored credentials never follow to another host
    try:
        return refreshing.headers_of(server)
    except Failed as failed:
        return failed


def _checked(wanted: WantedServer) -> Mapping[str, str]:
    headers = wanted.headers or {}
    try:
        credentials.check_headers(headers)
    except credentials.BadHeader as error:
        raise Refused((*wanted.at, "headers"), str(error)) from None
    return headers


def bring_servers(run: Run, wanted: Wanted, answers: Mapping[str, Answer]) -> None:
    for server in wanted.servers:
        _bring_server(run, server, answers[server.name])


def _bring_server(run: Run, wanted: WantedServer, answer: Answer) -> None:
    rows = Server.objects.for_organization(run.organization)
    server = rows.select_related("organization").filter(name=wanted.name).first()
    if server is None:
        _register(run, wanted, answer)
        return
    before = _tools(server)
    if answer.discovery is None and (server.url != wanted.url or not before):
        raise _unreachable(wanted, answer)
    _change(run, server, wanted, answer)
    if news := _news(before, _tools(server)):
        run.changes.append(f"tools of {wanted.name}: {news}")


def _register(run: Run, wanted: WantedServer, answer: Answer) -> None:
    _check_name(wanted)
    if answer.discovery is None:
        raise _unreachable(wanted, answer)
    found = answer.discovery
    headers = wanted.headers or {}
    registering.register(run.organization, wanted.name, wanted.url, headers, found)
    run.added.add(wanted.name)
    run.changes.append(f"server {wanted.name}: added; tools: {len(found.tools)}")
    run.notes.extend(f"server {wanted.name}: {problem}" for problem in found.problems)


def _change(run: Run, server: Server, wanted: WantedServer, answer: Answer) -> None:
    url = wanted.url if server.url != wanted.url else None
    headers = wanted.headers if _differ(server, wanted.headers) else None
    if url is not None:
        run.changes.append(f"server {wanted.name}: URL is {wanted.url}")
        if headers is None and registering.moves(server, url) and _differ(server, {}):
            run.changes.append(f"server {wanted.name}: headers dropped, another host")
    if headers is not None:
        run.changes.append(f"server {wanted.name}: headers changed")
    if url is not None or headers is not None:
        registering.update_server(
            server, url=url, headers=headers, discovery=answer.discovery
        )
    elif answer.discovery is not None:
        registering.store(server, answer.discovery)
    if answer.failed is not None:
        run.notes.append(f"server {wanted.name}: {answer.failed}")


def _differ(server: Server, headers: Mapping[str, str] | None) -> bool:
    if headers is None:
        return False
    try:
        stored = refreshing.headers_of(server)
    except Failed:
        return True
    return stored != {name.lower(): value for name, value in headers.items()}


def _unreachable(wanted: WantedServer, answer: Answer) -> Refused:
    return Refused((*wanted.at, "url"), f"the server cannot be asked: {answer.failed}")


def _check_name(wanted: WantedServer) -> None:
    if len(wanted.name) > registering.MAX_NAME:
        most = registering.MAX_NAME
        raise Refused((*wanted.at, "name"), f"has over {most} characters")
    try:
        printable(wanted.name)
    except ValidationError as error:
        raise Refused((*wanted.at, "name"), error.messages[0]) from None


def _tools(server: Server) -> dict[str, tuple[str, bool, bool]]:
    rows = ToolDefinition.objects.for_organization(server.organization_id)
    return {
        row.name: (row.fingerprint, row.listed, row.held_at is not None)
        for row in rows.filter(server=server)
    }


def _news(
    before: dict[str, tuple[str, bool, bool]], after: dict[str, tuple[str, bool, bool]]
) -> str:
    added = len(after.keys() - before.keys())
    changed = sum(after[name] != before[name] for name in before.keys() & after.keys())
    counts = ((added, "new"), (changed, "changed"))
    return ", ".join(f"{n} {word}" for n, word in counts if n)
