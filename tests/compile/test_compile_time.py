"""What would make kernels take long to compile."""

import ast
from pathlib import Path

from quanvolve.compile import kernels


def copies_of_arrays(source: str) -> list[int]:
    """Lines that assign something else than a number to a slice, in functions that Numba compiles."""
    lines = []
    for function in ast.walk(ast.parse(source)):
        if not isinstance(function, ast.FunctionDef):
            continue
        if not any(word in ast.unparse(made) for made in function.decorator_list for word in ("jit", "inlined")):
            continue
        for node in ast.walk(function):
            if isinstance(node, ast.Assign) and not isinstance(node.value, ast.Constant):
                places = [target.slice for target in node.targets if isinstance(target, ast.Subscript)]
                if any(isinstance(part, ast.Slice) for place in places for part in ast.walk(place)):
                    lines.append(node.lineno)
    return lines


def test_no_kernel_compiles_the_error_message_of_a_copy() -> None:
    """Numba's message about the shapes of `into[:] = array` takes 3 seconds to compile, in each kernel that has it."""
    assert copies_of_arrays("@_jit\ndef f(x, y):\n    x[:] = 0\n    x[:, 0] = y\n") == [4]
    files = sorted((Path(kernels.__file__).parent / "numba").glob("*.py"))
    assert [path.name for path in files if copies_of_arrays(path.read_text())] == []
    assert sum("_jit" in path.read_text() for path in files) > 5
