from django.apps import AppConfig


class ExecutorConfig(AppConfig):
    name = "executor"

    def ready(self) -> None:
        from django.core.checks import Tags, register

        from core.consistency import register_recount
        from core.health import register_check
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
        from executor.queue.workers import wake_embedded_workers
        from executor.readiness import check_engine
        from executor.receivers import copy_solutions, discard_solutions, verify_solutions
        from executor.selectors.solutions import solution_warnings
        from executor.signals import judgement_queued

        register_check("engine", check_engine)
        register_recount(SUBMISSIONS.recount())
        register(check_containment, Tags.security, deploy=True)
        register_algorithm_check(algorithm_errors)
        register_algorithm_check(custom_checker_errors)
        register_checker_program_check(checker_program_errors)
        judgement_queued.connect(wake_embedded_workers, dispatch_uid="executor.wake_embedded_workers")
        problem_judging_changed.connect(verify_solutions, dispatch_uid="executor.verify_solutions")
        problem_deleting.connect(discard_solutions, dispatch_uid="executor.discard_solutions")
        problems_duplicated.connect(copy_solutions, dispatch_uid="executor.copy_solutions")
        register_warning_source(solution_warnings)
