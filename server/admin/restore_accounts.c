/* Accounts and tokens at a restore. They are secrets and no records, so no log brings them back; and an older
 * copy would open again what was closed since: a disabled account, a password that was reset because somebody
 * knew it, a revoked token. What was there before is the latest there is, and is taken whole; of a newer
 * backup only what it had ended. */
#include <openssl/crypto.h>
#include <string.h>

#include "restore.h"
#include "sv_accounts.h"

typedef struct accounts_job {
  sv_org *from, *to;
  bool latest;
} accounts_job;

/* A damaged row in `from` ends the walk over its table: what came before it counts. */
static int take_accounts(const accounts_job *j, sv_txn *r, sv_txn *t) {
  sv_account x = {.disabled = false}, own = {.disabled = false};
  ov_name at;
  const ov_name *after = NULL;
  int err = 0;
  for (; !err && !sv_account_next(r, after, &x); after = &at) {
    at = x.person;
    err = j->latest ? 0 : sv_account_get(t, &x.person, &own);
    if (!err && j->latest) err = sv_account_put(t, &x);
    else if (!err && x.disabled && !own.disabled) {
      own.disabled = true;
      err = sv_account_put(t, &own);
    }
    if (err == OV_E_NOTFOUND) err = 0;
  }
  OPENSSL_cleanse(&x, sizeof x);
  OPENSSL_cleanse(&own, sizeof own);
  return err;
}

static int take_tokens(const accounts_job *j, sv_txn *r, sv_txn *t) {
  sv_token x, own = {.revoked = false};
  uint8_t at[OV_HASH_BYTES];
  const uint8_t *after = NULL;
  int err = 0;
  for (; !err && !sv_token_next(r, after, &x); after = at) {
    memcpy(at, x.hash, sizeof at);
    err = j->latest ? 0 : sv_token_get(t, x.hash, &own);
    if (!err && j->latest) err = sv_token_put(t, &x);
    else if (!err && x.revoked && !own.revoked) {
      own.revoked = true;
      err = sv_token_put(t, &own);
    }
    if (err == OV_E_NOTFOUND) err = 0;
  }
  return err;
}

static int accounts_work(void *arg, sv_txn *t, ov_arena *a, sv_touches *touches) {
  const accounts_job *j = arg;
  sv_txn *r = NULL;
  (void)a;
  (void)touches;
  int err = sv_txn_read(j->from->env, &r);
  if (!err) err = take_accounts(j, r, t);
  if (!err) err = take_tokens(j, r, t);
  sv_txn_abort(r);
  return err;
}

int restore_accounts(adm *m, sv_org *from, sv_org *to, bool latest) {
  accounts_job j = {.from = from, .to = to, .latest = latest};
  int err = restore_write(m, to, accounts_work, &j);
  return err ? adm_failed(m, err, to->name) : 0;
}

/* -- names ----------------------------------------------------------------------------------------------- */

/* The programme knows where a sign-in name leads; an older copy of it does not know the later ones. */
static int logins_work(void *arg, sv_txn *t, ov_arena *a, sv_touches *touches) {
  const accounts_job *j = arg;
  sv_txn *r = NULL;
  sv_account x = {.disabled = false};
  sv_login l;
  ov_name at;
  const ov_name *after = NULL;
  (void)a;
  (void)touches;
  int err = sv_txn_read(j->from->env, &r);
  for (; !err && !sv_account_next(r, after, &x); after = &at) {
    at = x.person;
    err = sv_login_get(t, x.login, &l);
    if (err != OV_E_NOTFOUND) continue;
    l = (sv_login){.organisation = j->from->id, .person = x.person};
    err = sv_login_put(t, x.login, &l);
  }
  sv_txn_abort(r);
  OPENSSL_cleanse(&x, sizeof x);
  return err;
}

int restore_logins(adm *m, sv_org *org, sv_org *programme) {
  accounts_job j = {.from = org, .to = programme};
  int err = restore_write(m, programme, logins_work, &j);
  return err ? adm_failed(m, err, programme->name) : 0;
}
