/**
 * Content digests: the versions of resources and of sets of them. A version is a digest of content alone, so replicas
 * and restarts agree on it, and the same content never looks new to a proxy.
 */
import { createHash } from 'node:crypto';

/** Hex digits of a digest: 96 bits, far beyond any number of versions that one server makes. */
const DIGEST_LENGTH = 24;

/** A short SHA-256 digest of the parts. The length of each part goes in too, so parts cannot run into each other. */
export function digest(parts: Iterable<string | Uint8Array>): string {
  const hash = createHash('sha256');
  for (const part of parts) {
    hash.update(`${part.length}:`);
    hash.update(part);
  }
  return hash.digest('hex').slice(0, DIGEST_LENGTH);
}
