"""Written words → words for the ear: numbers and times spelled out, no brackets, and how long they take to say."""

from __future__ import annotations

import math
import re
from datetime import datetime

ZH_PER_MINUTE = 270  # characters a Chinese newsreader says; 240 to 300 is usual
EN_PER_MINUTE = 150  # words

_ZH = "零一二三四五六七八九"
_ZH_UNITS = ("", "十", "百", "千")
_ZH_DIALLED = str.maketrans("0123456789", "零幺二三四五六七八九")
_SMALL = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
    "eighteen nineteen"
)
_ONES = tuple(_SMALL.split())
_TENS = ("", "", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
_ORDINAL = {"one": "first", "two": "second", "three": "third", "five": "fifth", "eight": "eighth", "nine": "ninth"}
_ORDINAL |= {"twelve": "twelfth", "twenty": "twentieth", "thirty": "thirtieth"}
_TIME = re.compile(r"(\d{1,2})[:：](\d\d)(?!\d)")
_NUMBER = re.compile(r"\d+(?:\.\d+)?")
_DIALLED = 5  # digits from which on a number is read one by one, as a telephone number


def number_zh(value: int) -> str:
    """0 to 9999: 二十三, 一百零五."""
    if value < 10:
        return _ZH[value]
    digits, text, gap = str(value), "", False
    for place, digit in zip(range(len(digits) - 1, -1, -1), digits, strict=True):
        if digit == "0":
            gap = True
            continue
        text += ("零" if gap and text else "") + _ZH[int(digit)] + _ZH_UNITS[place]
        gap = False
    return text[1:] if 10 <= value < 20 else text


def number_en(value: int) -> str:
    """0 to 9999: twenty-three, one hundred and five."""
    if value < 20:
        return _ONES[value]
    if value < 100:
        tail = f"-{_ONES[value % 10]}" if value % 10 else ""
        return _TENS[value // 10] + tail
    unit, name = (1000, "thousand") if value >= 1000 else (100, "hundred")
    rest = value % unit
    joint = " and " if rest < 100 else " "
    return f"{number_en(value // unit)} {name}" + (joint + number_en(rest) if rest else "")


def ordinal_en(value: int) -> str:
    """1 to 31: first, twenty-third."""
    head, dash, last = number_en(value).rpartition("-")
    return head + dash + _ORDINAL.get(last, f"{last}th")


def spoken_hour(hour: int, language: str) -> str:
    """凌晨两点, 晚上八点; two in the morning, eight in the evening."""
    if language == "zh":
        parts = ((6, "凌晨"), (9, "早上"), (12, "上午"), (13, "中午"), (18, "下午"), (24, "晚上"))
        part = next(name for end, name in parts if hour < end)
        twelve = hour if hour <= 12 else hour - 12
        return part + ("两" if twelve == 2 else number_zh(twelve)) + "点"
    if hour in (0, 12):
        return "noon" if hour else "midnight"
    part = "morning" if hour < 12 else "afternoon" if hour < 18 else "evening"
    return f"{number_en(hour % 12)} in the {part}"


def spoken_moment(local: datetime, language: str) -> str:
    """七月二十三日凌晨两点; two in the morning on the twenty-third of July. Full hours only."""
    if language == "zh":
        return f"{number_zh(local.month)}月{number_zh(local.day)}日{spoken_hour(local.hour, 'zh')}"
    return f"{spoken_hour(local.hour, 'en')} on the {ordinal_en(local.day)} of {local:%B}"


def spelled(text: str, language: str) -> str:
    """A text with its figures in words and without brackets or quotation marks."""
    text = re.sub(r"[（(【\[]", "，" if language == "zh" else ", ", text)
    text = re.sub(r"[）)】\]“”\"《》〈〉]", "", text)
    text = _TIME.sub(lambda found: _time(int(found[1]), int(found[2]), language), text)
    return _NUMBER.sub(lambda found: _figure(found[0], language), text)


def seconds(text: str, language: str) -> int:
    """How long a newsreader needs, rounded up."""
    if language == "zh":
        return math.ceil(len("".join(text.split())) * 60 / ZH_PER_MINUTE)
    return math.ceil(len(text.split()) * 60 / EN_PER_MINUTE)


def _time(hour: int, minute: int, language: str) -> str:
    if language == "zh":
        return f"{number_zh(hour)}时" + (f"{number_zh(minute)}分" if minute else "")
    return f"{number_en(hour)} " + (number_en(minute) if minute else "hundred hours")


def _figure(text: str, language: str) -> str:
    whole, _, fraction = text.partition(".")
    if len(whole) >= _DIALLED or (len(whole) > 1 and whole.startswith("0")):
        head = whole.translate(_ZH_DIALLED) if language == "zh" else " ".join(_ONES[int(d)] for d in whole)
    else:
        head = number_zh(int(whole)) if language == "zh" else number_en(int(whole))
    if not fraction:
        return head
    if language == "zh":
        return f"{head}点{''.join(_ZH[int(d)] for d in fraction)}"
    return f"{head} point {' '.join(_ONES[int(d)] for d in fraction)}"
