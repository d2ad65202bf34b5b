"""Live events: who changes something publishes, and open streams tell those who watch and may know.

`hub` (messages), `relay` (between processes), `streams` (what a view answers), `watching` and `asgi` (what the server
does with it), `rights` (who may go on listening), `wire` (how it looks).
"""
