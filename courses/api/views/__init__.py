"""Courses over HTTP: parse, call, respond."""
