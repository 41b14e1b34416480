/** The signed manifest of an artifact: a JSON file beside it, from `switchyard artifact sign`. Text in, artifact out. */
import type { Artifact } from '../model/goal-state.ts';
import { isName, NAME_RULE, serviceName, versionName } from '../model/names.ts';

/** A manifest that breaks a rule; the text names the field, the value and what would be right. */
export class InvalidManifestError extends Error {
  override readonly name = 'InvalidManifestError';
}

const FORMAT = 'switchyard-artifact-v1';
const FIELDS = ['format', 'service', 'version', 'url', 'sha256', 'size', 'signature', 'command'];
const MOST_CHARACTERS = 64 * 1024;

export function printManifest(artifact: Artifact): string {
  const { service, version, url, sha256, size, signature, command } = artifact;
  const manifest = { format: FORMAT, service, version, url, sha256, size, signature, command };
  return `${JSON.stringify(manifest, undefined, 2)}\n`;
}

/** Throws InvalidManifestError. */
export function parseManifest(text: string): Artifact {
  if (text.length > MOST_CHARACTERS)
    throw new InvalidManifestError(`a manifest has at most ${MOST_CHARACTERS} characters`);
  const read = objectOf(text);
  for (const field of Object.keys(read)) {
    expect(FIELDS.includes(field), field, read[field], `left out: the fields are ${FIELDS.join(', ')}`);
  }
  const { format, service, version, url, sha256, size, signature, command } = read;
  expect(format === FORMAT, 'format', format, JSON.stringify(FORMAT));
  expect(typeof service === 'string' && isName(service), 'service', service, NAME_RULE);
  expect(typeof version === 'string' && isName(version), 'version', version, NAME_RULE);
  expect(typeof url === 'string', 'url', url, 'the address of the artifact');
  expect(
    typeof sha256 === 'string' && /^[0-9a-f]{64}$/.test(sha256),
    'sha256',
    sha256,
    '64 lower-case hexadecimal digits',
  );
  expect(Number.isSafeInteger(size) && Number(size) > 0, 'size', size, 'a whole number of bytes, 1 or more');
  expect(typeof signature === 'string', 'signature', signature, 'text in base64');
  expect(isCommand(command), 'command', command, 'a list of texts: the program and its arguments');
  return {
    service: serviceName(String(service)),
    version: versionName(String(version)),
    url: String(url),
    sha256: String(sha256),
    size: Number(size),
    signature: String(signature),
    command: command as readonly string[],
  };
}

function objectOf(text: string): Readonly<Record<string, unknown>> {
  let read: unknown;
  try {
    read = JSON.parse(text);
  } catch (error) {
    throw new InvalidManifestError(`a manifest is JSON: ${(error as Error).message}`);
  }
  if (typeof read === 'object' && read !== null && !Array.isArray(read))
    return read as Record<string, unknown>;
  throw new InvalidManifestError('a manifest is one JSON object, as `switchyard artifact sign` writes it');
}

function isCommand(command: unknown): boolean {
  return Array.isArray(command) && command.length > 0 && command.every((part) => typeof part === 'string');
}

function expect(isRight: boolean, field: string, value: unknown, right: string): void {
  if (isRight) return;
  const shown = (JSON.stringify(value) ?? 'absent').slice(0, 80);
  throw new InvalidManifestError(`${field} is ${shown}; it must be ${right}`);
}
