"""What an outline costs over HTTP beside an empty view: a server of its own, a course to ask for, and the asking."""
