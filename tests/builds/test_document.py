from esteira.builds.document import Fault, read_document

TEXT = """\
steps:
  - id: a
    args:
      - x
      - y
  - {id: b}
"""


def test_each_value_knows_its_line() -> None:
    document = read_document(TEXT, "f.yaml")
    assert document.value == {"steps": [{"id": "a", "args": ["x", "y"]}, {"id": "b"}]}
    places = [("steps",), ("steps", 0, "id"), ("steps", 0, "args", 1), ("steps", 1, "id")]
    assert [document.lines[place] for place in places] == [1, 2, 5, 6]


def test_a_fault_where_nothing_stands_is_on_the_line_of_what_holds_it() -> None:
    document = read_document(TEXT, "f.yaml")
    assert document.fault(("steps", 1, "name"), "is missing.") == Fault("f.yaml", 6, "is missing.")
    assert document.fault(("timeout",), "is missing.").line == 1


def test_a_fault_reads_as_compilers_write_them() -> None:
    assert str(Fault("f.yaml", 6, "is missing.")) == "f.yaml:6: is missing."
