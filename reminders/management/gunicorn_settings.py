"""What the web server reads at its start: its own few events go into the same lines as the product's."""

from reminders.config import read_config
from reminders.logs import logging_settings

_config = read_config()

logconfig_dict = logging_settings(log_format=_config.log_format, log_level=_config.log_level)
