"""Builds the book: executes what is stale, stages the executed copies, renders them with Jupyter Book.

Run it from the repository: ``python -m book.builder --profile lite``. All it makes lies in ``_build/``:

- ``executed/<profile>/``  executed chapters, each with a JSON record of how it was made
- ``failed/<profile>/``    the notebook of a chapter that failed, up to the failing cell
- ``src/``                 what Jupyter Book reads
- ``html/``                the book
"""

import sys

# jsonschema, which nbformat needs, would take two seconds to read this package's grammar of web addresses.
sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]
