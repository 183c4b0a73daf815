"""What the local stack finds out about the machine: ports, processes, stamps, logs, tools."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.local import stamps, system
from deploy.local.errors import LocalError
from deploy.local.layout import ROOT
from deploy.local.logs import Followed, follow
from deploy.local.ports import free_ports, holder, is_free
from deploy.local.processes import STACK_VARIABLE, end, is_alive, members
from deploy.local.settings import LocalSettings
from deploy.local.stack import Stack


@pytest.fixture
def taken_port() -> Iterator[int]:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield listener.getsockname()[1]


class TestPorts:
    def test_a_port_that_somebody_listens_on_is_not_free_and_its_holder_has_a_name(self, taken_port: int) -> None:
        assert not is_free(taken_port)
        assert f"({os.getpid()})" in (holder(taken_port) or "")

    def test_free_ports_are_free_and_so_is_the_one_after_each(self) -> None:
        ports = free_ports(3)
        assert len({*ports, *(port + 1 for port in ports)}) == 6
        assert all(is_free(port) and is_free(port + 1) for port in ports)

    def test_a_stack_names_the_port_in_use_its_holder_and_the_setting(self, tmp_path: Path, taken_port: int) -> None:
        stack = Stack(self.settings(tmp_path, gateway_port=taken_port))
        with pytest.raises(
            LocalError, match=rf"port {taken_port} is in use by .*\({os.getpid()}\).*DWELL_GATEWAY_PORT"
        ):
            stack.up()

    def test_a_stack_refuses_two_settings_with_one_port(self, tmp_path: Path) -> None:
        [port] = free_ports(1)
        stack = Stack(self.settings(tmp_path, gateway_port=port, sink_port=port))
        with pytest.raises(LocalError, match=f"DWELL_SINK_PORT and DWELL_GATEWAY_PORT are both port {port}"):
            stack.up()

    def settings(self, home: Path, **ports: int) -> LocalSettings:
        names = ("gateway", "notifier", "ingest", "processor", "insights", "sink", "kafka", "postgres", "redis")
        free = {f"{name}_port": port for name, port in zip(names, free_ports(len(names)), strict=True)}
        return LocalSettings(home=home, **{**free, **ports})  # type: ignore[arg-type]


class TestProcesses:
    @pytest.fixture
    def child(self, tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
        marked = {**os.environ, STACK_VARIABLE: str(tmp_path)}
        with subprocess.Popen(
            (sys.executable, "-c", "print(1, flush=True); input()"),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=marked,
        ) as process:
            assert process.stdout is not None
            process.stdout.readline()
            yield process
            process.kill()

    def test_a_stacks_process_is_known_by_its_home(self, child: subprocess.Popen[bytes], tmp_path: Path) -> None:
        assert members(tmp_path) == {child.pid}
        assert members(tmp_path / "other") == set()

    def test_a_process_that_is_ended_is_no_longer_alive(self, child: subprocess.Popen[bytes], tmp_path: Path) -> None:
        end({child.pid}, timeout_seconds=10)
        assert not is_alive(child.pid)
        assert members(tmp_path) == set()

    def test_down_ends_what_a_killed_supervisor_left_behind(
        self, child: subprocess.Popen[bytes], tmp_path: Path
    ) -> None:
        stack = Stack(LocalSettings(home=tmp_path))
        assert stack.down()
        assert not is_alive(child.pid)
        assert not stack.down()


class TestStamps:
    @pytest.fixture
    def source(self) -> Iterator[Path]:
        path = ROOT / ".stamp-test-source"
        path.write_text("one")
        yield path
        path.unlink()

    def test_a_stamp_is_fresh_until_a_source_changes(self, source: Path, tmp_path: Path) -> None:
        stamp = tmp_path / ".stamp"
        assert not stamps.is_fresh(stamp, stamps.digest([source]))
        stamps.set_stamp(stamp, stamps.digest([source]))
        assert stamps.is_fresh(stamp, stamps.digest([source]))
        source.write_text("two")
        assert not stamps.is_fresh(stamp, stamps.digest([source]))

    def test_a_fact_counts_as_much_as_a_source(self, source: Path) -> None:
        assert stamps.digest([source], "python 3.11") != stamps.digest([source], "python 3.12")


class TestLogs:
    def test_lines_are_whole_and_come_once(self, tmp_path: Path) -> None:
        log = tmp_path / "sink.log"
        log.write_text("one\ntw")
        followed = Followed(log)
        assert followed.new_lines() == ["one"]
        with log.open("a") as file:
            file.write("o\nthree\n")
        assert followed.new_lines() == ["two", "three"]
        assert followed.new_lines() == []

    def test_a_rotated_log_is_followed_into_the_new_file(self, tmp_path: Path) -> None:
        log = tmp_path / "sink.log"
        log.write_text("one\n")
        followed = Followed(log)
        followed.new_lines()
        with log.open("a") as file:
            file.write("two\n")
        log.rename(tmp_path / "sink.log.1")
        log.write_text("three\n")
        assert followed.new_lines() == ["two", "three"]

    def test_every_line_carries_its_programs_name(self, tmp_path: Path) -> None:
        (tmp_path / "gateway.log").write_text("up\n")
        (tmp_path / "sink.log").write_text("up too\n")
        lines = follow(tmp_path, None)
        assert [next(lines), next(lines)] == ["gateway    | up", "sink       | up too"]

    def test_a_service_without_a_log_is_told_by_the_names_there_are(self, tmp_path: Path) -> None:
        (tmp_path / "sink.log").write_text("up\n")
        with pytest.raises(LocalError, match=r"no log of gatway .* only of sink"):
            next(follow(tmp_path, "gatway"))


class TestTools:
    def test_a_missing_tool_is_named_with_the_command_that_installs_it(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(system, "_can_install", lambda: False)
        tool = system.Tool("Redis", "redis-server", lambda: "is not installed")
        with pytest.raises(LocalError, match=r"Redis is not installed\. .* apt-get install redis-server"):
            system.require([tool], print)

    def test_a_tool_that_is_there_installs_nothing(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(system, "_install", lambda _: pytest.fail("nothing is missing"))
        system.require([system.Tool("Redis", "redis-server", lambda: None)], print)

    def test_a_tool_that_installing_did_not_mend_is_an_error(self, monkeypatch: pytest.MonkeyPatch) -> None:
        installed: list[str] = []
        monkeypatch.setattr(system, "_can_install", lambda: True)
        monkeypatch.setattr(system, "_install", installed.extend)
        tool = system.Tool("Node.js 20", "nodejs", lambda: "is too old: 20 or newer is needed, this is 18")
        with pytest.raises(LocalError, match=r"Node\.js 20 is too old"):
            system.require([tool], print)
        assert installed == ["nodejs"]
