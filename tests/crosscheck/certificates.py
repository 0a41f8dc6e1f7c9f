#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Cross-check: what the reader of certificates says against what OpenSSL says, fact by fact.

On the certificates that the system trusts, on those in captures (pcaps/ and the folder
MAILTAP_EXTRA_CAPTURES), on some that `openssl` makes here, on those of the unit tests, on every
object identifier that OpenSSL has a name for, and on damaged forms of all of them. Where the two
differ and are meant to, the difference stands below with its reason. The comparing is done by
certificate_facts.c.
"""

import collections
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from lib import capture_file, packets, program  # noqa: E402
from lib.tap import Tap  # noqa: E402

TRUSTED = Path("/usr/share/ca-certificates")
TRUSTED_ENOUGH = 50  # certificates; fewer, and the system has none worth the name
DAMAGED = 40  # damaged forms of each certificate
CERTIFICATE = 11  # a handshake message
SMALL = 800  # bytes; of smaller ones more forms
DAMAGED_SMALL = 400
DAMAGED_RECIPE = 150

# What is malformed here and yet parsed by d2i_X509: which rule it breaks, and whether OpenSSL finds
# it when it looks into the part (a time, the key, an extension).
PARSED = {
    "algorithm has more than parameters": "RFC 4055 3.1: in parameters, which d2i_X509 leaves alone",
    "alternative name is malformed": "RFC 5280 4.2.1.6: no such choice, or an address of neither 4 "
    "nor 16 octets",
    "alternative names are empty": "RFC 5280 4.2.1.6: at least one",
    "basic constraints are malformed": "RFC 5280 4.2.1.9, X.690 11.1: a TRUE that is not 0xff",
    "curve parameters are malformed": "RFC 3279 2.3.5",
    "DSA key is malformed": "RFC 3279 2.3.2",
    "element is cut short": "X.690 8.1.3: a length beyond what encloses it, in a part that "
    "d2i_X509 leaves alone",
    "extended key usage is empty": "RFC 5280 4.2.1.12: SIZE (1..MAX)",
    "extended key usage is malformed": "RFC 5280 4.2.1.12",
    "extension is malformed": "X.690 11.1: a critical TRUE that is not 0xff",
    "extension occurs twice": "RFC 5280 4.2: MUST NOT",
    "extensions in version 1 or 2": "RFC 5280 4.1.2.9: MUST only appear in version 3",
    "issuer is empty": "RFC 5280 4.1.2.4: MUST contain a non-empty name",
    "key has a wrong length": "RFC 8410 3, RFC 9881",
    "key has parameters that must not be": "RFC 8410 3: MUST be absent",
    "key is no point of its curve": "RFC 5480 2.2: no such form or length; hybrid forms MUST NOT "
    "be used",
    "key is no proper bit string": "X.690 11.2.1: unused bits are zero",
    "length is indefinite": "X.690 10.1",
    "length is not minimal": "X.690 10.1",
    "list of extensions is empty": "RFC 5280 4.1: SIZE (1..MAX)",
    "more behind the alternative names": "RFC 5280 4.2: the value is one element",
    "name is not in its character set": "X.680 41.15: in an alternative name, which d2i_X509 leaves "
    "alone",
    "name is malformed": "RFC 5280 4.1.2.4: an RDN has SIZE (1..MAX); X.690 8.9.1, 8.11.1",
    "no alternative names": "RFC 5280 4.2.1.6: a SEQUENCE",
    "no curve": "RFC 5480 2.1.1: namedCurve",
    "no issuer": "X.690 8.9.1: a SEQUENCE is constructed; OpenSSL does not look",
    "no key": "X.690 10.2: a BIT STRING is primitive",
    "no list of extensions": "X.690 8.9.1: a SEQUENCE is constructed; OpenSSL does not look",
    "no subject": "X.690 8.9.1: a SEQUENCE is constructed; OpenSSL does not look",
    "object identifier is malformed": "X.690 8.19.2: in parameters or an alternative name, which "
    "d2i_X509 leaves alone",
    "RSA key is malformed": "RFC 8017 A.1.1: positive numbers; OpenSSL drops the sign",
    "RSASSA-PSS parameters are malformed": "RFC 4055 3.1: parameters MUST be present",
    "SCT list is malformed": "RFC 6962 3.3",
    "signature algorithms differ": "RFC 5280 4.1.1.2: MUST be the same",
    "signature is no proper bit string": "X.690 11.2.1: unused bits are zero",
    "tag is not minimal": "X.690 8.1.2",
    "unknown part behind the key": "X.690 10.2: a unique identifier is primitive",
    "unique identifier in version 1": "RFC 5280 4.1.2.8: MUST NOT appear in version 1",
    "unique identifier is malformed": "X.690 11.2.1: unused bits are zero",
    "validity has no proper time": "RFC 5280 4.1.2.5: with seconds, in UTC, a day that exists",
    "value is malformed": "X.690 10.2: strings are primitive",
    "version is none of 1, 2, 3": "RFC 5280 4.1.2.1",
}  # fmt: skip

# What d2i_X509 refuses and is not malformed here.
REFUSED = {
    "refused: mstring wrong tag": "a name's value is of a type that OpenSSL has no string for; "
    "RFC 5280 4.1.2.4 lets an attribute have any",
    "refused: mstring not universal": "the same, of a class of its own",
    "refused: too long": "inside such a value, which is not looked into",
    "refused: header too long": "inside such a value, which is not looked into",
}  # fmt: skip

IN_DOTS = re.compile(r"(?:^|,|\+)[0-9]+(?:\.[0-9]+)+=#")
OF_PARTS = re.compile(r"=#(28|2B|3D)")
HASH_ALONE = re.compile(r"=#(,|\+|$)")

# Facts that differ: facts, what the difference looks like, why.
FACTS = [
    ({"issuer text", "subject text"},
     lambda ours, theirs: len(IN_DOTS.findall(ours)) > len(IN_DOTS.findall(theirs)),
     "an attribute type that has no name here stands in dots"),
    ({"issuer text", "subject text"},
     lambda ours, theirs: HASH_ALONE.search(theirs) and HASH_ALONE.sub(r"=\\#\1", theirs) == ours,
     "RFC 4514 2.4: a leading # is escaped, also where it is the only character"),
    ({"issuer text", "subject text"},
     lambda ours, theirs: OF_PARTS.search(ours) and "=#" in theirs,
     "a value that has parts and is no SEQUENCE: OpenSSL puts them together"),
    ({"usable key"},
     lambda ours, theirs: ours in ("ec", "dsa"),
     "whether a point is on its curve is not computed; nor are parameters inherited, or curves "
     "known that OpenSSL does not know"),
    ({"signature algorithm"},
     lambda ours, theirs: ours == "-",
     "a scheme that no certificate is signed with any more"),
    ({"signature digest"},
     lambda ours, theirs: ours == "UNDEF",
     "a hash that is not told apart here"),
    ({"alternative names"},
     lambda ours, theirs: any(f"refused: {why}" == theirs or "EDIPARTYNAME" in theirs
                              for why in ("mstring wrong tag", "mstring not universal")),
     "a directoryName with such a value as OpenSSL also refuses in a subject; an ediPartyName, "
     "which is not looked into"),
]  # fmt: skip


# --- certificates made here --------------------------------------------------------------------

RSA = ["-newkey", "rsa:1024"]
EC = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
PSS = ["-sigopt", "rsa_padding_mode:pss", "-sigopt"]
ED25519 = ["-newkey", "ed25519"]


def curve(name, *more):
    return ["-newkey", "ec", "-pkeyopt", f"ec_paramgen_curve:{name}", *more]


def names(count, length=0):
    return ",".join(f"DNS:host{number}.{'x' * length}.example" for number in range(count))


EXPLICIT = ["-pkeyopt", "ec_param_enc:explicit"]
SUBJECT = "/C=AT/ST=Wien/O=A, \"B\" + <C>; D\\\\E=F/OU=#number/CN= mail.example "
MULTIVALUED = "/DC=example/DC=mail/O=One+OU=Two/UID=u+CN=c/emailAddress=a@example"
SCTS = "1.3.6.1.4.1.11129.2.4.2=DER:04:05:00:03:00:01:00"
ALL_NAMES = (
    "subjectAltName=DNS:a.example,DNS:*.a.example,DNS:xn--mller-kva.example,IP:192.0.2.1,"
    "IP:2001:db8::1,email:postmaster@example,URI:https://example/,RID:1.2.3.4,"
    "otherName:1.3.6.1.5.5.7.8.9;UTF8:user@example,dirName:directory"
)

# name -> arguments of `openssl req -x509`
MADE = {
    "rsa 1024": RSA,
    "rsa 1031": ["-newkey", "rsa:1031"],
    "rsa 2048": ["-newkey", "rsa:2048"],
    "rsa 4096": ["-newkey", "rsa:4096"],
    "p-256": EC,
    "p-384": curve("P-384"),
    "p-521": curve("P-521"),
    "p-224": curve("P-224"),
    "p-192": curve("P-192"),
    "secp256k1": curve("secp256k1"),
    "brainpool": curve("brainpoolP384r1"),
    "binary curve": curve("sect283k1"),
    "explicit prime curve": curve("P-256", *EXPLICIT),
    "explicit binary curve": curve("sect233k1", *EXPLICIT),
    "ed25519": ED25519,
    "ed448": ["-newkey", "ed448"],
    "rsa-pss key": ["-newkey", "rsa-pss", "-pkeyopt", "rsa_keygen_bits:1024"],
    **{f"rsa {digest}": [*RSA, f"-{digest}"]
       for digest in ("md5", "sha1", "sha224", "sha384", "sha512", "sha3-256")},
    **{f"pss {digest}": [*RSA, f"-{digest}", *PSS, "rsa_pss_saltlen:20"]
       for digest in ("sha1", "sha224", "sha256", "sha384", "sha512")},
    "pss two digests": [*RSA, "-sha256", *PSS, "rsa_mgf1_md:sha1"],
    **{f"ecdsa {digest}": [*EC, f"-{digest}"] for digest in ("sha1", "sha224", "sha384", "sha512")},
    **{f"serial {serial}": [*ED25519, "-subj", "/CN=x", "-set_serial", serial]
       for serial in ("0", "-1", "-128", "-129", "127", "128", "0x" + "7f" * 20, "0x" + "ff" * 32)},
    "one day": [*ED25519, "-days", "1"],
    "after 2050": [*ED25519, "-days", "20000"],
    "in year 9000": [*ED25519, "-days", "2550000"],
    "special characters": [*ED25519, "-subj", SUBJECT],
    "multi-valued": [*ED25519, "-multivalue-rdn", "-subj", MULTIVALUED],
    "utf-8": [*ED25519, "-utf8", "-subj", "/O=Österreichische Post/CN=müller.example/L=東京 🙂"],
    "bmp": [*ED25519, "-utf8", "-subj", "/O=東京/CN=müller", "-section", "bmp"],
    "t61": [*ED25519, "-utf8", "-subj", "/O=Müller \\/ Söhne/CN=müller", "-section", "t61"],
    "universal": [*ED25519, "-utf8", "-subj", "/O=東京/CN=🙂", "-section", "universal"],
    "no subject": [*ED25519, "-subj", "/CN=x"],
    "all names": [*ED25519, "-addext", ALL_NAMES],
    "critical names": [*ED25519, "-addext", "subjectAltName=critical,DNS:a.example"],
    "3000 names": [*ED25519, "-section", "names3000"],
    "64 KiB": [*ED25519, "-section", "names65536"],
    "no ca": [*ED25519, "-addext", "basicConstraints=CA:FALSE"],
    "path length": [*ED25519, "-addext", "basicConstraints=critical,CA:TRUE,pathlen:3"],
    "server": [*ED25519, "-addext", "extendedKeyUsage=serverAuth"],
    "client": [*ED25519, "-addext", "extendedKeyUsage=critical,clientAuth,emailProtection"],
    "anything": [*ED25519, "-addext", "extendedKeyUsage=anyExtendedKeyUsage,codeSigning"],
    "scts": [*ED25519, "-addext", SCTS],
    "policies": [*ED25519, "-addext", "certificatePolicies=1.2.3.4,2.23.140.1.2.1", "-addext",
                 "nameConstraints=critical,permitted;DNS:example", "-addext", "keyUsage=keyCertSign",
                 "-addext", "crlDistributionPoints=URI:http://example/crl", "-addext",
                 "authorityInfoAccess=OCSP;URI:http://example/", "-addext", "1.2.3.4=ASN1:NULL"],
}  # fmt: skip

CONFIGURATION = """
[req]
distinguished_name = name
x509_extensions = plain
[name]
[directory]
O = Directory
CN = Name
[plain]
subjectKeyIdentifier = hash
[bmp]
distinguished_name = name
x509_extensions = plain
string_mask = MASK:0x800
[t61]
distinguished_name = name
x509_extensions = plain
string_mask = MASK:0x4
[universal]
distinguished_name = name
x509_extensions = plain
string_mask = MASK:0x100
[names3000]
distinguished_name = name
x509_extensions = extensions3000
[extensions3000]
subjectAltName = {names3000}
[names65536]
distinguished_name = name
x509_extensions = extensions65536
[extensions65536]
subjectAltName = {names65536}
"""


def openssl(*arguments):
    return subprocess.run(["openssl", *arguments], capture_output=True, check=False, timeout=120)


def make_certificates(folder):
    """(files, names of those that could not be made)."""
    config = folder / "openssl.cnf"
    config.write_text(
        CONFIGURATION.format(names3000=names(3000), names65536=names(1200, 50)), encoding="ascii"
    )
    files, failed = [], []
    for name, arguments in MADE.items():
        file = folder / f"{name.replace('/', ' ')}.pem"
        common = ["-config", str(config), "-nodes", "-keyout", str(folder / "key"), "-out", str(file)]
        subject = [] if "-subj" in arguments else ["-subj", f"/CN={name}"]
        done = openssl("req", "-x509", *common, *subject, *arguments)
        if done.returncode == 0 and file.exists():
            files.append(file)
        else:
            failed.append(f"{name}: {program.text(done.stderr)[-300:]}")
    return files, failed


def make_signed(folder):
    """Certificates that `openssl req` does not make: version 1, DSA, keys that cannot sign."""
    made = []
    request, key = folder / "request", folder / "request-key"
    openssl("req", "-new", "-newkey", "ed25519", "-nodes", "-subj", "/CN=v1", "-keyout", str(key),
            "-out", str(request))  # fmt: skip
    for name, other in {"version 1": None, "x25519": "x25519", "x448": "x448", "dsa": "dsa"}.items():
        file, public = folder / f"{name}.pem", folder / f"{name}.public"
        arguments = ["x509", "-req", "-in", str(request), "-signkey", str(key), "-out", str(file)]
        if other == "dsa":
            openssl("dsaparam", "-genkey", "-noout", "-out", str(folder / "dsa-key"), "1024")
        elif other:
            openssl("genpkey", "-algorithm", other, "-out", str(folder / f"{other}-key"))
        if other:
            openssl("pkey", "-in", str(folder / f"{other}-key"), "-pubout", "-out", str(public))
            arguments += ["-force_pubkey", str(public)]
        if openssl(*arguments).returncode == 0:
            made.append(file)
    return made


# --- certificates from elsewhere ---------------------------------------------------------------


def streams(capture):
    """The bytes of each direction of each TCP connection, as far as they follow one another."""
    pieces = {}
    for packet in capture_file.read(capture):
        segment = packets.parse_segment(packet)
        if segment is not None and segment.payload:
            way = (packet.interface, segment.link, segment.source, segment.destination)
            pieces.setdefault(way, {}).setdefault(segment.seq, segment.payload)
    for parts in pieces.values():
        stream, end = b"", None
        for start in sorted(parts):
            if end is not None and start > end:
                yield stream
                stream, end = b"", None
            stream += parts[start][end - start if end is not None else 0 :]
            end = max(end or 0, start + len(parts[start]))
        yield stream


def handshakes(stream):
    """The handshake messages of a stream up to the first that is encrypted, records stripped."""
    begin = re.search(rb"\x16\x03[\x00-\x03]..[\x01\x02]", stream, re.DOTALL)
    at, messages = begin.start() if begin else len(stream), b""
    while stream[at : at + 2] == b"\x16\x03":
        length = int.from_bytes(stream[at + 3 : at + 5], "big")
        messages += stream[at + 5 : at + 5 + length]
        at += 5 + length
    return messages


def sent(messages):
    """The certificates in handshake messages."""
    while len(messages) >= 4:
        end = 4 + int.from_bytes(messages[1:4], "big")
        chain = messages[7:end] if messages[0] == CERTIFICATE and end <= len(messages) else b""
        while len(chain) > 3:
            size = int.from_bytes(chain[:3], "big")
            yield chain[3 : 3 + size]
            chain = chain[3 + size :]
        messages = messages[end:]


def captured(folder):
    """The certificates in captures, each once, as files: (sound ones, those made to be malformed)."""
    sound, malformed = set(), set()
    for capture in [*program.captures(program.PCAPS), *(program.extra_captures() or [])]:
        try:
            for stream in streams(capture):
                found = malformed if capture.name.startswith("certificate-malformed-") else sound
                found.update(sent(handshakes(stream)))
        except capture_file.CaptureError:
            continue
    return written(folder, "sound", sound), written(folder, "malformed", malformed - sound)


def written(folder, name, ders):
    files = []
    for number, der in enumerate(sorted(ders)):
        files.append(folder / f"captured-{name}-{number}.der")
        files[-1].write_bytes(der)
    return files


# --- comparing ---------------------------------------------------------------------------------


class Differences:
    """Runs the comparison, sorts what it reports, and remembers which excuses were needed."""

    def __init__(self, command):
        self.command = command
        self.used = collections.Counter()

    def run(self, *arguments):
        """((certificates, facts), lines that nothing excuses). None compared: it did not run."""
        done = subprocess.run(
            [self.command, *map(str, arguments)], capture_output=True, check=False, timeout=600,
            env=program.environment(),
        )  # fmt: skip
        lines = program.text(done.stdout).split("\n")[:-1]
        if done.returncode or not lines or not lines[-1].startswith("compared\t"):
            return (0, 0), [f"exit code {done.returncode}: {program.text(done.stderr)[-2000:]}"]
        _, certificates, facts = lines[-1].split("\t")
        wrong = [line for line in lines[:-1] if not self.excused(*line.split("\t"))]
        return (int(certificates), int(facts)), wrong

    def excused(self, _file, fact, ours, theirs):
        if fact == "verdict":
            entry = ours if ours in PARSED and theirs.startswith("parsed") else None
            if ours == "-" and theirs in REFUSED:
                entry = theirs
            self.used[entry] += 1
            return entry is not None
        for facts, fits, why in FACTS:
            if fact in facts and fits(ours, theirs):
                self.used[why] += 1
                return True
        return False


def compare(tap, differences, what, *arguments, sound=False):
    """One check. `sound`: of these certificates none is malformed, so nothing is excused."""
    before = differences.used.copy()
    (certificates, facts), wrong = differences.run(*arguments)
    excuses = differences.used - before
    if sound:
        wrong += [f"excused, though these are sound: {entry}" for entry in excuses]
    tap.check(certificates > 0 and not wrong, f"{what} ({certificates} certificates, {facts} facts, "
              f"{sum(excuses.values())} differences meant)", wrong[:20])  # fmt: skip


def unused(differences):
    """Excuses that nothing needed: a rule that no test breaks, or one that OpenSSL keeps too."""
    excuses = {*PARSED, *REFUSED, *(why for _, _, why in FACTS)}
    return sorted(excuses - set(differences.used))


def main():
    command = os.environ.get("CERTIFICATE_FACTS")
    if not command:
        program.fail("no program that compares: set CERTIFICATE_FACTS")
    tap, differences = Tap(), Differences(command)
    with tempfile.TemporaryDirectory(prefix="certificates-") as name:
        folder = Path(name)
        trusted = sorted(TRUSTED.rglob("*.crt"))
        if len(trusted) < TRUSTED_ENOUGH:
            trusted = []
            tap.skip("the certificates that the system trusts", f"none in {TRUSTED}")
        else:
            compare(tap, differences, "the system's trust", *trusted, sound=True)
        made = []
        if shutil.which("openssl"):
            made, failed = make_certificates(folder)
            tap.check(not failed, "openssl makes certificates", failed)
            made += make_signed(folder)
            compare(tap, differences, "made by openssl", *made, sound=True)
        else:
            tap.skip("certificates made by openssl", "openssl is not installed")
        files = trusted + made
        seen, malformed = captured(folder)
        compare(tap, differences, "in captures", *seen, sound=True)
        compare(tap, differences, "in captures of malformed ones", *malformed)
        files += seen + malformed
        compare(tap, differences, "the unit tests' certificates", "--recipes")
        compare(tap, differences, "object identifiers", "--names")
        compare(tap, differences, "damaged", "--mutate", DAMAGED, *files)
        small = [file for file in files if file.stat().st_size < SMALL]
        compare(tap, differences, "damaged, small", "--mutate", DAMAGED_SMALL, *small)
        compare(tap, differences, "the unit tests' certificates, damaged", "--mutate-recipes",
                DAMAGED_RECIPE)
    tap.check(not unused(differences), "every excuse is needed", unused(differences))
    return tap.done()


if __name__ == "__main__":
    sys.exit(main())
