"""Signs and codes of currencies, as they stand before or behind an amount."""

import re

#: ISO 4217. Those that are words, units or codes elsewhere too are left out.
_CODES = """
AED AFN AMD AOA ARS AUD AZN BBD BDT BGN BHD BIF BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CLP
CNY COP CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GMD GNF GTQ GYD HKD HNL
HRK HTG HUF IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KRW KWD KYD KZT LAK LBP LKR LRD LSL
LYD MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK
PHP PKR PLN PYG QAR RON RSD RUB RWF SAR SBD SCR SDG SEK SGD SHP SRD SYP SZL THB TJS TMT TND TRY TTD
TWD TZS UAH UGX USD UYU UZS VES VND VUV XAF XCD XOF XPF YER ZAR ZMW ZWL RMB NTD DM TL
""".split()  # noqa: SIM905
#: How people write some of them, and which code is meant where there is one only.
_WRITTEN = {
    "€": "EUR", "euro": "EUR", "euros": "EUR", "£": "GBP", "$": "USD", "us$": "USD", "u$s": "USD",
    "dollar": "USD", "dollars": "USD", "r$": "BRL", "a$": "AUD", "au$": "AUD", "c$": "CAD",
    "ca$": "CAD", "can$": "CAD", "nz$": "NZD", "hk$": "HKD", "s$": "SGD", "nt$": "TWD",
    "mx$": "MXN", "mex$": "MXN", "rd$": "DOP", "₹": "INR", "rs": "Rs", "re": "Rs", "rp": "IDR",
    "rm": "MYR", "zł": "PLN", "zl": "PLN", "kč": "CZK", "kc": "CZK", "ft": "HUF", "kr": "kr",
    "lei": "RON", "leu": "RON", "лв": "BGN", "руб": "RUB", "р": "RUB", "₽": "RUB", "грн": "UAH",  # noqa: RUF001
    "₴": "UAH", "₺": "TRY", "₪": "ILS", "₩": "KRW", "원": "KRW", "₫": "VND", "đ": "VND",
    "฿": "THB", "₱": "PHP", "₦": "NGN", "₸": "KZT", "тг": "KZT", "₡": "CRC", "₲": "PYG",
    "元": "CNY", "円": "JPY", "fr": "CHF", "sfr": "CHF", "s/": "PEN", "b/": "PAB", "bs": "Bs",
    "din": "din", "дин": "din", "сом": "сом", "сум": "UZS", "r": "ZAR", "﷼": "﷼", "৳": "BDT",
}  # fmt: skip
_SIGN = re.compile(r"(?:[A-Z]{1,3})?[$¢£¤¥\u20a0-\u20cf\ufdfc\u0e3f\u09f3]")
_KNOWN = {**{code: code for code in _CODES}, **{code: code for code in ("eur", "usd", "gbp")}}


def currency_of(sign: str) -> str | None:
    """Return the currency that a sign, code or abbreviation means, or None where it is none."""
    if sign in _KNOWN:
        return _KNOWN[sign].upper()
    found = _WRITTEN.get(sign.removesuffix(".").lower())
    return found or (sign if _SIGN.fullmatch(sign) else None)


def is_letters(sign: str) -> bool:
    """Whether a sign is letters only, as in codes of other things too."""
    return bool(sign) and sign.removesuffix(".").isalpha()
