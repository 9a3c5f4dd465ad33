"""Hostile pickles are refused by name, and nothing of them runs."""

import contextlib
import io
import os
import pickle
import subprocess
import sys
from collections import OrderedDict

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gem_lite.safe_pickle import UnsafePickleError, _Dtype, _Maker, loads


class Reduces:
    """Pickles as a call of any function with any arguments, the way every attack does it."""

    def __init__(self, function, *arguments, state=None):
        self.call = (function, arguments) if state is None else (function, arguments, state)

    def __reduce__(self):
        return self.call


def attacks(marker: str) -> dict[str, bytes]:
    """Payloads by the name they must be refused with; most would leave a file at `marker`."""
    write = f"open({marker!r}, 'w').close()"
    command = f"{sys.executable} -c {write!r}".replace("'", '"')
    # getattr(__import__("os"), "system")("touch marker"): results of calls are called in turn.
    nested = b"cbuiltins\ngetattr\n(cbuiltins\n__import__\n(S'os'\ntRS'system'\ntR(S'touch %s'\ntR."

    def stack_global(module: bytes, name: bytes, argument: bytes) -> bytes:
        text = b"".join(b"\x8c" + bytes([len(part)]) + part for part in (module, name))
        return (
            b"\x80\x04" + text + b"\x93" + b"X" + len(argument).to_bytes(4, "little") + argument + b"\x85R."
        )

    return {
        f"{os.system.__module__}.system": pickle.dumps(Reduces(os.system, f"touch {marker}")),
        "builtins.eval": pickle.dumps(Reduces(eval, write)),
        "builtins.exec": pickle.dumps(Reduces(exec, write)),
        "subprocess.Popen": pickle.dumps(Reduces(subprocess.Popen, command)),
        "builtins.getattr": nested % marker.encode(),
        # numpy.load may itself unpickle; runstring and f2py live in numpy too.
        "numpy.load": pickle.dumps(Reduces(np.load, marker, None, True)),
        "numpy.testing._private.utils.runstring": pickle.dumps(
            Reduces(np.testing._private.utils.runstring, write, {})
        ),
        # A dotted name walks from an allowed class to what hangs below it.
        "numpy.ndarray.__class__.__base__": stack_global(b"numpy", b"ndarray.__class__.__base__", b""),
        "numpy.dtype.__init__.__globals__": stack_global(b"numpy", b"dtype.__init__.__globals__", b""),
        # Protocol 0 and the old INST opcode; "os" is only another name of the same module.
        "os.system": b"(S'touch " + marker.encode() + b"'\nios\nsystem\n.",
        "copyreg._reconstructor": pickle.dumps(
            Reduces(sys.modules["copyreg"]._reconstructor, Reduces, object, None)
        ),
        "io.FileIO": pickle.dumps(Reduces(io.FileIO, marker, "w")),
        "functools.partial": pickle.dumps(Reduces(__import__("functools").partial, print)),
    }


@pytest.mark.parametrize("name", attacks("x"))
def test_attacks_are_refused_by_name_and_nothing_runs(tmp_path, name):
    marker = tmp_path / "was_here"
    with pytest.raises(UnsafePickleError, match=name.replace(".", r"\.")):
        loads(attacks(str(marker))[name], "gnd_evil.pkl")
    assert not marker.exists()


def test_an_attack_deep_inside_a_good_structure_is_refused(tmp_path):
    marker = tmp_path / "was_here"
    truth = {
        "imlist": ["a"],
        "qimlist": ["q"],
        "gnd": [{"easy": [0], "hard": Reduces(os.system, f"touch {marker}")}],
    }
    with pytest.raises(
        UnsafePickleError, match=r"refused to open gnd\.pkl: it asks for posix\.system|nt\.system"
    ):
        loads(pickle.dumps(truth), "gnd.pkl")
    assert not marker.exists()


@pytest.mark.parametrize(
    "name", ["posix.system", "os.system", "builtins.eval", "builtins.exec", "builtins.getattr", "io.FileIO"]
)
def test_the_payloads_do_work_when_unpickled_freely(tmp_path, name):
    """Otherwise the tests above would prove nothing."""
    marker = tmp_path / "was_here"
    pickle.loads(attacks(str(marker))[name])
    assert marker.exists()


def global_opcode(module: str, name: str) -> bytes:
    return f"c{module}\n{name}\n".encode()


DICT_STATE = b"}X\x01\x00\x00\x00aK\x01s"  # {"a": 1}


@pytest.mark.parametrize(
    ("payload", "message"),
    [
        # BUILD on a function would set its attributes, for example its default arguments.
        (global_opcode("numpy", "dtype") + DICT_STATE + b"b.", "change a function"),
        (global_opcode("_codecs", "encode") + b"N" + DICT_STATE + b"\x86b.", "change a function"),
        # The memo trick: what was looked up is kept, fetched again and given a state.
        (
            b"\x80\x02" + global_opcode("builtins", "set") + b"q\x000h\x00" + DICT_STATE + b"b.",
            "change a function",
        ),
        # Room for 2**31 memo entries.
        (b"\x80\x02Nr\xff\xff\xff\x7f.", "more memory"),
        (b"Np2000000000\n.", "more memory"),
        (b"Psome id\n.", "PERSID"),
        (b"\x80\x02K\x01Q.", "BINPERSID"),
        (b"\x80\x02\x82\x01.", "EXT1"),
        (b"\x80\x05\x97.", "NEXT_BUFFER"),
        # ndarray((2**40,), ...) and other calls that no pickle of an array makes.
        (b"\x80\x02" + global_opcode("numpy", "ndarray") + b"K\x05\x85R.", "ndarray itself"),
        (b"\x80\x02" + global_opcode("numpy", "dtype") + b"X\x02\x00\x00\x00V9\x85R.", "other than numbers"),
        (global_opcode("_codecs", "encode") + b"(X\x01\x00\x00\x00aX\x03\x00\x00\x00ziptR.", "encoding"),
    ],
)
def test_tricks_are_refused(payload, message):
    with pytest.raises(UnsafePickleError, match=message):
        loads(payload)


def test_new_object_opcodes_find_no_class():
    payload = b"\x80\x02" + global_opcode("numpy", "dtype") + b")\x81."
    with pytest.raises(ValueError, match="not a readable pickle"):
        loads(payload)


def test_stand_ins_are_as_before_after_an_attack():
    with pytest.raises(UnsafePickleError):
        loads(global_opcode("numpy", "dtype") + DICT_STATE + b"b.")
    assert loads(pickle.dumps(np.arange(2))) == [0, 1]
    assert not hasattr(_Maker(_Dtype), "a")


def test_an_array_whose_shape_lies_about_its_bytes_is_refused():
    content = pickle.dumps(np.arange(3), protocol=2).replace(b"K\x03\x85", b"K\x63\x85", 1)
    with pytest.raises(ValueError, match="not a readable pickle"):
        loads(content)


@pytest.mark.parametrize("content", [b"", b"hello", b"\x80\x04", b"\xff\xd8\xff\xe0JFIF", b"PK\x03\x04"])
def test_files_that_are_no_pickle_say_so(content):
    with pytest.raises(ValueError, match=r"photo\.jpg is not a readable pickle"):
        loads(content, "photo.jpg")


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize(
    "value",
    [
        np.arange(5),
        np.arange(6, dtype=np.int16).reshape(2, 3),
        np.asfortranarray(np.arange(6.0).reshape(2, 3)),
        np.array([1.5, -2], dtype=">f4"),
        np.array(["abc", "d"]),
        np.array([b"abc", b"d"]),
        np.array(["a", 2, None], dtype=object),
        np.zeros((0,), dtype=np.int64),
        np.array([True, False]),
    ],
)
def test_arrays_come_back_as_lists(value, protocol):
    assert loads(pickle.dumps(value, protocol=protocol)) == value.tolist()


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize("value", [np.float32(1.5), np.int64(-3), np.bool_(True), np.str_("name")])
def test_numpy_numbers_come_back_as_numbers(value, protocol):
    assert loads(pickle.dumps(value, protocol=protocol)) == value.item()


plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text() | st.binary(),
    lambda children: (
        st.lists(children) | st.dictionaries(st.text(), children) | st.tuples(children, children)
    ),
)


@given(value=plain, protocol=st.integers(0, pickle.HIGHEST_PROTOCOL))
def test_plain_values_come_back_equal(value, protocol):
    assert loads(pickle.dumps(value, protocol=protocol)) == value


def test_sets_and_ordered_dicts_are_containers():
    assert loads(pickle.dumps({1, 2}, protocol=2)) == {1, 2}
    assert loads(pickle.dumps(OrderedDict(a=1), protocol=2)) == {"a": 1}


@given(content=st.binary(max_size=60))
def test_arbitrary_bytes_never_do_more_than_fail(content):
    with contextlib.suppress(ValueError):
        loads(content)
