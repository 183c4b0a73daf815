import pytest

from services.sink.migrate import Migration, MigrationError, pending, read_migrations

FIRST, SECOND = Migration("0001_first.sql", "SELECT 1"), Migration("0002_second.sql", "SELECT 2")


class TestPending:
    def test_what_was_applied_is_not_applied_again(self) -> None:
        assert pending([FIRST, SECOND], {}) == [FIRST, SECOND]
        assert pending([FIRST, SECOND], {FIRST.name: FIRST.checksum}) == [SECOND]

    def test_a_file_changed_after_it_was_applied_is_an_error(self) -> None:
        with pytest.raises(MigrationError, match=r"0001_first\.sql was changed"):
            pending([FIRST], {FIRST.name: SECOND.checksum})

    def test_a_database_that_is_ahead_of_the_files_is_an_error(self) -> None:
        with pytest.raises(MigrationError, match="not among the files"):
            pending([FIRST], {FIRST.name: FIRST.checksum, SECOND.name: SECOND.checksum})


def test_no_two_migrations_have_one_number() -> None:
    numbers = [int(migration.name.split("_")[0]) for migration in read_migrations()]
    assert numbers == sorted(set(numbers))
