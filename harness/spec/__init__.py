"""What people write: the four kinds of YAML file, loaded, checked, inlined and hashed without running anything."""

from harness.spec.base import DataFile, DataFolder, DataPath, Problem, Spec, SpecError, UserError
from harness.spec.digests import data_files, digest, prefix_digests, trial_seed
from harness.spec.library import did_you_mean, find_file, library
from harness.spec.loading.check import CheckedFile, CheckReport, check
from harness.spec.loading.inline import in_scope, out_of_scope
from harness.spec.loading.models import bare_model, load_models
from harness.spec.loading.scaffolds import load_scaffold
from harness.spec.loading.scenarios import content, load_environment, load_scenario
from harness.spec.loading.sweeps import bind_seats, load_sweep
from harness.spec.python_source import load_python
from harness.spec.schemas import file_schema, json_schemas
from harness.spec.templates import TemplateError, evaluate, render

__all__ = [
    "CheckReport",
    "CheckedFile",
    "DataFile",
    "DataFolder",
    "DataPath",
    "Problem",
    "Spec",
    "SpecError",
    "TemplateError",
    "UserError",
    "bare_model",
    "bind_seats",
    "check",
    "content",
    "data_files",
    "did_you_mean",
    "digest",
    "evaluate",
    "file_schema",
    "find_file",
    "in_scope",
    "json_schemas",
    "library",
    "load_environment",
    "load_models",
    "load_python",
    "load_scaffold",
    "load_scenario",
    "load_sweep",
    "out_of_scope",
    "prefix_digests",
    "render",
    "trial_seed",
]
