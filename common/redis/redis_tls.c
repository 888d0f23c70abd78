/* common/redis/redis_tls.c - OpenSSL's client side: whom it trusts, whose certificate it expects, and messages for what
 * went wrong. */
#include "common/redis/redis_tls.h"

#include <arpa/inet.h>
#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

struct redis_tls {
    const struct redis_address *address; /* not owned */
    SSL *ssl;
    bool has_failed; /* then OpenSSL forbids SSL_shutdown */
    unsigned long failure;
    int failure_errno;
};

/* System errors are in OpenSSL's queue if OpenSSL met them, else in errno. */
static const char *reason_of(unsigned long failure, int failure_errno)
{
    if (failure != 0 && !ERR_SYSTEM_ERROR(failure)) {
        const char *reason = ERR_reason_error_string(failure);
        return reason != NULL ? reason : "unknown reason";
    }
    return strerror(failure != 0 ? ERR_GET_REASON(failure) : failure_errno);
}

static enum status trust(SSL_CTX *context, const char *ca_file, struct error *err)
{
    ERR_clear_error();
    if (ca_file == NULL && SSL_CTX_set_default_verify_paths(context) == 1)
        return STATUS_OK;
    if (ca_file != NULL && SSL_CTX_load_verify_file(context, ca_file) == 1)
        return STATUS_OK;
    return error_set(err, STATUS_UNAVAILABLE, "Redis: TLS, no authorities from %s: %s",
                     ca_file != NULL ? ca_file : "the system", reason_of(ERR_peek_error(), errno));
}

/* A certificate is for addresses or for names; only a name is sent to the server (SNI). */
static bool expect(SSL *ssl, const char *host)
{
    unsigned char address[sizeof(struct in6_addr)];
    bool is_address = inet_pton(AF_INET, host, address) == 1 || inet_pton(AF_INET6, host, address) == 1;
    if (is_address)
        return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), host) == 1;
    return SSL_set1_host(ssl, host) == 1 && SSL_set_tlsext_host_name(ssl, host) == 1;
}

/* The SSL object holds its own reference to the context. */
static SSL *new_ssl(SSL_CTX *context, int socket, const char *host)
{
    SSL *ssl = SSL_new(context);
    if (ssl != NULL && SSL_set_fd(ssl, socket) == 1 && expect(ssl, host))
        return ssl;
    SSL_free(ssl);
    return NULL;
}

enum status redis_tls_new(int socket, const struct redis_address *address, struct redis_tls **out,
                          struct error *err)
{
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());
    struct redis_tls *tls = calloc(1, sizeof *tls);
    enum status status = STATUS_OK;
    if (context == NULL || tls == NULL || SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) != 1)
        status = error_no_memory(err);
    if (status == STATUS_OK)
        status = trust(context, address->ca_file, err);
    if (status == STATUS_OK) {
        SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
        SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE);
        *tls = (struct redis_tls){.address = address, .ssl = new_ssl(context, socket, address->host)};
        if (tls->ssl == NULL)
            status = error_no_memory(err);
    }
    SSL_CTX_free(context);
    if (status == STATUS_OK)
        *out = tls;
    else
        free(tls);
    return status;
}

void redis_tls_free(struct redis_tls *tls)
{
    if (tls == NULL)
        return;
    ERR_clear_error();
    if (!tls->has_failed && SSL_is_init_finished(tls->ssl))
        (void)SSL_shutdown(tls->ssl);
    ERR_clear_error();
    SSL_free(tls->ssl);
    free(tls);
}

static enum attempt judge(struct redis_tls *tls, int result)
{
    int found_errno = errno;
    switch (SSL_get_error(tls->ssl, result)) {
    case SSL_ERROR_NONE:
        return ATTEMPT_DONE;
    case SSL_ERROR_WANT_READ:
        return ATTEMPT_WAIT_TO_READ;
    case SSL_ERROR_WANT_WRITE:
        return ATTEMPT_WAIT_TO_WRITE;
    case SSL_ERROR_ZERO_RETURN:
        return ATTEMPT_END;
    default:
        tls->has_failed = true;
        tls->failure = ERR_peek_error();
        tls->failure_errno = found_errno;
        return ERR_GET_REASON(tls->failure) == SSL_R_UNEXPECTED_EOF_WHILE_READING ? ATTEMPT_END
                                                                                  : ATTEMPT_FAILED;
    }
}

enum attempt redis_tls_shake_hands(struct redis_tls *tls)
{
    ERR_clear_error();
    return judge(tls, SSL_connect(tls->ssl));
}

enum attempt redis_tls_read(struct redis_tls *tls, void *data, size_t size, size_t *moved)
{
    ERR_clear_error();
    return judge(tls, SSL_read_ex(tls->ssl, data, size, moved));
}

enum attempt redis_tls_write(struct redis_tls *tls, const void *data, size_t len, size_t *moved)
{
    ERR_clear_error();
    return judge(tls, SSL_write_ex(tls->ssl, data, len, moved));
}

enum status redis_tls_explain(const struct redis_tls *tls, struct error *err)
{
    long verdict = SSL_get_verify_result(tls->ssl);
    const char *reason = reason_of(tls->failure, tls->failure_errno);
    if (verdict != X509_V_OK)
        return error_set(err, STATUS_UNAVAILABLE, "Redis: TLS, the certificate of %s is refused: %s",
                         tls->address->host, X509_verify_cert_error_string(verdict));
    if (ERR_GET_REASON(tls->failure) == SSL_R_WRONG_VERSION_NUMBER)
        return error_set(err, STATUS_UNAVAILABLE, "Redis: TLS, the server at %s:%u does not speak it (%s)",
                         tls->address->host, tls->address->port, reason);
    return error_set(err, STATUS_UNAVAILABLE, "Redis: TLS, %s", reason);
}

const char *redis_tls_version(const struct redis_tls *tls)
{
    return SSL_get_version(tls->ssl);
}
