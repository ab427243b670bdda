"""How much goes to a server at once: by its speed as seen, within the time that is left."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

import pytest

pytest.importorskip("cohere")
pytest.importorskip("httpx")
pytest.importorskip("openai")

from loopback import Latency, RerankAPI, Server

from rerank_core import Reason, Reranker, ScorerError
from rerank_core.engine.sizing import Speed, Wave, in_parts
from rerank_core.protocols import ScorerBase, traits_of
from rerank_core.scorers import CohereScorer, EmbeddingScorer, RerankAPIScorer

TEXTS = [f"text {n}" for n in range(100)]


def spent(
    speed: Speed, takes: Callable[[Wave], float], limit: float, texts: int = 100
) -> tuple[int, int]:
    """How many texts are done by the deadline, and in how many waves; no clock is waited for."""
    at, done, waves = 0.0, 0, 0
    while done < texts and at < limit:
        wave = speed.next_wave(texts - done, limit - at)
        waves, seconds = waves + 1, takes(wave)
        if at + seconds > limit:
            speed.note(wave.texts, 0, wave.requests or 1, limit - at)
            break
        at, done = at + seconds, done + wave.texts
        speed.note(wave.texts, wave.texts, wave.requests or 1, seconds)
    return done, waves


class TestSpeed:
    @pytest.mark.parametrize("rate", [5, 10, 25, 50, 200])
    @pytest.mark.parametrize("limit", [1.0, 2.0, 4.0, 8.0])
    def test_most_of_what_could_be_done_is_done(self, rate: float, limit: float) -> None:
        """Of a server that takes a request at a time; at worst a little over half of it."""
        done, _ = spent(Speed(8), lambda wave: 0.01 + wave.texts / rate, limit)

        assert min(100, rate * limit) * 0.55 - 1 <= done <= rate * limit

    @pytest.mark.parametrize("rate", [2, 10, 25])
    def test_a_second_ranking_knows_it(self, rate: float) -> None:
        """And needs no fewer texts to begin with."""
        speed = Speed(8)
        first, _ = spent(speed, lambda wave: wave.texts / rate, 4.0)

        second, _ = spent(speed, lambda wave: wave.texts / rate, 4.0)

        assert second >= first - 1 >= 0

    @pytest.mark.parametrize("fixed", [0.001, 0.02, 0.2])
    def test_a_fast_server_is_asked_once_more_at_first_and_then_never(self, fixed: float) -> None:
        """By its first ranking it is known; one that is far away takes a second try to tell."""
        speed = Speed(8)

        waves = [spent(speed, lambda wave: fixed + wave.texts / 10_000, 5.0)[1] for _ in range(4)]

        assert waves[0] <= (2 if fixed < 0.2 else 3)
        assert waves[1:] == [1, 1, 1]

    @pytest.mark.parametrize("limit", [0.5, 2.0, 5.0])
    def test_a_server_that_is_faster_with_several_gets_several(self, limit: float) -> None:
        """Each request takes as long, however many there are."""
        widest, speed = [], Speed(8)

        def takes(wave: Wave) -> float:
            widest.append(wave.requests or 1)
            return -(-wave.texts // (wave.requests or 1)) / 8

        one = int(limit * 8)
        done = max(spent(speed, takes, limit, texts=10**6)[0] for _ in range(3))

        assert max(widest) >= min(8, one // 2)
        assert done > one

    @pytest.mark.parametrize("rate", [10, 25, 60])
    def test_one_that_takes_turns_is_not_sent_ever_more_at_once(self, rate: float) -> None:
        """Two at once were tried, and were no faster."""
        widths, speed = [], Speed(8)

        def takes(wave: Wave) -> float:
            widths.append(wave.requests or 1)
            return wave.texts / rate

        for _ in range(5):
            spent(speed, takes, 4.0, texts=1000)

        assert max(widths) == 2
        assert set(widths[-5:]) == {1}

    def test_one_that_became_slow_is_found_out(self) -> None:
        """What it did once is forgotten, a few texts at a time if need be."""
        speed = Speed(8)
        spent(speed, lambda wave: wave.texts / 1000, 4.0)

        done = [spent(speed, lambda wave: wave.texts / 2, 4.0)[0] for _ in range(4)]

        assert done[0] == 0
        assert done[-1] >= 4

    def test_without_a_deadline_all_goes_at_once(self) -> None:
        assert Speed(8).next_wave(1000, None) == Wave(1000)

    @pytest.mark.parametrize(("most", "first"), [(1, 1), (7, 7), (32, 8), (None, 8)])
    def test_a_few_texts_tell_the_speed(self, most: int | None, first: int) -> None:
        """Eight at most, and no more than the scorer likes."""
        assert Speed(8, most).next_wave(100, 60.0) == Wave(first, 1)

    @pytest.mark.parametrize("left", [0.0, 1e-9, 0.1])
    def test_one_text_at_least_is_sent(self, left: float) -> None:
        """Whatever the time, and whatever is known."""
        speed = Speed(8)
        assert speed.next_wave(50, left).texts == 1
        speed.note(4, 4, 1, 10.0)
        assert speed.next_wave(50, left).texts == 1

    @pytest.mark.parametrize("most", [1, 5, 32])
    def test_no_request_is_larger_than_the_scorer_likes(self, most: int) -> None:
        """`batch_size` holds."""
        speed = Speed(8, most)
        speed.note(4, 4, 1, 0.1)

        wave = speed.next_wave(10_000, 20.0)

        assert wave.requests is not None
        assert wave.texts <= most * wave.requests

    @pytest.mark.parametrize(
        ("groups", "requests", "sizes"),
        [
            ([range(10)], 2, [5, 5]),
            ([range(10)], 4, [3, 3, 3, 1]),
            ([range(4), range(4, 8)], 2, [4, 4]),
            ([range(10)], None, [10]),
        ],
    )
    def test_groups_are_cut_to_as_many_requests(
        self, groups: list[range], requests: int | None, sizes: list[int]
    ) -> None:
        """And never joined."""
        assert [len(part) for part in in_parts(groups, Wave(10, requests))] == sizes


class OneProcessor(ScorerBase):
    """Takes a while for each text, one request at a time, and counts."""

    name = "one processor"
    adaptive_batches = True
    max_concurrency = 8

    def __init__(self, rate: float) -> None:
        self.rate = rate
        self.asked: list[int] = []
        self.turn = asyncio.Lock()

    async def score(self, query: str, texts: Sequence[str]) -> list[float | None]:
        self.asked.append(len(texts))
        async with self.turn:
            await asyncio.sleep(len(texts) / self.rate)
        return [1.0] * len(texts)


class TestARanking:
    @pytest.mark.slow
    @pytest.mark.parametrize("rate", [10, 25, 60])
    def test_of_a_slow_server_is_covered_in_part(self, rate: float) -> None:
        """Where one request for everything would bring nothing."""
        ranking = Reranker(OneProcessor(rate), timeout=1.2).rank("q", TEXTS)

        assert 0.0 < ranking.report.coverage < 1.0
        assert Reason.TIMEOUT in ranking.report.reasons
        assert len(ranking.all) == 100

    def test_of_a_fast_server_is_one_request_once_it_is_known(self) -> None:
        """And two the first time."""
        scorer = OneProcessor(1e6)
        reranker = Reranker(scorer, timeout=60)

        coverage = [reranker.rank(f"q {n}", TEXTS).report.coverage for n in range(3)]

        assert coverage == [1.0] * 3
        assert scorer.asked == [8, 92, 100, 100]

    @pytest.mark.parametrize("reason", [Reason.SERVER, Reason.CONNECTION, Reason.OVERLOADED])
    def test_of_a_server_that_is_ill_ends_with_the_first_wave(self, reason: Reason) -> None:
        """The rest would fail as well."""

        class Ill(OneProcessor):
            async def score(self, query: str, texts: Sequence[str]) -> list[float | None]:
                self.asked.append(len(texts))
                raise ScorerError("no", reason=reason)

        scorer = Ill(1.0)
        report = Reranker(scorer, timeout=5).rank("q", TEXTS).report

        assert scorer.asked == [8]
        assert report.reasons == (reason,)

    def test_goes_on_after_a_request_that_was_refused(self) -> None:
        """One bad text costs those that went with it, as it did before."""

        class Picky(OneProcessor):
            async def score(self, query: str, texts: Sequence[str]) -> list[float | None]:
                self.asked.append(len(texts))
                if "text 3" in texts:
                    raise ScorerError("HTTP 400", reason=Reason.REQUEST)
                return [1.0] * len(texts)

        scorer = Picky(1.0)
        report = Reranker(scorer, timeout=5).rank("q", TEXTS).report

        assert scorer.asked == [8, 92]
        assert report.coverage == pytest.approx(0.92)


class TestWho:
    @pytest.mark.parametrize(
        ("scorer", "adapts"),
        [
            (RerankAPIScorer("http://localhost:9/v1/rerank", "m"), True),
            (RerankAPIScorer("tei+http://localhost:9"), True),
            (RerankAPIScorer("llamacpp+http://10.0.0.9:8080"), True),
            (RerankAPIScorer("http://localhost:9", "m", batch_size=5), True),
            (RerankAPIScorer("http://localhost:9", "jina-reranker-v3"), False),  # listwise
            (RerankAPIScorer("https://api.jina.ai", "m", api_key="k"), False),
            (RerankAPIScorer("litellm+http://localhost:9", "m"), False),
            (RerankAPIScorer("cohere+http://localhost:9", "m", api_key="k"), False),
            (CohereScorer(api_key="k"), False),
            (EmbeddingScorer("openai:m", base_url="http://localhost:9/v1", api_key="k"), True),
            (EmbeddingScorer(api_key="k"), False),
            (OneProcessor(1.0), True),
            (ScorerBase(), False),
        ],
        ids=lambda value: type(value).__name__,
    )
    def test_gets_less_than_it_likes(self, scorer: ScorerBase, adapts: bool) -> None:
        """A server of one's own; no vendor's, no gateway, and nothing that looks at all at once."""
        assert traits_of(scorer).adaptive_batches == adapts

    @pytest.mark.parametrize("count", [1, 30, 100])
    def test_what_is_billed_by_the_call_is_asked_once(self, count: int) -> None:
        """Also the first time, and however slow it is."""
        with Server(RerankAPI("cohere", latency=Latency(call=0.05))) as server:
            scorer = CohereScorer(api_key="k", base_url=server.url)
            with Reranker(scorer, timeout=20) as reranker:
                for number in range(2):
                    reranker.rank(f"q {number}", TEXTS[:count])

            assert len(server.requests) == 2
