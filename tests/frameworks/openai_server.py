"""What the frameworks' tests know of the OpenAI-compatible server of the fixture `server`."""

from __future__ import annotations

from loopback import Fault

KEY = "sk-loopback-0123456789abcdef"
#: The user's own models keep connections open for good: their server closes them.
HANG_UP = Fault("hang-up", headers={"connection": "close"})
