"""Where no corpus lies beside the checkout there are no rows to judge, and nothing to skip."""

from tests.corpus import CORPUS

collect_ignore = [] if CORPUS.is_dir() else ["test_rows.py"]
