/* verify finds what is planted: each fault alone, in an organisation that was clean before. */
#include "admin_world.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static uint64_t seed = 100;

/* Two nights, a third that is held, one that waits, a ruling. */
static void open_linde(linde *l) {
  linde_open(l, seed++, false);
  linde_nights(l, 2, 5);
  linde_nights(l, 1, 700);
}

static void clean(linde *l) {
  ASK(&l->aw, "{'cmd':'verify'}");
  assert_int_equal(aw_int(&l->aw, "findings"), 0);
}

static void finds(linde *l, const char *text) {
  int err = aw_ask(&l->aw, "{'cmd':'verify','organisation':'De Linde'}");
  if (err == OV_E_CORRUPT && aw_found(&l->aw, text)) return;
  char *found = json_dumps(l->aw.items, JSON_INDENT(1));
  fprintf(stderr, "wanted \"%s\", got %s: %s\n%s\n", text, ov_err_slug(err), aw_text(&l->aw, "message"),
          found);
  free(found);
  fail();
}

static ov_name night(const linde *l, uint32_t i) { return l->tab->ops[i]->name; }

static sv_op_row get_op(linde *l, const ov_name *name) {
  sv_op_row row;
  FX_MUST(fx_op(&l->aw.w, l->org, name, &row));
  return row;
}

static sv_record_row get_record(linde *l, const ov_name *name) {
  sv_record_row row;
  FX_MUST(fx_record(&l->aw.w, l->org, name, &row));
  return row;
}

/* -- logs --------------------------------------------------------------------------------------- */

static void a_changed_head(linde *l) {
  ov_name name = night(l, 1);
  sv_op_row row = get_op(l, &name);
  row.head.b[20] ^= 1;
  WRITE(l->org, t, FX_OK(sv_op_put(t, &row)));
  finds(l, "its stored hash is not the hash of what is stored");
}

static void a_changed_tag(linde *l) {
  ov_name name = night(l, 0);
  sv_op_row row = get_op(l, &name);
  row.head.b[0] ^= 1;
  WRITE(l->org, t, FX_OK(sv_op_put(t, &row)));
  finds(l, "its tag is not the start of its hash");
}

static void a_changed_payload(linde *l) {
  ov_name name = night(l, 0);
  sv_op_row row = get_op(l, &name);
  row.op.payload_bytes = NULL;
  row.op.fields[2].v.i = 6;
  WRITE(l->org, t, FX_OK(sv_op_put(t, &row)));
  finds(l, "its payload is not what its log is bound to");
  finds(l, "its cached state is not the fold of its ops");
}

static void a_changed_header(linde *l) {
  ov_name name = night(l, 0);
  sv_op_row row = get_op(l, &name);
  row.op.header_bytes = NULL;
  row.op.device_time++;
  WRITE(l->org, t, FX_OK(sv_op_put(t, &row)));
  finds(l, "its stored hash is not the hash of what is stored");
}

static void a_changed_signature(linde *l) {
  ov_name name = night(l, 2);
  sv_op_row row = get_op(l, &name);
  assert_true(row.has_sig);
  row.sig[9] ^= 1;
  WRITE(l->org, t, FX_OK(sv_op_put(t, &row)));
  finds(l, "the signature over its hash does not verify");
}

static void a_changed_signature_of_the_server(linde *l) {
  sv_op_row row = get_op(l, &l->jan);
  row.sig[9] ^= 1;
  WRITE(l->org, t, FX_OK(sv_op_put(t, &row)));
  finds(l, "the signature over its hash does not verify");
}

static void another_key_of_a_device(linde *l) {
  sv_device d = l->tab->device;
  ov_p256 *key = NULL;
  FX_OK(ov_p256_generate(&key));
  ov_p256_public(key, d.pubkey);
  ov_p256_free(key);
  WRITE(l->org, t, FX_OK(sv_device_put(t, &d)));
  finds(l, "the signature over its hash does not verify");
  finds(l, "the programme knows this device by another key");
}

static void copy_far_ahead(linde *l) {
  ov_name name = night(l, 2);
  sv_op_row row = get_op(l, &name);
  row.op.name.seq = 9;
  row.op.header_bytes = NULL;
  row.waiting = true;
  WRITE(l->org, t, FX_OK(sv_op_put(t, &row)));
}

static void an_op_beyond_the_log(linde *l) {
  copy_far_ahead(l);
  finds(l, "it lies beyond the end of its log");
}

static void move_tip(linde *l, uint64_t seq, uint8_t flip, uint64_t safe) {
  sv_tip tip;
  uint32_t n = 0;
  WRITE(l->org, t, {
    FX_OK(sv_tips_get(t, &l->tab->writer, &tip, 1, &n));
    ov_hash old = tip.head.head;
    tip.head.seq = seq;
    tip.head.head.b[0] ^= flip;
    tip.safe_seq = safe;
    FX_OK(sv_tip_put(t, &old, &tip));
  });
}

static void a_tip_that_leads_nowhere(linde *l) {
  move_tip(l, 9, 1, 0);
  finds(l, "a log ends here, but the op is missing");
  finds(l, "the log ends here, but no tip says so");
}

static void an_op_without_the_one_before(linde *l) {
  copy_far_ahead(l);
  move_tip(l, 9, 1, 0);
  finds(l, "the op before it in its log is missing");
  finds(l, "the log ends here, but no tip says so");
  finds(l, "it waits, but is missing from the list");
}

static void a_tip_that_is_too_safe(linde *l) {
  move_tip(l, 3, 0, 4);
  finds(l, "beyond its end");
}

static void a_tip_of_another_hash(linde *l) {
  sv_tip tip;
  uint32_t n = 0;
  WRITE(l->org, t, {
    FX_OK(sv_tips_get(t, &l->tab->writer, &tip, 1, &n));
    ov_hash old = tip.head.head;
    tip.head.head.b[20] ^= 1; /* behind the tag: the name is the same */
    FX_OK(sv_tip_put(t, &old, &tip));
  });
  finds(l, "the tip of its log has another hash");
}

static void a_log_without_a_tip(linde *l) {
  ov_name name = night(l, 0);
  sv_op_row row = get_op(l, &name);
  memset(row.op.name.writer.b, 0x42, sizeof row.op.name.writer.b);
  row.op.header_bytes = NULL;
  WRITE(l->org, t, FX_OK(sv_op_put(t, &row)));
  finds(l, "the log of this writer has no tip");
}

/* Nothing is known to be wrong: it is said, and is no finding. */
static void a_signature_of_a_device_that_is_not_known(linde *l) {
  ov_name name = night(l, 2);
  sv_op_row row = get_op(l, &name);
  assert_true(row.has_sig);
  memset(row.device.b, 0x42, sizeof row.device.b);
  WRITE(l->org, t, FX_OK(sv_op_put(t, &row)));
  clean(l);
  char *notes = json_dumps(json_object_get(l->aw.reply, "notes"), 0);
  assert_non_null(strstr(notes, ": 1 signatures of devices or servers unknown here could not be checked"));
  free(notes);
}

/* -- records ------------------------------------------------------------------------------------------ */

static void a_changed_cache(linde *l) {
  ov_name name = night(l, 0);
  sv_record_row row = get_record(l, &name);
  row.rec.live[2].v.i = 50;
  WRITE(l->org, t, FX_OK(sv_record_put(t, &row)));
  finds(l, "its cached state is not the fold of its ops");
}

static void a_wrong_day(linde *l) {
  ov_name name = night(l, 0);
  sv_record_row row = get_record(l, &name);
  row.day++;
  WRITE(l->org, t, FX_OK(sv_record_put(t, &row)));
  finds(l, "another kind or day than its own");
}

static void a_wrong_natural_key(linde *l) {
  ov_name name = night(l, 0);
  sv_record_row row = get_record(l, &name);
  assert_true(row.has_natural_key);
  row.natural_key[3] ^= 1;
  WRITE(l->org, t, FX_OK(sv_record_put(t, &row)));
  finds(l, "another natural key than its own");
}

static void an_op_listed_with_another_record(linde *l) {
  ov_name a = night(l, 0), b = night(l, 1);
  WRITE(l->org, t, FX_OK(sv_record_op_add(t, &a, &b)));
  finds(l, "it is listed with another's record");
}

static void an_op_listed_that_is_missing(linde *l) {
  ov_name a = night(l, 0), b = {.writer = a.writer, .seq = 77};
  WRITE(l->org, t, FX_OK(sv_record_op_add(t, &a, &b)));
  finds(l, "one of its ops is listed, but missing");
}

/* -- places -------------------------------------------------------------------------------------------- */

static void a_wrong_place(linde *l) {
  ov_name name = night(l, 0);
  sv_record_row row = get_record(l, &name);
  row.places[0].pos--;
  WRITE(l->org, t, FX_OK(sv_record_put(t, &row)));
  finds(l, "does not lead to it");
  finds(l, "is not where the record says it is");
}

static void a_place_too_few(linde *l) {
  ov_name name = night(l, 0);
  sv_record_row row = get_record(l, &name);
  row.n_places = 0;
  WRITE(l->org, t, FX_OK(sv_record_put(t, &row)));
  finds(l, "does not lie in the scopes of its participant");
}

static void a_position_that_nobody_asked_for(linde *l) {
  ov_name name = night(l, 0);
  ov_hash state = {{1}};
  uint64_t pos;
  WRITE(l->org, t, FX_OK(sv_pos_append(t, l->eik, &name, &state, 0, false, &pos)));
  finds(l, "is not where the record says it is");
}

static void a_record_shown_and_gone(linde *l) {
  ov_name name = night(l, 0);
  sv_record_row row = get_record(l, &name);
  ov_hash state = {{1}};
  uint64_t pos;
  WRITE(l->org, t, FX_OK(sv_pos_append(t, l->beuk, &name, &state, row.places[0].pos, true, &pos)));
  finds(l, "does not lead to it");
  finds(l, "is not where the record says it is");
}

/* The same record, the same place, another content: what a tablet's cursor would not notice. */
static void a_position_of_another_content(linde *l) {
  ov_name name = night(l, 0);
  sv_record_row row = get_record(l, &name);
  ov_hash state = {{1}};
  WRITE(l->org, t, {
    FX_OK(sv_pos_append(t, l->beuk, &name, &state, row.places[0].pos, false, &row.places[0].pos));
    FX_OK(sv_record_put(t, &row));
  });
  finds(l, "the hash of its position");
}

static void a_scope_with_another_hash(linde *l) {
  sv_scope s;
  WRITE(l->org, t, {
    FX_OK(sv_scope_get(t, l->beuk, &s));
    s.hash[0] ^= 1;
    FX_OK(sv_scope_put(t, &s));
  });
  finds(l, "its hash is not that of its last position");
}

static void a_scope_that_counts_too_far(linde *l) {
  sv_scope s;
  WRITE(l->org, t, {
    FX_OK(sv_scope_get(t, l->beuk, &s));
    s.pos += 2;
    FX_OK(sv_scope_put(t, &s));
  });
  finds(l, "is missing or damaged: tablets there fetch again");
}

static void a_scope_that_counts_too_few(linde *l) {
  sv_scope s;
  WRITE(l->org, t, {
    FX_OK(sv_scope_get(t, l->beuk, &s));
    s.pos--;
    FX_OK(sv_scope_put(t, &s));
  });
  finds(l, "it lies behind the end of scope");
}

static void a_position_of_no_record(linde *l) {
  ov_name none = {.writer = {{0x42}}, .seq = 3};
  ov_hash state = {{1}};
  uint64_t pos;
  WRITE(l->org, t, FX_OK(sv_pos_append(t, l->beuk, &none, &state, 0, false, &pos)));
  finds(l, "names no record");
}

static void a_scope_of_another_team(linde *l) {
  sv_scope s;
  WRITE(l->org, t, {
    FX_OK(sv_scope_get(t, l->beuk, &s));
    s.record = l->jan;
    FX_OK(sv_scope_put(t, &s));
  });
  finds(l, "names it as its team, which it is not");
}

/* -- lists ----------------------------------------------------------------------------------------------- */

static void a_held_op_not_listed(linde *l) {
  ov_name name = night(l, 2);
  WRITE(l->org, t, FX_OK(sv_held_del(t, &name)));
  finds(l, "missing from the list of held ops");
}

static void a_listed_op_not_held(linde *l) {
  ov_name name = night(l, 0);
  WRITE(l->org, t, FX_OK(sv_held_add(t, &name)));
  finds(l, "but no receipt holds it");
}

static void a_listed_op_that_is_none(linde *l) {
  ov_name low = {.seq = 1}, high = {.writer = {{0xff, 0xff}}, .seq = 5};
  WRITE(l->org, t, FX_OK(sv_held_add(t, &low)));
  finds(l, "but there is no such op");
  WRITE(l->org, t, {
    FX_OK(sv_held_del(t, &low));
    FX_OK(sv_held_add(t, &high));
  });
  finds(l, "but there is no such op");
}

static void a_ruling_that_is_none(linde *l) {
  ov_name name = night(l, 2), none = {.seq = 4};
  WRITE(l->org, t, FX_OK(sv_ruling_add(t, &name, &none)));
  finds(l, "a ruling on it is listed, but there is no such op");
}

static void a_ruling_that_is_not_listed(linde *l) {
  ov_name held = night(l, 2), other = night(l, 0), ruling;
  uint8_t target[OV_NAME_BYTES];
  uint32_t n = 0;
  sv_txn *t = NULL;
  fx_rule(&l->aw.w, l->org, &held, SV_RULING_ADMIT);
  FX_OK(sv_txn_read(l->org->env, &t));
  FX_OK(sv_rulings_of(t, &held, &ruling, 1, &n));
  sv_txn_abort(t);
  clean(l);
  sv_op_row row = get_op(l, &ruling);
  ov_name_write(&other, target);
  row.op.fields[0].v = ov_bytes(target, sizeof target);
  row.op.payload_bytes = NULL;
  WRITE(l->org, w, FX_OK(sv_op_put(w, &row)));
  finds(l, "this ruling is missing from the list of rulings");
}

static void a_waiting_list_with_too_much(linde *l) {
  ov_name a = night(l, 0), b = night(l, 1);
  WRITE(l->org, t, FX_OK(sv_waiting_add(t, &a, &b)));
  finds(l, "0 ops wait, the list has 1");
}

static void a_queue_with_what_does_not_belong(linde *l) {
  ov_name name = night(l, 0);
  WRITE(l->org, t, FX_OK(sv_queue_push(t, &name)));
  finds(l, "to the programme, where it does not belong");
}

static void a_queue_of_what_is_not_here(linde *l) {
  ov_name none = {.writer = {{0x42}}, .seq = 3};
  WRITE(l->org, t, FX_OK(sv_queue_push(t, &none)));
  finds(l, "it is to be copied to the programme, but cannot be read");
}

/* -- devices and keys ------------------------------------------------------------------------------------ */

static void a_device_in_other_teams(linde *l) {
  sv_device d = l->tab->device;
  d.teams[0] = l->eik;
  WRITE(l->org, t, FX_OK(sv_device_put(t, &d)));
  finds(l, "its teams are not those of its record");
}

static void a_device_that_the_programme_lacks(linde *l) {
  sv_device d = l->tab->device;
  d.id.b[0] ^= 1;
  WRITE(l->org, t, FX_OK(sv_device_put(t, &d)));
  finds(l, "the programme does not know this device");
}

static void a_revocation_that_did_not_arrive(linde *l) {
  sv_device d = l->tab->device;
  d.revoked = true;
  WRITE(l->org, t, FX_OK(sv_device_put(t, &d)));
  finds(l, "it is revoked here, but not in the programme");
}

static void a_revoked_record_whose_key_works(linde *l) {
  ov_field f[] = {FX_INT(SV_DEVICE_STATUS, 2)};
  fx_change(&l->aw.w, l->org, &l->tab->device.record, f, 1);
  finds(l, "its record says revoked, but its key still works");
}

static void a_device_without_a_record(linde *l) {
  sv_device d = l->tab->device;
  d.record = (ov_name){.writer = {{0x42}}, .seq = 3};
  WRITE(l->org, t, FX_OK(sv_device_put(t, &d)));
  finds(l, "its record is missing");
}

static void a_team_whose_key_is_not_here(linde *l) {
  sv_scope s = {.scope = 999, .record = fx_team_record(&l->aw.w, l->org, l->eik)};
  ov_name newer = fx_create(l->tab, 900, NULL, (ov_field[]){FX_INT(2, 1)}, 1); /* of the team alone */
  fx_push_ok(l->tab, l->org, l->tab->n, l->tab->n);
  clean(l);
  sv_op_row row = get_op(l, &newer);
  row.op.scope = 999;
  row.op.header_bytes = NULL;
  WRITE(l->org, t, {
    FX_OK(sv_scope_put(t, &s));
    FX_OK(sv_op_put(t, &row));
  });
  finds(l, "the keyring lacks this key");
  finds(l, "the keyring lacks the key that its payload is bound with");
}

static void two_records_of_the_organisation(linde *l) {
  ov_field f[] = {fx_text(SV_ORGANISATION_NAME, "De Linde"), FX_INT(SV_ORGANISATION_ACTIVE, 1)};
  fx_local(&l->aw.w, l->org,
           (ov_op){.scope = 1,
                   .creates = true,
                   .kind = OV_KIND_ORGANISATION,
                   .version = 1,
                   .fields = f,
                   .n_fields = 2},
           NULL);
  finds(l, "there are 2 records of it instead of one");
}

static void another_key_of_a_participant(linde *l) {
  uint8_t key[OV_KEY_BYTES] = {7};
  FX_OK(sv_keyring_put(l->org->keyring, SV_KEY_COMMIT_PARTICIPANT, &l->anna, key));
  finds(l, "the keyring's commit key of this participant is not the one in the record");
  finds(l, "its payload is not what its log is bound to");
}

static void another_key_of_a_team(linde *l) {
  uint8_t key[OV_KEY_BYTES] = {7};
  ov_name id = {.seq = l->eik};
  FX_OK(sv_keyring_put(l->org->keyring, SV_KEY_COMMIT_TEAM, &id, key));
  finds(l, "the keyring's key is not the one in the record");
}

static void another_key_of_the_organisation(linde *l) {
  uint8_t key[OV_KEY_BYTES] = {7};
  ov_name id = {.seq = 0};
  FX_OK(sv_keyring_put(l->org->keyring, SV_KEY_COMMIT_ORG, &id, key));
  finds(l, "the keyring's key is not the one in the record");
  finds(l, "its payload is not what its log is bound to");
}

/* -- the programme's copies ------------------------------------------------------------------------------ */

/* A lesson of the programme's scope, by Jan's tablet. */
static void a_copy_that_never_came(linde *l) {
  ov_field f[] = {fx_text(3, "x")};
  const ov_skind *k = ov_schemas_by_name(l->aw.w.schemas, "lesson");
  uint64_t id;
  ov_name op;
  assert_non_null(k);
  fx_role(&l->aw.w, l->org, &l->tab->author, 2); /* a project lead: lessons are theirs */
  fx_add(l->tab,
         (ov_op){.scope = 0, .creates = true, .kind = k->id, .version = 1, .fields = f, .n_fields = 1});
  fx_push_ok(l->tab, l->org, l->tab->n, l->tab->n);
  clean(l); /* queued: on its way */
  WRITE(l->org, t, {
    FX_OK(sv_queue_peek(t, &id, &op));
    FX_OK(sv_queue_pop(t, id));
  });
  finds(l, "neither there nor on its way");
}

/* -- bytes ----------------------------------------------------------------------------------------------- */

/* Flips bytes behind every place in the file where this op's key stands with a large value. */
static unsigned spoil(const char *path, const ov_name *name) {
  uint8_t key[OV_NAME_BYTES];
  unsigned n = 0;
  struct stat st;
  int fd = open(path, O_RDWR);
  FX_MUST(fd >= 0 && !fstat(fd, &st));
  size_t size = (size_t)st.st_size;
  uint8_t *all = malloc(size);
  FX_MUST(all && pread(fd, all, size, 0) == st.st_size);
  ov_name_write(name, key);
  for (size_t i = 0; i + 900 < size; i++) {
    if (memcmp(all + i, key, sizeof key) || memmem(all + i + 28, 700, key, 20)) continue;
    uint8_t b = all[i + 400] ^ 0x10;
    FX_MUST(pwrite(fd, &b, 1, (off_t)i + 400) == 1);
    n++;
  }
  close(fd);
  free(all);
  return n;
}

static void flipped_bits(linde *l) {
  char path[600], note[801];
  memset(note, 'n', 800);
  note[800] = 0;
  ov_field f[] = {fx_text(5, note), FX_INT(10, NIGHT - 40), FX_INT(11, 1)};
  ov_name name = fx_create(l->tab, SLEEP, &l->anna, f, 3);
  fx_push_ok(l->tab, l->org, l->tab->n, l->tab->n);
  clean(l);
  FX_OK(sv_org_path(l->aw.data, &l->org->id, path, sizeof path));
  strcat(path, "/data.mdb");
  aw_stop(&l->aw);
  assert_true(spoil(path, &name) > 0);
  aw_start(&l->aw);
  linde_again(l);
  finds(l, "cannot be read");
  finds(l, "rows are damaged");
  REFUSED(&l->aw, OV_E_CORRUPT, "wrong", "{'cmd':'verify'}");
  /* others are read on: the dump shows every sound row */
  ASK(&l->aw, "{'cmd':'dump','organisation':'De Linde','only':'ops'}");
  assert_non_null(json_object_get(l->aw.reply, "notes"));
}

/* An organisation that does not open at all is a finding, and the others are looked at. */
static void a_store_cut_short(linde *l) {
  char path[600];
  FX_OK(sv_org_path(l->aw.data, &l->org->id, path, sizeof path));
  strcat(path, "/data.mdb");
  aw_stop(&l->aw);
  FX_MUST(!truncate(path, 20000));
  aw_start(&l->aw);
  assert_null(aw_org(&l->aw, 0));
  REFUSED(&l->aw, OV_E_CORRUPT, "1 thing is wrong", "{'cmd':'verify'}");
  assert_true(aw_found(&l->aw, "could not be opened"));
  ASK(&l->aw, "{'cmd':'status'}");
  assert_non_null(json_object_get(l->aw.reply, "notes"));
}

/* -- histories that are fine ----------------------------------------------------------------------------- */

static void everything_that_may_be(linde *l) {
  clean(l);
  /* a fork, a void, a waiting op, a ruling, a move, a merge of another server's receipts, a new writer */
  fx_tablet *clone = fx_tablet_clone(l->tab);
  ov_name part = l->anna;
  ov_field f[] = {FX_INT(10, NIGHT - 7), FX_INT(11, 2)};
  fx_create(clone, SLEEP, &part, f, 2);
  f[0].v.i--;
  fx_create(l->tab, SLEEP, &part, f, 2);
  fx_push_ok(l->tab, l->org, 4, 4);
  fx_push_ok(clone, l->org, 4, 4);
  fx_create(clone, SLEEP, &part, f, 2);
  fx_drop(clone, 5);
  fx_push_ok(clone, l->org, 5, 5);
  ov_name held = night(l, 2);
  fx_rule(&l->aw.w, l->org, &held, SV_RULING_ADMIT);
  ASK(&l->aw, "{'cmd':'participant move','participant':'Anna','team':['Eik']}");
  ASK(&l->aw, "{'cmd':'participant team-add','participant':'Anna','team':['Beuk']}");
  FX_OK(sv_org_new_writer(l->org));
  ASK(&l->aw, "{'cmd':'person add','name':'Nieuw'}");
  clean(l);
  fx_tablet_free(clone);
}

static void a_waiting_op(linde *l) {
  ov_name unknown = {.writer = l->tab->writer, .seq = 900, .tag = {1, 2, 3, 4}};
  ov_field f[] = {FX_INT(14, 9)};
  ov_op header = {
      .scope = l->beuk, .kind = SLEEP, .version = 1, .has_participant = true, .participant = l->anna};
  ov_name name = fx_edit_of(l->tab, &header, &unknown, f, 1, NULL, 0);
  fx_push_ok(l->tab, l->org, l->tab->n, l->tab->n);
  clean(l);
  WRITE(l->org, t, FX_OK(sv_waiting_del(t, &unknown, &name)));
  finds(l, "it waits, but is missing from the list");
}

static void who_hangs_up_stops_it(linde *l) {
  l->aw.hang_up_after = 1;
  assert_int_equal(aw_ask(&l->aw, "{'cmd':'verify'}"), OV_E_CANCELLED);
  assert_int_equal(l->aw.lines, 1);
}

/* Damage of a thousand rows is not a thousand screens: told up to a limit, counted beyond. */
static void too_many_findings(linde *l) {
  WRITE(l->org, t, {
    for (uint64_t i = 1; i <= 1100; i++) {
      ov_name none = {.seq = i};
      FX_OK(sv_held_add(t, &none));
    }
  });
  REFUSED(&l->aw, OV_E_CORRUPT, "1100 things are wrong", "{'cmd':'verify'}");
  assert_int_equal(json_array_size(l->aw.items), 1000);
}

/* -- all ------------------------------------------------------------------------------------------------- */

typedef struct row {
  void (*run)(linde *l);
  const char *name;
} row;
#define ROW(f)                                                                                               \
  { f, #f }
static const row rows[] = {ROW(a_changed_head),
                           ROW(a_changed_tag),
                           ROW(a_changed_payload),
                           ROW(a_changed_header),
                           ROW(a_changed_signature),
                           ROW(a_changed_signature_of_the_server),
                           ROW(another_key_of_a_device),
                           ROW(an_op_beyond_the_log),
                           ROW(an_op_without_the_one_before),
                           ROW(a_tip_that_leads_nowhere),
                           ROW(a_tip_that_is_too_safe),
                           ROW(a_tip_of_another_hash),
                           ROW(a_log_without_a_tip),
                           ROW(a_signature_of_a_device_that_is_not_known),
                           ROW(a_changed_cache),
                           ROW(a_wrong_day),
                           ROW(a_wrong_natural_key),
                           ROW(an_op_listed_with_another_record),
                           ROW(an_op_listed_that_is_missing),
                           ROW(a_wrong_place),
                           ROW(a_place_too_few),
                           ROW(a_position_that_nobody_asked_for),
                           ROW(a_record_shown_and_gone),
                           ROW(a_position_of_another_content),
                           ROW(a_scope_with_another_hash),
                           ROW(a_scope_that_counts_too_far),
                           ROW(a_scope_that_counts_too_few),
                           ROW(a_position_of_no_record),
                           ROW(a_scope_of_another_team),
                           ROW(a_held_op_not_listed),
                           ROW(a_listed_op_not_held),
                           ROW(a_listed_op_that_is_none),
                           ROW(a_ruling_that_is_none),
                           ROW(a_ruling_that_is_not_listed),
                           ROW(a_waiting_list_with_too_much),
                           ROW(a_queue_with_what_does_not_belong),
                           ROW(a_queue_of_what_is_not_here),
                           ROW(a_device_without_a_record),
                           ROW(a_team_whose_key_is_not_here),
                           ROW(two_records_of_the_organisation),
                           ROW(a_device_in_other_teams),
                           ROW(a_device_that_the_programme_lacks),
                           ROW(a_revocation_that_did_not_arrive),
                           ROW(a_revoked_record_whose_key_works),
                           ROW(another_key_of_a_participant),
                           ROW(another_key_of_a_team),
                           ROW(another_key_of_the_organisation),
                           ROW(a_copy_that_never_came),
                           ROW(flipped_bits),
                           ROW(a_store_cut_short),
                           ROW(everything_that_may_be),
                           ROW(a_waiting_op),
                           ROW(who_hangs_up_stops_it),
                           ROW(too_many_findings)};
#define ROWS (sizeof rows / sizeof *rows)

static void run_row(void **state) {
  const row *r = *state;
  linde l;
  open_linde(&l);
  clean(&l);
  r->run(&l);
  linde_close(&l);
}

int main(void) {
  struct CMUnitTest tests[ROWS];
  for (size_t i = 0; i < ROWS; i++) {
    tests[i] = (struct CMUnitTest){
        .name = rows[i].name, .test_func = run_row, .initial_state = (void *)&rows[i]};
  }
  return cmocka_run_group_tests(tests, NULL, NULL);
}
