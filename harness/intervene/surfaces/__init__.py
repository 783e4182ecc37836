"""Surfaces of a scenario: how it looks to a model, while what it is stays the same."""

from harness.intervene.surfaces.surface import (
    PLAIN,
    Distractor,
    History,
    Surface,
    apply_surface,
    surface_of,
    surfaced_world,
)
from harness.intervene.surfaces.variants import Variants, read_variants

__all__ = [
    "PLAIN",
    "Distractor",
    "History",
    "Surface",
    "Variants",
    "apply_surface",
    "read_variants",
    "surface_of",
    "surfaced_world",
]
