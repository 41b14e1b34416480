/** Reads a Dockerfile: the instructions that ours use. Any other is an error, so that none is passed over in silence. */

export type Instruction =
  | { readonly kind: 'workdir'; readonly path: string }
  /** `from`: the stage that it copies from; absent: the build context. */
  | {
      readonly kind: 'copy';
      readonly from?: string;
      readonly sources: readonly string[];
      readonly target: string;
    }
  | { readonly kind: 'run'; readonly command: string }
  | { readonly kind: 'user'; readonly uid: number; readonly gid: number }
  | { readonly kind: 'entrypoint'; readonly words: readonly string[] }
  | { readonly kind: 'cmd'; readonly words: readonly string[] }
  | { readonly kind: 'expose' };

export interface Stage {
  /** The image that it begins with. */
  readonly base: string;
  /** Empty where it has none. */
  readonly name: string;
  readonly instructions: readonly Instruction[];
}

/** Its stages, in their order. Throws Error that names the line. */
export function parseDockerfile(text: string): readonly Stage[] {
  const stages: { base: string; name: string; instructions: Instruction[] }[] = [];
  for (const line of text.split('\n')) {
    if (line.trim() === '' || line.startsWith('#')) continue;
    const from = /^FROM (?<base>\S+)(?: AS (?<name>\S+))?$/.exec(line)?.groups;
    if (from !== undefined) {
      stages.push({ base: from['base'] ?? '', name: from['name'] ?? '', instructions: [] });
      continue;
    }
    const stage = stages.at(-1);
    if (stage === undefined) throw new Error(`the Dockerfile begins with no FROM: ${line}`);
    stage.instructions.push(instruction(line));
  }
  return stages;
}

function instruction(line: string): Instruction {
  const [, name = '', rest = ''] = /^([A-Z]+) (.*)$/.exec(line) ?? [];
  switch (name) {
    case 'WORKDIR':
      return { kind: 'workdir', path: rest };
    case 'COPY':
      return copy(rest);
    case 'RUN':
      return { kind: 'run', command: rest };
    case 'USER': {
      const [, uid, gid] = /^(\d+):(\d+)$/.exec(rest) ?? [];
      if (uid === undefined || gid === undefined)
        throw new Error(`USER must be numbers, as 65532:65532: ${line}`);
      return { kind: 'user', uid: Number(uid), gid: Number(gid) };
    }
    case 'ENTRYPOINT':
      return { kind: 'entrypoint', words: JSON.parse(rest) as string[] };
    case 'CMD':
      return { kind: 'cmd', words: JSON.parse(rest) as string[] };
    case 'EXPOSE':
      return { kind: 'expose' };
    default:
      throw new Error(`an instruction that is not known here: ${line}`);
  }
}

function copy(text: string): Instruction {
  const words = text.split(' ');
  const from = /^--from=(.*)$/.exec(words[0] ?? '')?.[1];
  const paths = from === undefined ? words : words.slice(1);
  return {
    kind: 'copy',
    ...(from === undefined ? {} : { from }),
    sources: paths.slice(0, -1),
    target: paths.at(-1) ?? '',
  };
}

/** Whether .dockerignore keeps a path out of the build context: the last line that fits decides. */
export function isIgnored(ignore: string, path: string): boolean {
  let ignored = false;
  for (const line of ignore.split('\n')) {
    if (line.trim() === '' || line.startsWith('#')) continue;
    const isException = line.startsWith('!');
    if (fits(isException ? line.slice(1) : line, path)) ignored = !isException;
  }
  return ignored;
}

/** A pattern fits a path and all that is below it. */
function fits(pattern: string, path: string): boolean {
  const parts = pattern.split(/(\*\*\/|\*)/).map((part) => {
    if (part === '**/') return '(?:.*/)?';
    return part === '*' ? '[^/]*' : part.replaceAll(/[.+?^${}()|[\]\\]/g, '\\$&');
  });
  return new RegExp(`^${parts.join('')}(?:/.*)?$`).test(path);
}
