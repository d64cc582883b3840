"""Texts that programs trip over."""

from __future__ import annotations

import functools

from hypothesis import Phase, given, settings
from hypothesis import strategies as some

NAMED = {
    "empty": "",
    "one newline": "\n",
    "no newline at the end": "a\nb",
    "newlines at the end": "a\n\n\n",
    "newlines at the start": "\n\na\n",
    "blanks at line ends": "a \nb\t\n \n",
    "blank line of blanks": "a\n  \nb\n",
    "leading blanks": "  a\n b\n",
    "leading tab": "\ta\n",
    "CRLF": "a\r\nb\r\n",
    "lone CR": "a\rb\n",
    "double quotes": 'say "hi"\n',
    "single quotes": "it's 'it'\n",
    "backslashes": "C:\\n\\\\ \\x41 \\\n",
    "jinja": "{{ v1.instance_id }} {% raw %} {# x #}\n",
    "jinja header": "## template: jinja\n{{ v1 }}\n",
    "another cloud-config": "#cloud-config\nruncmd: [reboot]\n",
    "shell": "$(reboot) `reboot` ${HOME} $HOME && ; | > <\n",
    "HCL": "${var.x} %{if true}x%{endif}\n",
    "percent": "%s %(x)s %d %%\n",
    "colons": "a: b: c\n- d: e\n",
    "comment": "a # b\n# c\n",
    "YAML documents": "---\na\n...\n---\nb\n",
    "YAML tags": "!!python/object/apply:os.system [x]\n&a *a\n",
    "YAML indicators": "? : - , [ ] { } # & * ! | > ' \" % @ `\n",
    "block header": "|2-\n  x\n",
    "merge key": "<<: *x\n",
    "emoji": "🎈 ünïcödé 漢字 e\u0301\n",
    "right to left": "\u202eabc\u202c\n",
    "byte order mark": "\ufeffa\n",
    "odd line ends": "a\u0085b\u2028c\u2029d\n",
    "no-break space": "\u00a0a\u00a0\n",
    "control characters": "".join(map(chr, range(1, 32))) + "\x7f\x80\x9f",
    "NUL": "a\0b",
    "delete": "a\x7f",
    "no character": "\uffff",
    "outside the BMP": "\U0010fffd\n",
    "base64": "aGVsbG8=\n",
    "MIME": 'Content-Type: multipart/mixed; boundary="x"\nMIME-Version: 1.0\n\n--x--\n',
    "end marker": "EOF\nEOT\n__END__\n",
}
LARGE = ("0123456789abcde\n" * 4096, "x" * 65536, "\U0001f388 \n" * 16384)
# What one YAML reads as a number, a date or a truth value, and another as text.
NO_TEXT = [
    "0644", "08", "0o17", "0O17", "0b1", "0x1F", "0X1f", "1_000", "+1", "-1",
    "1.", ".5", "-.5", "1.5", "1e3", "1E3", "1e+3", "1.5e3", ".5e3", "1_0.5e3",
    "0x1p-2", "12345.67e89012", "_", "-", ".", "+", "e1", ".inf", "-.inf", "+.Inf",
    ".nan", ".NaN", "inf", "Infinity", "nan", "12:30:45", "190:20:30.15", "1:2", "2026-11-23", "2026-11-23T10:00:00Z",
    "2026-11-23t1:2:3+1:00", "y", "Y", "n", "N", "yes", "No", "ON", "off", "true",
    "False", "TRUE", "null", "NULL", "Null", "~", "=", "<<", "?", "!",
    "!!int",
]  # fmt: skip
DRAWN = some.one_of(
    some.text(alphabet=some.characters(codec="utf-8"), max_size=120),
    some.text(alphabet="\"'`{}[]$%&*!|>-:#\\ \t\n\r@,?~<=", min_size=1, max_size=60),
    some.lists(some.sampled_from([*NAMED.values()]), min_size=2, max_size=4).map("".join),
)


@functools.cache
def hostile() -> tuple[str, ...]:
    """The named texts, on one line as well, and some that hypothesis makes up: the same ones in each run."""
    made = [*NO_TEXT, *NAMED.values(), *(text.rstrip("\n") for text in NAMED.values())]

    @settings(max_examples=60, derandomize=True, database=None, phases=[Phase.generate], deadline=None)
    @given(text=DRAWN)
    def draw(text: str) -> None:
        made.append(text)

    draw()
    return tuple(dict.fromkeys(made))
