"""Beat has an app of its own, with the schedule and without the tasks."""

from __future__ import annotations

from celery import current_app

from config import beat, celery, settings


def test_whatever_beat_sends_a_worker_knows():
    celery.app.loader.import_default_modules()
    schedule = beat.app.conf.beat_schedule
    assert {each["task"] for each in schedule.values()} <= set(celery.app.tasks)
    assert schedule == celery.app.conf.beat_schedule
    assert beat.app.conf.broker_url == celery.app.conf.broker_url
    assert "accounts.apply_generations" in schedule


def test_whoever_has_the_settings_sends_tasks_by_the_app_of_the_worker():
    assert vars(settings)["celery"].app is celery.app
    assert current_app._get_current_object() is celery.app
