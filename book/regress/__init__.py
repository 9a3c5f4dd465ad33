"""Says which of the book's numbers moved, by how much, and whether that is noise.

Run it from the repository: ``python -m book.regress compare --profile lite``. It executes what is stale,
reads what the chapters have reported (`gem_lite.report`), and compares it with
``tests/expected/<profile>.json``. There is no second list of results: what the prose pastes is compared.

- ``compare``          writes a report into ``_build/regress/<profile>/``: HTML, Markdown and JUnit
- ``seeds``            executes the book for other seeds, each into its own folder, and shows the spread
- ``accept``           rewrites the expectations, for a reason that is kept
- ``reproducibility``  writes ``REPRODUCIBILITY.md`` from the claims and the expectations
"""
