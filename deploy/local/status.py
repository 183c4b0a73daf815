"""``make status``: what runs, since when, in how much memory, and whether it is ready."""

import asyncio
from collections.abc import Sequence

from deploy.local.processes import resident_bytes
from deploy.local.services import service_programs
from deploy.local.settings import LocalSettings
from deploy.local.supervisor import ProgramState
from deploy.local.waiting import http_answers


def status_lines(settings: LocalSettings, states: Sequence[ProgramState]) -> list[str]:
    urls = {program.name: program.ready_url for program in service_programs(settings) if program.ready_url}
    ready = asyncio.run(_ask({state.name: urls[state.name] for state in states if state.is_up and state.name in urls}))
    rows = [("program", "state", "up", "memory", "answers")]
    rows += [
        (
            state.name,
            state.state.lower(),
            _duration(state.up_seconds) if state.is_up else "",
            f"{resident_bytes(state.pid) / 2**20:.0f} MB" if state.is_up else "",
            ready.get(state.name, ""),
        )
        for state in states
    ]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]


async def _ask(urls: dict[str, str]) -> dict[str, str]:
    answers = await asyncio.gather(*(http_answers(url) for url in urls.values()), return_exceptions=True)
    return {
        name: f"ready, {url}" if answer is None else f"not ready: {answer}"
        for (name, url), answer in zip(urls.items(), answers, strict=True)
    }


def _duration(seconds: int) -> str:
    minutes, second = divmod(seconds, 60)
    hours, minute = divmod(minutes, 60)
    return f"{hours}:{minute:02}:{second:02}"
