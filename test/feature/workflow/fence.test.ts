/** A fence that one instance is asked for is heard by all of its version. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { versionName } from '../../../src/model/names.ts';
import { eventually } from '../../support/eventually.ts';
import { ExampleSite } from '../../support/workflow/example-site.ts';

const V1 = versionName('v1');

let site: ExampleSite;
beforeEach(async () => {
  site = await ExampleSite.open();
});
afterEach(() => site.close());

/** Reads the ticks of a stream until one says that its version drains; undefined: its reader ended it before. */
async function untilDraining(url: string, signal: AbortSignal): Promise<true | undefined> {
  try {
    const { body } = await fetch(`${url}/stream?ms=20`, { signal });
    for await (const chunk of body ?? []) {
      if (Buffer.from(chunk).includes('"draining":true')) return true;
    }
  } catch (error) {
    if (signal.aborted) return undefined;
    throw error;
  }
  throw new Error('the stream was ended by its instance');
}

describe('the fence of a version', () => {
  it('is told to the streams of every instance of it and of no other, and lifted for all', async () => {
    const store = await site.store();
    const managers = await Promise.all([site.manager(), site.manager(), site.manager({ version: 'v2' })]);
    const urls = managers.map(({ port }) => `http://127.0.0.1:${port}`);
    const over = new AbortController();
    site.defer(() => over.abort());
    const [first, second, other] = urls.map((url) => untilDraining(url, over.signal));

    await store.fenceAndCount(V1);
    expect(await Promise.all([first, second])).toEqual([true, true]);
    const begun = () => Promise.all(urls.map(async (url) => (await fetch(`${url}/slow?ms=1`)).status));
    expect(await begun()).toEqual([503, 503, 200]);

    await store.lift(V1);
    await eventually(async () => (await begun()).every((status) => status === 200), {
      what: 'new work on all instances',
    });
    over.abort();
    expect(await other).toBeUndefined();
  });
});
