# One image for every process; compose and any orchestrator choose the command (`web`, `worker`, `scheduler`, ...).
FROM python:3.11-slim AS build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
WORKDIR /app
# First what changes seldom, so that a change of code builds in seconds.
COPY requirements.txt ./
RUN python -m venv /venv && /venv/bin/pip install --quiet --require-hashes -r requirements.txt
COPY pyproject.toml requirements.in README.md celeryconfig.py ./
COPY reminders ./reminders
COPY templates ./templates
RUN /venv/bin/pip install --quiet --no-deps --no-build-isolation --editable .
ENV REMINDERS_STATIC_ROOT=/app/static
RUN DJANGO_SETTINGS_MODULE=reminders.settings /venv/bin/python -m django collectstatic --no-input --verbosity 0

FROM python:3.11-slim
# A number, so that an orchestrator can see that it is not root; /data is for the sandbox carrier's journal alone.
RUN useradd --system --uid 10001 --no-create-home reminders && install -d -o reminders /data
COPY --from=build /venv /venv
COPY --from=build /app /app
ENV PATH=/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    REMINDERS_DATA_DIR=/data \
    REMINDERS_STATIC_ROOT=/app/static
WORKDIR /app
USER 10001
EXPOSE 8000
ENTRYPOINT ["reminders"]
CMD ["web", "--host", "0.0.0.0"]
