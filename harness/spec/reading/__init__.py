"""YAML files as text with places: what is written where, and what is wrong with it, said as a compiler would."""
