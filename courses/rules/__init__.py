"""The rules of courses as pure functions over plain data: no database, no clock, no HTTP.

Whoever calls them brings the data and says what time it is, so that each rule can be recomputed and tested by itself.
"""
