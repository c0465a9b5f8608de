"""Web Push: tell people on their devices, also where nothing of ours is open.

A domain declares its kinds of notice in its Module and calls `notify` in a job that answers an event. Each person has or has
not a kind (their preferences), and each browser of theirs subscribes by itself. What is sent is encrypted for that browser, carries
ids and words fit for a locked screen, and leaves as a staged action: outside any transaction, repeated while it is worth telling.
"""

from lastlight.runtime.push.deliver import notify
from lastlight.runtime.push.notice import Notice, NoticeKind
from lastlight.runtime.push.subscriptions import drop_of_leaver, drop_of_session

__all__ = ["Notice", "NoticeKind", "drop_of_leaver", "drop_of_session", "notify"]
