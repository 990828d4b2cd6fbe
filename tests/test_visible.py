import unicodedata

from esteira.visible import UNSEEN, visible


def test_what_is_no_text_is_replaced_and_texts_are_not() -> None:
    assert visible("\x1b[31mred\x1b[0m\r\u202eabc\u2069\ud800") == "\ufffd[31mred\ufffd[0m\ufffd\ufffdabc\ufffd\ufffd"
    for text in ("É ß\tx\ny", "\N{WOMAN}\u200d\N{PERSONAL COMPUTER}", "\u05e9\u05dc\u05d5\u05dd", "ﬁ\u00a0\u3000"):
        assert visible(text) == text


def test_every_character_that_turns_the_direction_is_replaced() -> None:
    # https://www.unicode.org/reports/tr9/#Bidirectional_Character_Types
    turning = {"LRE", "LRO", "RLE", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}
    found = [chr(code) for code in range(0x110000) if unicodedata.bidirectional(chr(code)) in turning]
    assert len(found) == 9
    assert all(UNSEEN.match(character) for character in found)
