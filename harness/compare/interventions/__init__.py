"""What interventions show: swapped at a frozen moment, which model does what, and what it makes of it."""
