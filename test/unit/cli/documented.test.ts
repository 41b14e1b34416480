/**
 * docs/cli.md and the completion know every verb and every option that is declared, and every command that README.md
 * or a page of docs/ shows is one that the program takes.
 */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { type Command, CommanderError } from 'commander';
import { expect, test } from 'vitest';
import { completionScript } from '../../../src/cli/completion.ts';
import { declare } from '../../../src/cli/program.ts';
import { commandLinesOf, namedCommandsOf, type Piece, pages } from '../../support/documents.ts';

const silent = { ...process, stdout: { write: () => true }, stderr: { write: () => true } } as never;

function declared(): Command {
  return declare({ arguments: [], shell: silent, local: {} as never, version: '' }, async () => undefined);
}

const program = declared();
const page = readFileSync('docs/cli.md', 'utf8');

function verbs(command: Command, path: readonly string[] = []): { path: string; command: Command }[] {
  const below = command.commands.flatMap((each) => verbs(each, [...path, each.name()]));
  return command.commands.length > 0 ? below : [{ path: path.join(' '), command }];
}

test.each(verbs(program).map(({ path, command }) => [path, command] as const))(
  'the page names `%s` and its options',
  (path, command) => {
    expect(page).toMatch(new RegExp(`\`(switchyard )?${path}[ \`]`));
    const missing = command.options.flatMap(({ long }) => (long && !page.includes(long) ? [long] : []));
    expect(missing).toEqual([]);
  },
);

test('the page names every option of the program', () => {
  expect(program.options.filter(({ long }) => long && !page.includes(long))).toEqual([]);
});

/** What bash would offer after these words. */
function offered(...words: string[]): string[] {
  const script = `${completionScript(program, 'bash')}
COMP_WORDS=(switchyard "$@"); COMP_CWORD=$#; _switchyard; printf '%s\\n' "\${COMPREPLY[@]}"`;
  const { stdout, stderr } = spawnSync('bash', ['-c', script, 'bash', ...words], { encoding: 'utf8' });
  expect(stderr).toBe('');
  return stdout.trim().split('\n');
}

test('bash is offered the verbs that begin as typed, and the options of the verb that stands', () => {
  expect(offered('ro')).toEqual(['rollback']);
  expect(offered('get', 'p')).toEqual(['proxies']);
  expect(offered('-o', 'json', 'retire', 'manager', 'v1', '--waive')).toEqual([
    '--waive-open-work',
    '--waive-stragglers',
  ]);
});

test('zsh gets the same by its bridge to bash, and fish a line for each word', () => {
  expect(completionScript(program, 'zsh')).toMatch(/^autoload -U \+X bashcompinit/);
  expect(completionScript(program, 'fish')).toContain(
    "complete -c switchyard -n '__fish_seen_subcommand_from get; and __fish_seen_subcommand_from proxies' -l watch\n",
  );
});

/** What a page writes in capitals, as somebody would fill it in. */
const FILLED: Readonly<Record<string, string>> = {
  DURATION: '10m',
  PERCENT: '10',
  NUMBER: '7',
  SHELL: 'bash',
  'HOST:PORT': '127.0.0.1:18000',
  'SERVICE=NUMBER': 'manager=7',
};

function filledWords(commandLine: string): string[] {
  return [...commandLine.matchAll(/(?:'[^']*'|"[^"]*"|[^\s'"])+/g)].map(([word]) => {
    const bare = word.replaceAll(/['"]/g, '').replace(/^\[(.*)\]$/, '$1');
    return FILLED[bare] ?? bare;
  });
}

/** What the program says against a command line; nothing where it takes it. */
async function refusal({ place, text }: Piece): Promise<{ code: string; told: string } | undefined> {
  try {
    await declared().parseAsync(filledWords(text), { from: 'user' });
    return undefined;
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return undefined;
    return { code: error.code, told: `${place}: switchyard ${text}: ${error.message}` };
  }
}

/** A sentence may leave out what the reader's command must have; it may not name what does not exist. */
const SHORTENED = new Set([
  'commander.missingArgument',
  'commander.optionMissingArgument',
  'commander.missingMandatoryOptionValue',
]);

test.each(pages())('the program takes every command line of %s', async (shown) => {
  const refusals = await Promise.all(commandLinesOf(shown).map(refusal));
  expect(refusals.flatMap((each) => (each === undefined ? [] : [each.told]))).toEqual([]);
});

test.each(pages())('every command that a sentence of %s names exists', async (shown) => {
  const known = new Set(program.commands.map((command) => command.name()));
  const named = namedCommandsOf(shown, known).filter(({ text }) => !text.startsWith('VERB'));
  const refusals = await Promise.all(named.map(refusal));
  const wrong = refusals.filter((each) => each !== undefined && !SHORTENED.has(each.code));
  expect(wrong.map((each) => each?.told)).toEqual([]);
});

test('many commands are compared: the reader of the pages has not gone blind', () => {
  expect(pages().flatMap(commandLinesOf).length).toBeGreaterThan(15);
  expect(commandLinesOf('README.md')).toContainEqual(
    expect.objectContaining({ text: 'flip manager v2 --reason "v2 is fine"' }),
  );
});

test.each([
  ['lint -f FILE', 'commander.unknownOption'],
  ['frobnicate all', 'commander.unknownCommand'],
  ['describe a b', 'commander.excessArguments'],
])('a page that showed `switchyard %s` would be found out', async (text, code) => {
  expect(await refusal({ place: 'here', text })).toMatchObject({ code });
});
