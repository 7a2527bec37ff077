"""The columns of a CSV of friends, and what their cells say.

Pure: a header and cells in, columns and values out.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from datetime import date

from tobiishi.errors import Invalid
from tobiishi.people import friends
from tobiishi.people.member_lists import AROUND_IDS, INVISIBLE
from tobiishi.scenario.parts import plain_tag, read_tag
from tobiishi.user_ids import is_user_id, why_not

#: How a header may name the columns that are known; small and large letters are the same.
COLUMNS = {
    "friend": ("friend", "user_id", "userid", "ユーザーid"),
    "gender": ("gender", "性別"),
    "birthday": ("birthday", "誕生日"),
    "age": ("age", "年齢"),
    "region": ("region", "地域"),
    "os": ("os",),
    "language": ("language", "言語"),
    "tags": ("tags", "タグ"),
}
_NAMES = {header: name for name, many in COLUMNS.items() for header in many}
_GENDERS = {"男性": "male", "男": "male", "女性": "female", "女": "female", "その他": "other"}
_OTHERS = {"その他": "other"}
#: An attribute of the shop's own, as `tobiishi.scenario.parts.FieldName`.
_OWN = re.compile(r"[a-z][a-z0-9_]{0,31}")
_DATE = re.compile(r"([0-9]{4})[-/年]([0-9]{1,2})[-/月]([0-9]{1,2})日?")
_LANGUAGE = re.compile(friends.LANGUAGE)
#: Those that people take commas and tabs for; the last two are full-width.
_OTHER_SEPARATORS = re.compile("[;|\uff0c\u3001]")
#: Control characters, among them line breaks, and what broken letters became.
_UNWANTED = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ufffd]")
#: The second is the full-width one.
_SEMICOLONS = re.compile("[;\uff1b]")

#: In a cell: forget what is known.
FORGET = "-"
#: Own attributes of one file, tags of one line; as the API takes them.
MAX_OWN_ATTRIBUTES, MAX_TAGS = 50, 100
#: Letters. A region and an own attribute's value are no longer.
MAX_REGION_CHARS, MAX_OWN_CHARS = 64, 200


@dataclass(frozen=True, kw_only=True)
class Column:
    """A column of the file."""

    #: As the header writes it.
    header: str
    #: One of `COLUMNS`, or an attribute of the shop's own; `""` where the header is empty.
    name: str

    @property
    def is_own(self) -> bool:
        return self.name not in COLUMNS

    @property
    def is_known(self) -> bool:
        return not self.is_own or not self.name or bool(_OWN.fullmatch(self.name))


def columns_of(header: list[str]) -> list[Column]:
    """The columns that a header row names. Raises `Invalid`."""
    if any(is_user_id(id_in(cell)) for cell in header):
        raise Invalid(
            "the first row tells of a friend already; put one above it that names the columns, "
            "such as friend,gender,tags"
        )
    if len(header) == 1 and (separator := _OTHER_SEPARATORS.search(header[0])):
        raise Invalid(
            f"the columns are separated by {separator[0]!r}; save the file with commas (CSV UTF-8) "
            "or tabs"
        )
    columns = [_column(cell.strip()) for cell in header]
    if unknown := [f"{column.header[:60]!r}" for column in columns if not column.is_known]:
        several = len(unknown) > 1
        raise Invalid(
            f"column{'s' if several else ''} {', '.join(unknown)} {'are' if several else 'is'} not "
            f"known; name {'each' if several else 'it'} one of {', '.join(COLUMNS)}, or name an "
            "attribute of your own in lower-case letters, digits and _ (such as rank), or take "
            f"{'them' if several else 'it'} out"
        )
    known: dict[str, Column] = {}
    for column in columns:
        if column.name and column.name in known:
            raise Invalid(
                f"columns {known[column.name].header!r} and {column.header!r} are the same one; "
                "take one out"
            )
        known[column.name] = column
    if "friend" not in known:
        raise Invalid("no column is named friend; name the one with LINE's user ids so")
    if (count := sum(column.is_own for column in columns if column.name)) > MAX_OWN_ATTRIBUTES:
        raise Invalid(
            f"{count} columns are own attributes; {MAX_OWN_ATTRIBUTES} at most: take some out"
        )
    return columns


def _column(header: str) -> Column:
    plain = unicodedata.normalize("NFKC", INVISIBLE.sub(" ", header)).strip()
    return Column(header=header, name=_NAMES.get(plain.lower(), plain))


def value_of(name: str, text: str, today: date) -> str | int | list[str]:
    """What a cell of that column says. Raises `ValueError` with the problem and its fix."""
    if unwanted := _UNWANTED.search(text):
        raise ValueError(_problem_with(unwanted[0]))
    plain = unicodedata.normalize("NFKC", text).strip()
    match name:
        case "friend":
            if not is_user_id(found := id_in(text)):
                raise ValueError(why_not(found))
            return found
        case "gender":
            return _one_of(("male", "female", "other"), plain, _GENDERS)
        case "os":
            return _one_of(("ios", "android", "other"), plain, _OTHERS)
        case "birthday":
            return _birthday(plain, today)
        case "age":
            if not re.fullmatch("[0-9]{1,3}", plain) or int(plain) > 150:
                raise ValueError("is not an age; write whole years, 0 to 150")
            return int(plain)
        case "region":
            return _no_longer(text, MAX_REGION_CHARS)
        case "language":
            if not _LANGUAGE.fullmatch(plain):
                raise ValueError("is not a BCP 47 language; write it as ja, en or zh-Hant")
            return plain
        case "tags":
            return _tags(text)
    return _no_longer(text, MAX_OWN_CHARS)


def id_in(cell: str) -> str:
    """The cell without what is invisible, or put around values, before and behind an id."""
    plain = INVISIBLE.sub(" ", cell)
    # As long as the cell: what is invisible in the middle stays, to be told of.
    begin = len(plain) - len(plain.lstrip(AROUND_IDS))
    return cell[begin : len(plain.rstrip(AROUND_IDS))]


def _problem_with(character: str) -> str:
    if character == "\ufffd":
        return f"has lost a character ({character}); write it again, and save the file as CSV UTF-8"
    names = {"\n": "a line break", "\r": "a line break", "\t": "a tab"}
    name = names.get(character, f"a control character (U+{ord(character):04X})")
    return f"holds {name}; take it out"


def _one_of(values: tuple[str, ...], text: str, others: dict[str, str]) -> str:
    value = others.get(text, text.lower())
    if value not in values:
        raise ValueError(f"is none of {', '.join(values)}, {', '.join(others)}; write one of them")
    return value


def _birthday(text: str, today: date) -> str:
    found = _DATE.fullmatch(text)
    try:
        birthday = date(*map(int, found.groups())) if found else None
    except ValueError:
        birthday = None
    if birthday is None:
        raise ValueError("is not a date; write it as 2001-02-03 or 2001/2/3")
    if birthday > today:
        raise ValueError("is in the future; correct it")
    return birthday.isoformat()


def _tags(text: str) -> list[str]:
    tags = list(dict.fromkeys(read_tag(tag) for tag in _SEMICOLONS.split(text) if plain_tag(tag)))
    if FORGET in tags:
        raise ValueError("tags are only added; leave it empty, and take a tag off by itself")
    if len(tags) > MAX_TAGS:
        raise ValueError(f"has {len(tags)} tags; {MAX_TAGS} at most in one line")
    return tags


def _no_longer(text: str, longest: int) -> str:
    if len(text) > longest:
        raise ValueError(f"has {len(text)} characters; shorten it to {longest}")
    return text
