"""Certificates for tests, made by openssl: authorities of our own, and what they sign, good or bad."""

import os
import subprocess

EC_KEY = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
HERE = "DNS:localhost,IP:127.0.0.1"


def openssl(*arguments):
    done = subprocess.run(["openssl", *arguments], capture_output=True, encoding="utf-8", check=False)
    assert done.returncode == 0, done.stderr


class Certificate:
    """Paths of a certificate and its key, which the users that servers run as can read."""

    def __init__(self, folder, name):
        self.name = name
        self.path, self.key = os.path.join(folder, f"{name}.crt"), os.path.join(folder, f"{name}.key")

    def publish(self):
        os.chmod(self.path, 0o644)
        os.chmod(self.key, 0o644)
        return self

    def key_of(self, account):
        """A copy of the key that belongs to a server and is for nobody else: PostgreSQL takes no other."""
        path = f"{self.key}.private"
        if not os.path.exists(path):
            with open(self.key, "rb") as source, open(path, "wb") as out:
                os.fchmod(out.fileno(), 0o600)
                out.write(source.read())
            os.chown(path, account.uid, account.gid)
        return path


class Authority(Certificate):
    def __init__(self, folder, name):
        super().__init__(folder, name)
        self.folder = folder
        openssl("req", "-x509", *EC_KEY, "-keyout", self.key, "-out", self.path, "-days", "30", "-subj", f"/CN={name}")
        self.publish()

    def sign(self, name, alternatives=HERE, days=30):
        """A server's certificate for the names in `alternatives`; it has expired when `days` are below 0."""
        made = Certificate(self.folder, name)
        request, extensions = f"{made.path}.request", f"{made.path}.extensions"
        with open(extensions, "w", encoding="ascii") as out:
            out.write(f"subjectAltName = {alternatives}\nbasicConstraints = CA:FALSE\n")
        openssl("req", "-new", *EC_KEY, "-keyout", made.key, "-out", request, "-subj", f"/CN={name}")
        openssl(
            "x509",
            "-req",
            "-in",
            request,
            "-CA",
            self.path,
            "-CAkey",
            self.key,
            "-CAcreateserial",
            "-days",
            str(days),
            "-extfile",
            extensions,
            "-out",
            made.path,
        )
        return made.publish()


def self_signed(folder, name):
    """A server's certificate that no authority signed."""
    made = Certificate(folder, name)
    openssl(
        "req",
        "-x509",
        *EC_KEY,
        "-keyout",
        made.key,
        "-out",
        made.path,
        "-days",
        "30",
        "-subj",
        f"/CN={name}",
        "-addext",
        f"subjectAltName = {HERE}",
        "-addext",
        "basicConstraints = critical,CA:FALSE",
    )
    return made.publish()
