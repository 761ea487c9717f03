"""What a question asks for, read off its words: the kind of answer, a number.

Pure functions on text; no model. The kinds decide how many papers an answer draws on.
"""

from __future__ import annotations

import re

from rag.types import Kind

_WORKS = r"(?:papers|works|studies|articles|publications|preprints|surveys|reviews|references)"
_THINGS = (
    r"(?:methods|approaches|techniques|systems|datasets|benchmarks|frameworks|tools|rerankers|resources"
    r"|corpora|evaluations|comparisons|toolkits|variants|ways|strategies|attacks|defen[cs]es)"
)
_WORK = r"(?:paper|work|study|article|publication|preprint|survey|thesis)"
_THING = (
    r"(?:framework|method|approach|technique|dataset|benchmark|resource|tool|toolkit|corpus|pipeline"
    r"|shared task|library|test suite)"
)
_START = r"^\W*(?:(?:and|so|hi|hello|please)\b\W*)?"
_NO_QUESTION = r"(?!(?:wh|how|do|does|did|is|are|in|to|on|for|under|can|could)\b|wh)"
# 'Which methods merge ...' asks for several works; 'which methods were used' for a fact of one.
_OF_ONE_WORK = (
    r"(?:was|were|is|are|did|does|do|had|has|can|could|might|may|must|should|would|will|used|make up"
    r"|remain|compared|tested|evaluated|explored|critically|back|get|and|in|of|on|at|for|from|to|by)\b"
)
_COLLECT = re.compile(
    rf"\b(?:which|what|any|all|are there|collect|summari[sz]e|need|want|give me|list|find|show) "
    rf"(?:[\w-]+ ){{0,3}}?(?<!of the )(?<!two ){_WORKS}\b(?! (?:was|were|did|does|do|is|had|best|well|for)\b)"
    rf"|\bwhat do the papers\b|{_START}{_NO_QUESTION}(?:[\w-]+ ){{0,6}}{_WORKS}\??$"
    rf"|{_START}{_NO_QUESTION}(?:[\w-]+ ){{0,3}}?(?:{_WORKS}|{_THINGS})"
    r" (?:on|about|for|that|which|where|to|with|[a-z]+ing)\b"
    rf"|{_START}(?:collect|give me|show me)\b[^?]*\b(?:{_WORKS}|{_THINGS})\b"
    rf"|{_START}(?:what|which) (?!two|three|four|five)(?:[\w-]+ ){{0,2}}?{_THINGS} "
    rf"(?!{_OF_ONE_WORK})[a-z]+(?<!ed)\b"
    rf"|\b(?:what|which) (?:[\w-]+ ){{0,2}}?{_THINGS} (?:exist|are there|did people|have people)\b"
    r"|\bwhat (?:else )?is out there\b|\bwhat has been (?:done|tried|proposed)\b"
    r"|(?:-|:|,) (?:which (?:ones|techniques|methods|approaches|options)|cases|examples)\b"
    rf"|{_START}any (?:[\w-]+ )?(?:works?|research|papers|methods|approaches)\b"
    rf"|{_START}(?:find|(?:[\w-]+ )?(?!which|what|the)[\w-]+) work (?:on|for|about)\b|\blooking for work on\b"
    rf"|{_START}how do people\b",
    re.IGNORECASE,
)
_ONE_WORK = re.compile(
    rf"{_START}(?:which|what) (?!(?:does|did|do|is|was|sets|kind|sort)\b)"
    rf"(?!(?:[\w-]+ ){{0,2}}?{_WORKS}\b)(?:[\w-]+ ){{0,2}}?"
    rf"{_WORK}\b(?! (?:as|to)\b)",
    re.IGNORECASE,
)
# 'Who tackles', 'who uses': several may; 'who decides' asks for a part of one system.
_WHO_DOES = re.compile(
    r"\bwho (?:\w+ly )?(?:tackles|leverages|uses|makes use|feeds|studies|works|addresses|applies|investigates"
    r"|combines|proposes|explores|trains|deals|looks|adapts|extends|improves|compares|examines|builds)\b",
    re.IGNORECASE,
)
_FIND = re.compile(
    rf"\b(?:which|what)\s+(?!(?:kind|sort|sets|does|did|do|is|was)\b)(?:[\w-]+\s+){{0,3}}"
    rf"{_WORK}\b(?!s)(?! (?:as|to)\b)"
    rf"|\b(?:looking for|find|recall|remember|need|after|recommend|suggest|is there an?) [^.?!]{{0,40}}"
    rf"\b(?:{_WORK}|{_THING})\b|\bname (?:the|a|that) (?:[\w-]+ )?{_WORK}\b"
    rf"|{_START}who (?:first |else |has |have )?(?:propos|introduc|present|develop|publish|describ|releas"
    r"|look|examin|compar|analy[sz]|investigat|locat|measur|stud|show|test|us|creat|train|design|argu"
    r"|collect|cast|built|wrote|found|made|put|brought|taught|came)(?:ed|ied|es|s)?\b"
    rf"|\b{_WORK} (?:is|was) (?:it|that|this)\b|{_START}(?:has|have) (?:anyone|anybody|someone)\b"
    rf"|{_START}(?:recommend|suggest|i['’]?m (?:after|looking)|i (?:need|want)|where can i (?:find|read))\b"
    rf"|{_START}(?:which|what) (?:[\w-]+ )?{_THING} (?:lets|turns|combines|teaches|treats|adds|uses|shows"
    r"|predicts|makes|brings|gathers|targets|offers|handles|adapts|helps|learns|builds|replaces)\b",
    re.IGNORECASE,
)
_COMPARE = re.compile(
    rf"{_START}(?:compare|contrast)\b|\bdiffer(?:s|ences?|ent)? between\b|\bin common\b"
    r"|\bhow (?:do|does|did|are|is|were) [^?]{1,200} and [^?]{1,200} (?:differ|each|both|compare)\b(?! with)"
    r"|(?-i:[A-Z][\w-]* (?:vs\.?|versus|against) (?:the )?[A-Z][\w-]*\??$)"
    r"|\band\b[^?]*\b(?:(?:does|do|did|in|of|by|for|to|with) each\b(?! other))"
    r"|\band\b[^?]*\beach of (?:them|these|the two)\b"
    r"|\b(?:two|three|both) (?!case)(?:[\w-]+ ){0,3}(?:papers|works|studies|surveys)\b"
    rf"|{_START}both [^?.]+ and |(?-i:^[A-Z][\w-]+ (?:vs\.?|versus) [A-Z])"
    r"|\b(?:paper|study) and (?:the )?(?:[\w-]+ ){1,6}(?:paper|study|work|one|analysis)\b"
    r"|(?-i:[A-Z][\w-]* and (?:the )?[\w-]*[A-Z][\w+-]* (?:both|each)\b)"
    r"|\band [^?.,]* (?:paper|study|work|[A-Z][\w-]+)s? each\b",
    re.IGNORECASE,
)
_NUMBER = re.compile(
    r"\bhow (?:many|much|large|big|long|far|high|few|often|small|fast|accurate|well does .* score)\b"
    r"|\b(?:what|which) (?:\w+ ){0,2}(?:percentage|percent|fraction|share|score|accuracy|number|size"
    r"|factor|proportion|rate|speedup|speed-up|amount|parameter count|ratio)\b"
    r"|\bby what\b|\bby how\b|\bhow .{0,12}(?:faster|better|higher|lower|fewer|smaller|larger|less)\b",
    re.IGNORECASE,
)


def kind_of(question: str) -> Kind:
    """'Which paper' finds; else compare before collect before find; everything else asks for a fact.

    Read for precision: a fact taken for a collection costs more than a collection taken for a fact.
    """
    if _ONE_WORK.search(question):
        return "find"
    if _COMPARE.search(question):
        return "compare"
    if _COLLECT.search(question) or _WHO_DOES.search(question):
        return "collect"
    if _FIND.search(question):
        return "find"
    return "fact"


def asks_for_number(question: str) -> bool:
    """True for 'how many', 'by what factor', 'what accuracy' and their kin."""
    return _NUMBER.search(question) is not None
