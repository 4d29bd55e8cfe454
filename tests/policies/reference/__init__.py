"""A naive evaluator of the policy document, written from its page alone.

Slow and obvious on purpose: nothing is compiled or shared with the engine, so
that a mistake has to be made twice to go unseen. Cases, here and in
the generator, have the shape of the cases in `policy-vectors.json`.
"""
