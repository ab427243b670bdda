"""BM25 over the candidates: words of every script, what is rare, and what is huge."""

from __future__ import annotations

import asyncio
import time

import pytest

from rerank_core import Candidate, Ranking, Reranker
from rerank_core.scorers import BM25Scorer

#: A query's word, and another form of it as it stands in a text.
FORMS = {
    "Arabic, with the article and vowel signs": ("كتاب", "قرأت الكِتَاب أمس"),
    "Bengali": ("ভাষা", "আমার ভাষা বাংলা"),
    "Burmese": ("ဘာသာ", "မြန်မာဘာသာစကား"),
    "Chinese, one character": ("茶", "绿茶很好喝"),
    "Chinese, outside the basic plane": ("𠮷野家", "昨日𠮷野家で食べた"),
    "Czech, without its accents": ("prilis", "kůň je příliš žlutý a to je dobře"),
    "English, by its stem": ("cancellation of tasks", "The task was cancelled by the user"),
    "English, full width": ("ＴＡＳＫ", "a task"),
    "English, soft hyphen": ("cooperate", "they co\u00adoperate"),
    "English, decomposed": ("café", "a cafe\u0301 in the park"),
    "Finnish": ("talo", "asumme tässä talossa ja se on hyvä"),
    "French, elided and accented": ("école", "les enfants vont à l’École"),
    "German": ("Versicherung kündigen", "Die Versicherungen sind nicht mehr zu bezahlen"),
    "Greek, in capitals": ("ΒΙΒΛΙΟ", "το βιβλίο είναι εδώ"),
    "Hebrew, with the article and points": ("ספר", "הַסֵּפֶר נמצא על השולחן"),
    "Hindi": ("किताब कहाँ है", "किताबें मेज़ पर रखी हैं"),
    "Hungarian": ("könyv", "a könyvek az asztalon vannak"),
    "Indonesian": ("baca", "dia membaca buku itu dan tidak pergi"),
    "Japanese, one character": ("猫", "私は黒猫が好きです"),
    "Japanese, half width": ("ガイド", "ｶﾞｲﾄﾞを読む"),
    "Kannada": ("ಕನ್ನಡ", "ನಾನು ಕನ್ನಡ ಮಾತನಾಡುತ್ತೇನೆ"),
    "Khmer": ("ភាសា", "ខ្ញុំរៀនភាសាខ្មែរ"),
    "Korean, with a particle": ("서울", "서울은 한국의 수도이다"),
    "Lao": ("ພາສາ", "ຂ້ອຍຮຽນພາສາລາວ"),
    "Persian, with a joiner": ("کتاب", "کتاب\u200cها روی میز است"),
    "Polish": ("lodz", "Łódź jest miastem"),
    "Portuguese": ("livros antigos", "o livro não é deles"),
    "Russian": ("книга", "Мы читаем книгу на русском"),
    "Spanish, without its accent": ("cancion", "las canciones de la radio y el canto"),
    "Tamil": ("தமிழ்", "நான் தமிழ் பேசுகிறேன்"),
    "Telugu": ("తెలుగు", "నేను తెలుగు మాట్లాడతాను"),
    "Thai": ("ภาษา", "ฉันเรียนภาษาไทย"),
    "Turkish": ("kitap", "bu kitaplar çok iyi ve güzel"),
    "Ukrainian, two apostrophes": ("м'яч", "у мене є м’яч"),
    "Vietnamese": ("mèo", "con mèo ngủ trên bàn"),
}


def ranked(query: str, *texts: str) -> Ranking:
    return Reranker("bm25", top_n=None).rank(query, texts)


@pytest.mark.parametrize("form", FORMS)
def test_a_word_is_found_as_people_write_it(form: str) -> None:
    """In every script and form, and it is what puts the text first."""
    query, text = FORMS[form]

    best = ranked(query, "zzz", text, "qqq")[0]

    assert best.text == text
    assert best.components["bm25:raw"]


def test_words_that_only_look_alike_do_not_match() -> None:
    """A soft hyphen and a snake are seen through; another word within a word is none."""
    hits = ranked("port", "an important report", "the port of Oslo", "rerank_port")

    assert [hit.components["bm25:raw"] > 0 for hit in sorted(hits.all, key=lambda h: h.index)] == [
        False,
        True,
        True,
    ]


def test_stop_words_count_for_little_among_few_candidates() -> None:
    """Three candidates cannot know that "the" is common; the language does."""
    texts = ["What is it in the end, and what is not?", "It is what it is", "A turbine in Norway"]

    best = ranked("what is the best turbine in the world", *texts)[0]

    assert best.text == texts[2]


def test_the_candidates_know_their_own_subject() -> None:
    """A word that is rare in the language, but in every candidate, tells them not apart."""
    texts = [f"Kubernetes kubernetes: chapter {n} about pods" for n in range(60)]
    texts.append("How kubernetes restarts a crashed container")

    assert ranked("kubernetes crashed", *texts)[0].text == texts[-1]


def test_a_language_without_a_table_is_said_and_weighs_less() -> None:
    """Lao words are counted among the candidates alone."""
    documents = [
        Candidate("ພາສາອັງກິດ", score=0.9),
        Candidate("ຂ້ອຍຮຽນພາສາລາວ", score=0.5),
        Candidate("ປະເທດລາວ", score=0.1),
    ]

    ranking = Reranker().rank("ພາສາລາວ", documents)

    assert "3 candidates are too few to tell rare words from common ones" in ranking.report.why
    assert ranking[0].index == 0, "half and half it would be the second"


def test_a_query_of_signs_alone_leaves_the_order() -> None:
    """No word is asked for: nothing is scored above anything, and the report says so."""
    ranking = ranked("???", "one", "two")

    assert [hit.index for hit in ranking] == [0, 1]
    assert "no candidate shares a word" in ranking.report.why


def test_one_huge_document_stops_at_the_deadline() -> None:
    """Twenty megabytes are counted in pieces, and nobody waits for the rest of them."""
    huge = "words of no interest whatsoever, " * 600_000

    async def stopped() -> float:
        task = asyncio.ensure_future(BM25Scorer().score("interest rates", [huge]))
        await asyncio.sleep(0.02)
        started = time.monotonic()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return time.monotonic() - started

    assert asyncio.run(stopped()) < 5  # counting all of it is no test of time


@pytest.mark.parametrize("size", [20_000, 70_000, 200_000])
def test_a_long_text_is_counted_whole(size: int) -> None:
    """Words stand in one piece or in the next, but never in neither."""
    text = "needle " + "hay " * size + "needle"
    twice = ranked("needle", text, "needle needle " + "hay " * size)

    first, second = (hit.components["bm25:raw"] for hit in twice)
    assert first == pytest.approx(second, rel=1e-4)
