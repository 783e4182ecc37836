"""The kind `conversation`: roles talk in turns; and `conversation+KIND`: any other kind with talk added.

    environment:
      kind: conversation+sql
      database: counter/shop.sql          # options of sql, as ever
      conversation:
        opens: customer                   # who speaks first
        hands: {clerk: all}               # who may use the tools of sql; the customer only talks
        ending_words: {customer: "###END###"}

A simulated user is a role like any other: it has its brief and what it knows there, tools where it needs any, and a
model that a sweep holds fixed (`roles: {customer: some-model}`) or varies. All of the world that talk is added to
stays as it is: its options, set-up, tools, state and checks. The state as data has `conversation` (role, to, text of
all that was said), `ended_by` and `ended_how` beside what the world has.
"""

from harness.environments.conversation.environment import Conversation, TalkingWorld, talking
from harness.environments.conversation.options import ConversationOptions
from harness.environments.conversation.state import TALK_KEYS, TalkingReader

__all__ = ["TALK_KEYS", "Conversation", "ConversationOptions", "TalkingReader", "TalkingWorld", "talking"]
