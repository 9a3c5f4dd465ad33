"""Reads the Markdown of a chapter: its words, the numbers typed into it, and the results pasted into it."""

import re
from collections.abc import Iterator

# What a sentence may hold besides prose. A fence of prose (an admonition) keeps its content.
PROSE_FENCES = "admonition|note|tip|important|warning|dropdown|margin"
CODE_FENCE = re.compile(rf"^(`{{3,}}|~{{3,}})(?!\{{(?:{PROSE_FENCES})).*?^\1 *$", re.M | re.S)
FENCE_LINE = re.compile(r"^ *(?:`{3,}|:{3,}|~{3,}).*$", re.M)
OPTION_LINE = re.compile(r"^ *:[a-z-]+:.*$", re.M)
MATH = re.compile(r"\$\$.*?\$\$(?: *\([\w-]+\))?|\$[^$]+\$", re.S)
TABLE_LINE = re.compile(r"^ *\|.*$", re.M)
COMMENT_LINE = re.compile(r"^%.*$", re.M)
LABEL_LINE = re.compile(r"^\([\w-]+\)=$", re.M)
CITATION_OR_LINK = re.compile(r"\{cite(?::\w+)?\}`|\]\(|<https?:|https?://")
ROLE = re.compile(r"\{[\w:-]+\}`[^`]*`")
INLINE_CODE = re.compile(r"(`+)(?!`).*?(?<!`)\1(?!`)", re.S)
# "section 3.2" names a place, "a 95 % interval" a convention.
NOT_A_RESULT = re.compile(
    r"(?:section|chapter|equation|figure|table|version|Python|§) *\d+(?:\.\d+)*"
    r"|95 ?% (?:bootstrap |confidence )*intervals?",
    re.I,
)
RESULT = re.compile(
    r"(?<![\w.])\d+(?:[.,]\d+)? ?(?:%|percent\b|points?\b|mAP\b|s\b|ms\b|seconds?\b|minutes?\b|[kMG]B\b)"
    r"|(?<![\w.])\d+\.\d+(?![\w.]*\d)"
)
BLOCK_BREAK = re.compile(r"\n\s*\n|\n(?=\s*(?:[-*+]|\d+\.) )|\n(?=#)")
SENTENCE_BREAK = re.compile(r"(?<=[.!?])\s+")
TITLELESS = "attention|caution|danger|error|hint|important|note|seealso|tip|warning"
TITLED = re.compile(rf"^ *(?:`{{3,}}|:{{3,}})\{{(?:{TITLELESS})\}} *(\S.*)$", re.M)
GLUE = re.compile(r"\{glue(?::\w*)?\}`(?:(?P<page>[\w/]+)\.ipynb::)?(?P<key>\w+)(?::[^`]*)?`")


def words(text: str) -> list[str]:
    """Words of the prose, without directives, labels, code and mathematics."""
    bare = _without(text, CODE_FENCE, FENCE_LINE, OPTION_LINE, LABEL_LINE, COMMENT_LINE, MATH)
    return re.findall(r"[^\W\d_]+", bare)


def sentences(text: str) -> Iterator[str]:
    """Sentences and list items of the prose; tables, code, mathematics and directives are left out."""
    bare = _without(text, CODE_FENCE, FENCE_LINE, OPTION_LINE, LABEL_LINE, COMMENT_LINE, TABLE_LINE, MATH)
    for block in BLOCK_BREAK.split(bare):
        yield from (
            " ".join(sentence.split()) for sentence in SENTENCE_BREAK.split(block.strip()) if sentence
        )


def typed_numbers(text: str) -> Iterator[tuple[str, str]]:
    """Numbers that look like results, with their sentences, where nothing says where they come from.

    A decimal, or a number with a unit of results (%, points, mAP, seconds, bytes), in a sentence without a
    citation or a link. A constant that is no result is written as mathematics: ``$0.7$``.
    """
    for sentence in sentences(text):
        if CITATION_OR_LINK.search(sentence):
            continue
        bare = _without(sentence, ROLE, INLINE_CODE, NOT_A_RESULT)
        yield from ((match.group().strip(), sentence) for match in RESULT.finditer(bare))


def glued(text: str) -> Iterator[tuple[str | None, str]]:
    """The results that the text pastes: the notebook they come from (None: its own) and their names."""
    return ((match["page"], match["key"]) for match in GLUE.finditer(text))


def titled_admonitions(text: str) -> list[str]:
    """Titles given to an admonition that takes none, and would print them as the start of its text."""
    return TITLED.findall(text)


def _without(text: str, *patterns: re.Pattern[str]) -> str:
    for pattern in patterns:
        text = pattern.sub(" ", text)
    return text
