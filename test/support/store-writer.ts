/**
 * A process that commits to a store without end, to be killed. After each acknowledged commit it writes the number of
 * that commit on a line of its own; before that, one line with `open`. A commit that is refused is a line `refused …`,
 * after which it waits for a line on its input.
 * Usage: store-writer.ts FILE [CHARACTERS OF EACH DOCUMENT]
 */
import { once } from 'node:events';
import { writeSync } from 'node:fs';
import { openSqliteStore } from '../../src/adapters/sqlite/store.ts';
import { commitNumber } from './store-writer-commits.ts';

const [file, size = '100'] = process.argv.slice(2);
if (file === undefined) throw new Error('usage: store-writer.ts FILE [CHARACTERS]');
const store = await openSqliteStore({ file });
const stored = (await store.load()).services[0]?.generation ?? 0;
writeSync(1, 'open\n');
for (let number = stored + 1; ; number++) {
  try {
    await store.commit(commitNumber(number, Number(size)));
    writeSync(1, `${number}\n`);
  } catch (error) {
    const generation = (await store.load()).services[0]?.generation ?? 0;
    writeSync(
      1,
      `refused ${JSON.stringify({ name: (error as Error).name, message: (error as Error).message, generation })}\n`,
    );
    await once(process.stdin, 'data');
    number--;
  }
}
