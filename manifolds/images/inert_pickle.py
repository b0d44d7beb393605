"""The plain contents of a pickle, read without unpickling: nothing in the file is imported, called or built.

A pickle is a program for a stack machine. What makes it dangerous is that the program may name any function
(GLOBAL) and have it called (REDUCE, BUILD). Here `pickletools.genops` splits the file into instructions, and this
module carries out those that make numbers, strings, lists and dictionaries; a name stays a `Name`, and a call stays
a `Call`, a record of what would have been called. An array of bytes is recognised by the shape of its record.
Instructions that plain data do not need are refused.
"""

import pickletools
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray


class Name(NamedTuple):
    """A function or class that the pickle names; it is not looked up."""

    module: str
    name: str


@dataclass(eq=False)
class Call:
    """A call that the pickle asks for; it is not carried out. `state` is what it would have set afterwards."""

    function: Any
    arguments: Any
    state: Any = None


_MARK = object()
_RECONSTRUCT = (Name("numpy.core.multiarray", "_reconstruct"), Name("numpy._core.multiarray", "_reconstruct"))


def plain_contents(data: bytes) -> Any:
    """The object that the pickle `data` describes, with `Name` and `Call` for what would have been executed.

    Byte strings of Python 2 come as str, one character for each byte (latin-1). ValueError for a file that is cut
    short, is no pickle, or uses an instruction beyond plain data.
    """
    stack: list[Any] = []
    memo: dict[int, Any] = {}
    try:
        for instruction, argument, _ in pickletools.genops(data):
            if instruction.name == "STOP":
                break
            _carry_out(instruction.name, argument, stack, memo)
        (result,) = stack
    except (IndexError, KeyError, TypeError, AttributeError, ValueError) as error:
        raise ValueError(f"not a pickle of plain data: {error}") from None
    return result


def byte_array(record: Any) -> NDArray[np.uint8]:
    """The array of bytes, in C order, that `record` stands for; ValueError if it does not."""
    match record:
        case Call(function=made_by, state=(_, tuple() as shape, dtype, False, str() | bytes() as contents)):
            if made_by in _RECONSTRUCT and _is_byte(dtype):
                values = contents.encode("latin-1") if isinstance(contents, str) else contents
                return np.frombuffer(values, dtype=np.uint8).reshape(shape)
    raise ValueError("not an array of bytes in C order")


def _is_byte(dtype: Any) -> bool:
    match dtype:
        case Call(function=Name("numpy", "dtype"), arguments=("u1", *_)):
            return True
    return False


def _carry_out(instruction: str, argument: Any, stack: list[Any], memo: dict[int, Any]) -> None:
    match instruction:
        case "PROTO" | "FRAME":
            pass
        case "INT" | "LONG" | "LONG1" | "LONG4" | "BININT" | "BININT1" | "BININT2" | "FLOAT" | "BINFLOAT":
            stack.append(argument)
        case "STRING" | "BINSTRING" | "SHORT_BINSTRING" | "BINBYTES" | "SHORT_BINBYTES" | "BINBYTES8":
            stack.append(argument)
        case "UNICODE" | "BINUNICODE" | "SHORT_BINUNICODE" | "BINUNICODE8":
            stack.append(argument)
        case "NONE" | "NEWTRUE" | "NEWFALSE":
            stack.append({"NONE": None, "NEWTRUE": True, "NEWFALSE": False}[instruction])
        case "MARK":
            stack.append(_MARK)
        case "EMPTY_TUPLE":
            stack.append(())
        case "TUPLE1" | "TUPLE2" | "TUPLE3":
            stack.append(tuple(reversed([stack.pop() for _ in range(int(instruction[-1]))])))
        case "TUPLE":
            stack.append(tuple(_since_mark(stack)))
        case "EMPTY_LIST":
            stack.append([])
        case "LIST":
            stack.append(_since_mark(stack))
        case "APPEND":
            _extend(stack, [stack.pop()])
        case "APPENDS":
            _extend(stack, _since_mark(stack))
        case "EMPTY_DICT":
            stack.append({})
        case "DICT":
            stack.append(_pairs(_since_mark(stack)))
        case "SETITEM":
            value, key = stack.pop(), stack.pop()
            stack[-1].update({key: value})
        case "SETITEMS":
            items = _pairs(_since_mark(stack))
            stack[-1].update(items)
        case "PUT" | "BINPUT" | "LONG_BINPUT":
            memo[argument] = stack[-1]
        case "MEMOIZE":
            memo[len(memo)] = stack[-1]
        case "GET" | "BINGET" | "LONG_BINGET":
            stack.append(memo[argument])
        case "GLOBAL":
            stack.append(Name(*argument.split(" ", 1)))
        case "STACK_GLOBAL":
            name, module = stack.pop(), stack.pop()
            stack.append(Name(module, name))
        case "REDUCE":
            arguments, function = stack.pop(), stack.pop()
            stack.append(Call(function, arguments))
        case "BUILD":
            state = stack.pop()
            stack[-1].state = state
        case _:
            raise ValueError(f"instruction {instruction} is not carried out")


def _extend(stack: list[Any], items: list[Any]) -> None:
    stack[-1].extend(items)


def _since_mark(stack: list[Any]) -> list[Any]:
    items = []
    while (item := stack.pop()) is not _MARK:
        items.append(item)
    return items[::-1]


def _pairs(items: list[Any]) -> dict[Any, Any]:
    return dict(zip(items[::2], items[1::2], strict=True))
