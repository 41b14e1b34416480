/**
 * Golden files: `<case>.in.yaml` is read by the stage under test, `<case>.out.yaml` is all that leaves it. With
 * UPDATE_GOLDEN=1 the outputs are written anew and those without an input are removed.
 */
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { stringify } from 'yaml';

const INPUT = '.in.yaml';
const OUTPUT = '.out.yaml';
const isUpdating = process.env['UPDATE_GOLDEN'] === '1';

/** One test for each input of `folder`: what `stage` makes of its text must be the output, word for word. */
export function goldenCases({
  folder,
  stage,
}: {
  readonly folder: string;
  readonly stage: (source: { readonly file: string; readonly text: string }) => unknown;
}): void {
  const files = readdirSync(folder);
  const cases = files.filter((file) => file.endsWith(INPUT)).map((file) => file.slice(0, -INPUT.length));
  const orphans = files.filter(
    (file) => file.endsWith(OUTPUT) && !cases.includes(file.slice(0, -OUTPUT.length)),
  );
  if (isUpdating) for (const orphan of orphans) rmSync(join(folder, orphan));

  describe(`golden files of ${folder}`, () => {
    test('every output has an input', () => {
      expect(cases.length).toBeGreaterThan(0);
      expect(isUpdating ? [] : orphans).toEqual([]);
    });

    test.each(cases)('%s', (name) => {
      const file = name + INPUT;
      const actual = stringify(stage({ file, text: readFileSync(join(folder, file), 'utf8') }), {
        lineWidth: 0,
        // Which parts are one object in memory is nobody's business.
        aliasDuplicateObjects: false,
      });
      const output = join(folder, name + OUTPUT);
      if (isUpdating) writeFileSync(output, actual);
      expect(actual).toBe(readFileSync(output, 'utf8'));
    });
  });
}
