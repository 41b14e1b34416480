/**
 * A process that writes to a store without end, to be killed: a commit, its measurement, its count of requests. When all
 * three are acknowledged it writes their number on a line of its own; before the first, one line with `open`. What is
 * refused is a line `refused …`, after which it waits for a line on its input and goes on with what is missing.
 * Usage: store-writer.ts FILE [CHARACTERS OF EACH DOCUMENT]
 */
import { once } from 'node:events';
import { writeSync } from 'node:fs';
import { openSqliteStore } from '../../src/adapters/sqlite/store.ts';
import { commitNumber, countNumber, measurementNumber } from './store-writer-commits.ts';

const [file, size = '100'] = process.argv.slice(2);
if (file === undefined) throw new Error('usage: store-writer.ts FILE [CHARACTERS]');
const store = await openSqliteStore({ file });
const stored = (await store.load()).services[0]?.generation ?? 0;
writeSync(1, 'open\n');
let number = stored;
for (;;) {
  number += 1;
  const count = countNumber(number);
  await untilTaken(() => store.commit(commitNumber(number, Number(size))));
  await untilTaken(() => store.appendMeasurements([measurementNumber(number)]));
  await untilTaken(() => store.saveTraffic([count]));
  writeSync(1, `${number}\n`);
}

async function untilTaken(write: () => Promise<unknown>): Promise<void> {
  for (;;) {
    try {
      await write();
      return;
    } catch (error) {
      const generation = (await store.load()).services[0]?.generation ?? 0;
      const { name, message } = error as Error;
      writeSync(1, `refused ${JSON.stringify({ name, message, generation })}\n`);
      await once(process.stdin, 'data');
    }
  }
}
