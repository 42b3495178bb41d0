/* Backups: complete or not there, consistent under load, for their owner only, without keys; *safe* moves
 * only after one was restored and verified. */
#include "backup_world.h"
#include "sv_erasures.h"

#include <ftw.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/stat.h>

/* -- making one ------------------------------------------------------------------------ */

static unsigned keys_seen;
static int check_mode(const char *path, const struct stat *st, int type, struct FTW *at) {
  (void)at;
  assert_int_equal(st->st_mode & 07777, type == FTW_D ? 0700 : 0600);
  if (strstr(path, ".keyring") || strstr(path, "master.key")) keys_seen++;
  return 0;
}

static void for_its_owner_only_and_without_keys(void **state) {
  linde *l = *state;
  const char *dir = in_dir(l, "b1");
  umask(0);
  ASK(&l->aw, "{'cmd':'backup','dir':'%s/'}", dir);
  keys_seen = 0;
  FX_MUST(!nftw(dir, check_mode, 8, FTW_PHYS));
  assert_int_equal(keys_seen, 0);
  char *notes = json_dumps(json_object_get(l->aw.reply, "notes"), 0);
  assert_non_null(strstr(notes, "NOT in this backup"));
  assert_non_null(strstr(notes, "backup-keys"));
  free(notes);
  assert_int_equal(safe_of(l), 0); /* not verified: nothing is safe by it */
  REFUSED(&l->aw, OV_E_EXISTS, "exists already", "{'cmd':'backup','dir':'%s'}", dir);
  ASK(&l->aw, "{'cmd':'backup-keys','dir':'%s'}", in_dir(l, "k1"));
  FX_MUST(!nftw(in_dir(l, "k1"), check_mode, 8, FTW_PHYS));
  assert_int_equal(keys_seen, 3);
  ASK(&l->aw, "{'cmd':'backup-keys','dir':'%s','no_master':true}", in_dir(l, "k2"));
  assert_false(there(inside(l, in_dir(l, "k2"), "master.key")));
  REFUSED(&l->aw, OV_E_IO, "cannot make ", "{'cmd':'backup-keys','dir':'%s'}", in_dir(l, "none/k3"));
  assert_string_equal(aw_text(&l->aw, "hint"), "the folder above it must exist");
  umask(022);
}

/* A planted name is nowhere in the bytes of a backup. */
static void sealed(void **state) {
  linde *l = *state;
  char path[600];
  ASK(&l->aw, "{'cmd':'participant add','label':'Grietje Planteltje','team':['Beuk']}");
  ASK(&l->aw, "{'cmd':'backup','dir':'%s'}", in_dir(l, "b1"));
  snprintf(path, sizeof path, "%s", env_file(l, in_dir(l, "b1"), "data.mdb"));
  struct stat st;
  int fd = open(path, O_RDONLY);
  FX_MUST(fd >= 0 && !fstat(fd, &st));
  char *all = malloc((size_t)st.st_size);
  FX_MUST(all && read(fd, all, (size_t)st.st_size) == st.st_size);
  assert_null(memmem(all, (size_t)st.st_size, "Planteltje", 10));
  close(fd);
  free(all);
}

/* Who is erased goes onto the list beside the last backup, so that no restore brings them back. When it
 * cannot be written there, the erasure is done all the same and says what to copy; no backup is made that
 * lacks it. */
static void the_list_beside_the_backups(void **state) {
  linde *l = *state;
  char list[600];
  ASK(&l->aw, "{'cmd':'participant add','label':'Bert','team':['Beuk']}");
  ASK(&l->aw, "{'cmd':'backup','dir':'%s','verify':true}", in_dir(l, "b1"));
  snprintf(list, sizeof list, "%s", in_dir(l, "erasures"));
  assert_false(there(list));
  FX_MUST(!mkdir(list, 0700)); /* in its place: not writable for root either */
  ASK(&l->aw, "{'cmd':'erase','participant':'Anna','reason':'gevraagd'}");
  assert_true(sv_keyring_destroyed(l->org->keyring, &l->anna));
  char *notes = json_dumps(json_object_get(l->aw.reply, "notes"), 0);
  assert_non_null(strstr(notes, "could not be written: copy DATA/erasures there"));
  free(notes);
  REFUSED(&l->aw, OV_E_IO, "the list of erasures", "{'cmd':'backup','dir':'%s'}", in_dir(l, "b2"));
  assert_false(there(in_dir(l, "b2")));
  FX_MUST(!rmdir(list));
  ASK(&l->aw, "{'cmd':'erase','participant':'Bert','reason':'gevraagd'}");
  assert_true(there(list));
  ASK(&l->aw, "{'cmd':'backup','dir':'%s'}", in_dir(l, "b2"));
  sv_erasure *v = NULL; /* with it Anna's comes there too */
  uint32_t n = 0;
  FX_OK(sv_erasures_read(list, &v, &n));
  assert_int_equal(n, 2);
  free(v);
}

static void complete_or_not_there(void **state) {
  linde *l = *state;
  unsigned before = entries(l->aw.w.dir);
  l->aw.hang_up_after = 1;
  assert_int_equal(aw_ask(&l->aw, "{'cmd':'backup','dir':'%s'}", in_dir(l, "b1")), OV_E_CANCELLED);
  l->aw.hang_up_after = 0;
  assert_int_equal(entries(l->aw.w.dir), before);
  REFUSED(&l->aw, OV_E_IO, "cannot make", "{'cmd':'backup','dir':'%s/no/such/b1'}", l->aw.w.dir);
  mkdir(in_dir(l, "half"), 0700);
  REFUSED(&l->aw, OV_E_NOTFOUND, "no complete backup", "{'cmd':'restore','backup':'%s','verify':true}",
          in_dir(l, "half"));
}

/* -- safe --------------------------------------------------------------------------------- */

static void safe_moves_after_verification(void **state) {
  linde *l = *state;
  unsigned before;
  ASK(&l->aw, "{'cmd':'backup','dir':'%s'}", in_dir(l, "b1"));
  before = entries(l->aw.w.dir);
  linde_nights(l, 2, 5); /* after the backup: not in it */
  ASK(&l->aw, "{'cmd':'restore','backup':'%s','verify':true}", in_dir(l, "b1"));
  assert_int_equal(safe_of(l), 3);
  assert_int_equal(entries(l->aw.w.dir), before); /* no scratch is left */
  ASK(&l->aw, "{'cmd':'backup','dir':'%s','verify':true,'scratch':'%s'}", in_dir(l, "b2"), l->aw.data);
  assert_int_equal(safe_of(l), 5);
  /* an older one takes nothing back */
  ASK(&l->aw, "{'cmd':'restore','backup':'%s','verify':true}", in_dir(l, "b1"));
  assert_int_equal(safe_of(l), 5);
  ASK(&l->aw, "{'cmd':'status'}");
  const json_t *mark = json_object_get(aw_item(&l->aw, "organisation", "De Linde"), "verified_backup");
  assert_string_equal(json_string_value(json_object_get(mark, "backup")), in_dir(l, "b1"));
  ASK(&l->aw, "{'cmd':'verify'}");
}

/* A push that goes on counts on: safe stays with the branch that is in the backup. */
static void safe_of_a_fork(void **state) {
  linde *l = *state;
  fx_tablet *clone = fx_tablet_clone(l->tab);
  sv_tip tips[4];
  uint32_t n = 0;
  sv_txn *t = NULL;
  linde_nights(l, 1, 5);
  ASK(&l->aw, "{'cmd':'backup','dir':'%s'}", in_dir(l, "b1"));
  ov_field f[] = {FX_INT(10, NIGHT - 99), FX_INT(11, 1)};
  fx_create(clone, SLEEP, &l->anna, f, 2);
  f[0].v.i--;
  fx_create(clone, SLEEP, &l->anna, f, 2);
  fx_push_ok(clone, l->org, 4, 5); /* the other branch came after the backup */
  ASK(&l->aw, "{'cmd':'restore','backup':'%s','verify':true}", in_dir(l, "b1"));
  FX_OK(sv_txn_read(l->org->env, &t));
  FX_OK(sv_tips_get(t, &l->tab->writer, tips, 4, &n));
  sv_txn_abort(t);
  assert_int_equal(n, 2);
  assert_int_equal(tips[0].head.seq, 5);
  assert_int_equal(tips[0].safe_seq, 0);
  assert_int_equal(tips[1].head.seq, 4);
  assert_int_equal(tips[1].safe_seq, 4);
  fx_tablet_free(clone);
}

static void a_damaged_backup_makes_nothing_safe(void **state) {
  linde *l = *state;
  const char *dir = in_dir(l, "b1");
  ASK(&l->aw, "{'cmd':'backup','dir':'%s'}", dir);
  flip(env_file(l, dir, "data.mdb"), 30000);
  REFUSED(&l->aw, OV_E_CORRUPT, "is not what was backed up", "{'cmd':'restore','backup':'%s','verify':true}",
          dir);
  assert_int_equal(safe_of(l), 0);
  flip(env_file(l, dir, "data.mdb"), 30000);
  ASK(&l->aw, "{'cmd':'restore','backup':'%s','verify':true}", dir);
  assert_int_equal(safe_of(l), 3);
}

/* What was wrong before the backup is wrong in it. */
static void a_faulty_store_makes_nothing_safe(void **state) {
  linde *l = *state;
  sv_op_row row;
  FX_MUST(fx_op(&l->aw.w, l->org, &l->tab->ops[0]->name, &row));
  row.head.b[9] ^= 1;
  WRITE(l->org, t, FX_OK(sv_op_put(t, &row)));
  REFUSED(&l->aw, OV_E_CORRUPT, "was not called safe", "{'cmd':'backup','dir':'%s','verify':true}",
          in_dir(l, "b1"));
  assert_true(aw_found(&l->aw, "its stored hash"));
  assert_int_equal(safe_of(l), 0);
}

static void manifests_that_are_none(void **state) {
  linde *l = *state;
  const char *dir = in_dir(l, "b1"), *manifest = inside(l, dir, "manifest.json");
  static const struct {
    const char *text;
    int err;
    const char *says;
  } bad[] = {{"{", OV_E_CORRUPT, "is damaged"},
             {"[]", OV_E_CORRUPT, "no manifest"},
             {"{\"overdracht_backup\":1,\"format\":1,\"environments\":[]}", OV_E_CORRUPT, "no manifest"},
             {"{\"overdracht_backup\":2,\"format\":1}", OV_E_NEWER, "newer version"},
             {"{\"overdracht_backup\":1,\"format\":99}", OV_E_NEWER, "newer version"},
             {"{\"overdracht_backup\":1,\"format\":1,\"environments\":[{\"id\":"
              "\"00112233445566778899aabbccddeeff\",\"name\":\"x\","
              "\"folder\":\"../../etc\",\"sha256\":\"x\",\"bytes\":1}]}",
              OV_E_CORRUPT, "no manifest"}};
  ASK(&l->aw, "{'cmd':'backup','dir':'%s'}", dir);
  for (unsigned i = 0; i < sizeof bad / sizeof *bad; i++) {
    FILE *f = fopen(manifest, "w");
    fputs(bad[i].text, f);
    fclose(f);
    REFUSED(&l->aw, bad[i].err, bad[i].says, "{'cmd':'restore','backup':'%s','verify':true}", dir);
  }
}

/* -- under load ------------------------------------------------------------------------------- */

typedef struct writer {
  sv_org *org;
  atomic_bool stop;
  unsigned made;
  int err;
} writer;
typedef struct person {
  sv_org *org;
  unsigned number;
} person;

static int write_person(void *arg, sv_txn *t, ov_arena *a, sv_touches *touches) {
  const person *p = arg;
  char label[40];
  ov_name name;
  snprintf(label, sizeof label, "P %u", p->number);
  ov_field f[] = {fx_text(SV_PERSON_NAME, label), FX_INT(SV_PERSON_ROLE, 1), FX_INT(SV_PERSON_ACTIVE, 1)};
  ov_op op = {.scope = 1, .creates = true, .kind = OV_KIND_PERSON, .version = 1, .fields = f, .n_fields = 3};
  return sv_ingest_local(t, p->org, &op, a, touches, &name);
}

static void *write_on(void *arg) {
  writer *w = arg;
  while (!atomic_load(&w->stop) && !w->err) {
    person p = {w->org, w->made};
    w->err = sv_node_write(w->org, write_person, &p, NULL);
    if (!w->err) w->made++;
    usleep(200); /* in memory a commit costs nothing: not faster than a disk would be */
  }
  return NULL;
}

static void consistent_while_others_write(void **state) {
  (void)state;
  linde l;
  pthread_t thread;
  linde_open(&l, seed++, true);
  writer w = {.org = l.org};
  assert_int_equal(pthread_create(&thread, NULL, write_on, &w), 0);
  for (unsigned i = 0; i < 5; i++) {
    char name[20];
    snprintf(name, sizeof name, "b%u", i);
    ASK(&l.aw, "{'cmd':'backup','dir':'%s','verify':true}", in_dir(&l, name));
    ASK(&l.aw, "{'cmd':'verify'}"); /* beside the writer too */
  }
  atomic_store(&w.stop, true);
  pthread_join(thread, NULL);
  assert_int_equal(w.err, 0);
  assert_true(w.made > 5);
  ASK(&l.aw, "{'cmd':'verify'}");
  linde_close(&l);
}

int main(void) {
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
  const struct CMUnitTest tests[] = {T(for_its_owner_only_and_without_keys),
                                     T(sealed),
                                     T(the_list_beside_the_backups),
                                     T(complete_or_not_there),
                                     T(safe_moves_after_verification),
                                     T(safe_of_a_fork),
                                     T(a_damaged_backup_makes_nothing_safe),
                                     T(a_faulty_store_makes_nothing_safe),
                                     T(manifests_that_are_none),
                                     cmocka_unit_test(consistent_while_others_write)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
