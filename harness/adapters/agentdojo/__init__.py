"""The kind `agentdojo`: tool-using tasks in a bank, an office, a travel agency and a chat, with injected instructions.

    environment:
      kind: agentdojo
      suite: banking
      attack: important_instructions
    own_tasks: {}

The package AgentDojo (Debenedetti et al., 2024; MIT) runs in a worker process. Its functions, the wording of their
results, its attacks and its verdicts are its own. What AgentDojo's models end with in plain words is here the answer
that is submitted; the calls its scoring looks at are those that reached the environment.
"""

from harness.adapters.agentdojo.environment import AgentDojo, AgentDojoOptions, AgentDojoSetup

__all__ = ["AgentDojo", "AgentDojoOptions", "AgentDojoSetup"]
