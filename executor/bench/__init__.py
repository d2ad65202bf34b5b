"""Measuring the embedded sandbox against the plain way of running the same programs, and what it leaves behind."""
