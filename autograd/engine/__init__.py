"""The engine: mode, graph, backward, primitive, calls, to be read in this order; `changes` is
beside them."""
