"""What rules need of ONNX beside what feature steps need."""

from collections.abc import Iterable

import numpy as np
from onnx import TensorProto

from noria.core.training.onnx_operations import OnnxOperations


class RuleOperations(OnnxOperations):
    """Records operations on doubles, booleans and texts; tensors are (n, 1) or broadcast."""

    def double(self, value: float) -> str:
        """A double that broadcasts over the rows."""
        return self.constant(np.array(value, dtype=np.float64))

    def as_written(self, raw: str, decimals: int) -> str:
        """The graph of `as_written`."""
        exact, zero = self.node("Cast", raw, to=TensorProto.DOUBLE), self.double(0.0)
        unsigned = self.where(self.equal(exact, zero), zero, exact)
        if not decimals:
            return unsigned
        scale = self.double(10.0**decimals)
        whole = self.node("Round", self.multiply(unsigned, scale))
        written = self.divide(whole, scale)
        same = self.equal(self.to_float(written), raw)
        return self.where(same, written, unsigned)

    def remainder(self, one: str, other: str) -> str:
        """The remainder with the sign of the divisor, of a zero too, as numpy has it."""
        rest, zero = self.node("Mod", one, other, fmod=1), self.double(0.0)
        differs = self.node("Xor", self.node("Less", rest, zero), self.node("Less", other, zero))
        turned = self.both(differs, self.node("Not", self.equal(rest, zero)))
        size = self.absolute(self.where(turned, self.add(rest, other), rest))
        return self.multiply(size, self.node("Sign", other))

    def is_one_of(self, column: str, texts: Iterable[str]) -> str:
        """Mark the rows whose text is one of these."""
        half = self.constant(np.array(0.5, dtype=np.float32))
        return self.greater(self.lookup(column, dict.fromkeys(texts, 1.0), 0.0), half)
