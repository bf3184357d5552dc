"""``verify --server https://...``: a server that speaks TLS, with a certificate of its own."""

from __future__ import annotations

import datetime
import shutil
import sys
from collections.abc import Iterator
from concurrent import futures
from dataclasses import dataclass
from pathlib import Path

import grpc
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from pymilvus.grpc_gen import milvus_pb2_grpc

from migrate_milvus.settings import Settings
from migrate_milvus.verify import echo_process, report
from migrate_milvus.verify.verifying import CannotVerify, Job, Status, Verdict, verify
from tests.verify.conftest import rewriting

TOP = Path(__file__).parents[2]
# its server's certificate is certs/server.pem, and the server is called localhost
FIXTURE = TOP / "fixtures" / "connect" / "tls" / "before.py"
PLAIN = """\
from pymilvus import connections, utility

connections.connect(host="10.9.8.7", port="19530")
print(utility.has_collection("tls"))
"""
ROOTS = "GRPC_DEFAULT_SSL_ROOTS_FILE_PATH"


def _certificate() -> tuple[bytes, bytes]:
    """A key and a certificate for ``localhost`` that it signs itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.timezone.utc)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    encoding = serialization.Encoding.PEM
    private = key.private_bytes(
        encoding, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return private, certificate.public_bytes(encoding)


@dataclass(frozen=True)
class Server:
    """Where a server with TLS listens, and the certificate to trust."""

    address: str
    certificate: bytes


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """The server that answers everything, behind TLS."""
    key, certificate = _certificate()
    served = grpc.server(futures.ThreadPoolExecutor(4))
    milvus_pb2_grpc.add_MilvusServiceServicer_to_server(echo_process.servicer(), served)
    credentials = grpc.ssl_server_credentials([(key, certificate)])
    port = served.add_secure_port("localhost:0", credentials)
    served.start()
    yield Server(f"https://localhost:{port}", certificate)
    served.stop(None).wait()


@pytest.fixture
def project(tmp_path: Path, server: Server) -> Path:
    """An empty project that has the server's certificate."""
    root = tmp_path / "project"
    (root / "certs").mkdir(parents=True)
    (root / "certs" / "server.pem").write_bytes(server.certificate)
    return root


def _job(root: Path, server: Server) -> Job:
    return Job(
        settings=Settings(root=root, paths=(root,), target_python=(3, 10)),
        command=(sys.executable, "program.py"),
        cwd=root,
        server=server.address,
        timeout=60,
    )


def test_the_programs_own_certificate_is_what_it_trusts(project: Path, server: Server) -> None:
    shutil.copy(FIXTURE, project / "program.py")
    verdict = verify(_job(project, server))
    assert verdict.status is Status.EQUAL, report.text(verdict)
    assert _compared(verdict) == 1
    assert f"the server {server.address}: " in report.text(verdict)


def test_tls_that_a_migration_loses_is_a_difference(project: Path, server: Server) -> None:
    shutil.copy(FIXTURE, project / "program.py")
    lost = rewriting(
        lambda text: (
            text.replace("https://", "http://")
            .replace("    secure=True,\n", "")
            .replace('    server_pem_path="certs/server.pem",\n', "")
        )
    )
    verdict = verify(_job(project, server), migrate=lost)
    assert verdict.status is Status.DIFFERENT


def test_a_program_without_tls_is_sent_to_a_server_with_it(
    project: Path, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    (project / "program.py").write_text(PLAIN)
    monkeypatch.setenv(ROOTS, str(project / "certs" / "server.pem"))
    verdict = verify(_job(project, server))
    assert verdict.status is Status.EQUAL, report.text(verdict)
    assert _compared(verdict) == 1


def test_a_certificate_that_nobody_trusts_is_no_verdict(project: Path, server: Server) -> None:
    (project / "program.py").write_text(PLAIN)
    with pytest.raises(CannotVerify):
        verify(_job(project, server))


def _compared(verdict: Verdict) -> int:
    assert verdict.comparison is not None
    return verdict.comparison.compared
