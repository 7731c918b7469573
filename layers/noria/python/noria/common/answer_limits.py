"""How much of an answer is told, where the contract does not say."""

#: Classes whose probability is named. Convention: what a person reads at a glance.
MOST_CLASSES = 10
