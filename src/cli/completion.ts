/**
 * Shell completion, made from the declared verbs: which words and options may follow. Pure text; names of services and
 * versions are not asked for, since that would call the controller at each press of a key.
 */
import type { Command } from 'commander';

export const SHELLS = ['bash', 'zsh', 'fish'] as const;
export type ShellName = (typeof SHELLS)[number];

/** What may follow a path of verbs. */
interface Place {
  /** `get services`; empty for the program itself. */
  readonly path: string;
  readonly words: readonly string[];
}

/** The script that a user sources. */
export function completionScript(program: Command, shell: ShellName): string {
  const places = placesOf(program, []);
  if (shell === 'fish') return fish(program.name(), places);
  const prefix = shell === 'zsh' ? 'autoload -U +X bashcompinit && bashcompinit\n' : '';
  return prefix + bash(program.name(), places);
}

function placesOf(command: Command, path: readonly string[]): Place[] {
  const verbs = command.commands.flatMap((verb) => [verb.name(), ...verb.aliases()]);
  const options = command.options.flatMap(({ long }) => long ?? []);
  return [
    { path: path.join(' '), words: [...verbs, ...options, '--help'] },
    ...command.commands.flatMap((verb) =>
      [verb.name(), ...verb.aliases()].flatMap((name) => placesOf(verb, [...path, name])),
    ),
  ];
}

/** The longest path of verbs at the beginning of the line decides; the options of the program fit everywhere. */
function bash(name: string, places: readonly Place[]): string {
  const cases = places
    .filter(({ path }) => path !== '')
    .map(({ path, words }) => `    ${JSON.stringify(path)}) words="${words.join(' ')}" ;;`);
  const [root] = places;
  return `_${name}() {
  local current="\${COMP_WORDS[COMP_CWORD]}" path="" word words="" found="${root?.words.join(' ') ?? ''}"
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case "$word" in -*) continue ;; esac
    words=""
    case "\${path:+$path }$word" in
${cases.join('\n')}
    esac
    [ -n "$words" ] || continue
    path="\${path:+$path }$word"
    found="$words"
  done
  COMPREPLY=($(compgen -W "$found" -- "$current"))
  [ \${#COMPREPLY[@]} -gt 0 ] || COMPREPLY=($(compgen -f -- "$current"))
}
complete -F _${name} ${name}
`;
}

function fish(name: string, places: readonly Place[]): string {
  const lines = places.flatMap(({ path, words }) => {
    const verbs = path === '' ? [] : path.split(' ');
    const condition =
      verbs.length === 0
        ? '__fish_use_subcommand'
        : verbs.map((verb) => `__fish_seen_subcommand_from ${verb}`).join('; and ');
    return words.map((word) =>
      word.startsWith('--')
        ? `complete -c ${name} -n '${condition}' -l ${word.slice(2)}`
        : `complete -c ${name} -n '${condition}' -f -a ${word}`,
    );
  });
  return `${lines.join('\n')}\n`;
}
