"""Certificates for tests, made by openssl: an authority of our own, and what it signs, good or bad."""
import os
import subprocess

EC_KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes']


def _openssl(*arguments, **options):
    subprocess.run(['openssl', *arguments], check=True, capture_output=True, **options)


class Certificate:
    """Paths of a certificate and its key. Servers that run as users of their own can read both."""

    def __init__(self, folder, name):
        self.path, self.key = os.path.join(folder, f'{name}.crt'), os.path.join(folder, f'{name}.key')

    def publish(self):
        os.chmod(self.path, 0o644)
        os.chmod(self.key, 0o644)
        return self

    def key_for(self, account, folder):
        """A copy of the key that belongs to a server and is for nobody else, as PostgreSQL wants it."""
        path = os.path.join(folder, 'server.key')
        with open(self.key, 'rb') as source, open(path, 'wb') as out:
            os.fchmod(out.fileno(), 0o600)
            out.write(source.read())
        os.chown(path, account.uid, account.gid)
        return path


class Authority(Certificate):
    """A private certificate authority; its folder is the tests' own."""

    def __init__(self, folder, name):
        super().__init__(folder, name)
        self.folder, self.name = folder, name
        _openssl('req', '-x509', *EC_KEY, '-keyout', self.key, '-out', self.path, '-days', '30',
                 '-subj', f'/CN={name}')
        self.publish()

    def sign(self, name, alternatives='DNS:localhost,IP:127.0.0.1', days=30):
        """A server's certificate, for the names in `alternatives`; expired when `days` are fewer than none."""
        made = Certificate(self.folder, name)
        request, extensions = f'{made.path}.req', f'{made.path}.ext'
        with open(extensions, 'w', encoding='ascii') as out:
            out.write(f'subjectAltName = {alternatives}\nbasicConstraints = CA:FALSE\n')
        _openssl('req', '-new', *EC_KEY, '-keyout', made.key, '-out', request, '-subj', f'/CN={name}')
        _openssl('x509', '-req', '-in', request, '-CA', self.path, '-CAkey', self.key, '-CAcreateserial',
                 '-days', str(days), '-extfile', extensions, '-out', made.path)
        return made.publish()


def self_signed(folder, name):
    """A server's certificate that no authority signed."""
    made = Certificate(folder, name)
    _openssl('req', '-x509', *EC_KEY, '-keyout', made.key, '-out', made.path, '-days', '30', '-subj', f'/CN={name}',
             '-addext', 'subjectAltName = DNS:localhost,IP:127.0.0.1', '-addext', 'basicConstraints = CA:FALSE')
    return made.publish()
