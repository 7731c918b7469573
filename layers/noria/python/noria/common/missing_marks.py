"""Texts that mean a missing value: the usual ones, a spreadsheet's errors, and a contract's own."""

import re
from collections.abc import Collection
from dataclasses import dataclass
from functools import cached_property

from noria.common.categories import tidy, without_case

Mark = str | int | float

USUAL = frozenset(
    ["NA", "N/A", "n/a", "NULL", "null", "NaN", "nan", "-nan", "-NaN", "None", "<NA>"]
)
#: What formulas that failed show, in Excel, LibreOffice and Google Sheets, in the languages that
#: these translate them to; English first.
ERRORS = frozenset(
    """
    #N/A #REF! #VALUE! #DIV/0! #NUM! #NAME? #NULL! #ERROR! #SPILL! #CALC! #FIELD! #BLOCKED!
    #UNKNOWN! #CONNECT! #BUSY! #EXTERNAL! #PYTHON! #TIMEOUT! #GETTING_DATA Loading...
    #WERT! #BEZUG! #NV #ZAHL! #ÜBERLAUF! #KALK! #FELD!
    #VALEUR! #NOMBRE! #NOM? #NUL! #CHAMP! #PROPAGATION!
    #¡VALOR! #¡REF! #¡DIV/0! #¡NUM! #¿NOMBRE? #¡NULO! #¡DESBORDAMIENTO!
    #VALOR! #NÚM! #NOME? #NULO! #N/D #N/D! #DESPEJAR!
    #VALORE! #RIF! #NULLO! #WAARDE! #VERW! #DEEL/0! #GETAL! #NAAM? #LEEG! #N/B
    #ARG! #ADR! #DZIEL/0! #LICZBA! #NAZWA? #ZERO!
    #ЗНАЧ! #ССЫЛКА! #ДЕЛ/0! #ЧИСЛО! #ИМЯ? #ПУСТО! #Н/Д
    #VÄRDEFEL! #REFERENS! #DIVISION/0! #OGILTIGT! #NAMN? #SKÄRNING! #SAKNAS!
    #VÆRDI! #REFERENCE! #NAVN? #VERDI! #I/T #ARVO! #VIITTAUS! #JAKO/0! #LUKU! #NIMI? #TYHJÄ!
    #PUUTTUU! #HODNOTA! #ODKAZ! #DĚLENÍ_NULOU! #ČÍSLO! #NÁZEV? #NENÍ_K_DISPOZICI
    #ÉRTÉK! #HIV! #ZÉRÓOSZTÓ! #SZÁM! #NÉV? #NULLA! #HIÁNYZIK
    #DEĞER! #BAŞV! #SAYI/0! #SAYI! #AD? #BOŞ! #YOK
    """.split()  # noqa: RUF001, SIM905
)
#: LibreOffice's numbered errors, and a number that was wider than its column.
CODED = re.compile(r"Err:5\d\d|#{3,}")


def is_spreadsheet_error(text: str) -> bool:
    """Whether a cell shows that its formula failed."""
    return text in ERRORS or bool(CODED.fullmatch(text))


@dataclass(frozen=True)
class MissingMarks:
    """What means missing in one column: an empty text, and the marks.

    `given` are the contract's own, `usual` says whether the usual ones and a spreadsheet's errors
    hold too, but for those that are `kept` as values.
    """

    given: tuple[Mark, ...] = ()
    usual: bool = True
    kept: frozenset[str] = frozenset()

    def mean(self, text: str) -> bool:
        """Whether a tidy text means missing."""
        if not text or text in self._texts:
            return True
        return self.usual and text[0] in "#E" and bool(CODED.fullmatch(text))

    @cached_property
    def _texts(self) -> frozenset[str]:
        usual = (USUAL | ERRORS) - self.kept if self.usual else frozenset[str]()
        return usual | {tidy(str(mark)) for mark in self.given}


USUAL_MARKS = MissingMarks()
NO_MARKS = MissingMarks(usual=False)


def marks_of(given: Collection[Mark] | None, named: Collection[str] = ()) -> MissingMarks:
    """Return a column's marks: `given` by the contract, which also names values.

    An empty collection switches the usual marks off; a mark that is given is none of the values.
    """
    if given is not None and not given:
        return NO_MARKS
    marks = tuple(given or ())
    values = {without_case(text) for text in named}
    alike = {text for text in USUAL | ERRORS if without_case(text) in values} if values else set()
    return MissingMarks(marks, kept=frozenset(alike - set(map(str, marks))))
