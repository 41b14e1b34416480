/** The steps of a page of docs/ as it tells them: what its code blocks hold, and the way back of each. */
import { readFileSync } from 'node:fs';

export interface DocumentedStep {
  /** Contents of its YAML blocks. */
  readonly yaml: readonly string[];
  /** Lines of its shell blocks, without comments. */
  readonly commands: readonly string[];
  /** The commands that stand after *Back:*. */
  readonly back: readonly string[];
}

/** By the number that its heading begins with. */
export function documentedSteps(file: string): ReadonlyMap<number, DocumentedStep> {
  const sections = readFileSync(file, 'utf8').split(/^## /m);
  return new Map(
    sections.flatMap((section) => {
      const number = /^(\d+)\. /.exec(section)?.[1];
      return number === undefined ? [] : [[Number(number), stepOf(section)]];
    }),
  );
}

function stepOf(section: string): DocumentedStep {
  const blocks = (language: string): readonly string[] =>
    [...section.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\``, 'gms'))].map(
      ([, text = '']) => text,
    );
  const [, back = ''] = section.split('*Back:*');
  return {
    yaml: blocks('yaml'),
    commands: blocks('sh')
      .flatMap((text) => text.split('\n'))
      .map((line) => line.replace(/\s+#.*$/, '').trim())
      .filter((line) => line !== ''),
    back: [...back.matchAll(/`([^`]+)`/g)].map(([, text = '']) => text.replaceAll(/\s+/g, ' ')),
  };
}
