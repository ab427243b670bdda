"""What surrounds an answer: reasoning, answer tags, drafts before a final version, markup."""

from __future__ import annotations

import html
import re

from .fold import fold
from .scan import Text, len_of_tokens
from .words import NUMBER_WORDS

#: Of a longer answer the first and last halves are read, so that hostile text is read in bounded
#: time. No model writes that much in earnest: these are thousands of scores, or a novella.
MOST_TOKENS, MOST_CHARACTERS = 1 << 15, 1 << 18

_THOUGHTS = "think|thinking|thought|thoughts|reasoning|reflection|analysis|scratchpad|rationale"
_THOUGHT_TAG = re.compile(
    rf"<(?P<open>{_THOUGHTS})>|</(?:{_THOUGHTS})>"
    r"|(?P<open2>\[think\]|◁think▷|<\|begin_of_thought\|>|<\|channel\|>analysis<\|message\|>)"
    r"|\[/think\]|◁/think▷|<\|end_of_thought\|>|<\|channel\|>final<\|message\|>",
    re.IGNORECASE,
)
_ANSWER_OPEN = re.compile(r"<(?:final_?)?(?:answer|output|response|result)>", re.IGNORECASE)
_ANSWER_CLOSE = re.compile(r"</(?:final_?)?(?:answer|output|response|result)>", re.IGNORECASE)
_BOXED = re.compile(r"\\boxed\s?\{([^{}\n]{0,2000})\}")
_FINAL = re.compile(
    r"(?:\b(?:final|finally|revised|corrected|updated|adjusted|endgültige?r?|définiti\w{1,4}"
    r"|definitiv\w{1,2}|итогов\w{1,3}|окончательн\w{1,3})\b|最终|最終|최종|النهائي)"
    r"[^\n:]{0,48}[:\n]",
    re.IGNORECASE,
)
_TAG = re.compile(r"<(/?)([A-Za-z][A-Za-z0-9_:.-]{0,40})(\s[^<>]{0,200})?/?>")
_LINE_TAGS = {"br", "p", "li", "ul", "ol", "tr", "div"}
_INLINE_TAGS = {"b", "i", "u", "em", "strong", "span", "code", "mark", "td", "th"}
_BULLET = re.compile(r"(?m)^([ \t]{0,16})\*[ \t]")
_GROWN_TOGETHER = re.compile(r"(?<=\d),(?=\d{1,4} ?[:=])")  # "1:9,3:2" has no decimal comma
_NUMBER = "|".join(NUMBER_WORDS)
_SPELLED = re.compile(
    rf"(?im)(?P<before>^[^\w\n]{{0,6}}|[:=][^\w\n]{{0,4}})(?:{_NUMBER})\b"
    r"(?=[^\w\n]{0,3}$|,| out of\b)"
    rf"|(?<=\bout of )(?:{_NUMBER})\b|\b(?:{_NUMBER})(?= out of (?:{_NUMBER}|\d))"
)
_FULL_MARKS = re.compile(
    r"\d{1,3} ?(?:点満点|점 ?만점|分[满滿]分)[中での에중]{0,2}|[满滿]分[为是]?\d{1,3}分?"
)
# "第3篇文档", "3번 문서", "the 3rd passage"
_NTH = re.compile(
    r"(?i)(?:第 ?(\d{1,3}) ?[个個份篇段条條]? ?|\b(\d{1,3})(?:번째? ?|番目?の?|st |nd |rd |th ))"
    r"(doc|document|passage|text|文档|文檔|文章|文本|文書|文件|段落|パッセージ|문서|단락|지문|篇|段)(?![a-z])"
)
_LOOSE_UNDERSCORE = re.compile(r"_+(?![A-Za-z0-9])|(?<![A-Za-z0-9])_+")


def answer(reply: str) -> str:
    """`reply` with its characters folded, without reasoning, and no longer than is read."""
    text = without_reasoning(fold(reply))
    head = _half(text)
    if head == len(text):
        return text
    tail = _half(text[::-1])
    return text if head + tail >= len(text) else text[:head] + "\n" + text[-tail:]


def _half(text: str) -> int:
    """The length of the part of `text` that is read from one end of it."""
    return len_of_tokens(text[: MOST_CHARACTERS // 2], MOST_TOKENS // 2)


def without_reasoning(text: str) -> str:
    """What the model said aloud: think blocks are dropped, closed, unclosed or never opened.

    An answer tag inside a block that was never closed still counts: the model forgot the end.
    """
    kept: list[str] = []
    start, inside = 0, False
    for tag in _THOUGHT_TAG.finditer(text):
        if tag["open"] or tag["open2"]:
            if not inside:
                kept.append(text[start : tag.start()])
            inside = True
        else:
            if not inside:  # the opening tag was part of the prompt
                kept.clear()
            inside, start = False, tag.end()
            continue
        start = tag.end()
    rest = text[start:]
    if not inside:
        kept.append(rest)
    elif answer := _ANSWER_OPEN.search(rest):
        kept.append(rest[answer.start() :])
    return "\n".join(kept)


def answer_part(text: str) -> str:
    """What stands in the last answer tag or box; `text` where there is none, or it is empty."""
    for tag in reversed(list(_ANSWER_OPEN.finditer(text))):
        close = _ANSWER_CLOSE.search(text, tag.end())
        inner = text[tag.end() : close.start() if close else len(text)]
        return inner if inner.strip() else text
    boxes = _BOXED.findall(text)
    return boxes[-1] if boxes else text


def final_part(text: str) -> str | None:
    """What follows the last "final answer:", "revised scores:" and the like."""
    ends = [marker.end() for marker in _FINAL.finditer(text)]
    return text[ends[-1] :] if ends else None


def plain(text: str) -> Text:
    """`text` without markup: emphasis, fences, escapes, entities; tags become `name: `."""
    if "&" in text:
        text = html.unescape(text)
    if "<" in text:
        text = _TAG.sub(_untagged, text)
    text = _NTH.sub(r"\3 \1\2", text)
    text = _FULL_MARKS.sub(" ", _SPELLED.sub(_in_digits, text))
    text = _BULLET.sub(r"\1- ", text).replace("```", "\n").replace("*", "").replace("`", "")
    text = _GROWN_TOGETHER.sub(", ", text)
    if "\\" in text:
        text = text.replace("\\[", "[").replace("\\]", "]").replace("\\_", "_")
    return Text(_LOOSE_UNDERSCORE.sub("", text) if "_" in text else text)


def _in_digits(spelled: re.Match[str]) -> str:
    before = spelled["before"] or ""
    return f"{before}{NUMBER_WORDS[spelled[0][len(before) :].lower()]}"


def _untagged(tag: re.Match[str]) -> str:
    closing, name, attributes = tag.groups()
    if name.lower() in _INLINE_TAGS:
        return " "
    if closing or name.lower() in _LINE_TAGS:
        return "\n"
    if len(name) == 1:  # a document's letter rather than a tag
        return tag[0]
    return f"\n{name} {attributes.replace('=', ': ')}: " if attributes else f"\n{name}: "
