"""The configuration that the local stack writes for its servers and their supervisor."""

import os
import shlex
from configparser import RawConfigParser
from pathlib import Path

import pytest
import yaml
from supervisor.options import ServerOptions

from deploy.local.layout import ROOT
from deploy.local.programs import Program
from deploy.local.servers.kafka import Kafka
from deploy.local.servers.postgres import Postgres
from deploy.local.servers.redis import Redis
from deploy.local.services import NICENESS, feed_program, service_programs
from deploy.local.settings import LocalSettings
from deploy.local.supervisor_config import SOCKET_PATH_BYTES, render, socket_path
from services.common.kafka.producer import MAX_REQUEST_BYTES


def properties(text: str) -> dict[str, str]:
    return dict(line.split("=", 1) for line in text.splitlines())


def test_kafka_listens_on_loopback_alone_and_its_controller_on_the_next_port(tmp_path: Path) -> None:
    config = properties(Kafka(tmp_path, 21000).render())
    assert config["listeners"] == "PLAINTEXT://127.0.0.1:21000,CONTROLLER://127.0.0.1:21001"
    assert config["advertised.listeners"] == "PLAINTEXT://127.0.0.1:21000"
    assert config["auto.create.topics.enable"] == "false"


def test_kafka_lets_through_every_record_that_the_producers_let_through(tmp_path: Path) -> None:
    assert int(properties(Kafka(tmp_path, 21000).render())["message.max.bytes"]) > MAX_REQUEST_BYTES


def test_two_homes_share_no_data_folder(tmp_path: Path) -> None:
    one, other = (Kafka(tmp_path / name, 21000).render() for name in ("one", "other"))
    assert properties(one)["log.dirs"] != properties(other)["log.dirs"]


def test_redis_listens_on_loopback_alone_and_quotes_its_folder(tmp_path: Path) -> None:
    home = tmp_path / "a folder"
    lines = Redis(home, 21020).render().splitlines()
    assert "bind 127.0.0.1" in lines
    assert f'dir "{home}/redis"' in lines


def test_postgres_is_stopped_without_waiting_for_its_clients(tmp_path: Path) -> None:
    folder = tmp_path / "postgres"
    folder.mkdir()
    versions = [path.name for path in Path("/usr/lib/postgresql").glob("*") if (path / "bin/initdb").exists()]
    (folder / "PG_VERSION").write_text(f"{versions[0]}\n")
    program = Postgres(tmp_path, 21010).program()
    assert program.stop_signal == "INT"
    assert "-cport=21010" in program.command
    assert "-clisten_addresses=127.0.0.1" in program.command


class TestSupervisorConfig:
    def options(self, home: Path, **groups: list[Program]) -> ServerOptions:
        """What supervisord itself makes of the configuration."""
        home.mkdir(parents=True, exist_ok=True)
        (home / "log").mkdir()
        config = home / "supervisor.conf"
        config.write_text(render(home, groups))
        options = ServerOptions()
        options.realize(["--configuration", str(config)])
        return options

    def test_a_command_comes_out_as_it_went_in(self, tmp_path: Path) -> None:
        command = ("python", "-c", "print('100%', \"a b\")", "-Dpath=/x y")
        [group] = self.options(tmp_path / "home", one=[Program("echo", command)]).process_group_configs
        assert tuple(shlex.split(group.process_configs[0].command)) == command

    def test_a_home_with_spaces_and_percent_signs_holds_the_logs(self, tmp_path: Path) -> None:
        home = tmp_path / "50 %d home"
        [group] = self.options(home, one=[Program("echo", ("echo",))]).process_group_configs
        assert group.process_configs[0].stdout_logfile == str(home / "log/echo.log")

    def test_a_program_keeps_its_environment_and_its_signal(self, tmp_path: Path) -> None:
        program = Program("echo", ("echo",), environment={"A": "b"}, stop_signal="INT", stop_seconds=7)
        [group] = self.options(tmp_path / "home", one=[program]).process_group_configs
        [config] = group.process_configs
        assert config.environment == {"A": "b"}
        assert (config.stopsignal.name, config.stopwaitsecs) == ("SIGINT", 7)

    def test_a_program_of_another_account_starts_where_that_account_may_be(self, tmp_path: Path) -> None:
        programs = [Program("ours", ("echo",)), Program("theirs", ("echo",), user="nobody")]
        [group] = self.options(tmp_path / "home", one=programs).process_group_configs
        assert {each.name: each.directory for each in group.process_configs} == {"ours": str(ROOT), "theirs": "/"}

    def test_groups_are_stopped_in_reverse_order(self, tmp_path: Path) -> None:
        groups = self.options(
            tmp_path / "home", servers=[Program("kafka", ("echo",))], services=[Program("sink", ("echo",))]
        ).process_group_configs
        priority = {group.name: group.priority for group in groups}
        assert priority["servers"] < priority["services"]

    def test_nothing_starts_by_itself_and_what_dies_starts_again(self, tmp_path: Path) -> None:
        parser = RawConfigParser()
        parser.read_string(render(tmp_path, {"one": [Program("echo", ("echo",))]}))
        assert parser["program:echo"]["autostart"] == "false"
        assert parser["program:echo"]["autorestart"] == "true"


def test_the_control_socket_lies_in_the_home() -> None:
    assert socket_path(Path("/srv/dwell")) == Path("/srv/dwell/supervisor.sock")


def test_the_control_socket_of_a_deep_home_fits_the_kernels_limit_and_is_its_own() -> None:
    deep = Path("/srv") / ("d" * 120)
    paths = {socket_path(deep / "one"), socket_path(deep / "other")}
    assert len(paths) == 2
    assert all(len(str(path)) <= SOCKET_PATH_BYTES for path in paths)


class TestSettings:
    @pytest.fixture(autouse=True)
    def _clean(self, monkeypatch: pytest.MonkeyPatch) -> None:
        for name in [name for name in os.environ if name.startswith("DWELL_")]:
            monkeypatch.delenv(name)

    def test_a_relative_home_lies_in_the_repository(self) -> None:
        home = LocalSettings(home=Path(".dwell-two")).home
        assert home.is_absolute()
        assert (home.parent / "pyproject.toml").exists()

    def test_services_are_told_what_was_set_and_the_first_admin(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("DWELL_SESSION_GAP_OVERRIDES", '{"door": 30}')
        told = LocalSettings(home=Path("/srv/dwell"), gateway_port=21100).environment()
        assert told == {
            "DWELL_HOME": "/srv/dwell",
            "DWELL_GATEWAY_PORT": "21100",
            "DWELL_ADMIN_EMAIL": "admin@example.com",
            "DWELL_ADMIN_PASSWORD": "dwell-demo",
            "DWELL_SESSION_GAP_OVERRIDES": '{"door": 30.0}',
        }

    def test_servers_named_elsewhere_take_no_port_here(self) -> None:
        settings = LocalSettings(kafka="k:9092", postgres="postgresql://p/dwell", redis="redis://r")
        taken = {setting for _, setting in settings.ports()}
        assert taken == {
            f"DWELL_{name}_PORT" for name in ("GATEWAY", "NOTIFIER", "INGEST", "PROCESSOR", "INSIGHTS", "SINK")
        }

    def test_every_service_says_when_it_is_ready_on_its_own_port(self) -> None:
        urls = {each.name: each.ready_url for each in service_programs(LocalSettings(sink_port=21105))}
        assert urls["sink"] == "http://127.0.0.1:21105/readyz"
        assert urls["worker"] is None
        assert len(set(urls.values())) == len(urls) == 7

    def test_whoever_works_in_the_background_lets_requests_go_first_here_and_in_containers(self) -> None:
        composed = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
        for program in service_programs(LocalSettings()):
            niceness = int(program.command[2]) if program.command[:2] == ("nice", "-n") else 0
            assert niceness == NICENESS.get(program.name, 0)
            # As the kernel does: a fifth less, or a quarter more, with every step.
            assert composed[program.name].get("cpu_shares", 1024) == round(1024 / 1.25**niceness)
        assert NICENESS["worker"] > NICENESS["processor"] == NICENESS["insights"] == NICENESS["sink"] > 0

    def test_a_demo_connects_the_connector_to_the_simulated_corsight(self) -> None:
        settings = LocalSettings(simulator_port=21110).with_simulator()
        [ingest] = [each for each in service_programs(settings) if each.name == "ingest"]
        feed = feed_program(settings)
        assert ingest.environment["DWELL_CORSIGHT_URL"] == "http://127.0.0.1:21110"
        assert feed.ready_url == "http://127.0.0.1:21110/healthz"
        for name in ("USERNAME", "PASSWORD"):
            assert ingest.environment[f"DWELL_CORSIGHT_{name}"] in feed.command
        assert (21110, "DWELL_SIMULATOR_PORT") in settings.ports()

    def test_a_stack_without_a_demo_or_with_a_real_corsight_is_not_connected_to_it(self) -> None:
        for settings in (LocalSettings(), LocalSettings(corsight_url="https://corsight.example.com").with_simulator()):
            [ingest] = [each for each in service_programs(settings) if each.name == "ingest"]
            assert ingest.environment == {}

    def test_a_demo_beside_another_takes_a_free_port_for_its_corsight(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("deploy.local.settings.is_free", lambda port: False)
        settings = LocalSettings()
        assert settings.with_simulator().simulator_port != settings.simulator_port
        assert LocalSettings(simulator_port=21110).with_simulator().simulator_port == 21110
