"""The built-in questions, and the texts that they are asked over.

They are easy on purpose: what knows words at all, whatever its case or punctuation, finds the
passage that answers; a test holds them to it. English, as every reranker reads it.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Topic:
    """A question, the passage that answers it, and a sentence on the subject that does not."""

    question: str
    passage: str
    beside: str


TOPICS = (
    Topic(
        "how deep do emperor penguins dive for fish",
        "On a hunt emperor penguins dive five hundred metres deep to chase fish and "
        "squid under the ice.",
        "A pair of emperor penguins takes turns to keep its single egg warm all winter.",
    ),
    Topic(
        "why does bread dough rise with yeast",
        "Bakers let bread dough rest while the yeast feeds on sugar and bubbles of gas "
        "make it rise for hours.",
        "A crust of bread stays crisp for longer in a paper bag than in plastic.",
    ),
    Topic(
        "which force of the moon causes ocean tides",
        "The pull of the moon is the force that causes the ocean tides twice a day on every coast.",
        "Astronauts left mirrors on the moon and lasers still measure how far away it is.",
    ),
    Topic(
        "how do vaccines train the immune system against a virus",
        "Harmless pieces of a virus in vaccines train the immune system to make "
        "antibodies beforehand.",
        "Some vaccines must be kept colder than a kitchen freezer on the way to the clinic.",
    ),
    Topic(
        "when is the best season to prune apple trees",
        "Gardeners prune apple trees late in winter as this is the best season for a clean cut.",
        "Ripe apple slices go brown soon after the knife has gone through.",
    ),
    Topic(
        "what interest rate do banks pay on savings accounts",
        "Most banks pay a rate of interest of two percent on savings accounts and lower "
        "it now and then.",
        "The first banks of the old town lent silver to merchants who traded in wool.",
    ),
    Topic(
        "how are suspension bridges held up by cables",
        "The deck of suspension bridges is held by steel cables that run over two tall towers.",
        "Painters of long bridges begin again at one end once they have reached the other.",
    ),
    Topic(
        "why do leaves turn red in autumn",
        "In autumn the leaves of maples turn red since the green pigment fades and a new "
        "one is made.",
        "Wet leaves on the rails make commuters late every year.",
    ),
)

#: Prose that answers none of the questions.
FILLER = (
    "The committee met in the small hall and went through the minutes without remark. The choir "
    "will use the piano on Thursdays, and the chess club keeps the cupboard by the window."
)
#: Stands before a passage, so that a scorer which reads only the beginning of a text cannot tell.
LEAD = (
    "From the collection of the town library, second floor, shelf nine. Scanned by volunteers, "
    "checked twice, and filed under general knowledge for curious visitors. Page one of one. "
)
#: Texts that say nothing.
EMPTYISH = ("n/a", "…", "-", "see above", "ok", "untitled", "page 3", "1.")
#: … and not even that.
NOISE = (
    "zxq vlorp ghnti wkubb qqet lrom",
    "aeiuo xcvbn plokij mnhu qzwsx edcrf",
    "jjkl 8f3a0c 99b1e7 d4 c0ffb2",
    "%%% ### ~~ lkjh gfds poiu ztre",
)
