"""Discussions: threads, replies, mentions, moderation. Bare until its models arrive."""
