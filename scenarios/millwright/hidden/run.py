"""Runs the hidden tests of one task: python3 -I hidden/run.py NAME, from the workspace.

The standard library is looked for first, so that no file of the workspace can stand in for it; the last line is
printed only by one who got to the end.
"""

import importlib.util
import os
import sys
import unittest

sys.dont_write_bytecode = True
sys.path.append(os.getcwd())
place = os.path.join(os.path.dirname(os.path.abspath(__file__)), f"{sys.argv[1]}.py")
spec = importlib.util.spec_from_file_location("hidden_tests", place)
module = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)
suite = unittest.defaultTestLoader.loadTestsFromModule(module)
asked = suite.countTestCases()
result = unittest.TextTestRunner(verbosity=0).run(suite)
if result.wasSuccessful() and result.testsRun == asked:
    print(f"the mill turns: {asked} of {asked}")
sys.exit(not result.wasSuccessful())
