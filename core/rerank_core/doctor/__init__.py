"""Why does reranking not help? `diagnose` names the causes that it sees, with numbers and the fix.

>>> from rerank_core import Reranker
>>> backwards = Reranker(lambda query, texts: [len(text) for text in texts], top_n=3)
>>> found = diagnose(backwards, {"a question": ["one document", "another"]})
>>> [str(finding.cause) for finding in found]
['nothing_to_choose_from']
"""

from .diagnosis import Diagnosis, diagnose
from .finding import Cause, Finding, Severity

__all__ = ["Cause", "Diagnosis", "Finding", "Severity", "diagnose"]
