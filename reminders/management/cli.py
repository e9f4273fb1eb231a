"""The `reminders` command. Each command lives in a module of its own and is imported only when it is called,
so that the pure ones (`understand`, `segments`, `timeline`) start fast and need neither database nor broker."""

from importlib import import_module

import click

from reminders.config import ConfigError

# name -> "module:attribute"; `docs/running.md` describes each, and a test fails when one is missing there.
COMMANDS = {
    "api-key": "reminders.management.api_keys:api_key",
    "add-clinic": "reminders.management.add_clinic:add_clinic",
    "demo": "reminders.management.demo.command:demo",
    "doctor": "reminders.management.doctor:doctor",
    "example-csv": "reminders.management.example_csv:example_csv",
    "import-sessions": "reminders.management.import_sessions:import_sessions",
    "manage": "reminders.management.manage:manage",
    "sandbox": "reminders.management.sandbox:sandbox",
    "scheduler": "reminders.management.scheduler:scheduler",
    "segments": "reminders.management.pure_commands:segments",
    "simulate": "reminders.management.simulation.command:simulate",
    "staff-link": "reminders.management.staff_link:staff_link",
    "timeline": "reminders.management.pure_commands:timeline",
    "understand": "reminders.management.pure_commands:understand",
    "up": "reminders.management.up:up",
    "web": "reminders.management.web:web",
    "worker": "reminders.management.worker:worker",
}


class LazyGroup(click.Group):
    """A click group whose commands are imported on first use."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return all command names, sorted, without importing any of them."""
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import and return one command, or None where the name is unknown (click then says so)."""
        if cmd_name not in COMMANDS:
            return None
        module_name, attribute = COMMANDS[cmd_name].split(":")
        command = getattr(import_module(module_name), attribute)
        if not isinstance(command, click.Command):
            raise TypeError(f"{COMMANDS[cmd_name]} is not a click command")
        return command

    def invoke(self, ctx: click.Context) -> object:
        """Run the command; a wrong setting ends it with its one sentence and exit code 2."""
        try:
            return super().invoke(ctx)
        except ConfigError as error:
            click.echo(f"Cannot start: {error}", err=True)
            ctx.exit(2)


@click.command(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="aftercare-reminders")
def main() -> None:
    """Aftercare reminders: texts after a treatment, a check-in, and a human when one is needed."""
