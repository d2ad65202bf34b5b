from django.apps import AppConfig


class ExecutorConfig(AppConfig):
    name = "executor"

    def ready(self) -> None:
        from django.conf import settings
        from django.core.checks import Tags, register

        from core.consistency import register_recount
        from core.health import register_check
        from core.housekeeping import register_cleanup
        from core.metrics import register_metrics
        from courses.announcements import (
            problem_deleting,
            problem_judging_changed,
            problems_duplicated,
            register_warning_source,
        )
        from courses.authoring import register_algorithm_check, register_checker_program_check
        from executor.authoring import algorithm_errors
        from executor.checker_authoring import checker_program_errors, custom_checker_errors
        from executor.checks import check_containment
        from executor.consistency import SUBMISSIONS
        from executor.queue.publishing import publish_free_run, publish_judgement, publish_waiting
        from executor.queue.workers import wake_embedded_workers
        from executor.readiness import check_broker, check_engine
        from executor.receivers import copy_solutions, discard_solutions, verify_solutions
        from executor.selectors.metrics import queue_metrics
        from executor.selectors.solutions import solution_warnings
        from executor.services.live import tell_watchers
        from executor.services.queued_runs import queued_runs_clean
        from executor.signals import free_run_queued, judgement_queued, queue_waits, submission_announced

        register_check("engine", check_engine)
        if settings.CELERY_BROKER_URL:
            register_check("broker", check_broker)
        register_cleanup("queued_runs", queued_runs_clean)
        register_metrics("queue", queue_metrics)
        register_recount(SUBMISSIONS.recount())
        register(check_containment, Tags.security, deploy=True)
        register_algorithm_check(algorithm_errors)
        register_algorithm_check(custom_checker_errors)
        register_checker_program_check(checker_program_errors)
        for signal in (judgement_queued, queue_waits):
            signal.connect(wake_embedded_workers, dispatch_uid="executor.wake_embedded_workers")
        judgement_queued.connect(publish_judgement, dispatch_uid="executor.publish_judgement")
        queue_waits.connect(publish_waiting, dispatch_uid="executor.publish_waiting")
        free_run_queued.connect(publish_free_run, dispatch_uid="executor.publish_free_run")
        submission_announced.connect(tell_watchers, dispatch_uid="executor.tell_watchers")
        problem_judging_changed.connect(verify_solutions, dispatch_uid="executor.verify_solutions")
        problem_deleting.connect(discard_solutions, dispatch_uid="executor.discard_solutions")
        problems_duplicated.connect(copy_solutions, dispatch_uid="executor.copy_solutions")
        register_warning_source(solution_warnings)
