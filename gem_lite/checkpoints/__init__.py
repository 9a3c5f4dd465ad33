"""Networks in files: the released ones of the paper's authors, and a format of this package's own.

- `load_cirtorch` reads a released or self-trained network of ``filipradenovic/cnnimageretrieval-pytorch``,
  `load_cirtorch_features` its converted Caffe bodies, `load_cirtorch_whitening` its whitening files.
- `save` and `load` keep a network, with regional pooling, local whitening and stored whitenings where it has
  them, as safetensors with a JSON text.
- `open_network` takes any of these, and what `gem_lite.network.save_network` wrote.

``python -m gem_lite.checkpoints released.pth own.safetensors`` converts. Nothing in a file is ever run.
"""

from gem_lite.checkpoints.cirtorch import load_cirtorch, load_cirtorch_features, load_cirtorch_whitening
from gem_lite.checkpoints.files import load, open_network, save
from gem_lite.checkpoints.parts import StoredNet

__all__ = [
    "StoredNet",
    "load",
    "load_cirtorch",
    "load_cirtorch_features",
    "load_cirtorch_whitening",
    "open_network",
    "save",
]
