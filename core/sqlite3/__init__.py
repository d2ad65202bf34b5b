"""SQLite for several processes that meet at a fresh file."""
