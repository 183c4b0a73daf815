"""``python -m tests.benchmarks.orm_loader FILE ROWS``: the loader that such products start from, row by row.

pandas reads a chunk, each row becomes an object of an ORM, each chunk is committed into one wide table with an index on
what the pages filter by. Prints rows a second.
"""

import os
import sys
from time import monotonic
from typing import Any

import pandas as pd
from sqlalchemy import DateTime, Float, String, create_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

CHUNK_ROWS = 1000
INDEXED = ("person_id", "camera_id", "utc_time_started_readable", "zone_name", "age_group_outcome", "gender_outcome")
TIMES = ("utc_time_started_readable", "utc_time_ended_readable")


class Base(DeclarativeBase):
    pass


def model_of(columns: list[str]) -> type[Any]:
    """A table of all the file's columns, and the dwell."""
    kinds = {name: DateTime(timezone=True) if name in TIMES else String() for name in columns}
    fields = {name: mapped_column(kind, index=name in INDEXED) for name, kind in kinds.items()}
    key = {"id": mapped_column(primary_key=True), "dwell_seconds": mapped_column(Float)}
    types: dict[str, Any] = {"id": Mapped[int], "dwell_seconds": Mapped[float]}
    return type("LoadedRow", (Base,), {"__tablename__": "loaded_rows", "__annotations__": types, **key, **fields})


def main(path: str, rows: int) -> None:
    engine = create_engine(os.environ["DWELL_POSTGRES"].replace("postgresql:", "postgresql+psycopg:"))
    model = model_of(list(pd.read_csv(path, nrows=0).columns))
    Base.metadata.create_all(engine)
    started = monotonic()
    with Session(engine) as session:
        for chunk in pd.read_csv(path, nrows=rows, chunksize=CHUNK_ROWS, dtype=str, keep_default_na=False):
            for _, row in chunk.iterrows():
                values = {str(name): value for name, value in row.items()}
                for name in TIMES:
                    values[name] = pd.to_datetime(values[name]).to_pydatetime()
                dwell = values[TIMES[1]] - values[TIMES[0]]
                session.add(model(**values, dwell_seconds=dwell.total_seconds()))
            session.commit()
    print(rows / (monotonic() - started))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
