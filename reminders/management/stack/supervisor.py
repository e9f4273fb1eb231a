"""The process supervisor (supervisord): its configuration file, its start and its remote control."""

import subprocess
import sys
import xmlrpc.client
from pathlib import Path
from typing import Any

from supervisor.xmlrpc import SupervisorTransport

from reminders.management.stack.plan import Plan, Program, shell_line

LOG_BYTES = "5MB"
LOG_COPIES = 2

RUNNING = "RUNNING"
FINAL_STATES = frozenset({"STOPPED", "EXITED", "FATAL", "UNKNOWN"})


class Supervisor:
    """One supervisord and the remote control of it."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._socket = plan.places.sockets / "supervisor.sock"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start supervisord, with every program known to it and none of them started."""
        places = self._plan.places
        config = places.data_dir / "supervisord.conf"
        config.write_text(_config_file(self._plan, socket=self._socket), encoding="utf-8")
        self._socket.unlink(missing_ok=True)
        command = [sys.executable, "-W", "ignore", "-m", "supervisor.supervisord", "-n", "-c", str(config)]
        with (places.logs / "supervisord.out").open("wb") as output:
            # A session of its own: Ctrl-C in the terminal reaches `reminders up` alone, which then stops all in order.
            self._process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=output, stderr=output,
                env=self._plan.environment, start_new_session=True,
            )  # fmt: skip

    def is_alive(self) -> bool:
        """True while supervisord runs."""
        return self._process is not None and self._process.poll() is None

    def is_ready(self) -> bool:
        """True once supervisord takes orders."""
        return self._socket.exists() and self._call("getSupervisorVersion") is not None

    def start_program(self, program: Program) -> None:
        """Order all processes of `program` to start, without waiting."""
        for name in program.processes:
            self._call("startProcess", name, False)

    def stop_program(self, program: Program) -> None:
        """Order all processes of `program` to stop, without waiting."""
        for name in program.processes:
            self._call("stopProcess", name, False)

    def states(self) -> dict[str, str]:
        """Return the state of every process, by the supervisor's name of it; empty where supervisord is away."""
        rows = self._call("getAllProcessInfo") or []
        return {
            row["name"] if row["name"] == row["group"] else f"{row['group']}:{row['name']}": row["statename"]
            for row in rows
        }

    def is_running(self, program: Program) -> bool:
        """True where every process of `program` has stayed up for its first second."""
        states = self.states()
        return all(states.get(name) == RUNNING for name in program.processes)

    def has_stopped(self, program: Program) -> bool:
        """True where no process of `program` is left."""
        states = self.states()
        return all(states.get(name, "STOPPED") in FINAL_STATES for name in program.processes)

    def shut_down(self, *, patience_seconds: float) -> None:
        """End supervisord; it stops what still runs first."""
        if self._process is None:
            return
        if self._process.poll() is None:
            self._process.terminate()
        try:
            self._process.wait(timeout=patience_seconds)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _call(self, method: str, *arguments: Any) -> Any:
        """Call one method; None where supervisord is away or finds nothing to do (already started, already stopped)."""
        transport = SupervisorTransport(None, None, f"unix://{self._socket}")  # type: ignore[no-untyped-call]
        try:
            with xmlrpc.client.ServerProxy("http://127.0.0.1", transport=transport) as proxy:
                return getattr(proxy.supervisor, method)(*arguments)
        except (OSError, xmlrpc.client.Error, ConnectionError):
            return None
        finally:
            transport.close()  # type: ignore[no-untyped-call]


def _config_file(plan: Plan, *, socket: Path) -> str:
    logs = plan.places.logs
    sections: dict[str, dict[str, Any]] = {
        "unix_http_server": {"file": socket, "chmod": "0700"},
        "supervisord": {
            "logfile": logs / "supervisord.log",
            "logfile_maxbytes": LOG_BYTES,
            "logfile_backups": LOG_COPIES,
            "pidfile": plan.places.sockets / "supervisord.pid",
            "childlogdir": logs,
            "silent": "true",
        },
        "rpcinterface:supervisor": {
            "supervisor.rpcinterface_factory": "supervisor.rpcinterface:make_main_rpcinterface"
        },
    }
    for program in [*plan.servers, *plan.programs]:
        sections[f"program:{program.name}"] = _program_section(program, logs=logs)
    lines = []
    for title, values in sections.items():
        lines.append(f"[{title}]")
        # A percent sign starts an expansion in this file.
        lines += [f"{key}={value if key == 'process_name' else _plain(value)}" for key, value in values.items()]
        lines.append("")
    return "\n".join(lines)


def _program_section(program: Program, *, logs: Path) -> dict[str, Any]:
    section: dict[str, Any] = {
        "command": shell_line(program.command),
        "directory": program.directory,
        "numprocs": program.count,
        "process_name": "%(program_name)s" if program.count == 1 else "%(program_name)s-%(process_num)d",
        "autostart": "false",
        "autorestart": "true",
        "startsecs": 1,
        # Each try waits a second longer than the one before; `reminders up` begins the row anew when it ends.
        "startretries": 5,
        "stopsignal": program.stop_signal,
        "stopwaitsecs": program.stop_seconds,
        # A worker's children get no signal of their own: their parent lets them finish. What is left is killed.
        "stopasgroup": "false",
        "killasgroup": "true",
        "redirect_stderr": "true",
        "stdout_logfile": logs / f"{program.name}.log",
        "stdout_logfile_maxbytes": LOG_BYTES,
        "stdout_logfile_backups": LOG_COPIES,
    }
    if program.user:
        section["user"] = program.user
    return section


def _plain(value: object) -> str:
    return str(value).replace("%", "%%")
