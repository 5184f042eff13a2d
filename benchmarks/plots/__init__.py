"""Charts as SVG, written here: the same figures give the same bytes, and a test reads them as XML.

A library for this brings a dozen packages of native code into every developer's environment, for two shapes.
"""
