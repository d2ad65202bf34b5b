"""Graded corpora: rows of JSON with a program, its tests and the verdicts a right judge may give."""
