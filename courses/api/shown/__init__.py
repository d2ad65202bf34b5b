"""What the courses API shows, by allow-lists. Where students and staff see different things there are two classes.

No class for students inherits from one for staff, or is built from one by leaving fields out (T-09).
"""
