"""A small table in a chapter, as Markdown: the page, JupyterLab and Colab each set it in their own style."""

from collections.abc import Iterable, Sequence

from IPython.display import Markdown


def table(header: Sequence[str], rows: Iterable[Sequence[object]], align: str = "") -> Markdown:
    """Rows as a Markdown table.

    Args:
        header: titles of the columns.
        rows: one value per column; format numbers before.
        align: one letter per column, "l" or "r"; numbers belong to the right.

    Raises:
        ValueError: for a row or an alignment of another length than the header.

    >>> print(table(["D", "bytes"], [[256, 1024]], align="lr").data)
    | D | bytes |
    | :-- | --: |
    | 256 | 1024 |
    """
    align = align or "l" * len(header)
    rules = [{"l": ":--", "r": "--:"}[letter] for letter in align]
    lines: list[Sequence[object]] = [list(header), rules, *(list(row) for row in rows)]
    for line in lines:
        if len(line) != len(header):
            raise ValueError(f"{len(header)} columns, but {len(line)} values: {line}")
    return Markdown("\n".join(f"| {' | '.join(str(value) for value in line)} |" for line in lines))  # type: ignore[no-untyped-call]
