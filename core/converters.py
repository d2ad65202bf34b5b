"""Path converters: what an address may hold."""

from django.urls.converters import IntConverter

ID_MAX = 2**63 - 1


class IdConverter(IntConverter):
    """`<id:...>`: the number of a row. One that no column could hold is no address: 404, where a query would fail."""

    def to_python(self, value: str) -> int:
        number = int(value)
        if number > ID_MAX:
            raise ValueError("No row has such a number.")
        return number
