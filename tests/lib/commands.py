#!/usr/bin/python3
"""
commands.py FILE COMMAND ARGS... - call a function of FILE.py, which is beside this
one, with these arguments.  Without a COMMAND: say which there are.  Tests call it
by `py` and `start_py` (penstock.bash); it finds the server at $PORT, and runs in
the directory of the test.
"""
import importlib
import sys


def commands_of(module):
    return {name: f for name, f in vars(module).items()
            if callable(f) and not name.startswith("_")
            and f.__module__ == module.__name__}


def parameters(f):
    code = f.__code__
    names = list(code.co_varnames[:code.co_argcount])
    if code.co_flags & 4: # *args
        names.append(code.co_varnames[code.co_argcount] + "...")
    return names


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__.strip())
    module = importlib.import_module(sys.argv[1])
    commands = commands_of(module)
    if len(sys.argv) < 3 or sys.argv[2] not in commands:
        print(module.__doc__.strip())
        for name, f in commands.items():
            print("\n%s\n    %s" % (" ".join([name] + parameters(f)), f.__doc__.strip()))
        sys.exit(2)
    f = commands[sys.argv[2]]
    args = sys.argv[3:]
    types = [f.__annotations__.get(name, str) for name in parameters(f)]
    types += [str] * (len(args) - len(types)) # those of *args
    return f(*(convert(arg) for convert, arg in zip(types, args)))


if __name__ == "__main__":
    sys.exit(main())
