#!/usr/bin/env python
"""Assay's command line: `manage.py help` lists the commands."""

import os
import sys

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    try:
        from django.core.management import execute_from_command_line
    except ImportError:
        sys.exit("assay: Django is not installed for this interpreter; run script/setup, then use .venv/bin/python.")
    execute_from_command_line(sys.argv)
