"""Celery's settings. Celery moves ids between processes and nothing more: what is due, what was sent and what has to be
tried again stands in rows, so the broker may lose or repeat any message."""

from reminders.config import celery_broker_url, read_config
from reminders.embedded.places import Places

_config = read_config()
broker_url = celery_broker_url(_config.redis_url or Places(_config.data_dir).redis_url)

# A worker that starts before the broker waits for it instead of giving up.
broker_connection_retry_on_startup = True
broker_connection_max_retries = None

broker_transport_options = {
    # A message that no worker acknowledged comes back after this time: longer than any task may run (see the limits),
    # short enough that a killed host's share is not late. A task that runs twice finds its rows claimed already.
    "visibility_timeout": 300,
    # A publisher whose broker is away fails within seconds; the sweeps find the row without it.
    "socket_connect_timeout": 3,
    "socket_timeout": 30,
    # No `retry_on_timeout`: it makes the client reconnect by itself inside a read, and a worker whose broker was
    # replaced quickly would then wait for ever. Without it Celery sees the loss and starts its consumers anew.
    "health_check_interval": 20,
}

# Four queues, so that an emergency is behind nothing at all, reading replies never behind a flood of sends, and none of
# them behind housekeeping. What is urgent is named by whoever publishes a batch.
task_default_queue = "tidy"
task_create_missing_queues = True
task_routes = {
    "reminders.messaging.tasks.*": {"queue": "send"},
    # A picture waits for other servers; replies are not to wait behind it. A whole name comes before a pattern.
    "reminders.conversations.tasks.fetch_picture": {"queue": "tidy"},
    "reminders.conversations.tasks.*": {"queue": "think"},
}

# Acknowledge after the work: a worker killed half-way gives its message to another, and the commit point in the rows
# decides what may still happen.
task_acks_late = True
task_reject_on_worker_lost = True
# With late acknowledgement a worker would otherwise sit on messages that another could run now.
worker_prefetch_multiplier = 1

# Outcomes are rows. A result backend would be a second, weaker truth and a place for patients' details to leak to.
task_ignore_result = True
result_backend = None

# Nothing but JSON: a broker that others can write to must not be able to run code here.
accept_content = ["json"]
task_serializer = "json"
result_serializer = "json"

# The soft limit lets a task end its batch tidily; the hard one frees the worker. Both below the visibility timeout.
task_soft_time_limit = 120
task_time_limit = 150

# No automatic retry: a second try of a create could text a patient twice. What may be tried again is claimed again.
task_publish_retry = True
task_publish_retry_policy = {"max_retries": 1, "interval_start": 0.1, "interval_step": 0.2, "interval_max": 0.5}

# Memory that a library leaks in a worker is given back now and then.
worker_max_tasks_per_child = 10_000

# Logging is the product's (one structured line per event); Celery's own would repeat lines and print arguments.
worker_hijack_root_logger = False
worker_redirect_stdouts = False
worker_send_task_events = False
task_send_sent_event = False

# No clock of Celery's own is used: no eta, no countdown, no beat.
enable_utc = True
timezone = "UTC"
