/**
 * A change of a listener cuts every stream on it, so a new release must render listeners as the last one did. The bytes of
 * each release are kept here, those of the kinds of listener that it knew; UPDATE_GOLDEN=1 writes those of the version in
 * package.json only, until it is released.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { parse, stringify } from 'yaml';
import { listenerName } from '../../src/model/names.ts';
import { translate } from '../../src/xds/translate/index.ts';
import { serviceRoutes, table } from '../support/tables.ts';

const FOLDER = 'test/golden/listeners';
const { version: current } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };

/** Listeners as a spec may have them. */
const BINDINGS = [
  { name: listenerName('gateway'), address: '0.0.0.0', port: 10_000 },
  { name: listenerName('outbound.sidecar'), address: '::1', port: 15_001 },
  { name: listenerName('reporting'), address: '0.0.0.0', port: 10_001, accessLog: true },
];

/** The encoded listeners by name, as base64. */
function rendered(): Record<string, string> {
  const { envoy } = translate(table(serviceRoutes({ listeners: BINDINGS })));
  const listeners = envoy.filter(({ type }) => type === 'listeners');
  return Object.fromEntries(listeners.map(({ name, bytes }) => [name, Buffer.from(bytes).toString('base64')]));
}

if (process.env['UPDATE_GOLDEN'] === '1') {
  writeFileSync(`${FOLDER}/${current}.yaml`, stringify(rendered(), { lineWidth: 0 }));
}

test('the version that is being built has its listeners kept', () => {
  expect(readdirSync(FOLDER)).toContain(`${current}.yaml`);
});

test.each(readdirSync(FOLDER))('listeners are those of release %s, byte for byte', (file) => {
  const kept = parse(readFileSync(`${FOLDER}/${file}`, 'utf8')) as Record<string, string>;
  expect(Object.keys(kept)).toEqual(expect.arrayContaining(['gateway', 'outbound.sidecar']));
  expect(rendered()).toMatchObject(kept);
});
