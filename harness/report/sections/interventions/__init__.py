"""Interventions as tables, one module for each kind."""
