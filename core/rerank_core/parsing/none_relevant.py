""" "None of the documents is relevant": an answer, and not the lack of one.

As JSON, an answer that is empty: `[]`, `{"order": []}`. As text, a sentence that says it of all
documents, in a reply that goes on to name none, makes no exception and no condition. A refusal
("I cannot help with that"), an empty reply, `{}` and a bare "None" (a null that some program
turned into text) say nothing of the documents.
"""

from __future__ import annotations

import re

from .ids import first_id_used, is_id_key
from .labels import is_left_out_key, is_order_key, is_score_key, names_best
from .layers import final_part, plain
from .mentions import mentions
from .prose import told
from .scan import Text, tokens
from .structure import JSON, strict_blocks
from .verdict import says_relevant
from .words import ANSWER_WORDS, NUMBER_WORDS

_LONGEST = 4000  # characters of prose in which the sentence may stand

_DOCS = (
    r"(?:documents?|docs?|passages?|texts?|chunks?|results?|snippets?|candidates?|items?|sources?"
    r"|articles?|entries|excerpts?|paragraphs?|contexts?|options?)"
)
_NUMBER = rf"\d{{1,4}}|{'|'.join(NUMBER_WORDS)}"
_GIVEN = (
    r"(?:(?:provided|given|listed|above|retrieved|supplied|available|presented|shown|candidate"
    rf"|search|text|these|those|the|your|(?P<NAME>{_NUMBER}))\s){{0,4}}"
)
_HOW = (
    r"(?:(?:at all|directly|really|actually|clearly|even|remotely|in any way|specifically|truly"
    r"|obviously|explicitly)\s){0,2}"
)
_WHOLLY = r"(?:(?:all|both|completely|entirely|totally|wholly)\s){0,2}"
_ID = r"[\[(#]{0,2}\d{1,4}[\])]?"
_WHICH = (
    rf"(?:\s{_ID}(?: ?(?:to|through|and|or|,|-) ?{_ID}){{0,40}})?"
    r"(?:\s(?:that|which|you|i|we|were|was|are|have|has|been|provided|given|gave|listed|above"
    r"|below|here|shown|supplied|presented|retrieved|received|in|the|this|list|set|context|me|us"
    r"|search|results)){0,8}?"
)
_BE = (
    r"(?:is|are|was|were|seems?|appears?|looks?)"
    r"(?: (?:found|deemed|judged|considered))?(?: to be| as)?"
)
_RELEVANT = (
    r"(?:relevant|related|pertinent|useful|helpful|applicable|suitable|appropriate|matching)"
)
_WORTH = (
    rf"(?:{_RELEVANT}|on[- ]topic|about|of (?:any )?(?:use|relevance|help)|a (?:good )?match)\b"
)
_DO = (
    r"(?:answers?|address(?:es)?|relates?|pertains?|match(?:es)?|concerns?|mentions?|discuss(?:es)?"
    r"|covers?|deals? with|(?:talks?|speaks?) (?:about|of)"
    r"|(?:contains?|provides?|ha(?:s|ve)|offers?|gives?|includes?) (?:any |an? |the )?"
    rf"(?:{_RELEVANT}|information|answers?|details?))\b"
)


def _given(name: str) -> str:
    """What may stand before "documents"; the group `name` has how many they are."""
    return _GIVEN.replace("NAME", name)


_ENGLISH = (
    # none of the documents is relevant; neither answers the query
    rf"\b(?:none|not (?:a single )?one|not any|neither|nothing)"
    rf"(?: of (?:{_given('n1')}{_DOCS}|these|those|them|the above|the (?P<n2>{_NUMBER}))"
    rf"| (?:here|above|in (?:the|these) {_DOCS}))?{_WHICH}\s"
    rf"(?:{_BE}\s{_HOW}{_WORTH}|(?:directly |really |actually )?{_DO})",
    # no document is relevant
    rf"\b(?:no|not a single|not one|neither) {_given('n3')}{_DOCS}{_WHICH}\s"
    rf"(?:{_BE}\s{_HOW}{_WORTH}|(?:directly |really |actually )?{_DO})",
    # no relevant documents; I did not find any relevant passage
    rf"(?:\bno|\bzero|(?:\bnot|n't|\bunable to|\bfailed to) (?:find|see|identify|locate|contain)"
    rf"(?: any| an?)?) {_RELEVANT}(?: (?:or|and) {_RELEVANT})? {_DOCS}\b",
    # all documents are irrelevant; the documents do not answer the query
    rf"(?<!not )(?<!of )\b(?:all(?: of)?(?: (?:them|{_given('n4')}{_DOCS}))?|they|these"
    rf"|(?:the|these) {_given('n5')}{_DOCS}(?<=s)){_WHICH}\s"
    rf"(?:{_BE}\s{_WHOLLY}(?:irrelevant|unrelated|off[- ]topic|not {_HOW}{_WORTH})"
    rf"|(?:do|did)(?: not|n't) (?:directly |really |actually )?{_DO})",
    r"\A\W{0,8}none (?:(?:is|are) )?relevant\W{0,8}\Z",
    rf"\A\W{{0,8}}none of (?:them|these|those|the above|{_given('n6')}{_DOCS})\W{{0,8}}\Z",
    # Relevant documents: none
    rf"\b(?:ranking|order|answers?|ids|relevan\w{{1,3}}|{_DOCS})\W{{0,4}}[:=]\W{{0,4}}"
    rf"(?:none|nothing|no {_DOCS}|\[\])\W{{0,8}}\Z",
)
_ELSEWHERE = (
    r"\b(?:keine?[rsnm]?|nichts)\b[^.!?;,\n]{0,60}\b(?:relevant|passend|einschlägig)\w{0,3}\b",
    r"\b(?:aucune?|rien)\b[^.!?;,\n]{0,60}\b(?:pertinente?s?|en rapport)\b",
    r"\b(?:ning(?:uno|una|ún)|no hay)\b[^.!?;,\n]{0,60}\b(?:relevantes?|pertinentes?)\b",
    r"\b(?:nenhum|nenhuma|não há)\b[^.!?;,\n]{0,60}\b(?:relevantes?|pertinentes?)\b",
    r"\b(?:nessun[oa]?|non ci sono)\b[^.!?;,\n]{0,60}\b(?:rilevant[ei]|pertinent[ei])\b",
    r"\bgeen\b[^.!?;,\n]{0,60}\brelevante?\b",
    r"\b(?:żad(?:en|na|ne)|brak)\b[^.!?;,\n]{0,60}\b(?:istotn|trafn|powiązan)\w{1,4}\b",
    r"\b(?:ни од(?:ин|на|но|ного)|нет)\b[^.!?;,\n]{0,60}"
    r"(?:\bрелевант|подходящ|относ[ия]тся)\w{0,5}",
    r"\bhiçbir\w{0,4}\b[^.!?;,\n]{0,60}\b(?:ilgili|alakalı)\b"
    r"|\bilgili (?:belge|doküman|metin|pasaj)\w{0,4} (?:yok|bulunamadı)",
    r"(?:没有|沒有|[无無])[^.!?;,\n]{0,30}(?:相关|相關)|[都均皆][^.!?;,\n]{0,20}(?:不相关|不相關|[无無][关關])",
    r"(?:関連|該当)[^.!?;,\n]{0,12}(?:文書|ドキュメント|文章|パッセージ|資料|もの)[はが]?[^.!?;,\n]{0,6}"
    r"(?:ありません|ない|なし|存在しません|見つかりません)"
    r"|(?:いずれ|どの|どれ)[^.!?;,\n]{0,12}も[^.!?;,\n]{0,16}(?:関連|関係)[^.!?;,\n]{0,8}"
    r"(?:ません|ない|なし)",
    r"관련[^.!?;,\n]{0,6}(?:문서|단락|구절|지문|자료)[가는이은]? ?(?:하나도 |전혀 )?없"
    r"|(?:어떤|어느|모든)[^.!?;,\n]{0,16}관련[이성]{0,2} ?(?:없|있지 않)",
    r"(?:لا توجد|لا يوجد|ليس هناك|لا شيء من)[^.!?;,\n]{0,40}(?:صلة|علاقة|مناسب)",
    r"कोई[^.!?;,\n]{0,40}(?:प्रासंगिक|संबंधित)[^.!?;,\n]{0,10}नहीं",
)
_SAYS_SO = tuple(re.compile(said, re.IGNORECASE) for said in (*_ENGLISH, *_ELSEWHERE))

#: Without one of these words no text says it: most texts are told by a single look.
_HINT = re.compile(
    r"\b(?:none|no|not|nothing|neither|zero|irrelevant|unrelated|off[- ]topic|unable|failed)\b|n't"
    r"|\b(?:kein|nichts|aucun|rien|ning[uú]n|nenhum|não|nessun|non|geen|żad|brak|ни|нет|hiçbir"
    r"|ilgili)|[没沒无無不ない]|ません|없|않|لا|ليس|नहीं|\[\]",
    re.IGNORECASE,
)
#: Where one of these stands, what is said is not said of all documents.
_NOT_OF_ALL = re.compile(
    r"\b(?:others?|rest|remaining|else|except|excepting|besides|apart from|aside from|other than"
    r"|unlike|save for|only|anderen|übrigen|restlichen|außer|nur|autres|sauf|excepté|otros|otras"
    r"|demás|excepto|salvo|outros|outras|exceto|altri|altre|tranne|andere|overige|behalve)\b"
    r"|остальн|других|кроме|только|其[他它余餘]|除了|只有|他の|その他|以外|다른|나머지|제외|외에"
    r"|الأخرى|باستثناء|अन्य|सिवाय"
    r"|\b(?:help|assist|comply) (?:you )?with\b"
    r"|\bno \w{2,12} (?:were|was|are|is|have been|has been) (?:provided|given|supplied|attached"
    r"|included|shown|listed)\b",
    re.IGNORECASE,
)
#: Behind the sentence these take it back, or begin to name what it left.
_GOES_ON = re.compile(
    r"\b(?:but|however|although|though|yet|nevertheless|nonetheless|still|still,|instead|while"
    r"|best|better|closest|missing|left out|excluded|omitted|please"
    r"|(?:the )?(?:first|second|third|last|latter|former)(?: one)?"
    r"|aber|jedoch|mais|cependant|pero|mas|porém|però|maar|но|однако|ama|fakat)\b"
    r"|但|不过|不過|しかし|ただし|하지만|그러나|لكن|लेकिन",
    re.IGNORECASE,
)
#: Before it, in its own sentence, these make it a condition, a guess or a word of the prompt's.
_UNSURE = re.compile(
    r"\b(?:if|when|whether|unless|in case|should|maybe|perhaps|possibl[ey]|might|may|could be"
    r"|not sure|unsure|doubt|don't think|do not think|not true|not the case|not that"
    r"|assuming|suppose|return|respond|reply with|output|wenn|falls|ob|si|se|als|если|jeśli|eğer)\b"
    r"|n't that\b|如果|若|是否|もし|만약|إذا|अगर|यदि",
    re.IGNORECASE,
)
_NONE = ("none", "nothing")
_FAILURES = ("error", "errors", "refusal", "message", "detail")
_DECLINES = re.compile(
    r"\b(?:cannot|can't|can not|could not|couldn't|unable|sorry|won't|error)\b", re.IGNORECASE
)
_EMPTY = re.compile(r"\[\s{0,80}\]|\{\s{0,80}\}|\bno(?:ne|thing)?\b", re.IGNORECASE)
_ENDS_SENTENCE = re.compile(r"[.!?;\n](?=\s|\Z)")


def is_empty_answer(value: JSON, count: int, first_id: int) -> bool:
    """Whether JSON has an answer's shape and names no document."""
    return _Look(count, first_id).is_empty_answer(value)


def ends_in_empty_answer(text: str, count: int, first_id: int) -> bool:
    """Whether the last JSON in an answer is such, and all that a bare `[]` could speak of."""
    tail = text[-_LONGEST:]
    blocks = strict_blocks(tail)[0] if _EMPTY.search(tail) else []
    last = blocks[-1][-1] if blocks else None
    alone = isinstance(last, dict) or text.replace("```json", "```").strip(" \n`") == "[]"
    return last is not None and alone and is_empty_answer(last, count, first_id)


def says_none_relevant(text: str, count: int, first_id: int) -> bool:
    """Whether all that an answer says in words of its documents is that none is relevant."""
    if not _HINT.search(text[-_LONGEST:]):
        return False
    look = _Look(count, first_id)
    if len(text) <= _LONGEST and look.says_none(plain(text)):
        return True
    final = final_part(text[-_LONGEST:])
    return final is not None and look.says_none(plain(final))


def says_irrelevant(text: str) -> bool:
    """The same of an answer about one document."""
    return says_none_relevant(text, 1, 1)


class _Look:
    """One reply's documents, and what is said of them all."""

    def __init__(self, count: int, first_id: int) -> None:
        self.count, self.first_id = count, first_id

    def is_empty_answer(self, value: JSON, depth: int = 3) -> bool:
        """`[]`, or an object that has an answer's key and nothing in it."""
        if isinstance(value, list):
            inner = value[0] if len(value) == 1 and depth else None
            return not value or (isinstance(inner, dict) and self.is_empty_answer(inner, depth - 1))
        if not isinstance(value, dict):
            return False
        answers = [key for key in value if _names_answer(key)]
        if any(isinstance(value[key], int | float) for key in answers):
            return False
        remarks = [plain(text[:_LONGEST]) for text in value.values() if isinstance(text, str)]
        said = any(map(self.says_none, remarks))
        if not said and any(value.get(key) for key in _FAILURES):
            return False
        if not said and any(
            _DECLINES.search(remark) or says_relevant(remark) or told(remark, self.count)
            for remark in remarks
        ):
            return False
        beside = (key for key in value if key not in answers and not is_left_out_key(key))
        if any(isinstance(value[key], list) and value[key] for key in beside):
            return False
        empty = all(self._holds_none(value[key], said, depth) for key in answers)
        return empty and bool(answers or said)

    def _holds_none(self, value: JSON, said: bool, depth: int) -> bool:
        if value is None or value == {}:
            return said
        if isinstance(value, str):
            word = value.strip(" .[]\"'").lower()
            return word in _NONE or (said and not word) or self.says_none(plain(value[:_LONGEST]))
        if isinstance(value, list) and len(value) == 1 and isinstance(value[0], str):
            return self._holds_none(value[0], said, 0)
        nested = isinstance(value, list | dict) and depth > 0
        return nested and self.is_empty_answer(value, depth - 1)

    def says_none(self, text: Text) -> bool:
        """Whether a text without markup says of all documents that none is relevant."""
        if len(text) > _LONGEST or _NOT_OF_ALL.search(text):
            return False
        found = next((match for said in _SAYS_SO if (match := said.search(text))), None)
        if found is None or self._is_of_fewer(found):
            return False
        ends = [end.end() for end in _ENDS_SENTENCE.finditer(text, 0, found.start())]
        before, after = text[ends[-1] if ends else 0 : found.start()], text[found.end() :]
        end = _ENDS_SENTENCE.search(after)
        if _UNSURE.search(before) or _GOES_ON.search(after) or (end and end[0] == "?"):
            return False
        rest = f"{text[: found.start()]} {after}"
        if says_relevant(rest) or told(rest, self.count):
            return False
        named = {name for mention in mentions(tokens(text)) for name in mention.ids}
        first = first_id_used(named, self.count, self.first_id)
        return not named or (self.count > 1 and named >= set(range(first, first + self.count)))

    def _is_of_fewer(self, found: re.Match[str]) -> bool:
        """Whether it speaks of fewer documents than there are: "none of the three" of five."""
        numbers = [number.lower() for number in found.groupdict().values() if number]
        return any(
            NUMBER_WORDS.get(n, int(n) if n.isdigit() else -1) != self.count for n in numbers
        )


def _names_answer(key: str) -> bool:
    if is_left_out_key(key):
        return False
    return (
        is_score_key(key) or is_id_key(key) or is_order_key(key) or names_best(key)
        or "relevan" in key.lower() or key.lower() in ANSWER_WORDS
    )  # fmt: skip
