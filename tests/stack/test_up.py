"""`reminders up`: starts everything, keeps it running, stops it without a trace, and survives any kill."""

import shutil
import signal
import socket
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest
import redis
from celery import Celery

from reminders.config import BASE_DIR, celery_broker_url
from reminders.embedded.places import Places
from reminders.management.stack.health import workers_answer
from tests.stack.launch import RunningStack, clean_environment, launch, processes_of, up_command
from tests.waiting import eventually

pytestmark = pytest.mark.stack

SID = "AC0123456789abcdef0123456789abcdef"


def up_that_fails(data_dir: Path, *words: str, **env: str) -> str:
    """Run `reminders up`, expect it to refuse, and return its one sentence."""
    result = subprocess.run(
        up_command(data_dir, *words), env=clean_environment(**env), cwd=BASE_DIR, text=True, capture_output=True,
        timeout=60, check=False,
    )  # fmt: skip
    assert result.returncode == 2
    assert "Traceback" not in result.stderr
    assert result.stderr.startswith("Cannot start: ")
    assert len(result.stderr.splitlines()) == 1
    return result.stderr


def test_the_stack_is_healthy_and_tells_where_it_is(stack: RunningStack) -> None:
    assert stack.is_healthy()
    assert stack.facts["data_dir"] == str(stack.data_dir)
    commands = [" ".join(process.cmdline()) for process in stack.processes()]
    for program in ("gunicorn reminders.wsgi", "celery", "sandbox", "scheduler"):
        assert any(program in command for command in commands), program


def test_a_django_command_beside_the_stack_uses_its_database(stack: RunningStack) -> None:
    result = stack.run("manage", "migrate", "--check")
    assert result.returncode == 0, result.stderr


@pytest.mark.parametrize(
    "words", ["-Q urgent", "-Q send", "gunicorn reminders.wsgi", "sandbox", "scheduler", "valkey-server"]
)
def test_a_killed_process_is_replaced_and_its_children_end(stack: RunningStack, words: str) -> None:
    victim = stack.supervised(words)
    assert victim is not None
    children = victim.children(recursive=True)
    victim.kill()
    eventually(lambda: stack.supervised(words) not in (None, victim), what=f"a new {words}")
    eventually(lambda: not any(child in stack.processes() for child in children), what="its children have ended")
    eventually(stack.is_healthy, what="the stack is healthy again")


def test_workers_of_every_queue_go_on_after_the_broker_was_killed(stack: RunningStack) -> None:
    victim = stack.supervised("valkey-server")
    workers = [worker for words in ("-Q urgent", "-Q send", "-Q think,tidy") if (worker := stack.supervised(words))]
    assert victim is not None
    assert len(workers) == 3
    # Paused, they learn of the loss when a new broker is there already: a client that reconnects silently then would
    # wait for ever on a connection that knows nothing of its queues.
    for worker in workers:
        worker.suspend()
    victim.kill()
    eventually(lambda: stack.supervised("valkey-server") not in (None, victim), what="a new broker")
    broker = redis.Redis.from_url(stack.facts["redis_url"])
    eventually(lambda: answers_ping(broker), what="the new broker answers")
    for worker in workers:
        worker.resume()
    product = Celery("probe", broker=celery_broker_url(stack.facts["redis_url"]), set_as_current=False, fixups=[])
    queues = ("urgent", "send", "think", "tidy")
    for queue in queues:
        # Workers throw away a task that nobody knows; that it is gone shows that somebody took it.
        product.send_task("unknown.to.everybody", queue=queue)
    eventually(lambda: not any(broker.llen(queue) for queue in queues), what="the queues are emptied")
    product.close()
    broker.close()


def test_a_killed_database_server_comes_back_and_the_pages_with_it(stack: RunningStack) -> None:
    victim = stack.supervised("bin/postgres -D")
    assert victim is not None
    victim.kill()
    eventually(lambda: stack.supervised("bin/postgres -D") not in (None, victim), what="a new database server")
    eventually(stack.is_healthy, what="the web process reaches the new database server")
    names = [f"{name}@{socket.gethostname()}" for name in ("urgent", "send", "think")]
    redis_url = stack.facts["redis_url"]
    eventually(lambda: workers_answer(redis_url=redis_url, names=names), what="all groups of workers answer")


def test_a_second_stack_on_the_same_folder_is_refused(stack: RunningStack) -> None:
    assert "already runs" in up_that_fails(stack.data_dir)


def test_after_killing_everything_the_next_start_has_the_data_and_ctrl_c_leaves_nothing(tmp_path: Path) -> None:
    data_dir = tmp_path / "a folder with spaces"
    first = launch(data_dir, "--no-seed")
    with psycopg.connect(first.facts["database_url"], autocommit=True) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 42 AS answer")
    first.kill_everything()

    second = launch(data_dir, "--no-seed")
    try:
        with psycopg.connect(second.facts["database_url"]) as connection:
            assert connection.execute("SELECT answer FROM kept").fetchone() == (42,)
        assert second.facts["twilio_account_sid"] == first.facts["twilio_account_sid"]
    finally:
        second.process.send_signal(signal.SIGINT)
        output, _ = second.process.communicate(timeout=30)
    assert second.process.returncode == 0
    assert output.endswith("Stopped.\n")
    assert processes_of(data_dir) == []
    shutil.rmtree(Places(data_dir).sockets)


def test_a_port_in_use_stops_the_start_and_names_the_option(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        sentence = up_that_fails(tmp_path / "data", "--port", str(port))
    assert f"Port {port} is used" in sentence
    assert "--port" in sentence


@pytest.mark.parametrize(
    ("env", "names"),
    [
        pytest.param({"TWILIO_ACCOUNT_SID": SID}, "TWILIO_AUTH_TOKEN", id="sid without token"),
        pytest.param({"TWILIO_ACCOUNT_SID": SID, "TWILIO_AUTH_TOKEN": "t"}, "PUBLIC_BASE_URL", id="no public address"),
        pytest.param({"DATABASE_URL": "postgresql://u:hunter2@127.0.0.1:9/d"}, "DATABASE_URL", id="no database there"),
        pytest.param({"REDIS_URL": "redis://:hunter2@127.0.0.1:9/0"}, "REDIS_URL", id="no broker there"),
    ],
)
def test_a_setting_that_cannot_work_stops_the_start(tmp_path: Path, env: dict[str, str], names: str) -> None:
    sentence = up_that_fails(tmp_path / "data", **env)
    assert names in sentence
    assert "hunter2" not in sentence


def test_a_folder_that_cannot_be_made_stops_the_start(tmp_path: Path) -> None:
    in_the_way = tmp_path / "file"
    in_the_way.write_text("not a folder")
    assert "--data-dir" in up_that_fails(in_the_way / "data")


@pytest.mark.parametrize("command", [["web"], ["worker"]])
def test_a_single_process_without_addresses_says_what_it_needs(tmp_path: Path, command: list[str]) -> None:
    result = subprocess.run(
        [sys.executable, "-m", "reminders.management", *command],
        env=clean_environment(REMINDERS_DATA_DIR=str(tmp_path)), text=True, capture_output=True,
        timeout=30, check=False,
    )  # fmt: skip
    assert result.returncode == 2
    assert "DATABASE_URL" in result.stderr
    assert "Traceback" not in result.stderr


def answers_ping(broker: redis.Redis) -> bool:
    try:
        return bool(broker.ping())
    except redis.RedisError:
        return False
