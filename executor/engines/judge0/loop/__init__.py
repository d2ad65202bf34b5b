"""What runs inside a Judge0's box: the loop that runs all tests of a submission in one job.

Its modules are sent along with the program: standard library only, and Python 3.6 must understand them. The typing of
today stands in quotes and comments there.
"""
