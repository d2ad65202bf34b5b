"""Asking everything there is to ask as somebody who must not see everything."""
