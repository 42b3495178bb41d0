// Encryption of what lies in the browser's database (AES-256-GCM, WebCrypto), and the device's signing
// key.
//
// The store key is a random secret that WebCrypto keeps and never gives out. Each time the app opens it
// makes an epoch: a random salt, from which and the store key a fresh key is derived, so that a copied
// store never goes on under the same key with the same nonces. Salts are kept in the open. With strict
// protection (PROTO-164) a share of the server goes into that derivation: it is kept in memory only, and
// until it has come the store is closed. What new entries need (people, labels of clients, forms, commit keys)
// stays outside: it lies under a second key of the epoch, derived without the share. Entries of
// the own log lie under the device's own key instead, which asks nothing of anybody: a locked tablet can
// still send.
import { type Id, idBytes } from "../proto/name.ts";
import { utf8 } from "../proto/bytes.ts";
import { randomBytes } from "./env.ts";
import { AppError } from "./api.ts";
import { appError } from "./errors.ts";

const NONCE_BYTES = 12;
const HEAD_BYTES = 4 + NONCE_BYTES;
const EPOCH_OWN = 0; // the device's own key
/** Beside the number of an epoch: under its key without the share. */
const OUTSIDE = 0x80000000;

type Bytes = Uint8Array<ArrayBuffer>;
const own = (p: Uint8Array): Bytes => p as Bytes;
const epochOf = (sealed: Uint8Array): number => new DataView(sealed.buffer, sealed.byteOffset).getUint32(0);

/** What the database keeps; CryptoKeys that cannot be exported. */
export interface Secrets {
  /** HKDF, of 32 random bytes */
  store: CryptoKey;
  /** AES-GCM */
  own: CryptoKey;
  /** ECDSA P-256, signs */
  device: CryptoKey;
  /** uncompressed point, 65 bytes */
  devicePublic: Uint8Array;
}

export async function makeStoreKey(): Promise<CryptoKey> {
  const secret = randomBytes(32);
  const key = await crypto.subtle.importKey("raw", secret, "HKDF", false, ["deriveKey"]);
  secret.fill(0);
  return key;
}

export async function makeSecrets(): Promise<Secrets> {
  const pair = await crypto.subtle.generateKey({ name: "ECDSA", namedCurve: "P-256" }, false, [
    "sign",
    "verify",
  ]);
  const raw = await crypto.subtle.exportKey("raw", pair.publicKey);
  return {
    store: await makeStoreKey(),
    own: await crypto.subtle.generateKey({ name: "AES-GCM", length: 256 }, false, ["encrypt", "decrypt"]),
    device: pair.privateKey,
    devicePublic: new Uint8Array(raw),
  };
}

const ECDSA = { name: "ECDSA", hash: "SHA-256" };
export const signWith = async (key: CryptoKey, bytes: Uint8Array): Promise<Uint8Array> =>
  new Uint8Array(await crypto.subtle.sign(ECDSA, key, own(bytes)));

/** Checks signatures of the server's key, an uncompressed point. Rejects when that is no point of the
 *  curve. */
export async function verifierOf(
  point: Uint8Array,
): Promise<(b: Uint8Array, s: Uint8Array) => Promise<boolean>> {
  const key = await crypto.subtle.importKey(
    "raw",
    own(point),
    { name: "ECDSA", namedCurve: "P-256" },
    false,
    ["verify"],
  );
  return (bytes, signature) => crypto.subtle.verify(ECDSA, key, own(signature), own(bytes));
}

export interface Epochs {
  /** Keeps a salt and gives it its number, from 1. */
  add(salt: Uint8Array): Promise<number>;
  salt(epoch: number): Promise<Uint8Array | undefined>;
}

/** Seals and opens. `of` binds a sealed value to its place: put elsewhere it does not open. */
export class Sealer {
  #secrets: Pick<Secrets, "store" | "own">;
  readonly #id: Id;
  readonly #organisation: Bytes;
  readonly #epochs: Epochs;
  #keys = new Map<number, Promise<CryptoKey>>();
  #current: Promise<number> | undefined;
  #strict: boolean;
  #share: Uint8Array | null = null;

  constructor(secrets: Pick<Secrets, "store" | "own">, organisation: Id, epochs: Epochs, strict = false) {
    this.#secrets = secrets;
    this.#id = organisation;
    this.#organisation = own(idBytes(organisation));
    this.#epochs = epochs;
    this.#strict = strict;
    this.#keys.set(EPOCH_OWN, Promise.resolve(secrets.own));
  }
  get strict(): boolean {
    return this.#strict;
  }
  /** Strict, and the share has not come: what it protects can be neither sealed nor opened. */
  get closed(): boolean {
    return this.#strict && !this.#share;
  }
  get share(): Uint8Array | null {
    return this.#share;
  }
  /** null: it was the wrong one. */
  unlock(share: Uint8Array | null): void {
    this.#share = share;
    this.#forget();
  }
  /** The one that comes after it: another store key, strict with this share or (null) standard. */
  next(store: CryptoKey, share: Uint8Array | null): Sealer {
    const s = new Sealer({ ...this.#secrets, store }, this.#id, this.#epochs, share !== null);
    s.#share = share;
    return s;
  }
  become(s: Sealer): void {
    this.#secrets = s.#secrets;
    this.#strict = s.#strict;
    this.#share = s.#share;
    this.#keys = s.#keys;
    this.#current = s.#current;
  }
  #forget(): void {
    this.#current = undefined;
    this.#keys = new Map([[EPOCH_OWN, Promise.resolve(this.#secrets.own)]]);
  }
  /** Does it lie under the device's own key? */
  static isOwn(sealed: Uint8Array): boolean {
    return epochOf(sealed) === EPOCH_OWN;
  }
  /** Does it open without the share? */
  static isOutside(sealed: Uint8Array): boolean {
    return epochOf(sealed) >= OUTSIDE;
  }

  async seal(of: string, plain: Uint8Array): Promise<Uint8Array> {
    if (this.closed) throw appError("closed");
    return this.#seal(await this.#epoch(), of, plain);
  }
  /** What new entries need while the store is closed. */
  async sealOutside(of: string, plain: Uint8Array): Promise<Uint8Array> {
    return this.#seal((await this.#epoch()) + OUTSIDE, of, plain);
  }
  /** Under the device's own key. */
  sealOwn(of: string, plain: Uint8Array): Promise<Uint8Array> {
    return this.#seal(EPOCH_OWN, of, plain);
  }
  async open(of: string, sealed: Uint8Array): Promise<Uint8Array> {
    const epoch = epochOf(sealed);
    if (this.closed && epoch !== EPOCH_OWN && epoch < OUTSIDE) throw appError("closed");
    try {
      const plain = await crypto.subtle.decrypt(
        this.#algorithm(epoch, of, own(sealed.subarray(4, HEAD_BYTES))),
        await this.#key(epoch),
        own(sealed.subarray(HEAD_BYTES)),
      );
      return new Uint8Array(plain);
    } catch (e) {
      throw new AppError(
        "storage",
        { nl: "Een opgeslagen gegeven is beschadigd.", en: "A stored value is damaged." },
        { nl: "Bel de beheerder.", en: "Call the administrator." },
        [],
        e,
      );
    }
  }

  #epoch(): Promise<number> {
    return (this.#current ??= this.#epochs.add(randomBytes(32)));
  }
  #key(epoch: number): Promise<CryptoKey> {
    let key = this.#keys.get(epoch);
    if (!key) {
      const outside = epoch >= OUTSIDE;
      key = this.#epochs.salt(outside ? epoch - OUTSIDE : epoch).then((salt) => {
        if (!salt) throw new Error(`no salt ${epoch}`);
        return this.#derive(salt, this.#strict && !outside);
      });
      this.#keys.set(epoch, key);
    }
    return key;
  }
  #derive(salt: Uint8Array, withShare: boolean): Promise<CryptoKey> {
    if (withShare && !this.#share) throw appError("closed");
    const label = utf8(withShare ? "overdracht strict 1" : "overdracht store 1");
    const info = new Uint8Array([...label, ...(withShare ? this.#share! : [])]);
    const hkdf = { name: "HKDF", hash: "SHA-256", salt: own(salt), info };
    return crypto.subtle.deriveKey(hkdf, this.#secrets.store, { name: "AES-GCM", length: 256 }, false, [
      "encrypt",
      "decrypt",
    ]);
  }
  /** An entry's place names its log, which is of one organisation: it opens after another enrolment, too. */
  #algorithm(epoch: number, of: string, nonce: Bytes): AesGcmParams {
    const place = utf8(of);
    const organisation = epoch === EPOCH_OWN ? new Uint8Array(0) : this.#organisation;
    const additional = new Uint8Array(organisation.length + place.length);
    additional.set(organisation);
    additional.set(place, organisation.length);
    return { name: "AES-GCM", iv: nonce, additionalData: additional };
  }
  async #seal(epoch: number, of: string, plain: Uint8Array): Promise<Uint8Array> {
    const nonce = randomBytes(NONCE_BYTES);
    const sealed = await crypto.subtle.encrypt(
      this.#algorithm(epoch, of, nonce),
      await this.#key(epoch),
      own(plain),
    );
    const out = new Uint8Array(HEAD_BYTES + sealed.byteLength);
    new DataView(out.buffer).setUint32(0, epoch);
    out.set(nonce, 4);
    out.set(new Uint8Array(sealed), HEAD_BYTES);
    return out;
  }
}
