from django.apps import AppConfig


class ExecutorConfig(AppConfig):
    name = "executor"

    def ready(self) -> None:
        from executor.queue.workers import wake_embedded_workers
        from executor.signals import judgement_queued

        judgement_queued.connect(wake_embedded_workers, dispatch_uid="executor.wake_embedded_workers")
