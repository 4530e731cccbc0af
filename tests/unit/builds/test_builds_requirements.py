"""Reading requirements.txt."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.specifiers import SpecifierSet
from packaging.version import Version

from autokitteh_server.builds.packages import find_promised
from autokitteh_server.builds.requirements import Requirements, read_requirements, repeated_package


def read(text: str | bytes, **others: str) -> Requirements:
    """The requirements in a text; other files of the project are given with `_` for each `/` or `.`."""
    files = {name.replace("__", "/") + ".txt": content.encode() for name, content in others.items()}
    return read_requirements(files | {"requirements.txt": text.encode() if isinstance(text, str) else text})


def problem(text: str | bytes) -> str:
    """The one thing that is wrong with a text."""
    (found,) = read(text).problems
    assert found.file == "requirements.txt" and found.remedy
    return f"{found.line}: {found.message}"


def test_requirements() -> None:
    """Each has its name as PyPI compares it, its text on one line, and the line where it begins."""
    found = read(
        """\
\ufeff# what we need
numpy >=1.26,<3  # not 3

Pandas_Stubs[all]==2.*; python_version < "4"
hashed==1.0 \\
    --hash=sha256:00ff \\
    --hash  sha256:ff00
wheel @ https://example.com/wheel-1.0-py3-none-any.whl#sha256=00ff
code @ git+https://example.com/code@v1
last\\
""".replace("\n", "\r\n")
    )

    assert found.problems == () and found.options == ()
    assert [(each.name, each.line) for each in found.items] == [
        *(("numpy", 2), ("pandas-stubs", 4), ("hashed", 5), ("wheel", 8), ("code", 9), ("last", 10)),
    ]
    assert [each.text for each in found.items] == [
        "numpy >=1.26,<3",
        'Pandas_Stubs[all]==2.*; python_version < "4"',
        "hashed==1.0 --hash=sha256:00ff --hash=sha256:ff00",
        "wheel @ https://example.com/wheel-1.0-py3-none-any.whl#sha256=00ff",
        "code @ git+https://example.com/code@v1",
        "last",
    ]


def test_no_file() -> None:
    """A project without the file asks for nothing."""
    assert read_requirements({"program.py": b"", "sub/requirements.txt": b"x"}) == Requirements()
    assert read("") == read("# only words\n\n") == Requirements()


def test_options() -> None:
    """Those that are known are kept for uv, in order."""
    found = read(
        "-i https://a/simple\n--extra-index-url=http://b/s\n--no-binary :all:\n--only-binary x,y\n--no-index\n"
    )

    assert found.options == (
        *("-i https://a/simple", "--extra-index-url http://b/s", "--no-binary :all:", "--only-binary x,y"),
        "--no-index",
    )
    assert found.problems == ()


def test_other_files() -> None:
    """A file that another names is read once, from where that is, and its lines are its own."""
    found = read(
        "-r more__a.txt\n-rmore/a.txt\none\n", more__a="two\n--requirement ../base.txt\n", base="-r ./base.txt\n3"
    )

    assert [(each.name, each.file, each.line) for each in found.items] == [
        ("one", "requirements.txt", 3),
        ("two", "more/a.txt", 1),
        ("3", "base.txt", 2),
    ]
    assert [each.line for each in found.problems] == [1]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a\n-e .\n", "2: a requirement that can be edited"),
        ("--editable=./a", "1: a requirement that can be edited"),
        ("./a", "1: a path"),
        ("/etc/passwd", "1: a path"),
        ("..", "1: a path"),
        ("~/a", "1: a path"),
        ("a\\b", "1: a path"),
        ("sub/a[x]; python_version > '3'", "1: a path"),
        ("a-1.0-py3-none-any.whl", "1: a path"),
        ("a-1.0.tar.gz ; x", "1: a path"),
        ("file:///etc/passwd", "1: a path"),
        ("a @ file:///etc/passwd", "1: the address does not lead to a server"),
        ("a @ ./a.whl", "1: the address does not lead to a server"),
        ("a @ git+ssh://x/a", "1: the address does not lead to a server"),
        ("https://example.com/a.whl", "1: nothing says which package"),
        ("-r ../a.txt", "1: the file '../a.txt' lies outside"),
        ("-r /etc/passwd", "1: the file '/etc/passwd' lies outside"),
        ("-r https://example.com/a", "1: the file 'https://example.com/a' lies outside"),
        ("-r a.txt", "1: the file 'a.txt' is not there"),
        ("-r", "1: the file '' is not there"),
        ("-c a.txt", "1: the option -c cannot"),
        ("--pre", "1: the option --pre cannot"),
        ("--no-index=x", "1: the option --no-index cannot"),
        ("--only-binary", "1: the option --only-binary cannot"),
        ("--trusted-host x", "1: the option --trusted-host cannot"),
        ("--find-links /srv", "1: --find-links does not lead"),
        ("-i file:///srv", "1: -i does not lead"),
        ("--index-url", "1: --index-url does not lead"),
        ("-i https://a --extra-index-url file:///b", "1: -i does not lead"),
        ("\n\na ${HOME}", "3: ${HOME} would be a variable"),
        ("--index-url https://${TOKEN}@a/simple", "1: ${TOKEN} would be a variable"),
        ("a b", "1: this is no requirement"),
        ("a==1 --global-option=x", "1: this is no requirement"),
        ("a==1 --hash=x", "1: this is no requirement"),
        ("a; " + "(" * 5000, "1: this is no requirement"),
        ("a\0", "1: the line is too long, or"),
        ("a" * 30_000, "1: the line is too long"),
        (b"a\nb\xff", "2: the file is not UTF-8"),
        ("#" * 1_000_001, "1: the file has more than"),
    ],
)
def test_what_is_refused(text: str | bytes, said: str) -> None:
    """What would reach the server's own files or variables, and what is no requirement; with its line."""
    assert problem(text).startswith(said)


def test_all_problems_are_told() -> None:
    """One does not hide the next, and the line itself is shown."""
    found = read("-e .\nfine\n./x\n").problems

    assert [(each.line, each.excerpt) for each in found] == [(1, "-e ."), (3, "./x")]


@pytest.mark.parametrize(
    ("text", "fits"),
    [
        ("requests", True),
        ("requests>=2", True),
        ("requests>2.31,<2.33", True),
        ("requests==2.32.*", True),
        ("requests==2.32.3", True),
        ("requests!=2.32", True),
        ("requests>2.32", True),
        ("requests>=2.99", True),
        ("requests~=2.40.1", True),
        ("requests===weird", True),
        ("requests<2; python_version < '3'", True),
        ("requests @ https://example.com/r.whl", True),
        ("requests<2", False),
        ("requests<2.32", False),
        ("requests==2.31.*", False),
        ("requests>=3", False),
        ("requests~=1.0", False),
        ("requests==1!2.32", False),
        ("requests>2.33,<2.33.1,!=2.33.*", False),
        ("Anthropic==0.55.0", False),
        ("python_telegram_bot>22,<22.1", True),
    ],
)
def test_versions_of_promised_packages(text: str, fits: bool) -> None:
    """A range that the promised one can never meet is a problem; whatever may fit is for uv to decide."""
    found = read(text)

    assert (found.problems == ()) is fits
    assert len(found.items) == 1 and repeated_package(found.items[0])


RANGES = st.lists(
    st.builds(
        "{}{}".format,
        st.sampled_from(["==", "!=", ">=", "<=", ">", "<", "~="]),
        st.sampled_from(["6.0", "6.1.2", "7.0"]),
    ),
    min_size=1,
    max_size=3,
).map(",".join)
VERSIONS = list(map(Version, ["5.9", "6.0", "6.0.1", "6.1.2", "6.1.3", "6.2", "6.2.1", "6.9", "7.0", "7.0.1", "8.0"]))


@given(RANGES)
def test_no_range_that_a_version_fits_is_refused(text: str) -> None:
    """Where there is a version that fits both, nothing is said."""
    promised = find_promised("gspread")
    assert promised is not None
    both = SpecifierSet(text) & SpecifierSet(promised.range)
    if any(version in both for version in VERSIONS):
        assert read(f"gspread{text}").problems == ()


@given(st.text(max_size=60) | st.text("ab=<>~!1.*,;@[]()\\# \n-rie$", max_size=60) | st.binary(max_size=60))
def test_any_content_is_read_or_refused(text: str | bytes) -> None:
    """No content makes the reader fail in a way of its own, and what uv gets stays on its lines and has no paths."""
    found = read(text.encode(errors="surrogatepass") if isinstance(text, str) else text)

    for line in (*found.options, *(each.text for each in found.items)):
        assert "\n" not in line and "\r" not in line and not line.startswith(("-e", "-r", "-c", ".", "/"))
    assert all(each.line >= 1 and each.message for each in found.problems)
