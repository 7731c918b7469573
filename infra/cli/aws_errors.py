"""What AWS and botocore refuse, with what helps."""

EXPIRED = frozenset(["ExpiredToken", "ExpiredTokenException", "RequestExpired"])
UNKNOWN_KEYS = frozenset(
    ["AuthFailure", "InvalidClientTokenId", "SignatureDoesNotMatch", "UnrecognizedClientException"]
)
DENIED = frozenset(["AccessDenied", "AccessDeniedException", "UnauthorizedOperation"])
NO_CREDENTIALS = "no credentials are found; set them, such as by `aws configure`"
NO_REGION = "no region is set; set AWS_DEFAULT_REGION, such as eu-central-1"
RENEW = "get new ones, such as by `aws sso login`, or set those of AWS_PROFILE anew"


def remedied(error: Exception) -> str:
    """What AWS or botocore says, with what helps; the end of the sentence is the caller's."""
    from botocore import exceptions as known

    if isinstance(error, known.NoRegionError):
        return NO_REGION
    if isinstance(error, known.NoCredentialsError | known.PartialCredentialsError):
        return NO_CREDENTIALS
    if isinstance(error, known.ProfileNotFound):
        return f"{_said(error)}; set AWS_PROFILE to one of `aws configure list-profiles`"
    if isinstance(error, known.SSOError | known.CredentialRetrievalError):
        return f"the credentials cannot be read ({_said(error)}); {RENEW}"
    code = error.response["Error"]["Code"] if isinstance(error, known.ClientError) else ""
    if code in EXPIRED:
        return f"the credentials have expired; {RENEW}"
    if code in UNKNOWN_KEYS:
        return f"AWS does not take the credentials ({_said(error)}); check keys, clock and region"
    if code in DENIED:
        return f"the credentials may not do that ({_said(error)}); ask for the permission"
    return f"{_said(error)}; deploy it with `make deploy`, check credentials and region"


def _said(error: Exception) -> str:
    return str(error).rstrip(". ")
