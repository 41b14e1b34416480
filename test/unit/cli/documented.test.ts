/** docs/cli.md and the completion know every verb and every option that is declared. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import type { Command } from 'commander';
import { expect, test } from 'vitest';
import { completionScript } from '../../../src/cli/completion.ts';
import { declare } from '../../../src/cli/program.ts';

const program = declare(
  { arguments: [], shell: process, local: {} as never, version: '' },
  async () => undefined,
);
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
