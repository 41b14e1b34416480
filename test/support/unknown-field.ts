/** Messages as a newer release may send them. */

/** Field 1000 with a text, which no message of ours has. */
const FIELD = Uint8Array.from([0xc2, 0x3e, 0x05, ...Buffer.from('later')]);

/** The message with a field that this release does not know. */
export function withUnknownField(message: Uint8Array): Uint8Array {
  return Buffer.concat([message, FIELD]);
}
