"""The languages students may use, as data. One declaration each; engines read their own part of the toolchain."""

from collections.abc import Mapping

from executor.judging.languages.language import Language
from executor.judging.languages.native import CPP17, CPP20, GO, RUST, C
from executor.judging.languages.scripts import BASH, PHP, PYTHON, RUBY, SQL
from executor.judging.languages.virtual_machines import JAVA, JAVASCRIPT, TYPESCRIPT

__all__ = ["LANGUAGES", "Language"]

# Of two languages with one suffix the later one is meant where a file's name alone has to tell.
_ALL = (PYTHON, C, CPP20, CPP17, JAVA, JAVASCRIPT, TYPESCRIPT, GO, RUST, RUBY, PHP, BASH, SQL)
LANGUAGES: Mapping[str, Language] = {language.key: language for language in _ALL}
