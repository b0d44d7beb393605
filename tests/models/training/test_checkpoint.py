"""A checkpoint is the old one or the new one, whole; anything else is refused."""

import json
import os

import numpy as np
import pytest
import torch

from remanifold.models.training import checkpoint

OLD = {"weights": torch.arange(5.0)}
NEW = {"weights": torch.arange(7.0), "step": torch.tensor(3)}


def test_comes_back_and_leaves_no_litter(tmp_path):
    checkpoint.write(tmp_path, "state", OLD, {"step": 1})
    checkpoint.write(tmp_path, "state", NEW, {"step": 2, "name": "ξ"})
    tensors, record = checkpoint.read(tmp_path, "state")
    assert record == {"step": 2, "name": "ξ"}
    assert set(tensors) == {"weights", "step"}
    assert tensors["weights"].equal(NEW["weights"])
    assert sorted(path.suffix for path in tmp_path.iterdir()) == [".json", ".safetensors"]


@pytest.mark.parametrize(("fatal", "survivor"), [(1, OLD), (2, OLD), (3, NEW)])
def test_killed_while_writing(tmp_path, monkeypatch, fatal, survivor):
    """Death at the first renaming (weights), the second (record), or after it, while tidying up."""
    checkpoint.write(tmp_path, "state", OLD, {"length": 5})
    rename, calls = os.replace, []

    def dies(source, target):
        calls.append(target)
        if len(calls) == fatal:
            raise KeyboardInterrupt
        rename(source, target)
        if fatal == 3 and len(calls) == 2:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", dies)
        with pytest.raises(KeyboardInterrupt):
            checkpoint.write(tmp_path, "state", NEW, {"length": 7})
    tensors, record = checkpoint.read(tmp_path, "state")
    assert tensors["weights"].equal(survivor["weights"])
    assert record == {"length": len(survivor["weights"])}
    checkpoint.write(tmp_path, "state", NEW, {"length": 7})
    assert len(list(tmp_path.iterdir())) == 2


def test_remains_of_a_killed_process_go(tmp_path):
    checkpoint.write(tmp_path, "state", OLD, {"step": 1})
    for name in (".state-0123456789abcdef-x1y2.safetensors", ".state-x1y2.json", "state-0123456789abcdef.safetensors"):
        (tmp_path / name).write_bytes(b"half")
    checkpoint.write(tmp_path, "state", NEW, {"step": 2})
    assert len(list(tmp_path.iterdir())) == 2
    assert checkpoint.read(tmp_path, "state")[1] == {"step": 2}


def _cut(path):
    path.write_bytes(path.read_bytes()[:-3])


def _flip(path):
    content = bytearray(path.read_bytes())
    content[-2] ^= 1
    path.write_bytes(bytes(content))


def _edit(path):
    text = path.read_text()
    assert '"step": 1' in text
    path.write_text(text.replace('"step": 1', '"step": 9'))


def _other_format(path):
    path.write_text(json.dumps({**json.loads(path.read_text()), "format": 0}))


@pytest.mark.parametrize(
    ("pattern", "damage"),
    [
        ("*.safetensors", _cut),
        ("*.safetensors", _flip),
        ("*.safetensors", lambda path: path.unlink()),
        ("*.safetensors", lambda path: path.write_bytes(b"")),
        ("*.json", _cut),
        ("*.json", _edit),
        ("*.json", _other_format),
        ("*.json", lambda path: path.write_text("[]")),
        ("*.json", lambda path: path.write_bytes(b"\xff\xfe")),
        ("*.json", lambda path: path.unlink()),
    ],
)
def test_damage_is_refused(tmp_path, pattern, damage):
    checkpoint.write(tmp_path, "state", OLD, {"step": 1})
    damage(next(tmp_path.glob(pattern)))
    with pytest.raises(ValueError, match=r"checkpoint .*state\.json cannot be used"):
        checkpoint.read(tmp_path, "state")


def test_not_a_number_is_not_written(tmp_path):
    checkpoint.write(tmp_path, "state", OLD, {"loss": 1.0})
    with pytest.raises(ValueError, match="JSON"):
        checkpoint.write(tmp_path, "state", NEW, {"loss": np.nan})
    assert checkpoint.read(tmp_path, "state")[1] == {"loss": 1.0}
