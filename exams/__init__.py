"""Exams: questions, attempts, answers, accommodations. Bare until its models arrive."""
