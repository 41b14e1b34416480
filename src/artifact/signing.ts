/**
 * Ed25519 over the statement of an artifact: who has the private key decides what watchers run. The key pair is made and
 * kept far from any controller.
 */
import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  sign,
  verify,
} from 'node:crypto';
import { type Artifact, artifactStatement } from '../model/goal-state.ts';

/** A text that should hold a key and does not. */
export class InvalidKeyError extends Error {
  override readonly name = 'InvalidKeyError';
}

/** A new pair, each as PEM. */
export function makeKeyPair(): { readonly privateKey: string; readonly publicKey: string } {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  return {
    privateKey: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    publicKey: publicKey.export({ type: 'spki', format: 'pem' }).toString(),
  };
}

/** Reads a private key in PEM. Throws InvalidKeyError; `file` is for its message. */
export function readPrivateKey(pem: string, file: string): KeyObject {
  return checked(file, 'private', () => createPrivateKey(pem));
}

/** Reads a public key in PEM; a private one is refused, since it has no place on a box. Throws InvalidKeyError. */
export function readPublicKey(pem: string, file: string): KeyObject {
  if (pem.includes('PRIVATE KEY')) {
    throw new InvalidKeyError(`${file} holds a private key: copy only the public one to a box`);
  }
  return checked(file, 'public', () => createPublicKey(pem));
}

/** The signature of an artifact, in base64. */
export function signArtifact(artifact: Omit<Artifact, 'signature' | 'url'>, privateKey: KeyObject): string {
  return sign(null, Buffer.from(artifactStatement(artifact)), privateKey).toString('base64');
}

/** Whether one of the keys has signed exactly this artifact. */
export function isSigned(artifact: Artifact, publicKeys: readonly KeyObject[]): boolean {
  const statement = Buffer.from(artifactStatement(artifact));
  const signature = Buffer.from(artifact.signature, 'base64');
  return publicKeys.some((key) => verify(null, statement, key, signature));
}

function checked(file: string, kind: 'private' | 'public', read: () => KeyObject): KeyObject {
  const wanted = `an Ed25519 ${kind} key in PEM, as \`switchyard artifact keygen\` writes it`;
  let key: KeyObject;
  try {
    key = read();
  } catch (error) {
    throw new InvalidKeyError(`${file} must hold ${wanted}: ${(error as Error).message}`);
  }
  if (key.asymmetricKeyType !== 'ed25519') {
    throw new InvalidKeyError(`${file} holds a key of type ${key.asymmetricKeyType}; it must be ${wanted}`);
  }
  return key;
}
