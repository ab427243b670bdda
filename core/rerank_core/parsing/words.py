"""The words that replies name documents, scores and verdicts with, in the larger languages.

They only widen what is read with certainty: `batch` and `pointwise` also read lines in words that
stand in no list here, by their shape.
"""

from __future__ import annotations

import re
from functools import lru_cache


def several(words: str) -> frozenset[str]:
    """The words of a text as a set."""
    return frozenset(words.split())


_ZERO_TO_TEN = (
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten",
)  # fmt: skip
_FIRST_TO_TENTH = (
    "first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth",
)  # fmt: skip
_DOCUMENT = several("""
    doc docs document documents docid documentid passage passages passageid text texts chunk
    chunks candidate candidates item items entry entries source sources result results snippet
    snippets paragraph paragraphs article articles excerpt excerpts context contexts option options
    reference references ref node nodes id ids idx index num number no nr docnum
    dokument dokumente dokumentes abschnitt textstelle documento documentos documenti pasaje pasajes
    passaggio passaggi passagem passagens texto textos testo texte textes extrait fragment fragmento
    dokumen belge document_id tài liệu""")
_DOCUMENT_STEMS = (
    "документ", "пассаж", "отрыв", "текст", "фрагмент", "文档", "文檔", "文件", "段落", "文章",
    "文書", "篇章", "文本", "資料", "ドキュメント", "パッセージ", "문서", "단락", "구절", "지문",
    "وثيق", "مستند", "مقطع", "فقرة", "سند", "दस्तावेज", "अनुच्छेद", "लेख", "έγγραφο", "κείμενο",
    "מסמך", "เอกสาร",
)  # fmt: skip
_SCORE_STEMS = (
    "score", "relevance", "relevancy", "rating", "grade", "relevanz", "bewertung", "punkt",
    "pertinence", "relevancia", "puntuaci", "puntaje", "calificaci", "relevância", "pontua",
    "punteggio", "rilevanza", "pertinenza", "valutazione", "relevantie", "skor", "điểm",
    "оценк", "релевантн", "балл", "评分", "評分", "得分", "分数", "分數", "打分", "相关", "相關",
    "関連", "スコア", "点数", "評価", "점수", "관련", "صلة", "درجة", "نقاط", "نتيجة", "تقييم",
    "प्रासंगिकता", "स्कोर", "अंक", "βαθμ", "σχετικ", "ציון", "คะแนน", "overall", "总分", "總分",
    "gesamt", "итог",
)  # fmt: skip
_LIMITS = several("max min maximum minimum possible range scale")  # max_score is no score
_OTHER_QUANTITY = (
    "confiden", "certain", "rank", "position", "page", "year", "date", "length", "token", "word",
    "latency", "version", "chapter", "phase", "step", "total", "count", "query", "question",
    "temperature", "seed", "cost", "threshold", "konfidenz", "vertrauen", "confian", "уверенн",
    "置信", "信心",
)  # fmt: skip
#: What a number counts when one of these follows it: not a score.
COUNTED = several("""
    passages documents docs chunks texts reasons ways times years year days months hours minutes
    people patients hospitals pages items results words sentences tokens steps studies
    articles sources paragraphs candidates questions examples topics million billion thousand
    dokumente abschnitte documentos pasajes passaggi textes textos""")
#: What may follow a score on its line without punctuation between them.
AFTER_SCORE = several("""
    because since as for on very highly somewhat not partially mostly directly this it the which
    but and with relevant irrelevant marginally slightly points point pts stars star weil da porque
    car punkte punkten puntos punti балл балла баллов 分 点 점 however although though is while
    whereas und et y и perfect perfectly strong weak good high low medium moderate most least
    tangential tangentially fully extremely""")
#: What may stand between a score's label and the score.
FILLERS = several("""
    of is was be would should as at about around approximately roughly a an the this that it for to
    score value has get gets would could probably between i'd
    say receives passage document doc text i ist von für de del la el le est
    è es di é da do estimated here assigned given final overall""")
#: The unit of a score, between it and the most it could be.
POINTS = several("points point pts punkte punkten puntos punti балл балла баллов stars star")
#: The unit of a score in scripts where it needs no label.
MARKS = several("分 点 點 점 балл балла баллов")
#: The verbs that give a score without the word.
GIVING = several("""
    rate rated rates give giving gave assign assigned assigning deserves deserve award awarded
    awards scores scored merits merit earns gets put puts say receive receives received""")
#: Between a score and the most it could be.
OUT_OF = frozenset(
    ("of", "von", "sur", "sobre", "de", "su", "из", "di", "em", "van", "av", "af", "na", "z")
)
#: What an answer calls itself, as a JSON key or before "is".
ANSWER_WORDS = several(
    "answer output result response value verdict antwort respuesta réponse ответ 答案 回答"
)
#: Between two documents of a list in words.
JOINS = frozenset(
    ("and", "then", "by", "und", "dann", "et", "puis", "y", "luego", "e", "и", "затем")
)

NUMBER_WORDS = {word: value for value, word in enumerate(_ZERO_TO_TEN)}
ORDINALS = {word: value for value, word in enumerate(_FIRST_TO_TENTH, start=1)}
#: Grades in words, from the best: they tell an order, never a score.
GRADES = (
    "perfect", "excellent", "very high", "highly relevant", "very relevant", "high", "good",
    "relevant", "medium", "moderate", "moderately relevant", "fair", "somewhat relevant",
    "partially relevant", "partial", "low", "marginal", "slightly relevant", "poor", "very low",
    "none", "not relevant", "irrelevant",
)  # fmt: skip

_SCORE, _OTHER, _DOCUMENT_STEM = (
    re.compile("|".join(stems)) for stems in (_SCORE_STEMS, _OTHER_QUANTITY, _DOCUMENT_STEMS)
)
_PART = re.compile(r"[A-Z]?[a-z]+|[A-Z]+|[^\W\d_]+")


@lru_cache(maxsize=4096)
def kind(word: str) -> str:
    """ "score", "document", "other" (a quantity that is no score) or "" for any other word."""
    if len(word) > 60:
        return ""
    low = word.lower()
    parts = {part.lower() for part in _PART.findall(word)} if word.isascii() else {low}
    if _SCORE.search(low):
        return "other" if parts & _LIMITS else "score"
    if "rel" in parts:
        return "score"
    if any(map(_OTHER.match, parts)):
        return "other"
    if parts & _DOCUMENT or low in _DOCUMENT:
        return "document"
    if not word.isascii() and _DOCUMENT_STEM.search(low):
        return "document"
    return ""
