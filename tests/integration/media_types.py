"""Answers in MessagePack and CSV, read by other means than the service writes them, and compared with the JSON of the
same question. Order, types and the last digit count."""

import csv
import io
import json
import re
import struct
from decimal import Decimal


class Pairs(list):
    """A map as [(key, value)]: in order, and with members that share a name."""


def parse_json(body):
    return json.loads(body, parse_float=Decimal, object_pairs_hook=Pairs)


# ---- MessagePack

FIXED = {0xC0: None, 0xC2: False, 0xC3: True}
NUMBERS = {0xCB: ">d", 0xCC: ">B", 0xCD: ">H", 0xCE: ">I", 0xCF: ">Q", 0xD0: ">b", 0xD1: ">h", 0xD2: ">i", 0xD3: ">q"}
TEXTS = {0xD9: ">B", 0xDA: ">H", 0xDB: ">I"}
ARRAYS, MAPS = {0xDC: ">H", 0xDD: ">I"}, {0xDE: ">H", 0xDF: ">I"}


class Reader:
    """Takes what an answer may be made of, and nothing else: no float 32, no bin, no extensions."""

    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, length):
        assert self.at + length <= len(self.data), "cut short"
        self.at += length
        return self.data[self.at - length : self.at]

    def number(self, form):
        return struct.unpack(form, self.take(struct.calcsize(form)))[0]

    def text(self, length):
        return self.take(length).decode("utf-8")

    def array(self, count):
        return [self.value() for _ in range(count)]

    def map(self, count):
        pairs = Pairs()
        for _ in range(count):
            key = self.value()
            assert isinstance(key, str), key
            pairs.append((key, self.value()))
        return pairs

    def value(self):
        head = self.number(">B")
        if head < 0x80:
            return head
        if head >= 0xE0:
            return head - 0x100
        for first, last, read in ((0x80, 0x8F, self.map), (0x90, 0x9F, self.array), (0xA0, 0xBF, self.text)):
            if first <= head <= last:
                return read(head - first)
        if head in FIXED:
            return FIXED[head]
        if head in NUMBERS:
            return self.number(NUMBERS[head])
        for forms, read in ((TEXTS, self.text), (ARRAYS, self.array), (MAPS, self.map)):
            if head in forms:
                return read(self.number(forms[head]))
        raise AssertionError(f"type {head:#x}")


def parse_msgpack(body):
    reader = Reader(body)
    value = reader.value()
    assert reader.at == len(body), "more than one value"
    return value


def as_msgpack_has_it(value):
    """What MessagePack makes of a value of the JSON: a fraction's nearest double, text of what 64 bits cannot hold."""
    if isinstance(value, Pairs):
        return Pairs((key, as_msgpack_has_it(inner)) for key, inner in value)
    if isinstance(value, list):
        return [as_msgpack_has_it(inner) for inner in value]
    if isinstance(value, Decimal):
        return float(str(value))
    if isinstance(value, int) and not isinstance(value, bool) and value >= 2**64:
        return str(value)
    return value


def assert_same_types(left, right, where):
    assert type(left) is type(right), (where, left, right)
    if isinstance(left, Pairs):
        assert [key for key, _ in left] == [key for key, _ in right], where
        for (key, one), (_, other) in zip(left, right):
            assert_same_types(one, other, (*where, key))
    elif isinstance(left, list):
        assert len(left) == len(right), where
        for number, (one, other) in enumerate(zip(left, right)):
            assert_same_types(one, other, (*where, number))
    else:
        assert left == right, where


def assert_msgpack_is_json(packed, plain):
    assert_same_types(parse_msgpack(packed), as_msgpack_has_it(parse_json(plain)), ())


# ---- CSV

BLANKS = "".join(
    map(
        chr,
        (
            *range(0x21),
            *range(0x7F, 0xA1),
            0xAD,
            0x1680,
            0x180E,
            *range(0x2000, 0x2010),
            *range(0x2028, 0x2030),
            *range(0x205F, 0x2065),
            0x3000,
            0xFEFF,
        ),
    )
)
FORMULA = re.compile(f"[\t\r\n]|[{re.escape(BLANKS)}]*[-=+@\uff1d\uff0b\uff0d\uff20]")


def cell_of_text(text):
    return ("'" if FORMULA.match(text) else "") + text.replace("\0", "\ufffd")


def cell_of_cnpj(value):
    if value is None:
        return ""
    digits = str(value).rjust(14, "0") if isinstance(value, int) else value
    if re.fullmatch(r"[0-9A-Z]{12}[0-9]{2}", digits):
        return f"{digits[:2]}.{digits[2:5]}.{digits[5:8]}/{digits[8:12]}-{digits[12:]}"
    return "'" + digits if isinstance(value, int) else cell_of_text(digits)


def cell_of_timestamp(value):
    return "" if value is None else value[:19].replace("T", " ")


BY_NAME = {
    "cnpj": cell_of_cnpj,
    "criado_em": cell_of_timestamp,
    "atualizado_em": cell_of_timestamp,
    "data_adesao": cell_of_timestamp,
    "data_start_onboarding": cell_of_timestamp,
    "data_end_onboarding": cell_of_timestamp,
    "data_cancelamento": cell_of_timestamp,
}


def cell_of(name, value):
    """The cell that a member of the JSON is to become."""
    if name in BY_NAME:
        return BY_NAME[name](value)
    if value is None:
        return ""
    if isinstance(value, bool):
        return "VERDADEIRO" if value else "FALSO"
    if isinstance(value, (int, Decimal)):
        return format(value, "f").replace(".", ",") if isinstance(value, Decimal) else str(value)
    return cell_of_text(", ".join(value) if isinstance(value, list) else value)


def parse_csv(body):
    """[[cell]], the names first."""
    text = body.decode("utf-8")
    assert text.startswith("\ufeff") and text.endswith("\r\n")
    return list(csv.reader(io.StringIO(text[1:], newline=""), delimiter=";", strict=True))


def assert_csv_is_json(table, plain, names):
    rows = parse_csv(table)
    document = parse_json(plain)
    assert rows[0] == names
    expected = [[cell_of(name, value) for name, value in members] for _, members in document]
    assert len(rows) - 1 == len(expected)
    for row, wanted in zip(rows[1:], expected):
        assert row == wanted
