import inspect
import subprocess
import sys
import unittest
import warnings

from mill import measures

FUNCTIONS = {"price": (61, 6), "label": (500, "1 qr 20 lb"), "loads": (2500, [1200, 1200, 100])}


class Measures(unittest.TestCase):
    def quietly(self, call, *given, **named):
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            return call(*given, **named)

    def test_the_new_name_and_the_place(self):
        for name, (weight, result) in FUNCTIONS.items():
            function = getattr(measures, name)
            self.assertEqual(self.quietly(function, weight), result)
            self.assertEqual(self.quietly(function, pounds=weight), result)

    def test_the_old_name_works_and_warns_at_the_caller(self):
        for name, (weight, result) in FUNCTIONS.items():
            with warnings.catch_warnings(record=True) as caught:
                warnings.simplefilter("always")
                self.assertEqual(getattr(measures, name)(lbs=weight), result)
            self.assertEqual([warning.category for warning in caught], [DeprecationWarning], name)
            self.assertEqual(caught[0].filename, __file__, name)
            self.assertIn("pounds", str(caught[0].message), name)

    def test_both_or_none_is_an_error(self):
        for name, (weight, _) in FUNCTIONS.items():
            function = getattr(measures, name)
            for given, named in (
                ((), {"lbs": 1, "pounds": weight}),
                ((weight,), {"lbs": 1}),
                ((), {}),
                ((1,), {"x": 1}),
            ):
                with self.assertRaises(TypeError, msg=(name, given, named)), warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    function(*given, **named)

    def test_none_given_is_not_the_same_as_nothing_given(self):
        with self.assertRaises(TypeError):
            measures.price(None)

    def test_other_arguments_are_as_they_were(self):
        self.assertEqual(self.quietly(measures.price, 61, 4), 8)
        self.assertEqual(self.quietly(measures.label, 20, customer="Ash"), "Ash: 20 lb")
        self.assertEqual(self.quietly(measures.loads, pounds=5, cart=2), [2, 2, 1])
        self.assertEqual(self.quietly(measures.to_pounds, 2, "stone"), 28)
        with self.assertRaises(TypeError):
            measures.label(20, "Ash")

    def test_signatures_and_docstrings(self):
        for name, rest in (("price", ["rate"]), ("label", ["customer"]), ("loads", ["cart"])):
            function = getattr(measures, name)
            self.assertEqual(list(inspect.signature(function).parameters), ["pounds", *rest])
            self.assertEqual(function.__name__, name)
            self.assertTrue(function.__doc__)

    def test_the_commands_do_not_use_the_old_name(self):
        for words, said in ((["price", "1320"], "66 pence\n"), (["label", "500", "Ash"], "Ash: 1 qr 20 lb\n")):
            line = [sys.executable, "-W", "error::DeprecationWarning", "-m", "mill", *words]
            ran = subprocess.run(line, capture_output=True, text=True)
            self.assertEqual(ran.stdout, said, ran.stderr)
