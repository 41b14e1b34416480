/**
 * The secret that posts are signed with, from a file that only its owner may read. A secret that others can read, or
 * one that is easy to guess, is refused: whoever knows it can approve rollouts' events in our name.
 */
import { readFileSync, statSync } from 'node:fs';

/** A shorter secret could be guessed. */
const LEAST_BYTES = 16;

/** The file cannot be used; the message names it and says what would be right. */
export class SecretFileError extends Error {
  override readonly name = 'SecretFileError';
}

/** Reads the secret; a line break at its end is no part of it. Throws SecretFileError. */
export function readSecretFile(file: string): string {
  const secret = readOwn(file).replace(/\r?\n$/, '');
  if (Buffer.byteLength(secret) < LEAST_BYTES) {
    throw new SecretFileError(
      `the secret in ${file} has ${Buffer.byteLength(secret)} bytes; it must have at least ${LEAST_BYTES}: head -c 32 /dev/urandom | base64 > ${file}`,
    );
  }
  return secret;
}

function readOwn(file: string): string {
  try {
    const mode = statSync(file).mode & 0o777;
    if ((mode & 0o077) !== 0) {
      throw new SecretFileError(
        `${file} has mode ${mode.toString(8).padStart(4, '0')}, so that others may use the secret; run: chmod 600 ${file}`,
      );
    }
    return readFileSync(file, 'utf8');
  } catch (error) {
    if (error instanceof SecretFileError) throw error;
    throw new SecretFileError(`the secret file ${file} cannot be read: ${(error as Error).message}`, {
      cause: error,
    });
  }
}
