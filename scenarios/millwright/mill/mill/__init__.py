"""The books of a water mill."""
