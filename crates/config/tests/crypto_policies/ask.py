"""Policies made at random, and what crypto-policies makes of them for OpenSSL, as JSON on standard output.

    python3 ask.py CHECKOUT [COUNT [shipped]] > answers.json

CHECKOUT is a copy of the sources of crypto-policies (gitlab.com/redhat-crypto/fedora-crypto-policies); its own Python code is run.
With `shipped` its own policies and modules take part; without, none of its text is in the answers.
"""

import json
import os
import random
import sys
import tempfile
import warnings

checkout, count = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 60
shipped = sys.argv[3:] == ["shipped"]
sys.path.insert(0, os.path.join(checkout, "python"))
warnings.simplefilter("ignore")
import cryptopolicies  # noqa: E402
from cryptopolicies import alg_lists  # noqa: E402
from policygenerators.openssl import OpenSSLGenerator  # noqa: E402

try:
    from policygenerators.openssl import OpenSSLConfigGenerator as Generator
except ImportError:
    Generator = OpenSSLGenerator

chance = random.Random(7)
SCOPES = ["", "@TLS", "@openssl", "@{ssl,SSH}", "@!SSH", "@SSH", "@gnutls", "@*", "@!{tls,openssl}", "@open*"]
WILD = {"cipher": ["AES-*-GCM", "*-CBC", "AES-128-*", "CHACHA*"], "sign": ["*-SHA1", "RSA-*", "ECDSA-SHA2-*"],
        "group": ["FFDHE-*", "SECP*", "X*"], "protocol": ["TLS1.?", "TLS*"], "mac": ["HMAC-SHA2-*", "HMAC-*"],
        "hash": ["SHA2-*", "SHA*"], "key_exchange": ["*DHE*", "*PSK"]}
experimental = {name for names in getattr(alg_lists, "EXPERIMENTAL", {}).values() for name in names}


def some(kind, least, most):
    names = [name for name in alg_lists.ALL[kind] if name not in experimental and "BRAINPOOL" not in name]
    if kind == "protocol":
        names = [name for name in names if name != "SSL2.0"]
    # Names in front are the usual ones.
    names = names[: max(8, len(names) // 2)] if chance.random() < 0.6 else names
    picked = chance.sample(names, min(len(names), chance.randint(least, most)))
    if chance.random() < 0.3:
        picked.append(chance.choice(WILD[kind]))
    return picked


def change(name):
    return chance.choice(["-{}", "+{}", "{}+"]).format(name)


def policy():
    lines = ["# A policy of nobody's"]
    for kind in alg_lists.ALL:
        lines.append(f"{kind} = {' '.join(some(kind, 3, 14))}")
    for kind in chance.sample(list(alg_lists.ALL), chance.randint(0, 3)):
        lines.append(f"{kind}{chance.choice(SCOPES)} = {' '.join(some(kind, 1, 8))}")
    lines.append(f"min_dh_size = {chance.choice([512, 1024, 2048, 3072, 4096])}")
    lines.append(f"min_rsa_size = {chance.choice([1024, 2048, 3072])}")
    if chance.random() < 0.3:
        lines.insert(chance.randint(1, len(lines)), f"min_tls_version = {chance.choice(['TLS1.0', 'TLS1.2', 'SSL3.0', 'TLS1.3', '0'])}")
    if chance.random() < 0.2:
        lines.append(f"tls_cipher = {' '.join(some('cipher', 3, 6))}")
    if chance.random() < 0.5:
        lines[3] = lines[3].replace(" ", " \\\n    ", 1) + "  # and a comment"
    return "\n".join(lines) + "\n"


def module():
    lines = []
    for _ in range(chance.randint(1, 5)):
        kind = chance.choice(list(alg_lists.ALL))
        scope = chance.choice(SCOPES)
        if chance.random() < 0.8:
            lines.append(f"{kind}{scope} = {' '.join(change(name) for name in some(kind, 1, 3))}")
        else:
            lines.append(f"{kind}{scope} = {' '.join(some(kind, 1, 6))}")
    if chance.random() < 0.4:
        lines.append(f"min_rsa_size{chance.choice(SCOPES)} = {chance.choice([1024, 2048, 4096])}")
    if chance.random() < 0.12:
        lines.append(chance.choice(["cipher = NULL -3DES-CBC", "cipher@nowhere = NULL", "min_rsa_size = many", "nothing = X",
                                    "cipher == NULL", "sign = QQ*"]))
    return "\n".join(lines) + "\n"


def ask(config, texts):
    with tempfile.TemporaryDirectory() as folder:
        os.makedirs(folder + "/policies/modules")
        for name, text in texts.items():
            with open(f"{folder}/{name}", "w", encoding="utf-8") as file:
                file.write(text)
        cryptopolicies.UnscopedCryptoPolicy.CONFIG_DIR = folder
        cryptopolicies.UnscopedCryptoPolicy.SHARE_DIR = checkout if shipped else "/nonexistent"
        os.chdir(folder)
        try:
            policy = cryptopolicies.UnscopedCryptoPolicy(*config.split(":"))
            # Until 2024 it was given what counts for its scopes, since then it looks itself.
            scopes = getattr(Generator, "SCOPES", None)
            return Generator.generate_config(policy.scoped(scopes) if scopes else policy)
        except (cryptopolicies.validation.PolicySyntaxError, cryptopolicies.validation.PolicyFileNotFoundError):
            return None
        except LookupError:
            # What the generator has no word for is no matter of the language.
            return False


answers = []
if shipped:
    own = os.path.join(checkout, "policies")
    bases = sorted(name[:-4] for name in os.listdir(own) if name.endswith(".pol"))
    modules = sorted(name[:-5] for name in os.listdir(own + "/modules") if name.endswith(".pmod"))
    combined = [[base, *some] for base in bases for some in [[], *[[module] for module in modules], *[chance.sample(modules, 3) for _ in range(4)]]]
while len(answers) < count:
    texts = {}
    if shipped:
        if not combined:
            break
        names = combined.pop(0)
    else:
        names = ["OWN"]
        texts["policies/OWN.pol"] = policy()
        names += ["ONE", "TWO"][: chance.randint(0, 2)]
    for name in names[1:]:
        texts[f"policies/modules/{name}.pmod"] = "" if shipped else module()
    if shipped:
        texts = {f"policies/modules/{name}.pmod": open(f"{own}/modules/{name}.pmod").read() for name in names[1:]}
        texts[f"policies/{names[0]}.pol"] = open(f"{own}/{names[0]}.pol").read()
    made = ask(":".join(names), texts)
    if made is False:
        continue
    answers.append({"config": ":".join(names), "files": texts, "opensslcnf": made})
print(json.dumps(answers, indent=1))
