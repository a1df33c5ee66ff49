"""Names at each limit of what AWS accepts."""

from __future__ import annotations

import pytest

from simulator.base.names import LENGTHS, NamedKind, bucket_name_fault, fits_pattern, fitted, length_fault


@pytest.mark.parametrize("name", ["abc", "a" * 63, "0-0", "a.b-c.9", "1.2.3.4x", "a-.b", "xn-a", "a-s3aliases"])
def test_a_bucket_s_name_is_taken(name: str) -> None:
    """These are the shortest and the longest, with dots and hyphens inside."""
    assert bucket_name_fault(name) is None


@pytest.mark.parametrize(
    ("name", "said"),
    [
        *((name, "3 to 63 characters") for name in ("", "ab", "a" * 64)),
        *((name, "lower-case letters") for name in ("My_Bucket", "Abc", "a_b", "a b", "äbc", "abc\n")),
        *((name, "at both ends") for name in ("-ab", "ab-", ".ab", "ab.")),
        ("a..b", "two dots in a row"),
        *((name, "not be an IP address") for name in ("192.168.5.4", "1.2.3.999")),
        *((name, "prefix or suffix") for name in ("xn--a", "sthree-a", "amzn-s3-demo-a")),
        *((name, "prefix or suffix") for name in ("a-s3alias", "a--ol-s3", "a.mrap", "a--x-s3", "a--table-s3")),
    ],
)  # fmt: skip
def test_a_bucket_s_name_is_refused(name: str, said: str) -> None:
    """The first rule that it breaks is named."""
    assert said in (bucket_name_fault(name) or "")


@pytest.mark.parametrize("kind", ["queue", "table", "function"])
def test_the_characters_of_other_names(kind: NamedKind) -> None:
    """Letters, digits, hyphen and underscore are allowed; in a table's name also the dot."""
    assert fits_pattern(kind, "aZ09-_")
    for character in " /:é\n\x00*":
        assert not fits_pattern(kind, f"a{character}")
        assert not fits_pattern(kind, f"{character}a")
    assert fits_pattern(kind, "a.b") == (kind == "table")


@pytest.mark.parametrize("kind", LENGTHS)
def test_a_name_made_up_is_cut_to_the_longest(kind: NamedKind) -> None:
    """It is unchanged if it fits; two that begin alike stay different."""
    longest = LENGTHS[kind][1]
    assert fitted(kind, "a" * longest) == "a" * longest
    first, second = fitted(kind, "a" * longest + "b"), fitted(kind, "a" * longest + "c")
    assert len(first) == len(second) == longest
    assert first != second
    assert first.startswith("a" * (longest - 9) + "-")


@pytest.mark.parametrize(
    ("kind", "shortest", "longest"), [("bucket", 3, 63), ("queue", 1, 80), ("table", 3, 255), ("function", 1, 64)]
)
def test_lengths_are_those_of_the_api_references(kind: NamedKind, shortest: int, longest: int) -> None:
    """These are the shortest and longest, and one beyond each."""
    assert length_fault(kind, "a" * shortest) is length_fault(kind, "a" * longest) is None
    assert length_fault(kind, "a" * (shortest - 1)) == f"greater than or equal to {shortest}"
    assert length_fault(kind, "a" * (longest + 1)) == f"less than or equal to {longest}"
