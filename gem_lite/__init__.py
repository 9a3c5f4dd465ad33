"""GeM-lite: image retrieval with generalised-mean pooling, small enough to read in an evening.

Nothing is imported here on purpose: ``from gem_lite.pooling import gem`` brings in one idea and what
it rests on, so that a chapter (and the build, which hashes what a chapter imports) depends only on
what it uses.
"""

__version__ = "0.1.0"
