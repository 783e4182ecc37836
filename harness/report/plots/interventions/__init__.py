"""Plots of interventions, one module for each kind."""
