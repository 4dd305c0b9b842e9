"""Text of unknown origin as a single line."""

MOST = 4000  # characters; nobody reads more of one line


def one_line(text: str) -> str:
    r"""The text without line breaks and control characters, whatever names of files it carries.

    Args:
        text: may hold anything, lone surrogates and code points that turn the direction of writing included.

    Returns:
        At most 4,000 characters, all of them printable.

    Examples:
        >>> one_line("two\n lines and \x1b[31m")
        'two lines and \\x1b[31m'
    """
    joined = " ".join(text[: 4 * MOST].split())
    line = "".join(letter if letter.isprintable() else repr(letter)[1:-1] for letter in joined)
    return line if len(line) <= MOST else f"{line[: MOST - 4]} ..."
