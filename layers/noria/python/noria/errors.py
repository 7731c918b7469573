"""The error tree: a class's name is what the state machine catches and what a run records."""


class NoriaError(Exception):
    """Anything that Noria itself refuses, with a sentence that says what to do about it."""


class ContractError(NoriaError):
    """A problem contract that cannot be used."""


class ExpressionError(ContractError):
    """An expression outside the closed grammar, or one that cannot be evaluated."""


class SourceError(NoriaError):
    """A data source that cannot be reached or read."""


class DataError(NoriaError):
    """Data that does not hold what the contract says it holds."""


class FeatureError(NoriaError):
    """A feature set that cannot be made, written or read."""


class TrainingError(NoriaError):
    """No candidate could be fitted."""


class ParityError(NoriaError):
    """An exported model whose answers differ from those of the trained pipeline."""


class ContentionError(NoriaError):
    """An object that other writers changed each time before a change to it could be written."""


class RegistryError(NoriaError):
    """A model version or registry entry that is missing or contradicts another."""


class TrackingError(NoriaError):
    """A tracking server that does not take what is sent to it."""


class TrackingUnavailableError(TrackingError):
    """A tracking server that cannot be reached now, and may be later."""


class LeaseError(NoriaError):
    """Another execution holds this stack's run lease."""


class BatchError(NoriaError):
    """A batch of files that cannot be answered, or not as it was begun."""


class RequestError(NoriaError):
    """A prediction request that does not fit the model's signature."""
