#!/bin/sh
# Prints which of some known words may be meant by a word that is not known, "" if none is close: as "a", "a or b".
# Usage: closest.sh WORD KNOWN...      KNOWN is a word, or other=word where `other` is what people call it elsewhere
# It has to tell what is wrong before there is any Python, so that it is written for the awk of any system.
set -eu

word=$1
shift
printf '%s\n' "$@" | WORD=$word LC_ALL=C awk -v most=3 '
function plain(text) { text = tolower(text); gsub(/_/, "-", text); return text }
function least(a, b) { return a < b ? a : b }
# The number of letters to add, drop, change or swap (https://en.wikipedia.org/wiki/Damerau-Levenshtein_distance).
function distance(a, b,    i, j, cost, d) {
    for (i = 0; i <= length(a); i++) d[i, 0] = i
    for (j = 0; j <= length(b); j++) d[0, j] = j
    for (i = 1; i <= length(a); i++) for (j = 1; j <= length(b); j++) {
        cost = substr(a, i, 1) != substr(b, j, 1)
        d[i, j] = least(least(d[i - 1, j] + 1, d[i, j - 1] + 1), d[i - 1, j - 1] + cost)
        if (i > 1 && j > 1 && substr(a, i, 1) == substr(b, j - 1, 1) && substr(a, i - 1, 1) == substr(b, j, 1))
            d[i, j] = least(d[i, j], d[i - 2, j - 2] + 1)
    }
    return d[length(a), length(b)]
}
function begins(a, b) { return length(b) >= 3 && index(a, b) == 1 }
BEGIN { word = ENVIRON["WORD"] }
{
    name = $0; sub(/=.*/, "", name); meant = $0; sub(/.*=/, "", meant)
    a = plain(word); b = plain(name)
    far = distance(a, b)
    # A beginning is nearly as good as one letter off, and one with too much behind it comes next.
    if (name == meant && begins(b, a)) far = least(far, 1.2)
    if (name == meant && begins(a, b)) far = least(far, 1.5)
    # Every letter is one change away from every other.
    limit = length(a) < 2 ? 0 : length(a) < 5 ? 1 : int((length(a) + 3) / 3)
    if (far > limit || (name != meant && far > 0)) next
    if (best == "" || far < best) { best = far; count = 0 }
    if (far == best && count < most) close_to[++count] = meant
}
END { for (i = 1; i <= count; i++) printf "%s%s", close_to[i], i == count ? "\n" : i == count - 1 ? " or " : ", " }'
