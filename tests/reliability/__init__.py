"""Kills and storms: real servers, real clients, and an offline check of what became of every submission."""
