from rich.console import Console

from esteira.tables import make_facts, make_table


def printed(shown: object) -> str:
    console = Console(soft_wrap=True, highlight=False, width=40)
    with console.capture() as captured:
        console.print(shown, markup=False)
    return captured.get()


def test_lines_end_with_what_they_show_and_cells_stay_whole() -> None:
    long = "/a/place/" + "x" * 60
    assert printed(make_table(["part", "place", "n"], [("image", "", "1"), ("data", long, "")], right=["n"])) == (
        f"part   place{' ' * 66}n\nimage{' ' * 73}1\ndata   {long}\n"
    )


def test_facts_without_a_value_are_left_out_and_a_value_may_have_lines() -> None:
    assert printed(make_facts([("model", "one\n[bold]two[/]"), ("parent", "")])) == "model  one\n       [bold]two[/]\n"


def test_no_cell_gives_a_terminal_orders() -> None:
    assert printed(make_table(["text"], [("\x1b[31mred\x07",)])) == "text\n�[31mred�\n"
