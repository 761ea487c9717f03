r"""The blemishes `clean` mends, as a table of rules: a pattern and what stands in its place.

Each rule shortens the text or removes a sign no rule puts in, so applying them all again and again
comes to an end. Order matters within a round: what consumes `\command` runs before `\` alone.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from rag.text.latex import ACCENTED, GREEK, SPECIAL_LETTER, SYMBOLS, accented, special_letter, with_mark

# A replacement is made of groups of the match (int), literals (str) and what a lookup gives.
Part = int | str | Callable[[re.Match[str]], str]

URL = r"(?P<url>https?://[^\s{}\\$<>\"'`]+)"


@dataclass(frozen=True, slots=True)
class Rule:
    """A pattern, its replacement, and a further condition. Inside a URL no match counts.

    `needs` stands in every text the pattern matches: most texts are done with after that look.
    """

    needs: str
    pattern: re.Pattern[str]
    outside_urls: re.Pattern[str]
    parts: tuple[Part, ...]
    when: Callable[[re.Match[str]], bool] | None = None


def _rule(
    needs: str, pattern: str, *parts: Part, when: Callable[[re.Match[str]], bool] | None = None
) -> Rule:
    return Rule(needs, re.compile(pattern), re.compile(f"{pattern}|{URL}"), parts, when)


def _symbol(found: re.Match[str]) -> str:
    return SYMBOLS[found["name"]]


def _code_point(found: re.Match[str]) -> str:
    return chr(int(found["hex"], 16))


def _is_shown(found: re.Match[str]) -> bool:
    return _code_point(found).isprintable()


def _marked_letter(found: re.Match[str]) -> str:
    return with_mark(found["braced"] or found["bare"], found["mark"])


def _entity(found: re.Match[str]) -> str:
    return _ENTITIES[found["name"]]


def _is_math(found: re.Match[str]) -> bool:
    """Whether what stands between two dollar signs is math, not prose between two prices."""
    inner, before = found[1], found.string[: found.start()][-1:]
    return not ((inner[0].isdigit() or before.isalnum()) and _PROSE.search(inner))


def _is_spaced_math(found: re.Match[str]) -> bool:
    """The same where spaces stand beside a dollar sign: only what looks like a formula."""
    formula = re.search(r"[\\_^=<>]|[^\x00-\x7f]", found[1]) or " " not in found[1]
    return bool(formula) and not _PROSE.search(found[1])


_ENTITIES = {"amp": "&", "lt": "<", "gt": ">", "quot": '"', "apos": "'", "nbsp": " ", "#39": "'"}
_PROSE = re.compile(r"(?<![\\A-Za-z])(?!(?:log|ln|exp|min|max|sup|inf|mod)\b)[a-z]{2,}[ ,;]")
# What stands in braces, which may hold one further level. Bounded, as whatever may not close.
_GROUP = r"\{((?:[^{}]|\{[^{}]{0,500}\}){0,2000})\}"
_STYLES = "bfseries|itshape|ttfamily|bf|it|em|tt|rm|sc|sl|sf|cal"
_MATH_FONTS = "cal|bb|bf|sf|rm|frak|scr|tt|it"
_UNWRAPPED = (
    r"text(?:bf|it|tt|sc|rm|sf|sl|up|md|normal)?|emph|underline|uline|mathrm|boldsymbol|bm|pmb"
    rf"|math(?:{_MATH_FONTS})|operatorname|mbox|hbox|ensuremath|overline|vec|textsubscript|{_STYLES}"
)
_GREEK = "|".join(sorted(GREEK, key=len, reverse=True))
_NAMES = "|".join(sorted(SYMBOLS, key=len, reverse=True))
_FUNCTION = "log|ln|exp|max|min|sup|inf|argmax|argmin|det|dim"
_ARROW = "(?:[lL]ong)?(?P<name>[lL]eftrightarrow|[rR]ightarrow|[lL]eftarrow)"
_HREF = r"\\href\s*\{\s*([^{}\s]+)\s*\}"
_HERE = r"(?:here|link|code|website|this (?:https? )?(?:URL|url|link|repository))"

_TEXT_RULES = (
    _rule("\n", r"[ \t]{0,9}\n\s*", " "),
    # a dash or quote that came as its code point: `scratchx2013even`
    _rule("unicode", r"\$?\\unicode\{x(?P<hex>[0-9a-fA-F]{2,5})\}\$?", _code_point, when=_is_shown),
    _rule("x20", r"(?<=[a-z])x(?P<hex>20(?:1[0-9]|2[026]))(?=[a-z])", _code_point, when=_is_shown),
    _rule("x20", r"(?<= )x(?P<hex>20(?:1[0-9]|2[026]))(?= )", _code_point, when=_is_shown),
    _rule("&", r"&(?P<name>amp|lt|gt|quot|apos|nbsp|#39);", _entity),
    _rule("</", r"<(i|b|em|strong|sub)>([^<>]*)</\1>", 2),
    _rule("</", r"<sup>([^<>]*)</sup>", "^", 1),
)
_COMMAND_RULES = (
    _rule("\\", r"[ ~]{0,3}\\(?:cite[a-z]*\*?|ref|label|eqref)(?:\[[^\]]*\])*\{[^{}]*\}"),
    _rule("\\", r"\\(?:begin|end)\{[a-z]+\*?\}"),
    _rule("\\", rf"\s{{0,3}}\\footnote\s*{_GROUP}", " (", 1, ")"),
    _rule("\\", r"\s{0,3}\\footnote\s*\{([^{}]{0,500})$", " (", 1, ")"),
    _rule("\\", r"\\footnote(?![\s{A-Za-z])"),
    _rule("\\", r"\\href\s*\{(https?://(?:www\.)?([^{}\s]+?)/?)\}\s*\{\s*\2/?\s*\}", 1),
    _rule("\\", rf"{_HREF}\s*\{{\s*(?:\1|https?:[^{{}}]*|{_HERE})([.,]?)\s*\}}", 1, 2),
    _rule("\\", rf"{_HREF}\s*\{{\s*\\[A-Za-z]+\{{\s*(?:\1|{_HERE})\s*\}}\s*\}}", 1),
    _rule("\\", rf"{_HREF}\s*{_GROUP}", 1, " (", 2, ")"),
    _rule("\\", r"\\url\s*\{\s*([^{}]*?)\s*\}", 1),
    _rule("http", rf"(https?://[^\s{{}}]+)\{{{_HERE}([.,]?)\}}", 1, 2),
    # quotation marks escaped as in a program's string, before they pass for accents
    _rule("\\", r"(?<![A-Za-z])\\\"(\w[^\"\\]{0,200})\\\"(?![A-Za-z])", '"', 1, '"'),
    _rule("\\", r"(?<![A-Za-z])\\'(\w[^'\\]{0,200})\\'(?![A-Za-z])", "'", 1, "'"),
    _rule("\\", r"(?<=[A-Za-z])\\'(?=(?:s|t|re|ve|ll|d|m)?(?![A-Za-z{\\]))", "'"),
    _rule("\\", rf"\{{{ACCENTED.pattern}\}}", accented),
    _rule("\\", ACCENTED.pattern, accented),
    _rule("\\", SPECIAL_LETTER.pattern, special_letter),
    _rule("\\", rf"\\(?:textcolor|colorbox|hyperlink)\s*(?:\[[^\]]*\])?\{{[^{{}}]*\}}\s*{_GROUP}", 1),
    _rule("\\", r"\\color\s*\{[^{}]*\}\s*"),
    _rule("\\", rf"\\textsuperscript\s*{_GROUP}", "^", 1),
    _rule("\\", rf"\{{\\(?:{_STYLES})(?![A-Za-z])\s*{_GROUP}\s*\}}", 1),
    _rule("\\", rf"\{{\\(?:{_STYLES})\s+((?:[^{{}}]|\{{[^{{}}]*\}}){{0,2000}})\}}", 1),
    _rule("\\", rf"\\(?:{_UNWRAPPED})\*?\s*{_GROUP}", 1),
    _rule("\\", r"\\math(?:cal|bb|bf|sf|frak|scr)\s*(?=[A-Z](?![a-z]))"),
    _rule("\\", rf"\\(?:{_STYLES}|displaystyle|textstyle|large|Large|small|centering)(?![A-Za-z])\s*"),
    _rule("\\", r"\\(?:left|right|[bB]igg?[lr]?)(?=\s*[()\[\]|.<>/\\])"),
    _rule(
        "\\",
        r"\\(?:wide)?(?P<mark>tilde|hat|bar)(?:\s*\{(?P<braced>\w)\}|\s+(?P<bare>[A-Za-z])(?![A-Za-z]))",
        _marked_letter,
    ),
    _rule("\\", r"\\(?:wide)?(?:tilde|hat|bar)\s*\{([^{}\\]{2,})\}", 1),
    _rule("\\", r"\\[dt]?frac\s*(?:\{([^\W_]+)\}\s*\{([^\W_]+)\})", 1, "/", 2),
    _rule("\\", r"\\[dt]?frac\s*\{([^{}]*)\}\s*\{([^{}]*)\}", "(", 1, ")/(", 2, ")"),
    _rule("\\", r"\\frac(\d)(\d)", 1, "/", 2),
    _rule("\\", r"\\sqrt\s*\{([^\W_]|\d+)\}", "√", 1),
    _rule("\\", r"\\sqrt\s*\{([^{}]*)\}", "√(", 1, ")"),
)
_SYMBOL_RULES = (
    _rule("\\", r"(?<=\d) ?(?:\$\\times\$|\\\(\\times\\\))", "x"),
    _rule("\\", r"(?<=\d)\{?\\times\}?(?=\d)", "x"),
    _rule("\\", r"(?<=[\d%}]) ?\\times(?=\s*(?:\$|\\\)|[.,;:!?)\]/-]|$)|\s+[a-z]{2})", "x"),
    _rule("\\", r"(?<=[\w)\]}]) ?\{?\\times(?: |\}|(?![A-Za-z])) ?(?=[\w(\[{\\])", " x "),
    _rule("\\", r"\\times(?![A-Za-z])", "x"),
    _rule("\\", r"\\sim\s*(?=\d)", "~"),
    _rule("\\", rf"(?<=[\w%)]) ?\\{_ARROW} ?(?=[\w(])", " ", _symbol, " "),
    _rule("\\", r"(?<=[\w%)]) ?\\(?P<name>to) ?(?=[A-Z])", " ", _symbol, " "),
    _rule("\\", r"\^\s*(?:\\(?:circ|deg)(?![A-Za-z])|\{\s*\\(?:circ|deg)\s*\})", "°"),
    _rule("\\", rf"(?<=[A-Za-z0-9])\\(?P<name>{_FUNCTION})(?![A-Za-z])", " ", _symbol),
    _rule(
        "\\",
        r"(?<=[\w)])\\(?P<name>leq|le|geq|ge|neq|ne|approx|equiv|in|subset|subseteq|setminus|sim|pm)"
        r" (?=[\w(\\])",
        *(" ", _symbol, " "),
    ),
    _rule("\\", rf"\\(?P<name>{_NAMES})(?![A-Za-z])(?:\{{\}})?", _symbol),
    _rule("\\", r"\\\|", "‖"),
    _rule("\\", r"(?<=\d)(?:\\,|\{\\,\})(?=\d)"),
    _rule("\\", r"\\[,;:] ?|\\ |\\q?quad(?![A-Za-z])|\\space(?![A-Za-z])", " "),
    _rule("\\", r"\\[!/@-]|\\\\(?=\s|$)"),
    _rule("{", r"(?<=\d)\{,\}(?=\d)", ","),
    _rule("\\", r"(\\[A-Za-z]+)\{\}", 1),
    _rule("{", r"(?<![_^])\{([^\x00-\x7f]|~(?=\}\d))\}", 1),
    _rule("{", r"\{(et al\.?|i\.e\.|e\.g\.)\}", 1),
    _rule("{", r"(?<![A-Za-z\\])(log|ln|exp) ?\{(\w+)\}", 1, " ", 2),
)
# The same commands after some converter ate their backslash.
_BARE_RULES = (
    _rule("{", r"\{(?:bf|tt|sc|em) ([A-Za-z][^{}]{0,60})\}", 1),
    _rule("math", rf"(?<![A-Za-z\\])math(?:{_MATH_FONTS})\s*{_GROUP}", 1),
    _rule("math", r"(?<![A-Za-z\\])math(?:cal|bb|frak|scr|sf) (?=[A-Z](?![A-Za-z]))"),
    _rule("times", r"(?<=\d)times(?![A-Za-z])", "x"),
    _rule(
        "sim",
        r"(?<![\w\\.])sim(?=\d+\.\d|\d[\d.,]*(?:x|times|\\?%|[KMBk])(?![A-Za-z0-9]))",
        "~",
    ),
    _rule("arrow", rf"(?<=[A-Za-z0-9%)\]])(?<!ong)(?<!eft)(?<!x){_ARROW}(?=[A-Z0-9(\[])", " ", _symbol, " "),
    _rule("arrow", r"(?<= )(?P<name>rightarrow|leftrightarrow)(?= )", _symbol),
    _rule("cdot", r"(?<=[A-Z])(?P<name>cdot) (?=[A-Z])", _symbol),
    _rule("circ", rf"({_GREEK}) ?(?P<name>circ) (?={_GREEK})", 1, " ", _symbol, " "),
    _rule("{", rf"(?<=[_^]\{{)(-?)(?P<name>{_GREEK})(?=[ }}])", 1, _symbol),
    _rule("∘", rf"(?<=∘ )(?P<name>{_GREEK})(?=\}})", _symbol),
    _rule("_", rf"(?<![A-Za-z0-9_])([A-Za-z]_)(?P<name>{_GREEK})(?![A-Za-z0-9_])", 1, _symbol),
    _rule("^", rf"(?<![A-Za-z_\\])(?P<name>{_GREEK})(?=\^[\d{{*(])", _symbol),
    _rule(
        " ",
        rf"(?<![A-Za-z])([A-Za-z]|{_GREEK}) (?P<name>gg|ll|le|ge|leq|geq|neq|mapsto|propto)"
        rf" (?=(?:[A-Za-z]|{_GREEK})(?![A-Za-z']))",
        *(1, " ", _symbol, " "),
    ),
    _rule("ell", r"(?<=[ (+])(?P<name>ell)(?=\))|(?<=length )(?P<n>ell)(?= )", "ℓ"),
    _rule("sum", r"(?<![A-Za-z\\])(?P<name>sum)(?=_[{(])", _symbol),
    _rule("sqrt", r"(?<![A-Za-z\\])sqrt (?=[A-Z](?![A-Za-z]))", "√"),
    _rule("^star", r"(?<=[\w)])\^star(?![A-Za-z])", "^*"),
    _rule("(cap", r"(?<=intersection \()(?P<name>cap)(?=\))", _symbol),
    _rule("(cup", r"(?<=union \()(?P<name>cup)(?=\))", _symbol),
    _rule("bullet", r"(?<=[:?.;] )(?P<name>bullet) (?=[A-Z])", _symbol, " "),
)
_BASE = rf"((?<![A-Za-z0-9])(?:[A-Za-z]|{_FUNCTION})|[^\x00-\x7f]|[)\]}}|*]|\d(?=\^))"
_MATH_RULES = (
    _rule("{", r"\{([A-Za-zα-ωΑ-Ω])\}(?=[_^(])", 1),
    _rule("{", r"\{([_^]\w)\}", 1),
    _rule("^", r"(?<=\d)\^(?:\{(st|nd|rd|th)\}|(st|nd|rd|th)(?!\w))", 1, 2),
    _rule("^{", r"(?<=[\w,.;)])\^\{([^\W_]+|[*+′-])\}(?![A-Za-z0-9])", "^", 1),
    _rule("^{", r"(?<=[\w,.;)])\^\{(\d[\d,–-]*)\}", "^(", 1, ")"),
    _rule("_{", r"(?<=\w)_\{(\d+|[A-Z]+)\}(?!\w)", "_", 1),
    _rule("${", r"(?<=\$)\{([^{},:\\\"]+)\}", 1),
    _rule("{", rf"{_BASE}([_^])\{{([+-]?\d+|[^\W_]+|[*+′-])\}}(?!\w)", 1, 2, 3),
    _rule("{", rf"{_BASE}([_^])\{{([^{{}}]*)\}}", 1, 2, "(", 3, ")"),
    _rule("\\(", r"\\\(\s*((?:(?!\\[()]).){1,400}?)\s*\\\)", 1),
    _rule("\\[", r"\\\[\s*((?:(?!\\[\[\]]).){1,400}?)\s*\\\]", 1),
    _rule("$$", r"(?<!\\)\$\$([^$]{1,400})\$\$", 1),
    _rule("$", r"(?<![\\$])\$(?![\s$])((?:[^$\\]|\\.){1,300}?)(?<!\s)\$(?![\d$])", 1, when=_is_math),
    _rule("$", r"(?<![\\$\w])\$ ?([^$\s](?:[^$]{0,200}?[^$\s])?) ?\$(?![\d$])", 1, when=_is_spaced_math),
    # a lone sign or letter, even before a digit: `$\leq$10`, `up to $x$5`
    _rule("$", r"(?<![\\$])\$([^\x00-\x7f]|[<>=~+±]{1,2}|[A-Za-z])\$(?=\d)", 1),
    _rule("\\", r"\\([%&#_{}$])", 1),
)
_MARK_RULES = (
    _rule("``", r"(?<!`)``(?!`)([^`]{0,2000}?)(?<!')''(?!')", '"', 1, '"'),
    _rule("``", r"(?<!`)``(?!`)", '"'),
    _rule("''", r"(?<=[^\s(=,\[:'])''(?!['(])|(?<!')''(?=\w)", '"'),
    _rule("`", r"(?<![\w`\\])`(?=[\w\"])([^`'\n]{1,80})'(?!['\w])", "'", 1, "'"),
    _rule("---", r"(?<=[\w\"'),%])---(?=[\w\"'(`$\\])|(?<=\S )---(?= \S)", "—"),
    _rule("--", r"(?<=[A-Za-z0-9)])--(?=[A-Za-z0-9(])", "–"),
    _rule("~", r"(?<=[A-Za-z][A-Za-z.,_)])~(?![A-Z]\()(?=[A-Za-z0-9(\\$`])", " "),
    _rule("~", r"(?<=\d)~(?=[A-Za-z]{1,3}\b)", " "),
)
RULES: tuple[Rule, ...] = (
    *_TEXT_RULES,
    *_COMMAND_RULES,
    *_SYMBOL_RULES,
    *_BARE_RULES,
    *_MATH_RULES,
    *_MARK_RULES,
)
