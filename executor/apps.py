from django.apps import AppConfig


class ExecutorConfig(AppConfig):
    name = "executor"

    def ready(self) -> None:
        from django.core.checks import Tags, register

        from core.health import register_check
        from courses.authoring import register_algorithm_check, register_checker_program_check
        from executor.authoring import algorithm_errors
        from executor.checker_authoring import checker_program_errors, custom_checker_errors
        from executor.checks import check_containment
        from executor.queue.workers import wake_embedded_workers
        from executor.readiness import check_engine
        from executor.signals import judgement_queued

        register_check("engine", check_engine)
        register(check_containment, Tags.security, deploy=True)
        register_algorithm_check(algorithm_errors)
        register_algorithm_check(custom_checker_errors)
        register_checker_program_check(checker_program_errors)
        judgement_queued.connect(wake_embedded_workers, dispatch_uid="executor.wake_embedded_workers")
