"""The whole product on one machine: what `reminders up` starts, watches and stops."""
