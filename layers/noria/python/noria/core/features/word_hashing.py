"""The hash of a word, the same in training and in the graph that serves."""


def word_hash(word: str) -> int:
    """MurmurHash3 (32 bits, seed 0) of UTF-8, as ONNX Runtime's operator computes it."""
    # EngineerFeatures chooses columns, hashes no word, and has no scikit-learn in its layer.
    from sklearn.utils import murmurhash3_32

    return int(murmurhash3_32(word, seed=0, positive=True))
