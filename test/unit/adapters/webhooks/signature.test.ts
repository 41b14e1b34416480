/** The signature of posts, and the file that its secret comes from. */
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { readSecretFile, SecretFileError } from '../../../../src/adapters/webhooks/secret.ts';
import { signatureOf } from '../../../../src/adapters/webhooks/signature.ts';
import { instant } from '../../../../src/model/instant.ts';

// printf '%s' '1700000000.{"a":1}' | openssl dgst -sha256 -hmac 'sixteen bytes ok'
const BY_OPENSSL = '78630ef9b11f6acdbd19f29a83f37af37e04ebd1256616baf168cca5d353b112';

test('a signature is what openssl computes, with the time in whole seconds', () => {
  const signature = signatureOf({
    secret: 'sixteen bytes ok',
    body: '{"a":1}',
    at: instant(1_700_000_000_999),
  });
  expect(signature).toBe(`t=1700000000,v1=${BY_OPENSSL}`);
});

describe('a secret file', () => {
  function fileWith(content: string, mode = 0o600): string {
    const folder = mkdtempSync(join(tmpdir(), 'switchyard-secret-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const file = join(folder, 'secret');
    writeFileSync(file, content);
    chmodSync(file, mode);
    return file;
  }

  test('gives its content without the line break at the end', () => {
    expect(readSecretFile(fileWith('sixteen bytes ok\n'))).toBe('sixteen bytes ok');
    expect(readSecretFile(fileWith(' sixteen bytes ok'))).toBe(' sixteen bytes ok');
  });

  test.each([0o644, 0o640, 0o604, 0o660])('that others may use is refused: mode %o', (mode) => {
    const file = fileWith('sixteen bytes ok', mode);
    expect(() => readSecretFile(file)).toThrow(SecretFileError);
    expect(() => readSecretFile(file)).toThrow(`chmod 600 ${file}`);
  });

  test('that is short, or missing, is refused by name', () => {
    expect(() => readSecretFile(fileWith('short\n'))).toThrow(/has 5 bytes; it must have at least 16/);
    const folder = fileWith('sixteen bytes ok').replace(/secret$/, 'missing');
    expect(() => readSecretFile(folder)).toThrow(/missing cannot be read: ENOENT/);
  });
});
