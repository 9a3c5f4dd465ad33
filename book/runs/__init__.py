"""Runs of a chapter with other parameters than the book's, one (`make run`) or a whole grid (`make sweep`).

What they make lies in ``_build/runs/<chapter>/`` and never touches the book's own executed copies:

- ``<run>/``           the executed notebook, with a JSON record of how it was made; ``failed/`` if it failed
- ``sweeps/<grid>/``   table (CSV, Markdown) and plot (PNG, SVG) of a sweep

A run is the same run wherever it is asked for: what a sweep needs and has been run already is not run again.
"""
