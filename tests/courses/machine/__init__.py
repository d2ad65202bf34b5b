"""Everything that can happen to a course in any order, held against a model that stores nothing twice."""
