r"""What TeX's names mean in Unicode: accents, letters, symbols. Tables and their lookups, no rules.

Knows neither BibTeX nor display; `readers.bibtex` and `cleaning` decide where a name is a name.
"""

from __future__ import annotations

import re
import unicodedata

# The combining mark behind each accent command.
_ACCENTS = {
    "`": "\u0300",
    "'": "\u0301",
    "^": "\u0302",
    "~": "\u0303",
    "=": "\u0304",
    "u": "\u0306",
    ".": "\u0307",
    '"': "\u0308",
    "r": "\u030a",
    "H": "\u030b",
    "v": "\u030c",
    "d": "\u0323",
    "c": "\u0327",
    "k": "\u0328",
}
LETTERS = {
    **{"L": "Ł", "l": "ł", "O": "Ø", "o": "ø", "ss": "ß", "i": "ı", "j": "ȷ"},
    **{"AE": "Æ", "ae": "æ", "OE": "Œ", "oe": "œ", "AA": "Å", "aa": "å"},
}
TEXT_SYMBOLS = {
    **{"textasciitilde": "~", "textasciicircum": "^", "textbackslash": "\\", "textbar": "|"},
    **{"textgreater": ">", "textless": "<", "textunderscore": "_", "textdollar": "$"},
    **{"textquotedblleft": '"', "textquotedblright": '"', "textquotedbl": '"'},
    **{"textquoteleft": "'", "textquoteright": "'", "textquotesingle": "'"},
    **{"textemdash": "—", "textendash": "–", "textellipsis": "…", "textbullet": "•"},
    **{"textdegree": "°", "textmu": "µ", "texttimes": "x", "textpm": "±", "textregistered": "®"},
    **{"texttrademark": "™", "textcopyright": "©", "textpertenthousand": "‱", "textless": "<"},
    **{
        "ie": "i.e.",
        "eg": "e.g.",
        "etc": "etc.",
        "ldots": "…",
        "dots": "…",
        "cdots": "…",
        "copyright": "©",
        "pounds": "£",
        "euro": "€",
    },
}
GREEK = {
    **{"alpha": "α", "beta": "β", "gamma": "γ", "delta": "δ", "epsilon": "ε", "zeta": "ζ"},
    **{"eta": "η", "theta": "θ", "iota": "ι", "kappa": "κ", "lambda": "λ", "mu": "μ", "nu": "ν"},
    **{"xi": "ξ", "pi": "π", "rho": "ρ", "sigma": "σ", "tau": "τ", "upsilon": "υ", "phi": "φ"},
    **{"chi": "χ", "psi": "ψ", "omega": "ω", "varepsilon": "ε", "varphi": "φ", "vartheta": "θ"},
    **{"Gamma": "Γ", "Delta": "Δ", "Theta": "Θ", "Lambda": "Λ", "Xi": "Ξ", "Pi": "Π"},
    **{"Sigma": "Σ", "Upsilon": "Υ", "Phi": "Φ", "Psi": "Ψ", "Omega": "Ω"},
}
_RELATIONS = {
    **{"leq": "≤", "le": "≤", "leqslant": "≤", "geq": "≥", "ge": "≥", "geqslant": "≥"},
    **{"ll": "≪", "gg": "≫", "neq": "≠", "ne": "≠", "approx": "≈", "simeq": "≃", "cong": "≅"},
    **{"equiv": "≡", "sim": "~", "propto": "∝", "lesssim": "≲", "gtrsim": "≳", "in": "∈"},
    **{"notin": "∉", "subset": "⊂", "subseteq": "⊆", "supset": "⊃", "cap": "∩", "cup": "∪"},
    **{"mid": "|", "parallel": "∥", "perp": "⊥", "lt": "<", "gt": ">", "setminus": "∖"},
}
_ARROWS = {
    **{"rightarrow": "→", "to": "→", "leftarrow": "←", "leftrightarrow": "↔", "mapsto": "↦"},
    **{"Rightarrow": "⇒", "Leftarrow": "⇐", "Leftrightarrow": "⇔", "implies": "⇒", "iff": "⇔"},
    **{"longrightarrow": "→", "uparrow": "↑", "downarrow": "↓", "Longrightarrow": "⇒"},
}
_OPERATORS = {
    **{"cdot": "·", "circ": "∘", "pm": "±", "mp": "∓", "div": "÷", "ast": "*", "star": "*"},
    **{"oplus": "⊕", "otimes": "⊗", "oslash": "⊘", "wedge": "∧", "vee": "∨", "neg": "¬"},
    **{"lnot": "¬", "sum": "Σ", "prod": "∏", "int": "∫", "partial": "∂", "nabla": "∇"},
    **{"infty": "∞", "ell": "ℓ", "forall": "∀", "exists": "∃", "emptyset": "∅", "top": "⊤"},
    **{"langle": "⟨", "rangle": "⟩", "lceil": "⌈", "rceil": "⌉", "lfloor": "⌊", "rfloor": "⌋"},
    **{"Vert": "‖", "vert": "|", "prime": "′", "dagger": "†", "deg": "°", "degree": "°"},
    **{"bullet": "•", "checkmark": "✓", "sharp": "♯", "S": "§", "Re": "Re", "circledR": "®"},
}
# Named functions: TeX's name is the word itself.
_FUNCTION_NAMES = (
    *("log", "ln", "lg", "exp", "max", "min", "sup", "inf", "arg", "argmax", "argmin"),
    *("sin", "cos", "tan", "tanh", "det", "dim", "gcd", "lim", "Pr"),
)
_FUNCTIONS = {name: name for name in _FUNCTION_NAMES}
SYMBOLS = {**GREEK, **_RELATIONS, **_ARROWS, **_OPERATORS, **_FUNCTIONS, **TEXT_SYMBOLS}

# `\"{\i}`, `\'e`, `{\"o}`, `\c{c}`: braces around the whole are part of the spelling.
ACCENTED = re.compile(
    r"\\(?:(?P<mark>[`'^~=.\"])(?P<bare>\\[ij](?![A-Za-z])|[A-Za-z])"
    r"|(?P<mark2>[`'^~=.\"]|[uvHkrdc](?=\{))\{(?P<braced>\\[ij]|[A-Za-z])\})"
)
SPECIAL_LETTER = re.compile(r"\\(?P<name>AE|ae|OE|oe|AA|aa|ss|[LlOoij])(?:\{\}|\s+(?=\S)|(?![A-Za-z]))")


def accented(found: re.Match[str]) -> str:
    """The letter an `ACCENTED` match spells, composed where Unicode composes it."""
    mark = _ACCENTS[found["mark"] or found["mark2"]]
    base = (found["bare"] or found["braced"]).removeprefix("\\")
    return unicodedata.normalize("NFC", base + mark)


def special_letter(found: re.Match[str]) -> str:
    """The letter a `SPECIAL_LETTER` match names."""
    return LETTERS[found["name"]]


def with_mark(letter: str, command: str) -> str:
    r"""`letter` under `\tilde`, `\hat` or `\bar`."""
    mark = {"tilde": "\u0303", "hat": "\u0302", "bar": "\u0304"}[command]
    return unicodedata.normalize("NFC", letter + mark)
