"""Every pointer to the documentation leads somewhere: citations in the source, links and § between the documents."""

import io
import re
import tokenize
from functools import cache
from importlib import import_module
from pathlib import Path

import pytest

from remanifold.theory.derivations import DERIVATIONS

ROOT = Path(__file__).parents[1]
DOCS = {path.stem: path for path in (ROOT / "docs").glob("*.md")}
PAGES = [*sorted(DOCS.values()), *sorted(ROOT.glob("*.md"))]
SOURCES = sorted(p for p in ROOT.rglob("*.py") if p.relative_to(ROOT).parts[0] not in (".venv", "build"))

SECTION = r"§(\d+(?:\.\d+)*)"
PLACE = rf"(?:{SECTION}|\((\d+(?:\.\d+)?)\))"
PLACES = rf"{PLACE}(?:(?:, | and |–){PLACE})*"
CITATION = re.compile(rf"docs/(\w+)\.md(?:#([\w-]+)|,? ({PLACES}))?")
# in a document: "theory.md §4", "[theory §4](theory.md)", "[the guide](theory.md) §4", or its own §4
OTHER = rf"\b({'|'.join(name.replace('_', '[ _]') for name in DOCS)})(?:\.md)?(?:\)|\]\([\w.]+\))?"
WITHIN = re.compile(rf"(?:{OTHER} )?({SECTION}(?:(?:, | and |–){SECTION})*)")


@cache
def prose(path: Path) -> str:
    """A document without its code and its formulas."""
    text = re.sub(r"```.*?```", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
    return re.sub(r"\$\$.*?\$\$|\$[^$]*\$|`[^`\n]*`", "", text, flags=re.DOTALL)


@cache
def headings(path: Path) -> list[str]:
    text = re.sub(r"```.*?```", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
    return re.findall(r"^#+ (.+?)\s*$", text, flags=re.MULTILINE)


@cache
def sections(path: Path) -> set[str]:
    return {found[1] for title in headings(path) if (found := re.match(r"(\d+(?:\.\d+)*)\.? ", title))}


@cache
def anchors(path: Path) -> set[str]:
    """As GitHub makes them: lower case, no punctuation, spaces to hyphens."""
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in headings(path)}


@cache
def equations(path: Path) -> set[str]:
    text = path.read_text(encoding="utf-8")
    return {*re.findall(r"\\tag\{([\d.]+)\}", text), *re.findall(r"^    \S.*   \((\d+)\)$", text, flags=re.MULTILINE)}


def missing(path: Path, places: str) -> list[str]:
    """Those of "§1, §2.3, (4)" that the document has not."""
    lost = [f"§{number}" for number in re.findall(SECTION, places) if number not in sections(path)]
    return lost + [f"({k})" for k in re.findall(r"\((\d+(?:\.\d+)?)\)", places) if k not in equations(path)]


def faults(text: str) -> list[str]:
    """What is wrong with the citations in a docstring, a comment or a string of the source."""
    found, rest = [], text
    for citation in CITATION.finditer(text):
        name, anchor, places = citation[1], citation[2], citation[3]
        rest = rest.replace(citation[0], "", 1)
        vague = name == "theory" or re.search(r"[Dd]erived[,;]? (in )?$", text[: citation.start()])
        if name not in DOCS:
            found.append(f"{citation[0]}: no such document")
        elif anchor:
            found += [] if anchor in anchors(DOCS[name]) else [f"{citation[0]}: no such heading"]
        elif places:
            found += [f"{citation[0]}: no {place}" for place in missing(DOCS[name], places)]
        elif vague and sections(DOCS[name]):
            found.append(f"{citation[0]}: which section?")
    if "§" in rest:
        found.append(f"§ of which document: …{rest[max(0, rest.index('§') - 60) :][:80]}")
    return found


@cache
def texts(path: Path) -> list[str]:
    """Strings and runs of comments of a file, each on one line."""
    with path.open("rb") as file:
        tokens = list(tokenize.tokenize(io.BytesIO(file.read()).readline))
    found: list[str] = []
    last = 0  # the line of the comment before
    for token in tokens:
        if token.type == tokenize.COMMENT:
            words = token.string.lstrip("# ")
            if found and last == token.start[0] - 1:
                found[-1] += " " + words
            else:
                found.append(words)
            last = token.start[0]
        elif token.type == tokenize.STRING or tokenize.tok_name[token.type] == "FSTRING_MIDDLE":
            found.append(token.string)
    return [re.sub(r"\s+", " ", text) for text in found]


def test_sources_cite_what_is_there():
    read = [path for path in SOURCES if path != Path(__file__)]
    cited = [citation for path in read for text in texts(path) for citation in CITATION.findall(text)]
    assert len(cited) > 100
    found = [f"{path.relative_to(ROOT)}: {fault}" for path in read for text in texts(path) for fault in faults(text)]
    assert found == []


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("docs/theory.md §4.1, §5; docs/curvature.md (1) and (3)", None),
        ("docs/theory.md#9-sources", None),
        ("docs/theory.md §4.1, §5.9", "no §5.9"),
        ("docs/theory.md (2.9)", r"no \(2.9\)"),
        ("docs/none.md", "no such document"),
        ("docs/theory.md#10-sources", "no such heading"),
        ("derived, docs/spectra.md", "which section"),
        ("as in §4", "§ of which document"),
    ],
)
def test_a_fault_is_seen(text, fault):
    assert not faults(text) if fault is None else re.search(fault, faults(text)[0])


@pytest.mark.parametrize("name", DERIVATIONS)
def test_printed_sources(name):
    """What `remanifold derive` prints: an arXiv number, a place in docs/, or both."""
    source = import_module("remanifold.theory.derivations." + name.replace("-", "_")).SOURCE
    assert faults(source) == []
    assert CITATION.search(source)


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_links(path):
    found = []
    for target in re.findall(r"\]\(([^)\s]+)\)", prose(path)):
        if target.startswith(("http:", "https:", "mailto:")):
            continue
        file, _, anchor = target.partition("#")
        home = (path.parent / file).resolve() if file else path
        if not home.exists() or (anchor and anchor not in anchors(home)):
            found.append(target)
    assert found == []


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_sections_named_in_documents(path):
    found = []
    for citation in WITHIN.finditer(re.sub(r"\s+", " ", prose(path))):
        home = DOCS[citation[1].replace(" ", "_")] if citation[1] else path
        found += [f"{citation[0]}: no {place}" for place in missing(home, citation[2])]
    assert found == []


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_files_named_in_documents(path):
    """`tests/theory/table.py` in a document is a file of the repository."""
    named = re.findall(r"(?<![\w/.])((?:[a-z_]+/)+[\w]+\.(?:py|md|toml))\b", path.read_text(encoding="utf-8"))
    assert [name for name in named if not (ROOT / name).exists()] == []
