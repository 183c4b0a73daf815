"""Statements that go to the server only where there is something to do."""

from collections.abc import Sequence

import asyncpg


async def execute_each(connection: asyncpg.Connection, statement: str, rows: Sequence[Sequence[object]]) -> None:
    """Execute the statement for each of the rows; nothing goes to the server where there are none."""
    if rows:
        await connection.executemany(statement, rows)


async def execute_all(connection: asyncpg.Connection, statement: str, rows: Sequence[Sequence[object]]) -> None:
    """Execute the statement once, with an array of each column of the rows; not at all where there are none."""
    if rows:
        await connection.execute(statement, *map(list, zip(*rows, strict=True)))
