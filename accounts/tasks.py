from celery import shared_task

from accounts import generation


@shared_task(name="accounts.apply_generations")  # type: ignore[untyped-decorator]
def apply_generations() -> None:
    generation.apply_all()
    generation.forget_applied()
