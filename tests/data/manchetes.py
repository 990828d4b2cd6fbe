"""Made-up Portuguese headlines in three classes: the small data set of a user's own.

Regenerate manchetes.csv with: python -m tests.data.manchetes
"""

import csv
import io
from itertools import product
from pathlib import Path
from typing import Iterator, List, Tuple

PATH = Path(__file__).with_name("manchetes.csv")
COLUMNS = ("titulo", "sentimento")
PLACES = ("São Paulo", "Ribeirão Preto", "Maceió", "Florianópolis", "Goiânia", "Belém", "Vitória", "Maranhão")

# What happened, and how it goes on, for each class.
SUBJECTS = {
    "negativo": (
        "Inflação corrói salários",
        "Enchente destrói casas",
        "Greve paralisa ônibus",
        "Incêndio fere três pessoas",
        "Corrupção derruba secretário",
        "Desemprego avança",
        "Hospital fecha e deixa pacientes sem atenção",
    ),
    "neutro": (
        "Câmara vota orçamento",
        "Prefeitura publica edital",
        "Seleção treina",
        "Comissão se reúne na terça-feira",
        "Censo começa",
    ),
    "positivo": (
        "Vacinação bate meta e salva vidas",
        "Escola ganha prêmio de ciências",
        "Safra de café é a melhor da década",
    ),
}
ENDS = {
    "negativo": ("em {}", "e moradores de {} protestam", "na região de {}, e prejuízo é recorde"),
    "neutro": ("em {}", "na região de {}, segundo comunicado", "e agenda segue em {}"),
    "positivo": ("em {}", "e população de {} comemora"),
}
# The classes are unequal on purpose.
ROWS = {"negativo": 150, "neutro": 100, "positivo": 48}


def headlines() -> Iterator[Tuple[str, str]]:
    """Yield the rows: some quoted, with line breaks, with a semicolon, blank or there twice."""
    rows: List[Tuple[str, str]] = []
    for label, subjects in SUBJECTS.items():
        endings = product(PLACES, ENDS[label], subjects)
        texts = [f"{subject} {end.format(place)}" for place, end, subject in endings]
        rows.extend((text, label) for text in texts[: ROWS[label]])
    for number, (text, label) in enumerate(rows):
        if number % 29 == 0:
            text = f'"É o que se vê", diz jornal: {text}'
        elif number % 31 == 0:
            text = text.replace(" ", "\n", 1)
        elif number % 37 == 0:
            text = f"{text}; veja as imagens"
        yield text, label
    yield rows[2][0].upper() + " ", rows[2][1]
    yield rows[1]
    yield from (("", "neutro"), (" \n ", "negativo"), ("", ""))


def render() -> bytes:
    """Return the CSV as bytes, with CRLF as a spreadsheet writes it."""
    stream = io.StringIO(newline="")
    writer = csv.writer(stream, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    writer.writerows(headlines())
    return stream.getvalue().encode("utf-8")


if __name__ == "__main__":
    PATH.write_bytes(render())
